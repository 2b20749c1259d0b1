"""All that a step type's file imports."""

from __future__ import annotations

from runtime.engine.jsonprofile import JSON, JSONRefused, dumps, dumps_bytes, loads, normalise
from runtime.ports import OpenConnection
from runtime.sdk.context import Context, EventView, HttpAnswer, HttpClient, MailReceipt, MailSender, MailServer
from runtime.sdk.effects import EffectClass
from runtime.sdk.errors import PermanentError, RetryableError, StepFailure
from runtime.sdk.fields import REQUIRED, Conditions, Config, Number, Text, field
from runtime.sdk.files import Files, FileValue
from runtime.sdk.nodetype import Example, NodeType, Port, PortsFrom
from runtime.sdk.prepared import PreparedStep
from runtime.sdk.results import Outcome, OwnRuns, Respond, Result, StopRun, Wait
from runtime.sdk.signals import SentEvent, Signal
from runtime.sdk.tasks import Choice, Task, people_of
from runtime.sdk.words import Words

__all__ = [
    "JSON",
    "REQUIRED",
    "Choice",
    "Conditions",
    "Config",
    "Context",
    "EffectClass",
    "EventView",
    "Example",
    "FileValue",
    "Files",
    "HttpAnswer",
    "HttpClient",
    "JSONRefused",
    "MailReceipt",
    "MailSender",
    "MailServer",
    "NodeType",
    "Number",
    "OpenConnection",
    "Outcome",
    "OwnRuns",
    "PermanentError",
    "Port",
    "PortsFrom",
    "PreparedStep",
    "Respond",
    "Result",
    "RetryableError",
    "SentEvent",
    "Signal",
    "StepFailure",
    "StopRun",
    "Task",
    "Text",
    "Wait",
    "Words",
    "dumps",
    "dumps_bytes",
    "field",
    "loads",
    "normalise",
    "people_of",
]

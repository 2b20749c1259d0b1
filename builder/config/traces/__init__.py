"""Traces for OpenTelemetry: off, and nothing of its libraries loaded, unless the settings name a collector.

`begin(kind)` once in each process that works, behind `django.setup()`; what it returns ends it. The collector is the
operator's own choice, in the environment of the process: no workflow has a say in where spans go, so they do not pass
the door that steps go through. They leave by a thread of their own; when the collector is away they are dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from django.conf import settings

from runtime.traces import TRACING

__all__ = ["Counts", "begin", "counts"]


class Counts(NamedTuple):
    """Spans of this process: sent, dropped for lack of room, and failed because the collector did not take them."""

    sent: int
    dropped: int
    failed: int


class _Counting(Protocol):
    def counts(self) -> Counts: ...


_sending: list[_Counting] = []


def begin(kind: str) -> Callable[[], None]:
    """Tell the collector of what this process does, if there is one; returns what ends that. It waits two seconds at
    most for what is left."""
    told = getattr(settings, "TRACES", None)
    if told is None:
        return lambda: None
    from builder.config.traces.spans import Telling

    telling = Telling(told, kind=kind, version=settings.VERSION)
    _sending.append(telling)
    TRACING.tracer = telling

    def end() -> None:
        if TRACING.tracer is telling:
            TRACING.tracer = None
        telling.close()
        if telling in _sending:
            _sending.remove(telling)

    return end


def counts() -> Counts | None:
    """What became of the spans of this process; None where nobody follows."""
    return _sending[-1].counts() if _sending else None

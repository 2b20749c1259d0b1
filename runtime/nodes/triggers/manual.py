"""Button with a form: a person starts it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    PermanentError,
    Result,
    Words,
    field,
    windows,
)
from runtime.sdk.forms import StartField, check_form, question_problems
from runtime.sdk.windows import Span


class ManualConfig(Config):
    title: str = field("", title="Title of the form", placeholder="New invoice", order=1, max_length=200)
    text: str = field("", title="What people should know", widget="textarea", order=2, max_length=2000)
    fields: list[StartField] = field(
        default_factory=list,
        title="Questions",
        help="What is asked before the run starts. Each answer is a field of the data.",
        widget="form-fields",
        order=3,
        max_length=100,
    )
    button: str = field("Start", title="Button", advanced=True, order=4, max_length=60)
    dedupe_for: Span = field(
        windows.START,
        title="Recognise repeats for",
        help="Whoever starts it by the API with an Idempotency-Key and sends it again gets the first run. After that "
        "time the same key counts as something new.",
        widget="choice",
        options=windows.SPANS,
        advanced=True,
        order=5,
    )
    business_key: str = field(
        "",
        title="Business key",
        help="What people search the runs by, for example the invoice number.",
        placeholder="{{ trigger.invoice_number }}",
        deferred=True,
        advanced=True,
        order=6,
        max_length=2000,
    )


def check_input(config: ManualConfig, values: JSON) -> tuple[JSON, dict[str, str]]:
    if not config.fields:
        if values is None or isinstance(values, dict):
            return values or {}, {}
        return {}, {"": "The input is an object."}
    accepted, refused = check_form(config.fields, values)
    return accepted, refused


def run(config: ManualConfig, step_input: JSON, context: Context) -> Result:
    values = context.event.input if context.event else None
    accepted, refused = check_input(config, values)
    if refused:
        raise PermanentError("The form is not filled in as it must be", " ".join(refused.values()), "form")
    return Result(accepted)


def summary(config: Mapping[str, Any], words: Words) -> str:
    labels = [str(entry.get("label") or entry.get("name")) for entry in config["fields"] if isinstance(entry, Mapping)]
    return f"Asks for {', '.join(labels)}" if labels else "A button without questions"


NODE = NodeType(
    name="trigger.manual",
    version=1,
    category="start",
    icon="square-mouse-pointer",
    title="Button with a form",
    description="Starts when a person presses a button, after filling in a form if you like.",
    synonyms=("manual", "button", "form", "on demand", "person", "start by hand", "input"),
    config=ManualConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    trigger=True,
    inline=True,
    extra_problems=question_problems,
    check_input=check_input,
    examples=(
        Example(
            title="Ask for an invoice",
            config={
                "title": "New invoice",
                "fields": [
                    {"name": "customer", "label": "Customer", "type": "text", "required": True},
                    {"name": "amount", "label": "Amount", "type": "money", "currency": "EUR", "required": True},
                    {"name": "due", "label": "Due on", "type": "date"},
                ],
            },
            event={
                "source": "manual",
                "received_at": 1795167667123,
                "has_input": True,
                "input": {"customer": "Brinkmann Papier GmbH", "amount": "1248.50", "due": "2026-12-04"},
            },
            output={
                "customer": "Brinkmann Papier GmbH",
                "amount": {"amount": Decimal("1248.50"), "currency": "EUR"},
                "due": "2026-12-04",
            },
        ),
    ),
)

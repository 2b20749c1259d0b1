"""Called by another workflow: its step “Run another workflow” starts this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import JSON, Config, Context, EffectClass, Example, NodeType, PermanentError, Result, Words, field
from runtime.sdk.forms import StartField, check_form, question_problems


class CalledConfig(Config):
    fields: list[StartField] = field(
        default_factory=list,
        title="What it has to be given",
        help="Without any, whatever it is given is handed on as it is.",
        widget="form-fields",
        order=1,
        max_length=100,
    )
    business_key: str = field(
        "",
        title="Business key",
        help="What people search the runs by, for example the invoice number.",
        placeholder="{{ trigger.invoice_number }}",
        deferred=True,
        advanced=True,
        order=2,
        max_length=2000,
    )


def check_input(config: CalledConfig, values: JSON) -> tuple[JSON, dict[str, str]]:
    if not config.fields:
        return values, {}
    return check_form(config.fields, values)


def run(config: CalledConfig, step_input: JSON, context: Context) -> Result:
    values = context.event.input if context.event else None
    accepted, refused = check_input(config, values)
    if refused:
        raise PermanentError("The other workflow gave something else", " ".join(refused.values()), "form")
    return Result(accepted)


def summary(config: Mapping[str, Any], words: Words) -> str:
    labels = [str(entry.get("label") or entry.get("name")) for entry in config["fields"] if isinstance(entry, Mapping)]
    return f"Is given {', '.join(labels)}" if labels else "Takes whatever it is given"


NODE = NodeType(
    name="trigger.called",
    version=1,
    category="start",
    icon="workflow",
    title="Called by another workflow",
    description="Starts when another workflow runs this one as a step.",
    synonyms=("sub-workflow", "subflow", "child", "called", "reuse", "function", "unterablauf"),
    config=CalledConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    trigger=True,
    inline=True,
    extra_problems=question_problems,
    check_input=check_input,
    examples=(
        Example(
            title="Is given a supplier",
            config={},
            event={
                "source": "workflow",
                "received_at": 1795167667123,
                "has_input": True,
                "input": {"supplier": "Brinkmann Papier GmbH"},
            },
            output={"supplier": "Brinkmann Papier GmbH"},
        ),
    ),
)

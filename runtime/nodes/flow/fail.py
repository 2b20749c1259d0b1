"""Fail with message: the run ends here, and a person must know."""

from __future__ import annotations

from collections.abc import Mapping
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
    Text,
    Words,
    field,
)


class FailConfig(Config):
    message: Text = field(
        title="Message",
        help="What went wrong and what to do, for the person who looks at the run.",
        widget="textarea",
        expression=True,
        placeholder="Order {{ trigger.body.order_id }} has no customer",
        order=1,
        min_length=1,
        max_length=2000,
    )
    code: str = field(
        "failed_on_purpose",
        title="Code",
        help="A word that groups failures of the same cause.",
        advanced=True,
        order=2,
        pattern=r"^[a-z][a-z0-9_]{0,59}$",
    )


def run(config: FailConfig, step_input: JSON, context: Context) -> Result:
    raise PermanentError(config.message.splitlines()[0][:120], config.message, config.code)


def summary(config: Mapping[str, Any], words: Words) -> str:
    return words.value(config["message"]) if config.get("message") else ""


NODE = NodeType(
    name="flow.fail",
    version=1,
    category="logic",
    icon="circle-x",
    title="Fail with message",
    description="Ends the run as failed, with a message that says why.",
    synonyms=("error", "throw", "raise", "abort", "reject"),
    config=FailConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    out=(),
    fails=False,
    examples=(
        Example(
            title="No customer",
            config={"message": "Order {{ trigger.body.order_id }} has no customer"},
            context={"trigger": {"body": {"order_id": "SO-1042"}}},
            output=None,
        ),
    ),
)

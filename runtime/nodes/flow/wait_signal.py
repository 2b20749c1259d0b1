"""Wait for a signal: the run gets a link of its own, and goes on when somebody or something uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import (
    JSON,
    Context,
    EffectClass,
    Example,
    NodeType,
    Port,
    Signal,
    Text,
    Wait,
    Words,
    field,
)
from runtime.sdk.signals import LINK_STEP, NOTHING_CAME
from runtime.sdk.tasks import TimeLimit


class WaitSignalConfig(TimeLimit):
    title: Text = field(
        "",
        title="What is waited for",
        help="Whoever opens the link reads this above the button. Steps before this one send the link, for example in "
        "an e-mail: {{ run.links.… }} with the name of this step in the data.",
        expression=True,
        placeholder="Confirm the delivery of order {{ trigger.body.number }}",
        order=1,
        max_length=300,
    )


def run(config: WaitSignalConfig, step_input: JSON, context: Context) -> Wait:
    return Wait(
        "event",
        due_at_ms=config.due_at_ms(context.now_ms),
        output=dict(NOTHING_CAME),
        ports=("timeout",),
        note="Waits for a signal",
        signal=Signal("link", title=config.title.strip()),
    )


def summary(config: Mapping[str, Any], words: Words) -> str:
    return words.value(config["title"]) if config["title"] else "Until somebody uses its link"


NODE = NodeType(
    name=LINK_STEP,
    version=1,
    category="logic",
    icon="link",
    title="Wait for a signal",
    description="Gives the run a link with a secret of its own and waits until it is used: by a system with a POST, or "
    "by a person with a press of a button. It holds no worker and survives restarts.",
    synonyms=("webhook", "callback", "resume", "link", "confirm", "answer", "signal", "url"),
    config=WaitSignalConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    out=(Port("out", "Signal came"), Port("timeout", "Not in time")),
    effect_note="Waiting again gives the run another link; what was waited for before stays as it came.",
    examples=(
        Example(
            title="The supplier confirms",
            config={"title": "Confirm the delivery of PO-771", "limit": 3, "unit": "days"},
            output={"data": None, "at": None, "by": None},
        ),
    ),
)

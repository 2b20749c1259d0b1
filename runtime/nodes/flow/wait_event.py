"""Wait for an event: the run goes on when an event of this name and key is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from runtime.sdk import (
    JSON,
    Context,
    EffectClass,
    Example,
    NodeType,
    Number,
    Port,
    Signal,
    Text,
    Wait,
    Words,
    field,
)
from runtime.sdk.signals import LONGEST_KEY, LONGEST_NAME, NOTHING_CAME, named
from runtime.sdk.tasks import TimeLimit

_MINUTE_MS: Final = 60_000


class WaitEventConfig(TimeLimit):
    name: Text = field(
        "",
        title="Event",
        help="What it is called by whoever sends it: another workflow, or a program by the API.",
        expression=True,
        placeholder="order.shipped",
        required=True,
        order=1,
        max_length=LONGEST_NAME,
    )
    key: Text = field(
        "",
        title="Key",
        help="Which one it is about. Only an event with exactly this key moves the run on.",
        expression=True,
        placeholder="{{ trigger.body.order_number }}",
        required=True,
        order=2,
        max_length=LONGEST_KEY,
    )
    early: Literal["run", "minutes", "never"] = field(
        "run",
        title="Events that came before the run got here",
        help="The other side may be quicker than this run. Each event moves a run on once.",
        widget="choice",
        options=(
            ("run", "Count since the run was started"),
            ("minutes", "Count for some minutes"),
            ("never", "Do not count"),
        ),
        order=3,
    )
    minutes: Number = field(
        60, title="Minutes", widget="number", expression=True, show_if={"early": ["minutes"]}, order=4, ge=0, le=525_600
    )


def run(config: WaitEventConfig, step_input: JSON, context: Context) -> Wait:
    name, key = named(config.name, config.key)
    early = {"run": None, "never": 0, "minutes": int(config.minutes * _MINUTE_MS)}[config.early]
    return Wait(
        "event",
        due_at_ms=config.due_at_ms(context.now_ms),
        output={**NOTHING_CAME, "name": name, "key": key},
        ports=("timeout",),
        note=f"Waits for {name}"[:200],
        signal=Signal("event", title=f"{name} · {key}", name=name, key=key, early_ms=early),
    )


def summary(config: Mapping[str, Any], words: Words) -> str:
    if not config["name"]:
        return ""
    name = words.value(config["name"])
    return f"{name} · {words.value(config['key'])}" if config["key"] else name


NODE = NodeType(
    name="flow.wait_event",
    version=1,
    category="logic",
    icon="bell",
    title="Wait for an event",
    description="Waits until an event with a matching key is sent, by another workflow or by the API. It holds no "
    "worker and survives restarts.",
    synonyms=("event", "message", "correlate", "key", "until", "arrive", "shipped", "paid"),
    config=WaitEventConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    out=(Port("out", "Event came"), Port("timeout", "Not in time")),
    effect_note="Waiting again takes another event; what was waited for before stays as it came.",
    examples=(
        Example(
            title="The order is shipped",
            config={"name": "order.shipped", "key": "PO-771", "limit": 5, "unit": "days"},
            output={"data": None, "at": None, "by": None, "name": "order.shipped", "key": "PO-771"},
        ),
    ),
)

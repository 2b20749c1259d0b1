"""Send an event: every run that waits for one of this name and key goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    JSONRefused,
    NodeType,
    Result,
    Text,
    Words,
    field,
    loads,
)
from runtime.sdk.jsontext import is_whole_formula, read_json_text
from runtime.sdk.signals import LONGEST_KEY, LONGEST_NAME, named


class SendEventConfig(Config):
    name: Text = field(
        "",
        title="Event",
        help="What runs that wait for it call it.",
        expression=True,
        placeholder="order.shipped",
        required=True,
        order=1,
        max_length=LONGEST_NAME,
    )
    key: Text = field(
        "",
        title="Key",
        help="Which one it is about. Runs that wait for exactly this key go on.",
        expression=True,
        placeholder="{{ trigger.body.order_number }}",
        required=True,
        order=2,
        max_length=LONGEST_KEY,
    )
    data: Any = field(
        None,
        title="Data",
        help="What the waiting runs get with it. Empty: what came into this step.",
        widget="json",
        expression=True,
        placeholder='{ "parcel": "{{ trigger.body.parcel }}" }',
        order=3,
    )


async def run(config: SendEventConfig, step_input: JSON, context: Context) -> Result:
    name, key = named(config.name, config.key)
    data = step_input if config.data in (None, "") else _data(config.data)
    sent = await context.send_event(name, key, data)
    return Result(
        {"id": str(sent.id), "name": name, "key": key},
        note=f"{name} · {key}"[:200],
        request={"name": name, "key": key, "data": data},
    )


def _data(value: Any) -> JSON:
    """What is sent. Text is never read as a document here: somebody else's data may have made it.

    A text in quotes is what a text stands as that was written into the field.
    """
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    try:
        found = loads(value)
    except JSONRefused:
        return value
    return found if isinstance(found, str) else value


def read(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Data that was written as JSON text stands for its document; its formulas are worked out inside that."""
    data = config.get("data")
    if not isinstance(data, str) or not data.strip() or is_whole_formula(data):
        return config
    try:
        found = read_json_text(data)
    except JSONRefused:
        return config  # said by `problems`
    return config if isinstance(found, str) else {**config, "data": found}


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    data = config.get("data")
    if not isinstance(data, str) or not data.strip() or is_whole_formula(data):
        return []
    try:
        read_json_text(data)
    except JSONRefused as refused:
        return [("data", "invalid", f"“Data”: {refused}.")]
    return []


def summary(config: Mapping[str, Any], words: Words) -> str:
    if not config["name"]:
        return ""
    name = words.value(config["name"])
    return f"{name} · {words.value(config['key'])}" if config["key"] else name


NODE = NodeType(
    name="flow.send_event",
    version=1,
    category="logic",
    icon="send",
    title="Send an event",
    description="Tells every run of this workspace that waits for an event of this name and key to go on.",
    synonyms=("event", "emit", "publish", "signal", "message", "notify", "trigger"),
    config=SendEventConfig,
    run=run,
    effect=EffectClass.KEYED,
    summary=summary,
    read=read,
    extra_problems=problems,
    effect_note="The event has a key of its own: sent again after a crash, it is still one event.",
    examples=(
        Example(
            title="The parcel has left",
            config={"name": "order.shipped", "key": "PO-771", "data": {"parcel": "00340434161094"}},
            output={"id": "0199a7f0-0000-7000-8000-00000000000d", "name": "order.shipped", "key": "PO-771"},
        ),
    ),
)

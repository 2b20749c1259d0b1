"""Switch: one of several ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.sdk import (
    JSON,
    Conditions,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    Port,
    PortsFrom,
    Result,
    Words,
    field,
)
from runtime.sdk.rules import decide, is_case

#: Ids of ways out that have another meaning.
RESERVED = ("in", "out", "error", "undo", "otherwise")


class Case(Config):
    id: str = field(title="Id", widget="text", advanced=True, order=3, pattern=r"^[A-Za-z0-9_-]{1,40}$")
    name: str = field(title="Name", placeholder="Germany", order=1, min_length=1, max_length=60)
    value: Any = field(
        "", title="Value", expression=True, order=2, hints={"spared": True, "showIfStep": {"mode": ["value"]}}
    )
    conditions: Conditions | None = field(
        None, title="If", widget="conditions", expression=True, order=2, hints={"showIfStep": {"mode": ["rules"]}}
    )


class SwitchConfig(Config):
    mode: Literal["value", "rules"] = field(
        "value",
        title="Choose by",
        widget="choice",
        options=(("value", "A value"), ("rules", "Rules for each way")),
        order=1,
    )
    value: Any = field(
        "",
        title="Value",
        help="Compared with the value of each way.",
        expression=True,
        show_if={"mode": ["value"]},
        required=True,
        order=2,
    )
    cases: list[Case] = field(
        title="Ways",
        help="The first way that fits is taken; otherwise “Otherwise”.",
        widget="cases",
        order=3,
        min_length=1,
        max_length=50,
    )
    every_match: bool = field(False, title="Take every way that fits", widget="toggle", advanced=True, order=4)


def run(config: SwitchConfig, step_input: JSON, context: Context) -> Result:
    taken: list[Case] = []
    for case in config.cases:
        if config.mode == "value":
            holds = is_case(config.value, case.value)
        else:
            rules = case.conditions or {}
            holds = bool(rules.get("rules")) and decide(rules, context.now_ms)
        if holds:
            taken.append(case)
            if not config.every_match:
                break
    names = [case.name for case in taken] or ["Otherwise"]
    output: dict[str, JSON] = {"taken": list(names)}
    return Result(output, ports=tuple(case.id for case in taken) or ("otherwise",), note=", ".join(names)[:60])


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    cases = config.get("cases")
    for index, case in enumerate(cases if isinstance(cases, list) else ()):
        if not isinstance(case, Mapping):
            continue
        name = str(case.get("id", ""))
        if name in RESERVED:
            found.append((f"cases[{index}].id", "reserved", f"“{name}” has another meaning: choose another id."))
        if name in seen:
            found.append((f"cases[{index}].id", "duplicate", f"Two ways have the id “{name}”."))
        seen.add(name)
        if config.get("mode") == "rules" and not (
            isinstance(case.get("conditions"), Mapping) and case["conditions"].get("rules")
        ):
            found.append((f"cases[{index}].conditions", "required", f"The way “{case.get('name', '')}” needs a rule."))
    return found


def summary(config: Mapping[str, Any], words: Words) -> str:
    names = ", ".join(str(case.get("name")) for case in config.get("cases", ()) if isinstance(case, Mapping))
    if not names:
        return ""
    if config["mode"] == "rules":
        return f"First that fits: {names}"
    return f"{words.value(config['value'])}: {names}" if config["value"] else ""


NODE = NodeType(
    name="flow.switch",
    version=1,
    category="logic",
    icon="git-branch",
    title="Switch",
    description="Goes one of several ways, by a value or by rules.",
    synonyms=("case", "route", "router", "branch", "several", "choose", "path"),
    config=SwitchConfig,
    run=run,
    effect=EffectClass.PURE,
    summary=summary,
    inline=True,
    out=(Port("otherwise", "Otherwise"),),
    ports_from=PortsFrom("cases", "id", "name", (Port("otherwise", "Otherwise"),)),
    extra_problems=problems,
    defaults={"cases": []},
    examples=(
        Example(
            title="By country",
            config={
                "value": "{{ trigger.body.country }}",
                "cases": [
                    {"id": "de", "name": "Germany", "value": "DE"},
                    {"id": "fr", "name": "France", "value": "FR"},
                ],
            },
            context={"trigger": {"body": {"country": "FR"}}},
            output={"taken": ["France"]},
        ),
    ),
)

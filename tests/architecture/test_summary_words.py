"""What the server says on the cards of a canvas has words in the interface's catalogues, by the type of the step."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.engine.conditions import OPERATORS, describe_group
from runtime.nodes.actions import find_rows
from runtime.sdk import Words
from tests.architecture.source import ROOT

#: Their lines consist of values alone.
_VALUES = {
    "documents.create", "documents.from_html", "files.read_table", "files.write_table", "flow.fail", "flow.send_event",
    "flow.wait_event", "http.request", "tables.delete", "tables.save",
}  # fmt: skip
#: Their lines are put together of several parts; tests of their own look at these.
_IN_PARTS = {"data.edit_fields", "flow.continue_if", "flow.decision", "tables.find", "trigger.schedule"}
_DATA = "{{ trigger.body.a }}"
#: Settings beyond those of the examples, with which a line says something else.
_VARIANTS: dict[str, list[dict[str, Any]]] = {
    "trigger.manual": [{"fields": []}],
    "trigger.called": [{"fields": []}],
    "trigger.webhook": [
        {"any_method": several, "auth": auth, "hmac_preset": preset, "header_name": "X-Secret"}
        for several in (False, True)
        for auth in ("none", "header", "hmac")
        for preset in ("github", "custom")
    ],
    **{
        f"files.save_{where}": [{"name": "", "folder": ""}, {"name": "", "folder": "a"}, {"name": "a"}]
        for where in ("s3", "sftp", "folder")
    },
    "email.send": [{"to": "ann@example.com", "subject": ""}],
    "flow.together": [{"wait_for": wait_for, "number": 3} for wait_for in ("all", "first", "number")],
    "flow.respond": [{"body_type": "empty"}, {"body_type": "json", "json_body": {"a": 1}}],
    "flow.run_workflow": [{"wait": False}, {"wait": True}],
    "flow.stop": [{"reason": ""}],
    "flow.switch": [{"mode": "rules"}],
    "flow.wait": [
        {"mode": "until", "until": _DATA},
        *(
            {"mode": "for", "amount": amount, "unit": unit}
            for amount in (1, 2)
            for unit in ("seconds", "minutes", "hours", "days", "weeks")
        ),
    ],
    "flow.wait_signal": [{"title": ""}],
    "flow.for_each": [
        {**source, "at_a_time": at_a_time}
        for at_a_time in (1, 4)
        for source in (
            {"source": "pages", "url": "https://api.example.com"}, {"source": "file", "file": _DATA},
            {"source": "table", "table": "t"}, {"source": "review", "reviewed": _DATA}, {"items": [1, 2]},
        )
    ],
    **{f"people.{what}": [{"title": "Which?", "people": people} for people in ("", "ann@example.com")]
       for what in ("approval", "ask", "review")},
}  # fmt: skip


def _catalogue() -> dict[str, dict[str, str]]:
    text = (ROOT / "frontend/src/i18n/en/server.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)["summaries"]
    return found


def _known(code: str, text: str) -> bool:
    patterns = (
        "(.+?)".join(re.escape(part) for part in re.split(r"\{\{\w+\}\}", one)) for one in _catalogue()[code].values()
    )
    return any(re.fullmatch(pattern, text, re.DOTALL) for pattern in patterns)


def _filled(template: str) -> str:
    return re.sub(r"\{\{\w+\}\}", "1", template)


_SAID = [one for one in CATALOG.all() if not one.hidden and one.name not in _VALUES | _IN_PARTS]


@pytest.mark.parametrize("kind", _SAID, ids=lambda kind: str(kind.type))
def test_every_line_on_a_card_has_words(kind: Any) -> None:
    base = kind.examples[0].config
    variants = [*(one.config for one in kind.examples), *({**base, **one} for one in _VARIANTS.get(kind.name, []))]
    said = {kind.summarise(config, Words()) for config in variants}
    unknown = {line for line in said if not _known(kind.name, line)}
    if kind.name in {"flow.for_each", "flow.stop", "flow.switch", "flow.wait_signal", "flow.respond"}:
        # Values alone, too, where nothing else is to be said.
        unknown -= {kind.summarise(one.config, Words()) for one in kind.examples}
    assert unknown == set()


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_every_comparison_of_a_rule_has_words(name: str) -> None:
    operator = OPERATORS[name]
    right: Any = ["1", "1"] if operator.sides == 3 else "1"
    rule = {"left": "1", "op": name, "right": right, "type": operator.types[0]}
    assert describe_group({"match": "all", "rules": [rule]}) == _filled(_catalogue()["rules"][name])


def test_every_comparison_of_a_column_has_words() -> None:
    told = {name: _filled(template) for name, template in _catalogue()["rows"].items()}
    assert told == {
        name: f"1 {words}" if name in {"empty", "filled"} else f"1 {words} 1"
        for name, words in find_rows._WORDS.items()
    }


def test_what_becomes_of_fields_has_words() -> None:
    kind = CATALOG.get("data.edit_fields@1")
    assert kind is not None
    config = {
        "fields": [{"name": "a", "value": "1"}], "rename": [{"name": "b", "to": "c"}], "remove": ["d"], "keep": ["e"],
    }  # fmt: skip
    words = _catalogue()["fields"]
    parts = [
        words["setsTo"].replace("{{name}}", "a").replace("{{value}}", "1"),
        words["renames"].replace("{{names}}", words["rename"].replace("{{name}}", "b").replace("{{to}}", "c")),
        words["removes"].replace("{{names}}", "d"),
        words["keeps"].replace("{{names}}", "e"),
    ]
    line = ", ".join(parts)
    assert kind.summarise(config, Words()) == line[:1].upper() + line[1:]
    two = {**config, "fields": [{"name": "a"}, {"name": "f"}], "rename": [], "remove": [], "keep": []}
    assert kind.summarise(two, Words()).lower() == words["sets"].replace("{{names}}", "a, f")
    assert _known("data.edit_fields", kind.summarise({"fields": [], "start_from": "a"}, Words()))
    assert _known("tables.find", find_rows.summary({"table": "t"}, Words()))

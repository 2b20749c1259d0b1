"""What is found wrong with a workflow has words in the interface's catalogue `problems`, by its code."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from functools import cache

import pytest

from runtime.engine.conditions import OPERATORS
from runtime.engine.expressions.values import kind_of, shown
from runtime.nodes.transforms import reconcile
from runtime.sdk import schedules
from tests.architecture.said import (
    FILLER,
    is_sentence,
    said_by_answers,
    said_by_calls,
    said_by_tuples,
    sentences,
)
from tests.architecture.source import ROOT, name_of, python_files, tree

#: Said of connections, and of data that a run meets; not of a workflow.
_OF_OTHERS = {"connections.py", "place_connections.py", "hooks.py"}
#: Sentences of the designer of documents, which are told as they are.
_OF_DOCUMENTS = {"design", "template", "not_installed"}


@cache
def _catalogue(language: str) -> dict[str, dict[str, str]]:
    text = (ROOT / f"frontend/src/i18n/{language}/problems.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found


def _known(code: str, text: str) -> bool:
    patterns = (
        "(.+?)".join(re.escape(part) for part in re.split(r"\{\{\w+\}\}", one))
        for one in _catalogue("en").get(code, {}).values()
    )
    return any(re.fullmatch(pattern, text, re.DOTALL) for pattern in patterns)


def _unknown(said: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    told = sorted({one for one in said if is_sentence(one[1]) and one[0] not in _OF_DOCUMENTS})
    assert told
    return [one for one in told if not _known(*one)]


@pytest.mark.parametrize("name", ["check", "naming_check", "nesting", "shape", "undo_check"])
def test_what_a_check_finds_has_words(name: str) -> None:
    path = ROOT / f"runtime/engine/{name}.py"
    said = [one for way in ("error", "warning", "report") for one in said_by_calls(path, way, 0, 1)]
    said += said_by_calls(path, "Problem", 1, 2)
    # A list that is too long is told by its name.
    said = [(code.replace(FILLER, "nodes"), text) for code, text in said]
    assert len(said) > 4
    assert _unknown(one for one in said if one[0] != "nodes") == []


def test_what_is_wanted_of_a_field_has_words() -> None:
    said = list(said_by_calls(ROOT / "runtime/engine/shape.py", "text", "wanted", 3))
    said += said_by_calls(ROOT / "runtime/engine/shape.py", "_list_of", "what", 3)
    assert len(said) > 10
    assert [one for one in said if not _known(*one)] == []


@pytest.mark.parametrize(
    ("path", "way", "at"),
    [
        ("runtime/api/publishing.py", "Problem", 1),
        ("builder/workflows/services.py", "Problem", 1),
        ("builder/workflows/tables.py", "_problem", 2),
    ],
)
def test_what_is_not_in_a_workspace_has_words(path: str, way: str, at: int) -> None:
    said = list(said_by_calls(ROOT / path, way, at, at + 1))
    said += [("no_such_calendar", one) for one in said_by_answers(ROOT / "runtime/store/calendars.py", "calendar_gone")]
    # What cannot be kept as JSON at all was refused when it was saved.
    assert _unknown(one for one in said if one[0] != FILLER) == []


def test_what_a_step_type_finds_wrong_has_words() -> None:
    paths = [one for one in python_files("runtime/nodes", "runtime/sdk") if one.name not in _OF_OTHERS]
    said = {one: name_of(path) for path in paths for one in said_by_tuples(path)}
    assert len(said) > 40
    # Where the words come from elsewhere, the tests below have them.
    assert [(*one, said[one]) for one in _unknown(said) if one[1] != f"{FILLER}."] == []


def test_what_two_lists_lack_has_words() -> None:
    for name in ("amount", "date"):
        found = reconcile.problems({f"a_{name}": "total"})
        assert [_known(code, text) for _path, code, text in found] == [True]


def test_what_a_form_refuses_has_words() -> None:
    ends = said_by_answers(ROOT / "runtime/sdk/messages.py", "_sentence")
    assert len(ends) > 12
    says = [f"“Amount” {one}." for one in ends if one not in (FILLER, "needs a value")]
    assert [one for one in says if not _known("invalid", one)] == []
    assert _known("required", "“Amount” needs a value.")
    assert _known("unknown_field", "“amount” is not a setting of this step.")


@pytest.mark.parametrize(
    ("file", "code", "before"),
    [("values.py", "invalid", "“Amount” "), ("http.py", "invalid", "“Codes” "), ("headers.py", "header", "")],
)
def test_what_a_reader_of_settings_refuses_has_words(file: str, code: str, before: str) -> None:
    said = [(code, f"{before}{text}.") for _, text in said_by_calls(ROOT / f"runtime/sdk/{file}", "ValueError", "", 0)]
    assert _unknown(said) == []


@pytest.mark.parametrize(
    ("path", "name", "code", "at"),
    [
        ("runtime/sdk/schedules.py", "ScheduleError", "schedule", 1),
        ("runtime/sdk/schedule_words.py", "ScheduleError", "schedule", 1),
        ("runtime/sdk/calendars.py", "CalendarUnknown", "schedule", 0),
        ("runtime/sdk/places.py", "PlaceUnclear", "place", 0),
        ("runtime/sdk/saving.py", "_refused", "path", 0),
        ("runtime/engine/expressions/parsing.py", "ExpressionError", "why", 1),
        ("runtime/engine/expressions/compiler.py", "ExpressionError", "why", 1),
    ],
)
def test_what_cannot_be_read_has_words(path: str, name: str, code: str, at: int) -> None:
    assert _unknown(said_by_calls(ROOT / path, name, code, at)) == []


def test_the_ends_of_a_schedule_have_words() -> None:
    assert set(_catalogue("en")["day"].values()) == set(schedules._TITLES.values())


@pytest.mark.parametrize(
    "cron", ["* *", "61 * * * *", "* 25 * * *", "* * 32 * *", "* * * 13 *", "* * * * 9", "99 * * * * *"]
)
def test_what_is_wrong_with_a_cron_expression_has_words(cron: str) -> None:
    with pytest.raises(schedules.ScheduleError, match="is not a cron expression") as refused:
        schedules.check({"repeat": "cron", "cron": cron})
    _, _, reason = refused.value.message.partition("expression: ")
    assert _known("fault", reason.removesuffix("."))


def test_what_the_grammar_of_formulas_says_has_words() -> None:
    said = said_by_answers(ROOT / "runtime/engine/expressions/parsing.py", "_plain")
    fills = {FILLER: "“name”", f"Here {FILLER}.": "Here expected token “name”, got “end”."}
    assert len(said) == 5
    assert [one for one in said if not _known("why", fills.get(one, one))] == []


@pytest.mark.parametrize("path", ["runtime/engine/jsonprofile.py", "runtime/sdk/jsontext.py"])
def test_what_is_no_json_has_words(path: str) -> None:
    said = [text for _, text in said_by_calls(ROOT / path, "JSONRefused", "", 1) if text != FILLER]
    # Those of numbers stand in a table.
    said += [
        text
        for node in ast.walk(tree(ROOT / path))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for value in node.value.values
        for text in sentences(value, ())
        if " " in text
    ]
    assert said
    assert [one for one in said if not _known("json", one)] == []


def test_what_rules_lack_has_words() -> None:
    said = [("conditions", text) for _, text in said_by_tuples(ROOT / "runtime/engine/conditions.py", 2)]
    assert len(said) > 10
    assert _unknown(said) == []
    assert _catalogue("en")["operator"] == {name: one.words for name, one in OPERATORS.items()}


@pytest.mark.parametrize("value", ["text", 5, True, False, None, [], {}])
def test_a_value_that_is_quoted_has_words(value: object) -> None:
    assert _known("value", shown(value))


def test_what_is_no_data_has_words() -> None:
    assert _known("value", kind_of(object()))


def test_what_german_problems_name_is_called_so_on_the_screen() -> None:
    """A setting or a choice that a sentence names is named as it stands in the form."""
    steps = json.loads((ROOT / "frontend/src/i18n/de/steps.json").read_text("utf-8"))
    called = {word for area in ("titles", "fields", "options") for word in steps[area].values()}
    called |= set(_words("inspector")) | set(_words("fields"))
    for code, texts in _catalogue("de").items():
        for name, text in texts.items():
            if code in ("operator", "value"):
                continue
            for quoted in re.findall(r"„([^“{]+)“", text):
                same = f"“{quoted}”" in _catalogue("en")[code][name]
                assert quoted in called or same, text


def _words(area: str) -> Iterable[str]:
    waiting = [json.loads((ROOT / f"frontend/src/i18n/de/{area}.json").read_text("utf-8"))]
    while waiting:
        for one in waiting.pop().values():
            if isinstance(one, str):
                yield one
            else:
                waiting.append(one)

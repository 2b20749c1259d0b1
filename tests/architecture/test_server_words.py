"""What the server says in English has words in the interface's catalogues, by its code."""

from __future__ import annotations

import ast
import json
import re
from datetime import date
from functools import cache
from http import HTTPStatus

import pytest

from runtime.catalog import CATALOG
from runtime.intake import signatures
from runtime.interpreter import edited_retries
from runtime.sdk.calls import refuse
from runtime.sdk.connections import KINDS
from runtime.sdk.context import HttpAnswer
from runtime.sdk.errors import StepFailure
from runtime.sdk.schedule_words import ClockChange, words
from runtime.sdk.schedules import UNITS, WEEKDAYS
from runtime.worker import overlap, schedules
from tests.architecture.source import ROOT, name_of, python_files, tree

_FAILURES = {"PermanentError", "RetryableError", "StepError"}
_FAMILIES = ("http", "document", "output")


@cache
def _catalogue() -> dict[str, dict[str, dict[str, str]]]:
    text = (ROOT / "frontend/src/i18n/en/server.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, dict[str, str]]] = json.loads(text)
    return found


def _known(area: str, code: str, text: str) -> bool:
    """As `retell` of the interface finds it."""
    of = _catalogue()[area]
    templates = of.get(code) or of.get(next((one for one in _FAMILIES if code.startswith(f"{one}_")), ""), {})
    patterns = ("(.+?)".join(re.escape(part) for part in re.split(r"\{\{\w+\}\}", one)) for one in templates.values())
    return any(re.fullmatch(pattern, text, re.DOTALL) for pattern in patterns)


def _literals(call: ast.Call, kind: str) -> tuple[str, str] | None:
    named: dict[str | None, ast.expr] = {one.arg: one.value for one in call.keywords}
    places = {"code": 0, "title": 1} if kind == "StepError" else {"title": 0, "code": 2}
    code, title = (
        call.args[places[name]] if len(call.args) > places[name] else named.get(name) for name in ("code", "title")
    )
    if isinstance(code, ast.Constant) and isinstance(title, ast.Constant):
        return str(code.value), str(title.value)
    return None


def test_every_title_of_a_failure_has_words_by_its_code() -> None:
    said = [
        (name_of(path), *found)
        for path in python_files("runtime")
        if "/migrations/" not in name_of(path)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _FAILURES
        and (found := _literals(node, node.func.id))
    ]
    assert len(said) > 100
    assert [one for one in said if not _known("failures", one[1], one[2])] == []


#: What these say is another's sentence, or half of one.
_OF_OTHERS = {"header", "conversion", "formula", "encoding", "cut_off", "sftp_refused"}


def _template(told: ast.expr | None) -> str | None:
    """A sentence as written, with a word in each of its holes."""
    if isinstance(told, ast.Constant):
        return str(told.value)
    if isinstance(told, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "127.0.0.1 is" for part in told.values)
    return None


def test_every_sentence_of_a_failure_has_words_by_its_code() -> None:
    said = set()
    for path in python_files("runtime"):
        for node in ast.walk(tree(path)) if "/migrations/" not in name_of(path) else ():
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FAILURES):
                continue
            named: dict[str | None, ast.expr] = {one.arg: one.value for one in node.keywords}
            code, told = (2, 1) if node.func.id != "StepError" else (0, 2)
            found = [
                node.args[place] if len(node.args) > place else named.get(name)
                for place, name in ((code, "code"), (told, "message"))
            ]
            sentence = _template(found[1])
            if isinstance(found[0], ast.Constant) and sentence and found[0].value not in _OF_OTHERS:
                said.add((str(found[0].value), sentence))
    assert len(said) > 80
    assert [one for one in sorted(said) if not _known("failures", *one)] == []


@pytest.mark.parametrize("body", ["", "Out of order."])
@pytest.mark.parametrize("status", [int(one) for one in HTTPStatus if one >= 400])
def test_every_answer_that_is_no_success_has_words(status: int, body: str) -> None:
    answer = HttpAnswer(status, {}, body.encode(), 1, "https://ledger.example/")
    with pytest.raises(StepFailure) as told:
        refuse(answer, "ledger.example", body, None, None)
    failure = told.value
    assert _known("failures", failure.code, failure.title)
    assert _known("failures", failure.code, failure.message)


def _said(node: ast.AST) -> list[ast.expr]:
    """What a function of the signatures says of one that does not fit."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Signature":
        return node.args[1:2]
    return [node.value] if isinstance(node, ast.Return) and node.value is not None else []


def test_every_reason_of_a_start_event_has_words() -> None:
    said = {
        str(one.value)
        for node in ast.walk(tree(ROOT / "runtime/intake/signatures.py"))
        for one in _said(node)
        if isinstance(one, ast.Constant) and one.value
    }
    assert "The signature does not fit the body and the secret." in said
    said |= {*overlap.REASONS.values(), overlap._REPLACED, *schedules._LEFT_OUT.values()}
    said.add(signatures._stale(b"0", 300, 10_000.0))
    assert [one for one in sorted(said) if not _known("reasons", "event", one)] == []


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("unit", sorted(UNITS))
def test_every_plain_pace_of_a_schedule_has_words(unit: str, every: int) -> None:
    assert _known("schedules", "words", words({"repeat": "every", "every": every, "unit": unit, "at": "08:30"}))


@pytest.mark.parametrize("nth", ["1", "2", "3", "4", "5", "last"])
def test_every_schedule_by_a_weekday_of_the_month_has_words(nth: str) -> None:
    assert _known("schedules", "words", words({"repeat": "nth", "nth": nth, "weekday": "tue", "at": "08:30"}))


@pytest.mark.parametrize(
    "more", [{"ends_on": "2027-01-01"}, *({"off_days": one} for one in ("skip", "before", "after"))]
)
def test_what_is_said_of_a_whole_schedule_has_words(more: dict[str, str]) -> None:
    rule = {"repeat": "monthly", "day": "1", "at": "08:30"}
    assert words({**rule, **more}) != words(rule)
    assert _known("schedules", "whole", words({**rule, **more}))


@pytest.mark.parametrize("asked", [None, "", "02:30"])
@pytest.mark.parametrize("both", [True, False])
def test_every_note_on_a_change_of_the_clocks_has_words(asked: str | None, both: bool) -> None:
    assert _known("schedules", "notes", ClockChange(0, date(2027, 3, 28), "03:00", asked, both).text)


@pytest.mark.parametrize("days", [WEEKDAYS, WEEKDAYS[:5], ("fri",), ("mon", "fri"), ("mon", "tue", "sun")])
def test_every_plain_schedule_by_weekdays_has_words(days: tuple[str, ...]) -> None:
    assert _known("schedules", "words", words({"repeat": "weekdays", "weekdays": list(days), "at": "08:30"}))


@pytest.mark.parametrize("day", ["1", "last", "first_workday", "last_workday", "workday_3", "workday_last_2"])
def test_every_plain_schedule_by_the_day_of_the_month_has_words(day: str) -> None:
    assert _known("schedules", "words", words({"repeat": "monthly", "day": day, "at": "08:30"}))


def test_every_named_way_out_of_a_step_has_words() -> None:
    unknown = [
        (kind.type, port.id, port.label)
        for kind in CATALOG.all()
        for port in (*kind.out, *(kind.ports_from.plus if kind.ports_from else ()))
        if port.label and not _known("ports", port.id, port.label)
    ]
    assert unknown == []


def test_every_kind_of_connection_has_words() -> None:
    told = _catalogue()["connections"]
    assert told == {kind: {"title": entry.title, "help": entry.help} for kind, entry in KINDS.items()}


def test_every_reason_why_a_step_is_given_nothing_else_has_words() -> None:
    said = [getattr(edited_retries, name) for name in ("_NOT_FIRST", "_NOTHING", "_HAS_RUNS", "_TWICE")]
    assert [one for one in said if not _known("reasons", "edit", one)] == []


def test_every_line_of_the_system_check_has_words_by_what_it_looks_at() -> None:
    said = set()
    for name, call, texts in (
        ("runtime/api/health.py", "HealthItem", (2, 3, 4)),
        ("builder/api/session.py", "CheckLine", ()),
    ):
        for node in ast.walk(tree(ROOT / name)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == call):
                continue
            named: dict[str | None, ast.expr] = {one.arg: one.value for one in node.keywords}
            looks_at = node.args[0] if node.args else named["id"]
            told = [node.args[place] for place in texts if len(node.args) > place]
            for one in (*told, *(named[text] for text in ("title", "detail", "fix") if text in named)):
                parts = [one.body, one.orelse] if isinstance(one, ast.IfExp) else [one]
                if isinstance(looks_at, ast.Constant):
                    said |= {(str(looks_at.value), text) for part in parts if (text := _template(part))}
    assert len(said) > 30
    assert [one for one in sorted(said) if not _known("checks", *one)] == []

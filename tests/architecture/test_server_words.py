"""What the server says in English has words in the interface's catalogues, by its code."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from http import HTTPStatus

import pytest

from runtime.catalog import CATALOG
from runtime.intake import signatures
from runtime.sdk.calls import refuse
from runtime.sdk.connections import KINDS
from runtime.sdk.context import HttpAnswer
from runtime.sdk.errors import StepFailure
from runtime.worker import overlap, schedules
from tests.architecture.source import ROOT, name_of, python_files

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


def _literals(call: ast.Call) -> tuple[str, str] | None:
    named: dict[str | None, ast.expr] = {one.arg: one.value for one in call.keywords}
    title = call.args[0] if call.args else named.get("title")
    code = call.args[2] if len(call.args) > 2 else named.get("code")
    if isinstance(title, ast.Constant) and isinstance(code, ast.Constant):
        return str(code.value), str(title.value)
    return None


def test_every_title_of_a_failure_has_words_by_its_code() -> None:
    said = [
        (name_of(path), *found)
        for path in python_files()
        if name_of(path).startswith("runtime/") and "/migrations/" not in name_of(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (node.func.id if isinstance(node.func, ast.Name) else "") in _FAILURES
        and (found := _literals(node))
    ]
    assert len(said) > 100
    assert [one for one in said if not _known("failures", one[1], one[2])] == []


@pytest.mark.parametrize("body", ["", "Out of order."])
@pytest.mark.parametrize("status", [int(one) for one in HTTPStatus if one >= 400])
def test_every_answer_that_is_no_success_has_words(status: int, body: str) -> None:
    answer = HttpAnswer(status, {}, body.encode(), 1, "https://ledger.example/")
    with pytest.raises(StepFailure) as told:
        refuse(answer, "ledger.example", body, None, None)
    failure = told.value
    assert _known("failures", failure.code, failure.title)
    assert _known("failures", failure.code, failure.message)


def test_every_reason_of_a_start_event_has_words() -> None:
    source = ast.parse((ROOT / "runtime/intake/signatures.py").read_text(encoding="utf-8"))
    said = {
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[A-Z][^\n]* .*\.", node.value)
    }
    assert "The signature does not fit the body and the secret." in said
    said |= {*overlap.REASONS.values(), overlap._REPLACED, *schedules._LEFT_OUT.values()}
    said.add(signatures._stale(b"0", 300, 10_000.0))
    assert [one for one in sorted(said) if not _known("reasons", "event", one)] == []


def test_every_named_way_out_of_a_step_has_words() -> None:
    unknown = [
        (kind.key, port.id, port.label)
        for kind in CATALOG.types()
        for port in (*kind.out, *(kind.ports_from.plus if kind.ports_from else ()))
        if port.label and not _known("ports", port.id, port.label)
    ]
    assert unknown == []


def test_every_kind_of_connection_has_words() -> None:
    told = _catalogue()["connections"]
    assert told == {kind: {"title": entry.title, "help": entry.help} for kind, entry in KINDS.items()}

# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Words
from tests.nodes.steps import step


async def test_edit_fields_converts_with_an_explicit_failure() -> None:
    def fields(kind: str, value: Any) -> dict[str, Any]:
        return {"fields": [{"name": "x", "value": value, "type": kind}]}

    for kind, value, expected in (
        ("number", "12.50", Decimal("12.50")), ("text", Decimal("1.50"), "1.50"), ("yes_no", "yes", True), ("list", "[1]", [1]),
        ("date", "2026-11-20", "2026-11-20"), ("object", {"a": 1}, {"a": 1}), ("number", None, None),
    ):  # fmt: skip
        outcome = await step("data.edit_fields@1", fields(kind, value))
        assert outcome.output == {"x": expected}
    for kind, value in (("number", "abc"), ("date", "soon"), ("yes_no", "perhaps"), ("list", "{}"), ("object", "[]")):
        with pytest.raises(PermanentError, match="“x” is n"):
            await step("data.edit_fields@1", fields(kind, value))


async def test_edit_fields_never_changes_the_data_it_starts_from() -> None:
    data = {"trigger": {"body": {"a": {"b": 1, "c": 2}, "d": 3}}}
    config = {"start_from": "{{ trigger.body }}", "fields": [{"name": "a.b", "value": 9}], "remove": ["a.c", "d"]}
    outcome = await step("data.edit_fields@1", config, data)
    assert outcome.output == {"a": {"b": 9}}
    assert data == {"trigger": {"body": {"a": {"b": 1, "c": 2}, "d": 3}}}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"keep": ["d"]}, {"d": 3}),
        ({"keep": ["d", "a.b", "nowhere", "a.x"]}, {"d": 3, "a": {"b": 1}}),
        ({"keep": ["a", "a.b"]}, {"a": {"b": 1, "c": 2}}),
        ({"rename": [{"name": "d", "to": "total"}]}, {"a": {"b": 1, "c": 2}, "n": None, "total": 3}),
        (
            {"rename": [{"name": "a.b", "to": "b"}, {"name": "gone", "to": "x"}]},
            {"a": {"c": 2}, "d": 3, "n": None, "b": 1},
        ),
        ({"rename": [{"name": "a", "to": "d"}, {"name": "d", "to": "a"}]}, {"n": None, "d": {"b": 1, "c": 2}, "a": 3}),
        ({"rename": [{"name": "n", "to": "m"}], "keep": ["n"]}, {"m": None}),
        (
            {"rename": [{"name": "d", "to": "e"}], "keep": ["d"], "fields": [{"name": "f", "value": 1}]},
            {"e": 3, "f": 1},
        ),
    ],
)
async def test_edit_fields_renames_and_keeps(config: dict[str, Any], expected: dict[str, Any]) -> None:
    data = {"trigger": {"body": {"a": {"b": 1, "c": 2}, "d": 3, "n": None}}}
    outcome = await step("data.edit_fields@1", {"start_from": "{{ trigger.body }}", **config}, data)
    assert outcome.output == expected
    assert data == {"trigger": {"body": {"a": {"b": 1, "c": 2}, "d": 3, "n": None}}}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"start_from": "{{ trigger.body }}"}, "Takes over Trigger › Body"),
        ({"start_from": "{{ trigger.body }}", "keep": ["a", "b"]}, "Keeps only a, b"),
        (
            {"rename": [{"name": "custNo", "to": "customer.number"}], "remove": ["x"]},
            "Renames custNo to customer.number, removes x",
        ),
        ({"fields": [{"name": "a", "value": "{{ trigger.body.x }}"}]}, "Sets a to Trigger › X"),
        ({}, "Needs set-up"),
    ],
)
def test_edit_fields_says_what_it_does(config: dict[str, Any], says: str) -> None:
    node = CATALOG.get("data.edit_fields@1")
    assert node is not None
    assert node.summarise(config, Words()) == says


def test_a_path_with_an_empty_part_is_named() -> None:
    node = CATALOG.get("data.edit_fields@1")
    assert node is not None
    config = {"keep": ["a..b"], "rename": [{"name": "a", "to": ".b"}], "remove": ["a."]}
    assert [path for path, _code, _message in node.problems(config)] == ["rename[0].to", "keep[0]", "remove[0]"]

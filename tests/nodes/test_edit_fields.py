# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.sdk import PermanentError
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

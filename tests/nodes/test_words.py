# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

from typing import Any

import pytest

from runtime.sdk import Words

WORDS = Words({"": "Order comes in", "invoice": "Create invoice"})


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("Order {{ trigger.body.order_id }} has no customer", "Order [Order id] has no customer"),
        (
            "http://erp/customers/{{ url_encode(trigger.body.customer) }}/credit",
            "http://erp/customers/[Customer]/credit",
        ),
        ("{{ steps.invoice.body.total }}", "Create invoice › Total"),
        ("{{ steps.invoice.body.total }} {{ trigger.body.currency }}", "[Total] [Currency]"),
        ("{{ round(steps.invoice.body.total * 1.19, 2) }} EUR", "[Round (Total × 1.19, 2)] EUR"),
        ("{{ broken", "{{ broken"),
        ("plain", "plain"),
        (10000, "10,000"),
    ],
)
def test_a_name_does_not_run_into_the_sentence_around_it(value: Any, says: str) -> None:
    assert WORDS.value(value) == says


def test_a_value_that_stands_alone_can_be_short_too() -> None:
    assert WORDS.brief("{{ steps.invoice.body.email }}") == "[Email]"


def rule(path: str, op: str, right: Any = None) -> dict[str, Any]:
    return {"left": f"{{{{ {path} }}}}", "op": op, "right": right}


@pytest.mark.parametrize(
    ("group", "says"),
    [
        ({"rules": [rule("steps.invoice.body.total", "gt", 5)]}, "Create invoice › Total is more than 5"),
        (
            {"rules": [rule("trigger.body.number", "is_not_empty"), rule("trigger.body.customer", "is_not_empty"), rule("trigger.body.total", "is_not_empty"), rule("trigger.body.total", "gt", 0)]},
            "Number and Customer are filled in and Total is more than 0",
        ),
        (
            {"match": "any", "rules": [rule(f"trigger.body.{name}", "is_empty") for name in ("number", "customer", "total")]},
            "Number, Customer or Total is empty",
        ),
        (
            {"rules": [rule("steps.invoice.body.approved", "is_true"), rule("trigger.body.total", "lte", "{{ steps.invoice.body.available }}")]},
            "Approved is yes and Total is at most Available",
        ),
    ],
)  # fmt: skip
def test_long_conditions_are_said_the_short_way(group: dict[str, Any], says: str) -> None:
    assert WORDS.conditions(group) == says

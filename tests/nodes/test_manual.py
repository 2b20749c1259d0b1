from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import EventView, PermanentError, Result
from runtime.sdk.testing import StepTestContext, run_step

FORM: dict[str, Any] = {
    "fields": [
        {"name": "who", "label": "Who", "required": True},
        {"name": "count", "label": "How many", "type": "number", "minimum": 1, "maximum": "10.5"},
        {"name": "total", "label": "Total", "type": "money", "currency": "JPY"},
        {"name": "due", "label": "Due", "type": "date"},
        {"name": "kind", "label": "Kind", "type": "choice", "options": ["a", "b"]},
        {"name": "sure", "label": "Sure", "type": "yes_no"},
        {"name": "mail", "label": "Mail", "type": "email"},
    ]
}


async def fill(values: Any) -> Any:
    node = CATALOG.get("trigger.manual@1")
    assert node is not None
    event = EventView(source="manual", received_at=0, input=values, has_input=True)
    outcome = await run_step(node, FORM, context=StepTestContext(event=event))
    assert isinstance(outcome, Result)
    return outcome.output


async def test_answers_that_fit_become_typed_data() -> None:
    given = {
        "who": "Ann",
        "count": "2.5",
        "total": 1200,
        "due": "2026-12-04",
        "kind": "b",
        "sure": "yes",
        "mail": "a@b.de",
    }
    output = await fill(given)
    assert str(output["count"]) == "2.5"
    assert output["total"] == {"amount": 1200, "currency": "JPY"}
    assert (output["sure"], output["due"]) == (True, "2026-12-04")
    assert (await fill({"who": "Ann"}))["count"] is None


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "“Who” needs an answer"),
        ({"who": "a\nb"}, "one line only"),
        ({"who": "x", "count": "many"}, "needs a number"),
        ({"who": "x", "count": True}, "needs a number"),
        ({"who": "x", "count": 11}, "may be at most 10.5"),
        ({"who": "x", "count": "1,5"}, "needs a number"),
        ({"who": "x", "total": "1.5"}, "at most 0 decimal places"),
        ({"who": "x", "total": "123456789012345678901234567.89"}, "larger amount than can be kept"),
        ({"who": "x", "total": "1234567890123456789012345678901234567890"}, "larger amount than can be kept"),
        ({"who": "x", "total": Decimal("-1e300")}, "larger amount than can be kept"),
        ({"who": "x", "total": Decimal("1e-300")}, "at most 0 decimal places"),
        ({"who": "x", "total": "NaN"}, "needs a number"),
        ({"who": "x", "total": {"amount": 1, "currency": "EUR"}}, "asked for in JPY"),
        ({"who": "x", "due": "04.12.2026"}, "needs a date"),
        ({"who": "x", "due": "2026-02-30"}, "needs a date"),
        ({"who": "x", "kind": "c"}, "is one of: a, b"),
        ({"who": "x", "sure": "maybe"}, "yes or no"),
        ({"who": "x", "mail": "nobody"}, "e-mail address"),
        ({"who": "x", "other": 1}, "no question called “other”"),
        ({"who": "\x00"}, "cannot be kept"),
        ([], "object"),
    ],
)
async def test_answers_that_do_not_fit_are_refused_in_words(values: Any, says: str) -> None:
    with pytest.raises(PermanentError, match=says):
        await fill(values)


async def test_the_largest_amount_is_kept_to_the_cent() -> None:
    node = CATALOG.get("trigger.manual@1")
    assert node is not None
    form: dict[str, Any] = {"fields": [{"name": "total", "label": "Total", "type": "money", "currency": "EUR"}]}
    event = EventView(source="manual", received_at=0, input={"total": "999999999999999999.99"}, has_input=True)
    outcome: Any = await run_step(node, form, context=StepTestContext(event=event))
    assert str(outcome.output["total"]["amount"]) == "999999999999999999.99"


ROWS: dict[str, Any] = {
    "fields": [
        {
            "name": "may",
            "label": "May",
            "type": "table",
            "required": True,
            "columns": [{"name": "no", "label": "No", "key": True}, {"name": "sum", "label": "Sum", "type": "amount"}],
        }
    ]
}


async def test_a_file_with_rows_is_taken_with_how_it_is_read() -> None:
    node = CATALOG.get("trigger.manual@1")
    assert node is not None
    file: Any = {"id": "x", "name": "a.csv", "mime": "text/csv", "size": 1, "sha256": "0" * 64}
    form: Any = {"kind": "csv", "header": 1, "delimiter": ";", "encoding": "utf-8", "decimal": ","}
    event = EventView(
        source="manual",
        received_at=0,
        input={"may": {"file": file, "format": form, "columns": {"no": "Nr"}, "rows": 3}},
        has_input=True,
    )
    outcome: Any = await run_step(node, ROWS, context=StepTestContext(event=event))
    assert outcome.output["may"]["file"] == file
    assert [(one["name"], one["from"]) for one in outcome.output["may"]["columns"]] == [("no", "Nr"), ("sum", None)]
    unfit: list[tuple[Any, str]] = [
        ("a.csv", "needs a file with rows"), ({"file": file, "format": form}, "a column for “No”"),
    ]  # fmt: skip
    for given, says in unfit:
        event = EventView(source="manual", received_at=0, input={"may": given}, has_input=True)
        with pytest.raises(PermanentError, match=says):
            await run_step(node, ROWS, context=StepTestContext(event=event))


def test_the_columns_of_a_file_are_named_once_and_there() -> None:
    node = CATALOG.get("trigger.manual@1")
    assert node is not None
    assert node.extra_problems is not None
    twice = [{"name": "a", "label": "A"}, {"name": "A", "label": "B"}]
    found = node.extra_problems(
        {"fields": [{"name": "x", "type": "table"}, {"name": "y", "type": "table", "columns": twice}]}
    )
    assert [(path, code) for path, code, _ in found] == [
        ("fields[0].columns", "required"), ("fields[1].columns[1].name", "duplicate"),
    ]  # fmt: skip

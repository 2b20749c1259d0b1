from __future__ import annotations

from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import OwnRuns, PermanentError
from runtime.sdk.datatables import Condition
from runtime.sdk.testing import StepTestContext
from tests.nodes.steps import step

LINES = {"trigger": {"lines": ["a", "b", "c", "d"]}}


async def test_each_entry_of_the_list_becomes_a_run_of_its_own() -> None:
    outcome = await step("flow.for_each@1", {"items": "{{ trigger.lines }}", "at_a_time": 2}, LINES)
    assert outcome == OwnRuns("items", items=("a", "b", "c", "d"), at_a_time=2)


@pytest.mark.parametrize(
    ("chosen", "may_fail"),
    [
        ({}, 0),
        ({"stop": "number", "may_fail": 3}, 3),
        ({"stop": "percent", "percent": 50}, 2),
        ({"stop": "never"}, None),
    ],
)
async def test_it_says_how_many_may_fail(chosen: dict[str, Any], may_fail: int | None) -> None:
    outcome = await step("flow.for_each@1", {"items": "{{ trigger.lines }}", **chosen}, LINES)
    assert outcome.may_fail == may_fail


async def test_a_list_that_is_too_long_is_refused_before_anything_is_begun() -> None:
    with pytest.raises(PermanentError, match="4 entries"):
        await step("flow.for_each@1", {"items": "{{ trigger.lines }}", "most_items": 3}, LINES)


async def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(PermanentError):
        await step("flow.for_each@1", {"items": "{{ trigger.lines[0] }}"}, LINES)


def test_it_holds_other_steps() -> None:
    node = CATALOG.get("flow.for_each@1")
    assert node is not None
    assert node.spec()["container"] is True
    assert node.has_error_port


TABLE = {"source": "table", "table": "0199a7f0-0000-7000-8000-0000000000d1"}


async def test_the_rows_of_a_table_are_left_to_whoever_needs_the_next_one() -> None:
    conditions = [{"column": "Limit", "operator": "gt", "value": "{{ trigger.limit }}"}]
    config = {**TABLE, "conditions": conditions, "most_items": 5, "stop": "percent", "percent": 20}
    outcome = await step("flow.for_each@1", config, {"trigger": {"limit": 7}})
    paged = outcome.paged
    assert (outcome.items, paged.most_items, paged.keyed, paged.percent) == ((), 5, False, 20)
    assert paged.source.filters.conditions == (Condition("Limit", "gt", 7),)
    page = await paged.source.read_page(None, StepTestContext())
    assert [row["Customer"] for row in page.items] == ["C-200"]
    assert (page.next, page.total) == (None, 1)


async def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(PermanentError, match="Choose one under “Table”"):
        await step("flow.for_each@1", {**TABLE, "table": "Customers"})


PAGES = {"source": "pages", "url": "https://api.example.com/orders"}


async def test_pages_are_left_to_whoever_needs_the_next_entry() -> None:
    outcome = await step("flow.for_each@1", {**PAGES, "most_pages": 7, "item_key": "{{ item.id }}"})
    assert outcome.items == ()
    assert (outcome.paged.most_pages, outcome.paged.most_items, outcome.paged.keyed) == (7, 10_000, True)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"source": "pages"}, "url"),
        ({**PAGES, "url": "api.example.com"}, "url"),
        ({**PAGES, "stop": "percent"}, "stop"),
        ({**PAGES, "next_by": "cursor"}, "next_path"),
        ({**PAGES, "next_by": "page", "page_name": ""}, "page_name"),
        ({**PAGES, "next_by": "offset", "size_name": "limit"}, "page_size"),
        ({**PAGES, "headers": [{"name": "Host", "value": "x"}]}, "headers[0].name"),
        ({}, "items"),
    ],
)
def test_what_is_missing_for_reading_pages_is_said_with_its_field(config: dict[str, Any], field: str) -> None:
    node = CATALOG.get("flow.for_each@1")
    assert node is not None
    assert field in [found for found, _, _ in node.problems(config)]


def test_what_pages_need_is_not_asked_of_a_list() -> None:
    node = CATALOG.get("flow.for_each@1")
    assert node is not None
    assert node.problems({"items": "{{ trigger.lines }}"}) == []
    assert node.problems({**PAGES}) == []
    assert node.problems({"items": []}) == [], "no entries are a list too"


FILE = {
    "id": "0199a7f0-0000-7000-8000-0000000000f1",
    "name": "a.csv",
    "mime": "text/csv",
    "size": 1,
    "sha256": "0" * 64,
}
ROWS = {"source": "file", "file": "{{ trigger }}"}


async def test_rows_of_a_file_are_read_as_the_settings_say() -> None:
    told = {"header": "no", "delimiter": "tab", "sheet": "May", "key_column": "Customer", "most_items": 7}
    outcome = await step("flow.for_each@1", {**ROWS, **told, "stop": "percent", "percent": 9}, {"trigger": FILE})
    source = outcome.paged.source
    assert (source.header, source.delimiter, source.sheet, source.most_rows) == (False, "\t", "May", 7)
    assert (outcome.paged.keyed, outcome.paged.key_column, outcome.paged.percent) == (True, "Customer", 9)


async def test_a_file_that_was_chosen_in_the_settings_needs_no_formula() -> None:
    outcome = await step("flow.for_each@1", {"source": "file", "file": FILE})
    assert outcome.paged.source.file == FILE


@pytest.mark.parametrize("value", ["a.csv", [1], {"name": "a.csv"}])
async def test_what_is_no_file_is_refused_before_anything_is_begun(value: Any) -> None:
    with pytest.raises(PermanentError, match="needs a file"):
        await step("flow.for_each@1", ROWS, {"trigger": value})


def test_of_rows_only_the_file_is_asked_for() -> None:
    node = CATALOG.get("flow.for_each@1")
    assert node is not None
    assert [field for field, _, _ in node.problems({"source": "file"})] == ["file"]
    assert node.problems({**ROWS, "stop": "percent"}) == []
    assert node.effect_of(ROWS).value == "read"

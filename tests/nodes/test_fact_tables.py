"""Facts that are lists are kept as tables: what is shown is short, and what is left out is counted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.interpreter.attempts import _shown
from runtime.interpreter.redaction import Redactor
from runtime.sdk import Task
from runtime.worker.mail_words import body
from tests.nodes.test_approval import FILE, asked


async def task_of(value: object) -> Task:
    facts = [{"name": "Lines", "value": "{{ trigger.lines }}"}]
    task = (await asked({"facts": facts}, {"trigger": {"lines": value}})).task
    assert task is not None
    return task


async def kept(value: object) -> Any:
    document: Any = (await task_of(value)).document()
    return document["facts"][0]["value"]


async def test_a_list_of_objects_is_a_table_with_the_keys_as_columns() -> None:
    lines = [{"item": "Chair", "total": Decimal("12.50")}, {"item": "Lamp", "new": True, "total": 3}, {"total": None}]
    assert await kept(lines) == {
        "columns": [
            {"name": "item", "number": False}, {"name": "total", "number": True}, {"name": "new", "number": False},
        ],
        "rows": [["Chair", "12.50", ""], ["Lamp", "3", "true"], ["", "", ""]],
        "more": 0,
        "more_columns": 0,
    }  # fmt: skip


async def test_what_is_beyond_so_many_rows_and_columns_is_counted() -> None:
    table = await kept([{f"c{at}": at for at in range(11)} for _ in range(32)])
    assert (len(table["rows"]), table["more"]) == (20, 12)
    assert (len(table["columns"]), table["more_columns"]) == (8, 3)


async def test_a_long_list_asks_people_and_is_not_refused_for_its_length() -> None:
    table = await kept([{"item": "x" * 500} for _ in range(300)])
    assert table["more"] == 280
    assert table["rows"][0] == ["x" * 79 + "…"]


@pytest.mark.parametrize(
    ("nested", "text"),
    [
        ({"amount": Decimal("12.50"), "currency": "EUR"}, "12.50 EUR"),
        (FILE, "May.pdf"),
        ([FILE, "x", 1], "May.pdf, x, 1"),
        ({"a": [1]}, '{"a":[1]}'),
        ([{"a": 1}], '[{"a":1}]'),
        ({"a": "b" * 100}, "a: " + "b" * 76 + "…"),
        ({"a": 1, "b": True}, "a: 1, b: true"),
        ("One\n line", "One line"),
    ],
)
async def test_what_is_nested_is_short(nested: object, text: str) -> None:
    assert (await kept([{"cell": nested}]))["rows"] == [[text]]


@pytest.mark.parametrize(
    ("value", "text"),
    [([], ""), (["a", 1], '["a",1]'), ([{"a": 1}, 2], '[{"a":1},2]'), ({"a": 1}, '{"a":1}'), ([{}, {}], "[{},{}]")],
)
async def test_all_else_is_text_as_before(value: object, text: str) -> None:
    assert await kept(value) == text


async def test_a_secret_is_masked_before_it_is_made_short() -> None:
    secret = "s3cret-" + "k" * 90
    task = _shown(await task_of([{"note": f"Key {secret}"}]), Redactor([secret]))
    document: Any = task.document()
    assert "s3cret" not in str(document)
    assert document["facts"][0]["value"]["rows"][0][0].startswith("Key ")


async def test_a_mail_has_a_line_for_each_row() -> None:
    lines = [{"item": "Chair", "total": Decimal("12.50")}, {"item": "", "total": 3}] + [{"item": "Lamp"}] * 30
    spec: Any = (await task_of(lines)).document()
    text = body(title="Pay?", spec=spec, due_at=None, ends_at=None, link="https://x", language="en", time_zone="UTC")
    assert "Lines:\n- item: Chair; total: 12.50\n- total: 3\n- item: Lamp\n" in text
    assert "and 12 more\n\n" in text


@pytest.mark.parametrize(
    ("language", "columns", "said"),
    [("en", 9, "1 more column"), ("en", 11, "3 more columns"), ("de", 9, "1 weitere Spalte"), ("en", 8, None)],
)
async def test_a_mail_says_how_much_of_a_table_is_not_shown(language: str, columns: int, said: str | None) -> None:
    spec: Any = (await task_of([{f"c{at}": None for at in range(columns)}])).document()
    text = body(
        title="Pay?", spec=spec, due_at=None, ends_at=None, link="https://x", language=language, time_zone="UTC"
    )
    assert f"Lines:\n- –\n{said or ''}\n" in text

"""The manifest of a batch is read in a spreadsheet, too: a row for each entry, and nothing that it would run."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.builder.conftest import World
from tests.builder.test_audit_runs import machine, rows, start
from tests.runtime.machine import Machine, fields, flow
from tests.runtime.test_batches import statements
from tests.runtime.test_own_runs import inside

__all__ = ["machine"]

pytestmark = pytest.mark.django_db(transaction=True)
FAILS = inside("each", fields("calc", x="{{ 10 / item.by }}"))


def table(answer: Any, delimiter: str) -> list[dict[str, str]]:
    text = answer.raw.decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:]), delimiter=delimiter))


def test_a_manifest_is_a_table_with_a_row_for_each_entry(world: World, machine: Machine) -> None:
    items = [{"number": "=S-1", "by": 1, "amount": "1250.50"}, {"number": "S-2", "by": 0, "amount": "2"}]
    each = statements(items, amount="{{ item.amount }}", currency="EUR")
    batch = f"{start(world, flow('start -> each', each, *FAILS))}/batches/each"
    points, comma = (world.as_vera.get(f"{batch}/manifest?format={one}") for one in ("csv", "csv_comma"))
    assert 'filename="manifest.csv"' in points.headers["Content-Disposition"]
    first, second = table(points, ",")
    assert first["key"] == "'=S-1", "a spreadsheet runs nothing of it"
    told = [(one["number"], one["status"], one["attempts"], one["amount"], one["currency"]) for one in (first, second)]
    assert told == [("1", "done", "1", "1250.50", "EUR"), ("2", "failed", second["attempts"], "2.00", "EUR")]
    assert len(first["input_sha256"]) == len(first["result_sha256"]) == 64
    assert first["started"].endswith("Z")
    assert [one["amount"] for one in table(comma, ";")] == ["1250,50", "2,00"]
    # The lines with their seal are what it is without a word.
    assert world.as_vera.get(f"{batch}/manifest").raw.splitlines()[-1].startswith(b'{"end":true')
    kept = [row.detail for row in rows(world, "batch.manifest_downloaded")]
    assert ['"format":"csv_comma"' in one for one in kept] == [False, True, False]
    assert world.as_vera.get(f"{batch}/manifest?format=pdf").status == 400

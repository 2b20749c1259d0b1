from __future__ import annotations

import io
from decimal import Decimal
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Result
from runtime.sdk.tables import look, rows
from runtime.sdk.testing import StepTestContext, run_step

ROWS = [{"name": "=1+1", "n": Decimal("12.5")}, {"name": "Ω", "more": 7}]


async def written(**config: Any) -> tuple[dict[str, Any], bytes]:
    node_type = CATALOG.get("files.write_table@1")
    assert node_type is not None
    context = StepTestContext()
    outcome = await run_step(
        node_type, {"rows": "{{ trigger.rows }}", **config}, data={"trigger": {"rows": ROWS}}, context=context
    )
    assert isinstance(outcome, Result)
    output: Any = outcome.output
    (data,) = [data for one, data in context.files.kept.items() if str(one) == output["file"]["id"]]
    return output, data


@pytest.mark.parametrize(("format", "ending"), [("xlsx", ".xlsx"), ("csv", ".csv"), ("csv_comma", ".csv")])
async def test_what_it_writes_can_be_read_again(format: str, ending: str, tmp_path: Any) -> None:
    output, data = await written(format=format, name="May/June")
    assert (output["file"]["name"], output["rows"]) == (f"May_June{ending}", 2)
    path = tmp_path / "x"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert list(rows(file, look(file))) == [
            {"name": "=1+1", "n": Decimal("12.5"), "more": None},
            {"name": "Ω", "n": None, "more": 7},
        ]


async def test_only_the_columns_that_were_asked_for_are_written_in_their_order() -> None:
    _, data = await written(format="csv_comma", columns=["n", "name"])
    assert data.decode("utf-8-sig").splitlines() == ["n;name", "12,5;'=1+1", ";Ω"]
    with io.BytesIO(data) as file:
        assert [one.name for one in look(file).columns] == ["n", "name"]


@pytest.mark.parametrize("value", [{"a": 1}, [1], "x"])
async def test_what_are_no_rows_is_said_to_be_none(value: Any) -> None:
    with pytest.raises(PermanentError, match="list of objects"):
        await written(rows=value)

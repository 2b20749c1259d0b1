from __future__ import annotations

from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import PermanentError, Result
from runtime.sdk.testing import StepTestContext, run_step


async def read(data: bytes, **config: Any) -> dict[str, Any]:
    node_type = CATALOG.get("files.read_table@1")
    assert node_type is not None
    context = StepTestContext()
    file = await context.files.save("a.csv", "text/csv", [data])
    outcome = await run_step(
        node_type, {"file": "{{ trigger }}", **config}, data={"trigger": file.as_json()}, context=context
    )
    assert isinstance(outcome, Result)
    found: Any = outcome.output
    return found  # type: ignore[no-any-return]


async def test_it_gives_rows_and_says_what_their_columns_are() -> None:
    assert await read(b"a;b\n1;x\n") == {
        "rows": [{"a": 1, "b": "x"}],
        "count": 1,
        "columns": [{"name": "a", "type": "number"}, {"name": "b", "type": "text"}],
    }


async def test_what_it_is_told_it_does_not_find_out() -> None:
    assert (await read(b"a;b\n1;x\n", header="no"))["count"] == 2
    assert (await read(b"a\tb;c\n1\t2\n", delimiter="tab"))["rows"] == [{"a": 1, "b;c": 2}]


async def test_more_rows_than_asked_for_are_refused_and_none_left_out() -> None:
    assert (await read(b"a\n" + b"x\n" * 3, most=3))["count"] == 3
    with pytest.raises(PermanentError, match="more than 3 rows"):
        await read(b"a\n" + b"x\n" * 4, most=3)


@pytest.mark.parametrize("value", ["a.csv", 7, {"id": "x"}])
async def test_what_is_no_file_is_said_to_be_none(value: Any) -> None:
    with pytest.raises(PermanentError, match="needs a file"):
        await read(b"a\n1\n", file=value)

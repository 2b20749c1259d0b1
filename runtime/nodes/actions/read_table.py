"""Read a table: the rows of a CSV file or spreadsheet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from typing import Any, BinaryIO, Literal

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    Number,
    PermanentError,
    Result,
    Text,
    Words,
    field,
)
from runtime.sdk.prepared_pages import plan_of_value
from runtime.sdk.table_fit import Fitting
from runtime.sdk.table_value import is_table
from runtime.sdk.tables import TableRefused, look, rows

#: So many rows stand in one result; more are for *For each*, page by page.
MOST_ROWS = 50_000


class ReadTableConfig(Config):
    file: Any = field(
        None,
        title="File",
        help="A CSV file or an Excel workbook (.xlsx), as an earlier step or an upload gives it; or the rows of a file "
        "that the start asked for, which say themselves how they are read.",
        widget="file",
        expression=True,
        placeholder="{{ steps.fetch.file }}",
        required=True,
        order=1,
    )
    header: Literal["auto", "yes", "no"] = field(
        "auto",
        title="Names of the columns",
        widget="choice",
        options=(("auto", "Find out"), ("yes", "In the first row"), ("no", "There are none")),
        order=2,
    )
    sheet: Text = field("", title="Sheet", help="Empty: the first one.", expression=True, order=3, max_length=100)
    delimiter: Literal["auto", ";", ",", "tab", "|"] = field(
        "auto",
        title="Columns are separated by",
        widget="choice",
        options=(("auto", "Find out"), (";", "Semicolon"), (",", "Comma"), ("tab", "Tab"), ("|", "Bar")),
        advanced=True,
        order=4,
    )
    most: Number = field(
        10_000,
        title="At most so many rows",
        help="A file with more is refused, so that none is left out unseen.",
        advanced=True,
        order=5,
        ge=1,
        le=MOST_ROWS,
    )


async def run(config: ReadTableConfig, step_input: JSON, context: Context) -> Result:
    prepared = is_table(config.file)
    file = await context.files.reading(config.file["file"] if prepared else config.file)
    try:
        output = await asyncio.to_thread(_read_prepared if prepared else _read, file, config)
    except TableRefused as refused:
        raise PermanentError("The file cannot be read as a table", str(refused), "table_refused") from refused
    count = len(output["rows"])
    return Result(output, note=f"{count} {'row' if count == 1 else 'rows'}")


def _read(file: BinaryIO, config: ReadTableConfig) -> dict[str, Any]:
    with closing(file):
        delimiter = {"auto": "", "tab": "\t"}.get(config.delimiter, config.delimiter)
        header = {"auto": None, "yes": True, "no": False}[config.header]
        layout = look(file, header=header, sheet=config.sheet, delimiter=delimiter)
        found = list(rows(file, layout, most=int(config.most)))
    columns = [{"name": column.name, "type": column.type} for column in layout.columns]
    return {"rows": found, "count": len(found), "columns": columns}


def _read_prepared(file: BinaryIO, config: ReadTableConfig) -> dict[str, Any]:
    most = int(config.most)
    with closing(file):
        plan = plan_of_value(file, config.file)
        with Fitting(file, plan) as some:
            found = [row for _, row in islice(some.rows(), most + 1)]
    if len(found) > most:
        raise TableRefused(f"There are more than {most} rows. Split the file.")
    columns = [{"name": column.name, "type": column.type} for column in plan.columns]
    return {"rows": found, "count": len(found), "columns": columns}


def summary(config: Mapping[str, Any], words: Words) -> str:
    return words.value(config["file"]) if config["file"] else ""


NODE = NodeType(
    name="files.read_table",
    version=1,
    category="data",
    icon="table",
    title="Read a table",
    description="Reads the rows of a CSV file or an Excel workbook. Numbers and dates become such; what could be read "
    "two ways stays text.",
    synonyms=("csv", "excel", "xlsx", "spreadsheet", "import", "rows", "parse", "sheet"),
    config=ReadTableConfig,
    run=run,
    effect=EffectClass.READ,
    summary=summary,
    effect_note="Only reads a file of this workspace. It can be repeated at any time.",
    examples=(
        Example(
            title="The rows of an upload",
            config={"file": "{{ trigger.file }}"},
            context={
                "trigger": {
                    "file": {
                        "id": "0199a7f0-0000-7000-8000-0000000000f1",
                        "name": "example.csv",
                        "mime": "text/csv",
                        "size": 34,
                        "sha256": "0" * 64,
                    }
                }
            },
            output={
                "rows": [{"Customer": "Müller", "Amount": 1250}],
                "count": 1,
                "columns": [{"name": "Customer", "type": "text"}, {"name": "Amount", "type": "number"}],
            },
        ),
    ),
)

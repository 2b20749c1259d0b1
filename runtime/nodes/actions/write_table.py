"""Write a table: a CSV file or a spreadsheet from a list of rows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    PermanentError,
    Result,
    Text,
    Words,
    field,
)
from runtime.sdk.tables import MOST_COLUMNS, TableRefused, csv_of, xlsx_of

_PORTION = 256 * 1024
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class WriteTableConfig(Config):
    rows: Any = field(
        None,
        title="Rows",
        help="A list of objects: one for each row.",
        widget="json",
        expression=True,
        placeholder="{{ steps.read.rows }}",
        required=True,
        order=1,
    )
    name: Text = field(
        "table",
        title="Name of the file",
        help="Without an ending.",
        expression=True,
        order=2,
        min_length=1,
        max_length=200,
    )
    format: Literal["xlsx", "csv", "csv_comma"] = field(
        "xlsx",
        title="Format",
        widget="choice",
        options=(("xlsx", "Excel (.xlsx)"), ("csv", "CSV: 1,250.5"), ("csv_comma", "CSV with semicolons: 1250,5")),
        order=3,
    )
    columns: list[str] = field(
        default_factory=list,
        title="Columns",
        help="In this order. Empty: all, in the order in which they come.",
        widget="list",
        order=4,
        max_length=MOST_COLUMNS,
    )


async def run(config: WriteTableConfig, step_input: JSON, context: Context) -> Result:
    if not isinstance(config.rows, list) or not all(isinstance(row, dict) for row in config.rows):
        raise PermanentError(
            "These are no rows",
            "“Rows” must be a list of objects, such as [{“Customer”: “Müller”, “Amount”: 1250}].",
            "not_rows",
        )
    rows = cast("list[dict[str, Any]]", config.rows)
    columns = list(config.columns) or list(dict.fromkeys(name for row in rows for name in row))
    if len(columns) > MOST_COLUMNS:
        raise PermanentError(
            "Too many columns", f"A table has at most {MOST_COLUMNS}. Choose which under “Columns”.", "too_many_columns"
        )
    try:
        if config.format == "xlsx":
            file = await context.files.save(f"{config.name}.xlsx", _XLSX, _workbook(rows, columns, config.name))
        else:
            delimiter, decimal = (";", ",") if config.format == "csv_comma" else (",", ".")
            portions = csv_of(rows, columns, delimiter=delimiter, decimal=decimal)
            file = await context.files.save(f"{config.name}.csv", "text/csv", portions)
    except TableRefused as refused:
        raise PermanentError("The table cannot be written", str(refused), "table_refused") from refused
    return Result({"file": file.as_json(), "rows": len(rows)}, note=file.name)


def _workbook(rows: list[dict[str, Any]], columns: list[str], sheet: str) -> Iterator[bytes]:
    """The workbook in portions: it can be sent once its end is known, and stands on the disk until then."""
    with tempfile.TemporaryFile() as file:
        xlsx_of(rows, columns, cast("Any", file), sheet=sheet)
        file.seek(0)
        while portion := file.read(_PORTION):
            yield portion


def summary(config: Mapping[str, Any], words: Words) -> str:
    return words.value(config["name"]) if config["name"] else ""


NODE = NodeType(
    name="files.write_table",
    version=1,
    category="data",
    icon="table",
    title="Write a table",
    description="Makes a CSV file or an Excel workbook of a list of rows. Text never becomes a formula.",
    synonyms=("csv", "excel", "xlsx", "spreadsheet", "export", "rows", "report", "sheet"),
    config=WriteTableConfig,
    run=run,
    effect=EffectClass.READ,
    summary=summary,
    effect_note="Makes a file of this workspace, which counts once the step has succeeded. It can be repeated.",
    examples=(
        Example(
            title="A list for the bank",
            config={"rows": [{"Customer": "Müller", "Amount": 1250}], "name": "payments", "format": "csv"},
            output={
                "file": {
                    "id": "0199a7f0-0000-7000-8000-0000000000f2",
                    "name": "payments.csv",
                    "mime": "text/csv",
                    "size": 34,
                    "sha256": "db4bfbf0142f57d6cd3712b59f4b52b0df43aedf8efc0751f22ee17fc0ce7a66",
                },
                "rows": 1,
            },
        ),
    ),
)

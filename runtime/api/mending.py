"""The error file of a batch: entries that failed as a spreadsheet, to be mended there and brought back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO, Final, cast
from uuid import UUID

from runtime.api.corrections import FailedEntry, walk_failed
from runtime.contracts import RuntimeRefused
from runtime.engine.jsonprofile import JSON, dumps, loads, number_text
from runtime.sdk.tables import MOST_COLUMNS, TableRefused, csv_of, look, rows, xlsx_of

__all__ = ["Mended", "error_file", "mended"]

#: The first columns of the file; what an entry was given follows.
NUMBER: Final = "Number"
NAME: Final = "Name"
PROBLEM: Final = "Problem"
#: Of an entry that is no object.
VALUE: Final = "Value"
_PORTION: Final = 64 * 1024
_MOST_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Mended:
    """What a mended file says. `items`: by number (from 0) what an entry is to be given; `unchanged`: how many of them
    stand as they were; `problems`: sentences about rows that say nothing."""

    items: Mapping[int, JSON]
    unchanged: int
    problems: tuple[str, ...]


def error_file(*, workspace_id: UUID, run_id: UUID, node: str, kind: str = "xlsx") -> Iterator[bytes]:
    """Those that failed as a spreadsheet (`xlsx` or `csv`), in portions: number, name, problem, and what each was
    given. Raises NotFound."""
    about: Any = {"workspace_id": workspace_id, "run_id": run_id, "node": node}
    columns: dict[str, None] = dict.fromkeys((NUMBER, NAME, PROBLEM))
    for entry in walk_failed(**about):
        columns |= dict.fromkeys(_own(entry.item))
    names = list(columns)[:MOST_COLUMNS]
    found = (_row(entry) for entry in walk_failed(**about))
    if kind == "csv":
        return csv_of(found, names)
    return _workbook(found, names)


def mended(*, workspace_id: UUID, run_id: UUID, node: str, file: BinaryIO) -> Mended:
    """What a file says that was made by `error_file` and mended since. Raises NotFound, RuntimeRefused where it is no
    such file."""
    failed = {one.index: one.item for one in walk_failed(workspace_id=workspace_id, run_id=run_id, node=node)}
    items: dict[int, JSON] = {}
    problems: list[str] = []
    unchanged = 0
    try:
        layout = look(file, header=True)
        if NUMBER not in [column.name for column in layout.columns]:
            raise RuntimeRefused(
                f"The file has no column “{NUMBER}”. Download the file of those that failed, mend it, and send it back"
                " with all its columns.",
                code="not_an_error_file",
            )
        for place, row in enumerate(rows(file, layout, most=_MOST_ROWS), 2):
            number = row.get(NUMBER)
            index = int(number) - 1 if isinstance(number, (int, Decimal)) and not isinstance(number, bool) else None
            if index is None or index not in failed:
                problems.append(f"Row {place}: number {number or '(none)'} does not wait for a decision.")
                continue
            item, wrong = _mended(failed[index], row)
            if wrong:
                problems.append(f"Row {place}: {wrong}")
            else:
                unchanged += dumps(item) == dumps(failed[index])
                items[index] = item
    except TableRefused as refused:
        raise RuntimeRefused(str(refused), code="table_refused") from refused
    return Mended(items, unchanged, tuple(problems))


def _own(item: JSON) -> list[str]:
    return list(item) if isinstance(item, dict) else [VALUE]


def _row(entry: FailedEntry) -> dict[str, Any]:
    given = entry.item if isinstance(entry.item, dict) else {VALUE: entry.item}
    told = {NUMBER: entry.index + 1, NAME: entry.label or "", PROBLEM: f"{entry.title}: {entry.message}"}
    # What has the name of one of these is its own: those are read back by their place at the front.
    return {**{name: _cell(value) for name, value in given.items()}, **told}


def _cell(value: JSON) -> Any:
    return dumps(value) if isinstance(value, (dict, list)) else value


def _workbook(found: Iterator[dict[str, Any]], names: list[str]) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        xlsx_of(found, names, cast("Any", file), sheet="Failed")
        file.seek(0)
        while portion := file.read(_PORTION):
            yield portion


def _mended(item: JSON, row: Mapping[str, JSON]) -> tuple[JSON, str]:
    """What the entry is to be given, by its row; or what is wrong with that."""
    if not isinstance(item, dict):
        value, wrong = _value(item, row.get(VALUE))
        return value, wrong and f"{VALUE}: {wrong}"
    made: dict[str, JSON] = {}
    for name, before in item.items():
        if name in (NUMBER, NAME, PROBLEM) or name not in row:
            made[name] = before
            continue
        made[name], wrong = _value(before, row[name])
        if wrong:
            return None, f"{name}: {wrong}"
    return made, ""


def _value(before: JSON, cell: JSON) -> tuple[JSON, str]:
    """A cell as what stood there before."""
    if isinstance(before, bool):
        said = str(cell).strip().lower()
        return (said in ("true", "1"), "") if said in ("true", "false", "0", "1") else (None, "write TRUE or FALSE.")
    if isinstance(before, (int, Decimal)):
        if isinstance(cell, (int, Decimal)) and not isinstance(cell, bool):
            return cell, ""
        return None, f"“{'' if cell is None else cell}” is no number."
    if isinstance(before, (dict, list)):
        try:
            return loads(str(cell)), ""
        except ValueError:
            return None, "this has to stay JSON."
    if isinstance(before, str) and isinstance(cell, (int, Decimal)) and not isinstance(cell, bool):
        return number_text(Decimal(cell)), ""
    # An empty cell of what was text is empty text.
    return ("" if isinstance(before, str) and cell is None else cell), ""

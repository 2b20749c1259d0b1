"""Reconcile two lists: what matches, what differs, what is on one side only, what is there twice, and the totals."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from itertools import chain, islice
from typing import Any, BinaryIO, Final, TypeVar, cast

from runtime.sdk import JSON, Context, EffectClass, NodeType, PermanentError, Result, Words, dumps_bytes
from runtime.sdk.datatable_pages import DataTablePages
from runtime.sdk.datatables import RowFilters, table_id
from runtime.sdk.files import file_id
from runtime.sdk.json_lines import LINES, each_line, is_lines, lines_of
from runtime.sdk.prepared_pages import PreparedPages
from runtime.sdk.reconcile import Comparison
from runtime.sdk.reconcile_example import EXAMPLE
from runtime.sdk.reconcile_report import report_columns, report_rows, totals_json
from runtime.sdk.reconcile_rules import GROUPS, Group, Outcome, TooLarge
from runtime.sdk.reconcile_settings import ReconcileSettings, rules_of
from runtime.sdk.reconcile_values import Unreadable
from runtime.sdk.table_pages import TablePages
from runtime.sdk.table_value import is_table
from runtime.sdk.tables import TableRefused, csv_of, xlsx_of

T = TypeVar("T")
Rows = Iterable[tuple[str, Mapping[str, JSON]]]

_PORTION: Final = 256 * 1024
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: The same lists give the same bytes, whenever they are compared.
_MADE: Final = datetime(2000, 1, 1)
#: So many of a group stand in the data, within so many bytes; the file has them all.
_MOST_FIRST: Final = 10
_MOST_FIRST_BYTES: Final = 8 * 1024


async def run(config: ReconcileSettings, step_input: JSON, context: Context) -> Result:
    compared = Comparison(rules_of(config))
    try:
        for side in (0, 1):
            await _read(compared, side, config, context)
        await _work(compared.settle)
        output = await _told(compared, config, context)
    except (TooLarge, Unreadable, TableRefused) as refused:
        compared.close()
        raise _refused(refused) from refused
    except asyncio.CancelledError:
        # A thread may still be at it, and holds what it needs until it sees this.
        compared.stopped = True
        raise
    except BaseException:
        compared.close()
        raise
    compared.close()
    groups = compared.groups
    return Result(
        output,
        note=f"{groups['matched']} matched, {groups['differing']} differ, {groups['only_a']} only in {config.a_name}, "
        f"{groups['only_b']} only in {config.b_name}, {groups['twice']} more than once",
    )


async def _work(work: Callable[[], T]) -> T:
    """In a thread. Where the step is cut off it is told so, and ends soon."""
    return await asyncio.to_thread(work)


# --- reading --------------------------------------------------------------------------------------------------------


async def _read(compared: Comparison, side: int, config: ReconcileSettings, context: Context) -> None:
    which = "b" if side else "a"
    name: str = getattr(config, f"{which}_name")
    try:
        match getattr(config, f"{which}_source"):
            case "list":
                entries: list[Any] = getattr(config, f"{which}_items")
                rows = ((f"entry {number}", row) for number, row in enumerate(entries, 1))
                await _work(lambda: compared.add(side, _checked(compared, side, rows, config.most)))
            case "file":
                await _file(
                    compared, side, getattr(config, f"{which}_file"), getattr(config, f"{which}_sheet"), config, context
                )
            case _:
                await _table(compared, side, getattr(config, f"{which}_table"), config, context)
    except (Unreadable, TableRefused) as refused:
        raise type(refused)(f"“{name}”: {refused}") from refused
    unknown = compared.unknown_columns(side)
    if unknown:
        there = ", ".join(list(compared.columns[side])[:20])
        raise TableRefused(f"“{name}” has no column “{unknown[0]}”. There are: {there}.")


async def _file(
    compared: Comparison, side: int, value: Any, sheet: str, config: ReconcileSettings, context: Context
) -> None:
    pages: TablePages | None = None
    if is_table(value):
        pages = PreparedPages(value)
    elif not is_lines(value):
        file_id(value)
        pages = TablePages(value, sheet=sheet)
    file = await context.files.reading(value["file"] if is_table(value) else value)

    def work() -> None:
        # What reads the file lets go of it before it is closed.
        with closing(file), closing(_lines(file) if pages is None else pages.all_rows(file)) as numbered:
            unit = "line" if pages is None else "row"
            rows = ((f"{unit} {number}", row) for number, row in numbered)
            compared.add(side, _checked(compared, side, rows, config.most))

    await _work(work)


def _lines(file: BinaryIO) -> Generator[tuple[int, Any], None, None]:
    yield from enumerate(each_line(file), 1)


async def _table(compared: Comparison, side: int, table: str, config: ReconcileSettings, context: Context) -> None:
    table_id(table)
    pages = DataTablePages(table, RowFilters(), config.most)
    cursor: JSON = None
    while True:
        page = await pages.read_page(cursor, context)
        before = compared.count(side)
        rows = [(f"row {before + number}", row) for number, row in enumerate(page.items, 1)]
        await _work(lambda rows=rows: compared.add(side, _checked(compared, side, rows, config.most)))  # type: ignore[misc]
        cursor = page.next
        if cursor is None:
            return


def _checked(compared: Comparison, side: int, rows: Iterable[tuple[str, Any]], most: int) -> Rows:
    """The rows, where they are some and not too many."""
    for place, row in rows:
        if not isinstance(row, Mapping):
            raise Unreadable(f"{place} has no names: a list of objects is needed, such as [{{“Reference”: “INV-1”}}].")
        if compared.count(side) >= most:
            raise TooLarge(f"There are more than {most:,} rows. Allow more under “At most so many rows of each list”.")
        yield place, row


def _refused(refused: Exception) -> PermanentError:
    if isinstance(refused, TooLarge):
        return PermanentError("These lists are too long", str(refused), "too_many_rows")
    return PermanentError("The lists cannot be compared", str(refused), "not_comparable")


# --- what is handed on ----------------------------------------------------------------------------------------------


async def _told(compared: Comparison, config: ReconcileSettings, context: Context) -> dict[str, JSON]:
    names = (config.a_name, config.b_name)
    totals = await _work(lambda: totals_json(compared))
    groups = compared.groups
    rest = sum(groups.values()) - groups["matched"]
    told: dict[str, JSON] = {
        "all_matched": rest == 0,
        "within_tolerance": compared.within,
        "a": {"name": names[0], "count": compared.count(0)},
        "b": {"name": names[1], "count": compared.count(1)},
        "totals": totals,
    }
    for group in GROUPS:
        told[group] = await _kept(compared, (group,), group, context)
    told["rest"] = await _kept(compared, GROUPS[1:], "rest", context)
    columns = report_columns(compared, names)
    if config.excel:
        workbook = _workbook(compared, columns, names, config.name)
        told["excel"] = (await context.files.save(f"{config.name}.xlsx", _XLSX, workbook)).as_json()
    if config.csv:
        delimiter, decimal = (";", ",") if config.decimal == "," else (",", ".")
        portions = csv_of(report_rows(compared, names), columns, delimiter=delimiter, decimal=decimal)
        told["csv"] = (await context.files.save(f"{config.name}.csv", "text/csv", portions)).as_json()
    return told


async def _kept(compared: Comparison, groups: tuple[Group, ...], name: str, context: Context) -> dict[str, JSON]:
    """The outcomes of these groups: how many, the first of them, and all of them in a file, one a line."""

    def outcomes() -> Iterator[Outcome]:
        return chain.from_iterable(compared.outcomes(group) for group in groups)

    file = await context.files.save(f"{name}.jsonl", LINES, lines_of(one.as_json() for one in outcomes()))
    first = await _work(lambda: _first(outcomes()))
    return {"count": sum(compared.groups[group] for group in groups), "first": first, "file": file.as_json()}


def _first(outcomes: Iterator[Outcome]) -> list[JSON]:
    found: list[JSON] = []
    size = 0
    for one in islice(outcomes, _MOST_FIRST):
        shown = one.as_json()
        size += len(dumps_bytes(shown))
        if size > _MOST_FIRST_BYTES:
            break
        found.append(shown)
    return found


def _workbook(compared: Comparison, columns: list[str], names: tuple[str, str], sheet: str) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        xlsx_of(report_rows(compared, names), columns, cast("Any", file), sheet=sheet, made=_MADE)
        file.seek(0)
        while portion := file.read(_PORTION):
            yield portion


# --- the form -------------------------------------------------------------------------------------------------------


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = []
    pairs = (
        ("amount", "“Amount in the first list” and “Amount in the second list” are given together, or not at all."),
        ("date", "“Date in the first list” and “Date in the second list” are given together, or not at all."),
    )
    for name, says in pairs:
        a, b = config.get(f"a_{name}"), config.get(f"b_{name}")
        if bool(a) != bool(b):
            found.append((f"b_{name}" if a else f"a_{name}", "pair", says))
    name = config.get("a_name", "First list")
    if isinstance(name, str) and name == config.get("b_name", "Second list"):
        found.append(
            ("b_name", "same_name", "Call the two lists by different names, so that the report can tell them apart.")
        )
    keys = config.get("keys")
    if config.get("ways") == "named" and isinstance(keys, list) and len(keys) > 1:
        found.append(("keys", "one_key", "Where one row names several, they are found by one column: leave one."))
    return found


def summary(config: Mapping[str, Any], words: Words) -> str:
    keys = config.get("keys")
    if not keys:
        return ""
    by = " and ".join(str(pair["a"]) for pair in keys)
    return f"{words.value(config['a_name'])} with {words.value(config['b_name'])}, by {by}"


NODE = NodeType(
    name="data.reconcile",
    version=1,
    category="data",
    icon="scale",
    title="Reconcile two lists",
    description="Compares two lists, such as a bank statement and the open items: what matches, what differs, what is "
    "in one of them only, what is there twice, and whether the totals agree.",
    synonyms=(
        "compare",
        "match",
        "difference",
        "diff",
        "bank statement",
        "open items",
        "tolerance",
        "totals",
        "duplicates",
        "audit",
        "abgleich",
        "abstimmen",
        "vergleichen",
    ),
    config=ReconcileSettings,
    run=run,
    effect=EffectClass.READ,
    extra_problems=problems,
    summary=summary,
    effect_note="Only reads, and makes files of this workspace, which count once the step has succeeded. It can be "
    "repeated: the same lists give the same result.",
    examples=(EXAMPLE,),
)

"""The manifest of a batch as a table, for people who read it in a spreadsheet; what is verified is the one of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, Literal

from builder.accounts.times import stamp
from builder.api.operation import Query
from runtime.contracts import loads

__all__ = ["COLUMNS", "ManifestQuery", "rows"]

#: As the lines of the manifest call them; `files` and `files_sha256` name the same files in the same order.
COLUMNS: Final = (
    "number", "key", "status", "attempts", "started", "finished", "amount", "currency", "posted", "skipped_by",
    "skipped_because", "input_sha256", "result_sha256", "files", "files_sha256",
)  # fmt: skip
_PLAIN: Final = ("key", "status", "attempts", "currency", "input_sha256", "result_sha256")


class ManifestQuery(Query):
    """`json`: lines, sealed, which can be verified. `csv`: a table of the entries, to look at, with commas and decimal
    points; `csv_comma` with semicolons and decimal commas."""

    format: Literal["json", "csv", "csv_comma"] = "json"


def rows(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """A row for each entry; what stands before and after them is for whoever verifies. Amounts are decimals, times as
    the API writes them."""
    for line in lines:
        entry: Any = loads(line.decode())
        if "seq" not in entry:
            continue
        row = {"number": entry["seq"], **{name: entry.get(name) for name in _PLAIN}}
        for name in ("started", "finished"):
            row[name] = None if entry[name] is None else stamp(entry[name])
        for name in ("amount", "posted"):
            row[name] = None if entry.get(name) is None else Decimal(entry[name])
        skipped = entry.get("skipped") or {}
        row |= {"skipped_by": skipped.get("by"), "skipped_because": skipped.get("reason")}
        row["files"] = "; ".join(one["name"] for one in entry["files"])
        row["files_sha256"] = "; ".join(one["sha256"] for one in entry["files"])
        yield row

"""The audit log as a file: lines of JSON that anybody can verify, or a CSV file to look at."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from builder.audit import chain as chains
from builder.audit import reading
from builder.audit.chain import COLUMNS, VERSION, canonical, document
from builder.audit.models import AuditRow
from builder.audit.reading import Filters
from builder.audit.verify import redactions_of
from runtime.api import ask
from runtime.ports import PORTS

CSV_COLUMNS: Final = (
    "sequence", "at", "actor_kind", "actor_id", "actor_name", "address", "agent", "verb", "object_kind", "object_id",
    "object_name", "detail", "request_id", "previous", "digest",
)  # fmt: skip
#: With one of these a spreadsheet takes a text for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def signed_text(chain: str, sequence: int, digest: str) -> str:
    """What the installation signs of an end."""
    return f"millrace audit {chain} {sequence} {digest}"


def as_json(chain: str, filters: Filters, *, workspace: str, at: int) -> Iterator[bytes]:
    """Lines of JSON: first where the chain ends, signed by this installation, then its rows in their order."""
    sequence, digest = chains.head(ask, chain)
    first: dict[str, Any] = {
        "millrace": "audit",
        "version": VERSION,
        "chain": chain,
        "workspace": workspace,
        "exported_at": chains.stamp(at),
        "whole": filters.are_none,
        "head": {"sequence": sequence, "digest": digest},
        "signature": PORTS.seal.sign(signed_text(chain, sequence, digest)),
    }
    yield _line(first)
    redactions = redactions_of(chain)
    for row in reading.walk(chain, filters, until=sequence):
        told = redactions.get(row.sequence, ())
        more = {"redacted": [[one.sha256, one.deed] for one in told]} if told else {}
        yield _line({**document(values_of(row)), "digest": row.digest, **more})


def as_csv(chain: str, filters: Filters) -> Iterator[bytes]:
    """A CSV file with a row for each; text in it never becomes a formula."""
    sequence, _ = chains.head(ask, chain)
    yield "\ufeff".encode() + _csv(CSV_COLUMNS)
    for row in reading.walk(chain, filters, until=sequence):
        values = [getattr(row, name) for name in CSV_COLUMNS]
        values[1] = chains.stamp(row.at)
        yield _csv([_plain(value) for value in values])


def values_of(row: AuditRow) -> list[Any]:
    """A row in the order of `COLUMNS`."""
    return [getattr(row, name) for name in COLUMNS]


def _line(value: dict[str, Any]) -> bytes:
    return canonical(value).encode() + b"\n"


def _csv(values: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue().encode()


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

"""What came of the entries of a batch, one by one: walked in portions, so it costs the same memory however many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from runtime.api.batches import own_runs, refuse_other_than_lists
from runtime.api.rows import document
from runtime.contracts.batch_results import EntryResult
from runtime.engine.jsonprofile import JSON, loads_stored
from runtime.interpreter.manifests import outputs_of, status_of
from runtime.interpreter.payloads import reference_in
from runtime.store import left_out, readings

__all__ = ["walk_items", "walk_results"]

_PORTION: Final = 500
_COLUMNS: Final = (
    "id", "item_index", "status", "outcome", "business_key", "item", "error", "finished_at", "version_id",
)  # fmt: skip
_TWICE: Final = "It came twice in this list."
_BEFORE: Final = "An earlier run had done it."


def walk_results(*, workspace_id: UUID, run_id: UUID, node: str) -> Iterator[EntryResult]:
    """Each entry as it stands, by its number; then those that were passed over, in their order. Raises NotFound."""
    refuse_other_than_lists(workspace_id, run_id, node)
    return _walk(run_id, node)


def walk_items(*, workspace_id: UUID, run_id: UUID, node: str) -> Iterator[JSON]:
    """What the entries were given, by their number. Raises NotFound."""
    refuse_other_than_lists(workspace_id, run_id, node)
    return (document(row["item"]) for rows in _pages(run_id, node, ("item_index", "item")) for row in rows)


def _pages(run_id: UUID, node: str, columns: tuple[str, ...]) -> Iterator[list[dict[str, Any]]]:
    after = -1
    chosen = own_runs(run_id, node).order_by("item_index")
    while rows := list(chosen.filter(item_index__gt=after).values(*columns)[:_PORTION]):
        yield rows
        after = rows[-1]["item_index"]


def _walk(run_id: UUID, node: str) -> Iterator[EntryResult]:
    for rows in _pages(run_id, node, _COLUMNS):
        outputs = outputs_of(rows, node)
        said = left_out.said(row["id"] for row in rows if status_of(row) == "skipped")
        for row in rows:
            message = said[row["id"]].reason if row["id"] in said else _why(row)
            yield EntryResult(
                number=row["item_index"] + 1,
                label=row["business_key"],
                place="",
                status=status_of(row),
                message=message,
                item=document(row["item"]),
                result=_result(outputs.get(row["id"], {})),
            )
    for one in readings.passed_over(run_id, node).iterator(chunk_size=_PORTION):
        message = _TWICE if one.done_by is None else _BEFORE
        yield EntryResult(None, one.key, one.place, "passed_over", message, None, None)


def _why(row: dict[str, Any]) -> str:
    error: Any = document(row["error"])
    if status_of(row) != "failed" or not isinstance(error, dict):
        return ""
    return ": ".join(dict.fromkeys(str(error[name]) for name in ("title", "message") if error.get(name)))


def _result(texts: dict[str, str]) -> JSON:
    if len(texts) != 1:
        return None
    (text,) = texts.values()
    # What was put aside for its size is no id.
    found: JSON = None if reference_in(text) is not None else loads_stored(text)
    return found

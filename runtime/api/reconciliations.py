"""What reconciling two lists found: the totals, and the rows of each group, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, BinaryIO, Final
from uuid import UUID

from runtime.api.cursors import decode_number, encode_number, page_size
from runtime.api.files import file as file_view
from runtime.api.rows import DataDamaged
from runtime.api.runs import run, step
from runtime.contracts import NotFound, Page
from runtime.contracts.batches import CountAndSum
from runtime.contracts.files import FileView
from runtime.contracts.reconciliations import GROUPS, ReconciledTotal, ReconciledView, ReconciliationView
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.versions import parsed
from runtime.store import files as store
from runtime.store.artifacts import ArtifactDamaged

__all__ = ["reconciled", "reconciliation"]

_STEP: Final = "data.reconcile@"
_LONGEST: Final = 16 * 2**20


def reconciliation(*, workspace_id: UUID, run_id: UUID, node: str) -> ReconciliationView:
    """What this step found. Raises NotFound, also where it reconciles nothing, or has not yet."""
    owner, output = _output(workspace_id, run_id, node)
    named = next(one for one in parsed(owner.version_id).graph.nodes if one.id == node)
    return ReconciliationView(
        run_id=run_id,
        node=node,
        key=named.key,
        name=named.name,
        workflow_id=owner.workflow_id,
        a_name=output["a"]["name"],
        b_name=output["b"]["name"],
        a_count=output["a"]["count"],
        b_count=output["b"]["count"],
        within=output["within_tolerance"],
        counts={group: output[group]["count"] for group in GROUPS},
        totals=tuple(_total(one) for one in output["totals"]),
        excel=_file(workspace_id, output.get("excel")),
        csv=_file(workspace_id, output.get("csv")),
    )


def reconciled(
    *,
    workspace_id: UUID,
    run_id: UUID,
    node: str,
    group: str,
    search: str = "",
    after: str | None = None,
    limit: int = 50,
) -> Page[ReconciledView]:
    """What is in one group, in its order; `search`: in which this stands somewhere. Raises NotFound, also where the
    group's file was removed, BadCursor, DataDamaged."""
    _, output = _output(workspace_id, run_id, node)
    told = output[group]["file"]
    row = store.found(workspace_id, UUID(told["id"]))
    if row is None:
        raise NotFound("The file with these rows was removed.", code="file_not_found")
    size, wanted = page_size(limit), search.strip().casefold()
    # As it stands within a line, where quotes and the like are written otherwise.
    within = dumps(wanted)[1:-1]
    found: list[ReconciledView] = []
    try:
        with store.opened(row.pk, row.sha256, row.size) as file:
            file.seek(min(decode_number(after) or 0, row.size))
            for at, line in _lines(file):
                if wanted and within not in line.decode().casefold():
                    continue
                value: Any = loads_stored(line)
                if wanted and not any(wanted in text for text in _texts(value)):
                    continue
                if len(found) == size:
                    return Page(found, encode_number(at))
                found.append(_view(at, value))
    except ArtifactDamaged as error:
        raise DataDamaged(str(error), artifact=str(row.pk)) from error
    return Page(found, None)


def _output(workspace_id: UUID, run_id: UUID, node: str) -> tuple[Any, Any]:
    owner = run(workspace_id=workspace_id, run_id=run_id)
    types = {one.id: one.type for one in parsed(owner.version_id).graph.nodes}
    if not types.get(node, "").startswith(_STEP):
        raise NotFound("This step reconciles no lists.", code="reconciliation_not_found")
    found = step(workspace_id=workspace_id, run_id=run_id, node_id=node)
    output: Any = found.output
    # A step that failed gives its error, and one with a sample whatever stands in that.
    if found.step.status != "succeeded" or not isinstance(output, dict) or not all(name in output for name in GROUPS):
        raise NotFound("This step has not reconciled its lists yet.", code="reconciliation_not_found")
    return owner, output


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    at = file.tell()
    while line := file.readline(_LONGEST):
        yield at, line
        at += len(line)


def _texts(value: Any) -> Iterator[str]:
    """All that people see of it, in small letters."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name not in ("group", "why"):
                yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None:
        yield str(value).casefold()


def _view(at: int, value: Any) -> ReconciledView:
    return ReconciledView(
        at=at,
        group=value["group"],
        why=value["why"],
        key=value["key"],
        currency=value["currency"],
        a_amount=_decimal(value["a_amount"]),
        b_amount=_decimal(value["b_amount"]),
        difference=_decimal(value["difference"]),
        days=value["days"],
        missing=tuple(value["missing"]),
        a=tuple(value["a"]),
        b=tuple(value["b"]),
        a_places=tuple(value["a_places"]),
        b_places=tuple(value["b_places"]),
    )


def _total(told: Any) -> ReconciledTotal:
    groups = {group: (_sum(told[group]["a"]), _sum(told[group]["b"])) for group in GROUPS}
    return ReconciledTotal(
        told["currency"], _sum(told["a"]), _sum(told["b"]), _decimal(told["difference"]) or Decimal(0), groups
    )


def _sum(told: Any) -> CountAndSum:
    return CountAndSum(told["count"], _decimal(told["amount"]) or Decimal(0))


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _file(workspace_id: UUID, told: Any) -> FileView | None:
    if told is None:
        return None
    try:
        return file_view(workspace_id=workspace_id, file_id=UUID(told["id"]))
    except NotFound:
        return None

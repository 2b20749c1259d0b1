"""Two runs of one workflow beside each other: in what they differ, step by step and field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from runtime.api.rows import RUN_COLUMNS, STEP_COLUMNS, DataDamaged, document, run_views, step_view
from runtime.contracts import NotFound, RuntimeRefused, RunView, StepView
from runtime.contracts.looking_back import FieldDifference, StepDifference
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.payloads import reference_in
from runtime.store import below
from runtime.store.left_out import IS_LEFT_OUT
from runtime.store.models import Run, StepRun, Version
from runtime.store.parts import IS_ITEM

__all__ = ["Compared", "compare", "compare_step", "last_good"]

#: More differing values than these are not told one by one.
MOST_FIELDS: Final = 200
_MOST_DEEP: Final = 32
#: Documents larger than this are told to differ, and not in what.
_MOST_BYTES: Final = 2_000_000
#: Of the newest that are done: one whose items failed is no good one.
_LOOKED_AT: Final = 20
#: A step took longer than in the other run if it is so many times as long, and by more than this.
_TIMES: Final = 1.5
_MORE_MS: Final = 200
#: What is another one with every call and says nothing of what was sent.
_OF_THE_CALL: Final = frozenset(
    ("content-length", "date", "traceparent", "tracestate", "x-request-id", "x-forwarded-for", "x-real-ip")
)
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Compared:
    """Two runs of a workflow. `graphs`: of the versions that they were carried out by; `first`: the step at which they
    first went apart: by how it ended or went on, else by what came out of it; None where nothing differs."""

    here: RunView
    there: RunView
    graphs: tuple[Mapping[str, Any], Mapping[str, Any]]
    steps: tuple[Mapping[str, StepView], Mapping[str, StepView]]
    differing: list[StepDifference]
    first: str | None
    start: list[FieldDifference]


def last_good(*, workspace_id: UUID, run_id: UUID) -> UUID | None:
    """The last run of the same workflow, accepted before this one, that completed with nothing failed in it; of an item
    of a list, the last such item. None where there is none. Raises NotFound."""
    row = _row(workspace_id, run_id)
    same = Run.objects.filter(
        workspace_id=workspace_id, workflow_id=row["workflow_id"], status="completed", mode=row["mode"], id__lt=run_id
    )
    item = row["parent_run_id"] is not None and row["trigger_node"] == row["parent_node"]
    same = (
        same.filter(parent_node=row["parent_node"], trigger_node=row["trigger_node"]) if item else same.exclude(IS_ITEM)
    )
    same = same.exclude(IS_LEFT_OUT)
    found = dict(same.order_by("-id").values_list("id", "version_id")[:_LOOKED_AT])
    failed = below.failed(found)
    for one in found:
        inside = failed.get(one, below.NONE)
        if not inside.items and not inside.calls:
            return one
    return None


def compare(*, workspace_id: UUID, run_id: UUID, other_id: UUID) -> Compared:
    """Lay two runs of one workflow side by side. Raises NotFound, RuntimeRefused (`other_workflow`)."""
    rows = _pair(workspace_id, run_id, other_id)
    here, there = run_views(rows)
    graphs = (_graph(rows[0]["version_id"]), _graph(rows[1]["version_id"]))
    stored = (_steps(rows[0]), _steps(rows[1]))
    views = tuple({node: step_view(row) for node, row in found.items()} for found in stored)
    differing = []
    for node in sorted({*stored[0], *stored[1]}):
        if differs := _differs(stored[0].get(node), stored[1].get(node)):
            differing.append(StepDifference(node, differs))
    starts = (rows[0]["trigger_node"], rows[1]["trigger_node"])
    given = [_value(found.get(node), "output") for found, node in zip(stored, starts, strict=True)]
    called = all(isinstance(one, dict) and {"headers", "body"} <= one.keys() for one in given)
    start = [one for one in _documents(given[0], given[1]) if not (called and _is_of_the_call(one.path))]
    first = _first(differing, (views[0], views[1]), starts[0])
    return Compared(here, there, graphs, (views[0], views[1]), differing, first, start)


def compare_step(
    *, workspace_id: UUID, run_id: UUID, other_id: UUID, node_id: str
) -> tuple[list[FieldDifference], list[FieldDifference]]:
    """In which values what went into a step of two runs, and what came out of it, differ. Raises NotFound,
    RuntimeRefused (`other_workflow`)."""
    rows = _pair(workspace_id, run_id, other_id)
    here, there = (_steps(row, node_id).get(node_id) for row in rows)
    if here is None and there is None:
        raise NotFound("Neither run has come to this step.", code="step_not_found")
    went_in, came_out = (_documents(_value(here, name), _value(there, name)) for name in ("input", "output"))
    return went_in, came_out


def _is_of_the_call(path: tuple[str | int, ...]) -> bool:
    """Whether a field of a start by a call tells of the call, not of what it brought."""
    if path[:1] == ("headers",) and len(path) > 1:
        return str(path[1]).lower() in _OF_THE_CALL
    return path == ("received_at",)


def _pair(workspace_id: UUID, run_id: UUID, other_id: UUID) -> list[dict[str, Any]]:
    rows = [_row(workspace_id, one) for one in (run_id, other_id)]
    if rows[0]["workflow_id"] != rows[1]["workflow_id"]:
        raise RuntimeRefused("These are runs of different workflows.", code="other_workflow")
    return rows


def _row(workspace_id: UUID, run_id: UUID) -> dict[str, Any]:
    row = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values(*RUN_COLUMNS).first()
    if row is None:
        raise NotFound("There is no such run.", code="run_not_found")
    return dict(row)


def _graph(version_id: UUID) -> Mapping[str, Any]:
    found: Any = loads_stored(Version.objects.values_list("graph", flat=True).get(pk=version_id))
    return dict(found)


def _steps(row: Mapping[str, Any], node: str | None = None) -> dict[str, dict[str, Any]]:
    """The steps of a run as they stand now, with their documents as stored."""
    chosen = StepRun.objects.filter(run_id=row["id"], generation=row["generation"])
    if node is not None:
        chosen = chosen.filter(node_id=node)
    return {one["node_id"]: dict(one) for one in chosen.values(*STEP_COLUMNS, "input", "output")}


def _differs(here: Mapping[str, Any] | None, there: Mapping[str, Any] | None) -> tuple[str, ...]:
    if here is None or there is None:
        return ("status",)
    found = []
    if here["status"] != there["status"]:
        found.append("status")
    if here["ports"] != there["ports"]:
        found.append("way")
    if _took_otherwise(_took(here), _took(there)):
        found.append("duration")
    found += [name for name in ("input", "output") if _stored(here[name]) != _stored(there[name])]
    if _code(here["error"]) != _code(there["error"]):
        found.append("error")
    return tuple(found)


def _took(row: Mapping[str, Any]) -> int | None:
    return None if row["started_at"] is None or row["finished_at"] is None else row["finished_at"] - row["started_at"]


def _took_otherwise(here: int | None, there: int | None) -> bool:
    if here is None or there is None:
        return False
    less, more = sorted((here, there))
    return more - less > _MORE_MS and more >= less * _TIMES


def _code(text: str | None) -> Any:
    error: Any = None if text is None else loads_stored(text)
    return (error.get("code"), error.get("title")) if isinstance(error, dict) else None


def _stored(text: str | None) -> str | None:
    """What a document is told from another by: of one that is kept apart, its digest."""
    reference = reference_in(text)
    return text if reference is None else reference.sha256


def _first(
    differing: list[StepDifference], views: tuple[Mapping[str, StepView], Mapping[str, StepView]], start: str
) -> str | None:
    """Runs that were given other data differ from their start on, so that is named only where nothing else is."""

    def began(node: str) -> tuple[int, int]:
        # By how long after its run's own start, in whichever run came there first.
        found = [
            step.started_at - opened
            for steps in views
            if (step := steps.get(node)) is not None
            and step.started_at is not None
            and (opened := min((one.started_at for one in steps.values() if one.started_at), default=None)) is not None
        ]
        return (min(found), 0) if found else (2**62, 1)

    ordered = sorted(differing, key=lambda one: began(one.node))
    for wanted in (("status", "way", "error"), ("output", "input"), ("duration",)):
        for one in ordered:
            if any(name in one.differs for name in wanted) and (one.node != start or wanted[0] != "output"):
                return one.node
    return ordered[0].node if ordered else None


def _value(row: Mapping[str, Any] | None, name: str) -> Any:
    """A step's document; of one that is too large to look into, its digest alone."""
    if row is None or row[name] is None:
        return _MISSING
    reference = reference_in(row[name])
    if reference is not None and reference.size > _MOST_BYTES:
        return f"sha256:{reference.sha256}"
    try:
        return document(row[name])
    except DataDamaged:
        return _MISSING


def _documents(here: Any, there: Any) -> list[FieldDifference]:
    found: list[FieldDifference] = []
    for one in _fields((), here, there):
        if len(found) == MOST_FIELDS:
            break
        found.append(one)
    return found


def _fields(path: tuple[str | int, ...], here: Any, there: Any) -> Iterator[FieldDifference]:
    """Every value that the two do not share, in the order of the first."""
    if here is _MISSING and there is _MISSING:
        return
    if here is _MISSING:
        yield FieldDifference(path, "removed", None, there)
    elif there is _MISSING:
        yield FieldDifference(path, "added", here, None)
    elif isinstance(here, dict) and isinstance(there, dict) and len(path) < _MOST_DEEP:
        for name in {**here, **there}:
            yield from _fields((*path, name), here.get(name, _MISSING), there.get(name, _MISSING))
    elif isinstance(here, list) and isinstance(there, list) and len(path) < _MOST_DEEP:
        for number in range(max(len(here), len(there))):
            yield from _fields(
                (*path, number),
                here[number] if number < len(here) else _MISSING,
                there[number] if number < len(there) else _MISSING,
            )
    elif type(here) is not type(there) or here != there:
        yield FieldDifference(path, "changed", here, there)

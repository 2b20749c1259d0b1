"""Dead letters as a file: a table for a spreadsheet, or JSON for a program. Written as it is read, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import QuerySet

from runtime.api.dead_letters import open_letters
from runtime.api.rows import RUN_COLUMNS, DataDamaged, document, run_views
from runtime.api.searching import searched_fields
from runtime.contracts import JSON, RunView
from runtime.contracts.searching import RunFieldView, SearchedField
from runtime.engine.jsonprofile import dumps, dumps_bytes
from runtime.interpreter.waiting import iso
from runtime.sdk.tables import csv_of
from runtime.store.dialect import database_now
from runtime.store.models import DeadLetter, Run, StepRun

__all__ = ["Told", "count_letters", "export_letters"]


@dataclass(frozen=True, slots=True)
class Told:
    """What only others know. `mask`: what is done to data before it is written; `workflow`: how a workflow is called;
    `step`: how a step (node id) of a version is; `address`: where a run can be looked at."""

    mask: Callable[[Any], Any]
    workflow: Callable[[UUID], str]
    step: Callable[[UUID, str], str]
    address: Callable[[UUID], str]


FORMAT: Final = "millrace.dead_letters"
VERSION: Final = 1
#: Which letters come next is asked for so many at a time: each time all that wait are put in order.
_LOOKED_UP: Final = 5_000
#: So many of them, with what their steps were given, are held at a time. What is long stands in a file of its own.
_PAGE: Final = 200
#: So many bytes of a file for programs are sent together.
_PORTION: Final = 64 * 1024
_FIRST: Final = ("Workflow", "Version", "Step", "Failed of", "Message", "Business key", "Failed at")
_LAST: Final = ("Given to the step", "Code", "Run", "Address", "Group")
#: A spreadsheet holds no longer text in a cell.
_LONGEST_CELL: Final = 32_000
_GONE: Final = "What this step was given cannot be read any more."


def count_letters(
    *, workspace_id: UUID, workflow_id: UUID | None = None, cause: str | None = None, run_ids: Sequence[UUID] = ()
) -> int:
    """How many letters wait for a decision, of those that are meant."""
    return _chosen(workspace_id, workflow_id, cause, run_ids).count()


def export_letters(
    *,
    workspace_id: UUID,
    format: Literal["csv", "csv_comma", "json"],
    workflow_id: UUID | None = None,
    cause: str | None = None,
    run_ids: Sequence[UUID] = (),
    told: Told,
) -> Iterator[bytes]:
    """Those that wait for a decision, the newest run first, in portions: all, of one workflow, of one cause, or these
    runs. Text never becomes a formula in a spreadsheet. `csv_comma`: with semicolons and decimal commas.
    """
    found = _found(workspace_id, _chosen(workspace_id, workflow_id, cause, run_ids), told)
    if format == "json":
        return _json(found)
    columns = _columns(searched_fields(workspace_id=workspace_id))
    delimiter, decimal = (";", ",") if format == "csv_comma" else (",", ".")
    names = [*_FIRST, *(name for pair in columns.values() for name in pair if name), *_LAST]
    return csv_of((_row(one, columns) for one in found), names, delimiter=delimiter, decimal=decimal)


def _chosen(
    workspace_id: UUID, workflow_id: UUID | None, cause: str | None, run_ids: Sequence[UUID]
) -> QuerySet[DeadLetter]:
    rows = open_letters(workspace_id)
    if workflow_id is not None:
        rows = rows.filter(workflow_id=workflow_id)
    if cause is not None:
        rows = rows.filter(cause=cause)
    return rows.filter(run_id__in=list(run_ids)) if run_ids else rows


def _found(workspace_id: UUID, rows: QuerySet[DeadLetter], told: Told) -> Iterator[dict[str, JSON]]:
    """In pages: whoever reads slowly holds no cursor open."""
    for run_ids in _pages(rows):
        # Once more only those that wait: one that is decided meanwhile is not told of.
        letters = list(rows.filter(run_id__in=run_ids).order_by("-run_id", "-generation"))
        runs = Run.objects.filter(workspace_id=workspace_id, pk__in=[one.run_id for one in letters])
        views = {view.id: view for view in run_views(runs.values(*RUN_COLUMNS))}
        given = _given(letters)
        for letter in letters:
            # A run that a rule of retention takes meanwhile takes its letter along.
            if (view := views.get(letter.run_id)) is not None:
                yield _letter(letter, view, given, told)


def _pages(rows: QuerySet[DeadLetter]) -> Iterator[Sequence[UUID]]:
    """The runs whose letters these are, the newest first. Of one run one letter waits at a time."""
    last: UUID | None = None
    while True:
        behind = rows if last is None else rows.filter(run_id__lt=last)
        found = list(behind.order_by("-run_id").values_list("run_id", flat=True)[:_LOOKED_UP])
        yield from (found[start : start + _PAGE] for start in range(0, len(found), _PAGE))
        if len(found) < _LOOKED_UP:
            return
        last = found[-1]


def _given(page: Sequence[DeadLetter]) -> Mapping[tuple[UUID, str, int], str | None]:
    rows = StepRun.objects.filter(run_id__in=[one.run_id for one in page], node_id__in={one.node_id for one in page})
    found = rows.values_list("run_id", "node_id", "generation", "input")
    return {(run, node, generation): text for run, node, generation, text in found}


def _letter(
    letter: DeadLetter, view: RunView, given: Mapping[tuple[UUID, str, int], str | None], told: Told
) -> dict[str, JSON]:
    workflow: dict[str, JSON] = {"id": str(view.workflow_id), "name": told.workflow(view.workflow_id)}
    found: dict[str, JSON] = {
        "run": str(view.id),
        "address": told.address(view.id),
        "workflow": {**workflow, "version": view.version},
        "step": {"node": letter.node_id, "name": told.step(view.version_id, letter.node_id)},
        "group": letter.cause,
        "code": letter.code,
        "title": letter.title,
        "message": told.mask({"message": letter.message})["message"],
        "business_key": view.business_key,
        "failed_at": iso(letter.at),
        "fields": [_field(one, told) for one in view.fields],
    }
    try:
        found["given"] = told.mask(document(given.get((letter.run_id, letter.node_id, letter.generation))))
    except DataDamaged:
        found["given"], found["given_unreadable"] = None, _GONE
    return found


def _field(one: RunFieldView, told: Told) -> dict[str, JSON]:
    # Sensitive by its name, or by what people call it.
    text = told.mask({one.label: told.mask({one.name: one.text})[one.name]})[one.label]
    return {"name": one.name, "label": one.label, "kind": one.kind, "text": text, "currency": one.currency}


def _columns(fields: Sequence[SearchedField]) -> dict[str, tuple[str, str]]:
    """By the name of a field the columns of its value and, of an amount, of its currency; each is called otherwise."""
    taken = {*_FIRST, *_LAST}

    def free(title: str, name: str) -> str:
        while title in taken:
            title = f"{title} ({name})"
        taken.add(title)
        return title

    return {
        one.name: (free(one.label, one.name), free(f"{one.label}: currency", one.name) if one.kind == "amount" else "")
        for one in fields
    }


def _row(told: Mapping[str, Any], columns: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for field in told["fields"]:
        value, currency = columns.get(field["name"], ("", ""))
        row |= {value: _value(field["kind"], field["text"]), currency: field["currency"]}
    return row | {
        "Workflow": told["workflow"]["name"],
        "Version": told["workflow"]["version"],
        "Step": told["step"]["name"],
        "Failed of": told["title"],
        "Message": _cut(told["message"]),
        "Business key": told["business_key"],
        "Failed at": told["failed_at"],
        "Given to the step": told.get("given_unreadable") or (told["given"] and _cut(dumps(told["given"]))) or None,
        "Code": told["code"],
        "Run": told["run"],
        "Address": told["address"],
        "Group": told["group"],
    }


def _value(kind: str, text: str) -> str | Decimal:
    """A number as such, so that a spreadsheet can add it up."""
    if kind not in ("number", "amount"):
        return text
    try:
        number = Decimal(text)
        return number if number.is_finite() else text
    except InvalidOperation:
        return text


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"


def _json(found: Iterator[dict[str, JSON]]) -> Iterator[bytes]:
    head = {"format": FORMAT, "version": VERSION, "exported_at": iso(database_now())}
    yield dumps_bytes(head)[:-1] + b',"items":['
    held = between = b""
    for one in found:
        held += between + dumps_bytes(one)
        between = b",\n"
        # By their size, and not by their number: one may have been given megabytes.
        if len(held) > _PORTION:
            yield held
            held = b""
    yield held + b"]}\n"

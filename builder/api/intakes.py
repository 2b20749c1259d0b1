"""Files with rows before a workflow is started with one: looked at, and every row held against what is expected."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.files import FileShape, file_shapes
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import Refusal
from builder.api.workflows import find
from builder.workflows import uploads
from builder.workflows.models import FileStart
from runtime import api as runtime_api
from runtime.contracts import NotFound
from runtime.contracts.files import FileTooLarge, FileView

Name = Annotated[str, Field(max_length=60)]
Header = Annotated[str, Field(max_length=2_000)]
Sources = Annotated[dict[Name, Header], Field(max_length=100)]


class GivenFormat(Body):
    """What of a file's format is known. `header`: the row with the names of its columns, counted from 1; 0: none.
    `dates`: what comes first in a date, the day (dmy) or the month (mdy)."""

    header: Annotated[int, Field(ge=0, le=50)] | None = None
    delimiter: Literal[";", ",", "\t", "|"] | None = None
    encoding: Annotated[str, Field(max_length=40)] | None = None
    decimal: Literal[",", "."] | None = None
    dates: Literal["dmy", "mdy"] | None = None
    sheet: Annotated[str, Field(max_length=100)] | None = None


class LookBody(Body):
    """A file and the columns that a start expects of its rows, as the start's settings hold them. `question`: the name
    of the field; `sources`: which column is which, null to have it proposed."""

    file: UUID
    question: Name = ""
    columns: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=100)]
    format: GivenFormat = GivenFormat()
    sources: Sources | None = None


class CheckBody(Body):
    """A file, how it is read, and which column is which. `keep_left_out`: rows that do not fit become a file of their
    own, and the answer's `value` goes on without them."""

    file: UUID
    columns: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=100)]
    format: dict[str, Any]
    sources: Sources
    keep_left_out: bool = False


class UploadColumnShape(View):
    """A column of the file, and what it seems to hold."""

    name: str
    kind: Literal["empty", "text", "number", "date", "yes_no"]
    samples: list[str]


class AskShape(View):
    """What can be read in two ways: with a comma and with a point as the sign of decimals, or with the day and with the
    month first."""

    kind: Literal["decimal", "dates"]
    column: str
    cell: str
    readings: list[str]


class MisfitShape(View):
    """Why a row does not fit."""

    column: str
    code: str


class SeenRowShape(View):
    """A row as it stands in the file, and as it is understood."""

    number: int
    cells: list[str]
    values: dict[str, Any]
    misfits: list[MisfitShape]


class SaidShape(View):
    """When somebody said how files of this layout are to be read, and who."""

    at: str
    by: str | None


class RanShape(View):
    """An earlier start with the same file. `key`: what people call the run; null where it has no name, or is gone."""

    run_id: UUID
    at: str
    by: str | None
    file: str
    key: str | None
    status: str | None


class LookShape(View):
    """What a file looks like."""

    file: FileShape
    format: dict[str, Any]
    sheets: list[str]
    columns: list[UploadColumnShape]
    sources: dict[str, str]
    asks: list[AskShape]
    rows: list[SeenRowShape]
    layout: str
    remembered: SaidShape | None
    ran: list[RanShape]


class WhyRowsShape(View):
    """Why rows do not fit; `rows`: the numbers of the first ones."""

    column: str
    code: str
    count: int
    rows: list[int]
    samples: list[str]


class CheckShape(View):
    """What came of all rows. `value`: what the start is given; null where rows do not fit and are not left out, none
    fits, or those that do not are in too many places (`scattered`)."""

    total: int
    fitting: int
    causes: list[WhyRowsShape]
    left_out: FileShape | None
    scattered: bool
    value: dict[str, Any] | None


class LookAtUpload(ApiView):
    @operation(Action.RUN_START, body=LookBody, answer=LookShape, does="nothing")
    def post(self, call: Call, *, workflow_id: UUID, body: LookBody) -> LookShape:
        """What a file looks like to a start that expects rows: from its beginning. Nothing is started."""
        workflow = find(call, workflow_id)
        found = uploads.look(
            workflow=workflow,
            question=body.question,
            file_id=body.file,
            columns=body.columns,
            format=body.format.model_dump(exclude_none=True),
            sources=body.sources,
        )
        seen, said = found.look, found.said
        ran = uploads.earlier(workflow=workflow, sha256=seen.file.sha256)
        return LookShape(
            file=_file(call, seen.file),
            format=dict(seen.format),
            sheets=list(seen.sheets),
            columns=[
                UploadColumnShape(name=one.name, kind=one.kind, samples=list(one.samples)) for one in seen.columns
            ],
            sources=dict(seen.sources),
            asks=[
                AskShape(kind=ask.kind, column=ask.column, cell=ask.cell, readings=list(ask.readings))
                for ask in seen.asks
            ],
            rows=[
                SeenRowShape(
                    number=row.number,
                    cells=list(row.cells),
                    values=dict(row.values),
                    misfits=[MisfitShape(column=one.column, code=one.code) for one in row.misfits],
                )
                for row in seen.rows
            ],
            layout=seen.layout,
            remembered=None
            if said is None
            else SaidShape(at=stamp(said.said_at), by=None if said.said_by is None else said.said_by.name),
            ran=[_ran(call, one) for one in ran],
        )


class CheckUpload(ApiView):
    @operation(
        Action.RUN_START,
        body=CheckBody,
        answer=CheckShape,
        also=(413,),
        repeat="stored_apart",
        does="file.left_out_kept",
    )
    def post(self, call: Call, *, workflow_id: UUID, body: CheckBody) -> CheckShape:
        """Hold every row of a file against what a start expects. Nothing is started."""
        find(call, workflow_id)
        try:
            found = runtime_api.check_upload(
                workspace_id=call.workspace.id,
                file_id=body.file,
                columns=body.columns,
                format=body.format,
                sources=body.sources,
                keep_left_out=body.keep_left_out,
                by=call.person.id,
            )
        except FileTooLarge as error:
            raise Refusal(413, error.code, error.message, params=error.params) from error
        return CheckShape(
            total=found.total,
            fitting=found.fitting,
            causes=[
                WhyRowsShape(
                    column=one.column,
                    code=one.code,
                    count=one.count,
                    rows=list(one.rows),
                    samples=list(one.samples),
                )
                for one in found.causes
            ],
            left_out=None if found.left_out is None else _file(call, found.left_out),
            scattered=found.scattered,
            value=None if found.value is None else dict(found.value),
        )


def _file(call: Call, view: FileView) -> FileShape:
    return file_shapes(call, [view])[0]


def _ran(call: Call, start: FileStart) -> RanShape:
    try:
        run = runtime_api.run(workspace_id=call.workspace.id, run_id=start.run_id)
    except NotFound:
        run = None
    return RanShape(
        run_id=start.run_id,
        at=stamp(start.started_at),
        by=None if start.started_by is None else start.started_by.name,
        file=start.name,
        key=None if run is None else run.business_key,
        status=None if run is None else run.status,
    )

"""A list of runs as a file: what was chosen, or what a search finds, with the columns that the asker looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from pydantic import Field, model_validator

from builder.accounts.rights import Action
from builder.api.bulk_retries import ChosenRuns
from builder.api.operation import ApiView, Call, operation
from builder.api.run_filters import Sort, filters_of
from builder.api.run_sheet_words import words_in
from builder.workflows import selectors
from builder.workflows.shapes import RunFieldShape, RunShape
from runtime import api as runtime_api
from runtime.contracts import RunView, dumps

#: More rows nobody reads, and spreadsheets hardly.
MOST: Final = 100_000
_FIELD: Final = "field:"
_PLAIN: Final = frozenset({"status", "run", "workflow", "step", "started", "duration", "who"})
#: Which columns of the file tell what one column of the screen does.
_TOLD_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "run": ("key", "run", "tags"),
    "workflow": ("workflow", "version"),
    "step": ("step", "reason"),
    "started": ("started", "finished"),
}
Format = Literal["csv", "csv_comma", "json"]
Column = Annotated[str, Field(min_length=1, max_length=40)]


class ExportRuns(ChosenRuns):
    """Which runs: `runs` in their order, or those that a search finds, the first 100,000 as `sort` says. `columns`: as
    lists of runs have them, a field's is `field:` and its short name; the run itself is always told. `csv_comma`: with
    semicolons and decimal commas."""

    format: Format = "csv"
    columns: Annotated[list[Column], Field(max_length=40)] = ["status", "run", "workflow", "started", "duration", "who"]
    sort: Sort = "newest"

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        if (self.search is None) == (self.runs is None):
            raise ValueError("Name runs or a search, and not both.")
        return self


class ExportOfRuns(ApiView):
    @operation(Action.RUN_SEE, body=ExportRuns, file=True, does="runs.exported")
    def post(self, call: Call, *, body: ExportRuns) -> StreamingHttpResponse:
        """Runs as a CSV file or as JSON, as the list shows them. Text in them never becomes a formula. Where there are
        more than 100,000 the file ends with a word about it, and the header `Millrace-Cut` says so before."""
        workspace_id = call.workspace.id
        cut = False
        if body.search is None:
            pages = runtime_api.walk_named_runs(workspace_id=workspace_id, run_ids=body.runs or [])
        else:
            filters = filters_of(call, body.search, body.sort)
            pages = runtime_api.walk_runs(workspace_id=workspace_id, filters=filters, most=MOST)
            cut = runtime_api.count_runs(workspace_id=workspace_id, filters=filters, most=MOST).more
        columns = _columns(body.columns)
        shown = _shaped(workspace_id, pages)
        if body.format == "json":
            portions, kind, ending = _as_json(shown, columns), "application/json", "json"
        else:
            sheet = _Sheet(call, columns)
            portions = runtime_api.csv_portions(sheet.rows(shown), sheet.names, comma=body.format == "csv_comma")
            kind, ending = "text/csv; charset=utf-8", "csv"
        day = call.now.astimezone(ZoneInfo(call.workspace.time_zone)).date().isoformat()
        headers = {
            "Content-Disposition": f'attachment; filename="runs-{day}.{ending}"',
            "X-Content-Type-Options": "nosniff",
        }
        if cut:
            headers["Millrace-Cut"] = str(MOST)
        return StreamingHttpResponse(portions, content_type=kind, headers=headers)


def _columns(wanted: Sequence[str]) -> list[str]:
    """Those that there are, the run itself among them."""
    known = [one for one in dict.fromkeys(wanted) if one in _PLAIN or one.startswith(_FIELD)]
    return known if "run" in known else ["run", *known]


def _shaped(workspace_id: UUID, pages: Iterator[list[RunView]]) -> Iterator[RunShape]:
    """As the list shows them, and so with no more of them."""
    for page in pages:
        yield from selectors.shaped(workspace_id=workspace_id, views=page)


def _as_json(shown: Iterator[RunShape], columns: Sequence[str]) -> Iterator[bytes]:
    yield b'{"runs":['
    cut = False
    for number, run in enumerate(shown):
        if number == MOST:
            cut = True
            break
        yield (",\n" if number else "").encode() + dumps(_plain(run, columns)).encode()
    yield f'],"cut":{"true" if cut else "false"}}}'.encode()


def _plain(run: RunShape, columns: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": str(run.id), "key": run.business_key, "tags": run.tags}
    fields = {one.name: one for one in run.fields}
    for column in columns:
        match column:
            case "status":
                told |= {"status": run.status, "outcome": run.outcome, "mode": run.mode}
            case "workflow":
                told |= {"workflow": run.workflow.model_dump(mode="json"), "version": run.version}
            case "step":
                step = run.current_step
                told |= {"step": None if step is None else step.name, "reason": _reason(run)}
            case "started":
                told |= {"started_at": run.accepted_at, "finished_at": run.finished_at}
            case "duration":
                told["duration_ms"] = run.duration_ms
            case "who":
                told |= {"started_by": run.started_by, "started_by_name": run.started_by_name}
            case "run":
                pass
            case _:
                one = fields.get(column.removeprefix(_FIELD))
                place = told.setdefault("fields", {})
                place[column.removeprefix(_FIELD)] = None if one is None else one.model_dump()
    return told


class _Sheet:
    """Rows of a CSV file, in the language and the time zone of who asks."""

    def __init__(self, call: Call, columns: Sequence[str]) -> None:
        self._words = words_in(call.language)
        self._zone = ZoneInfo(call.workspace.time_zone)
        known = {one.name: one for one in runtime_api.searched_fields(workspace_id=call.workspace.id)}
        #: The heading of each column of the file, by what it tells: a word, or a field and whether its currency.
        self._headings: dict[tuple[str, bool], str] = {}
        for column in columns:
            if column.startswith(_FIELD):
                name = column.removeprefix(_FIELD)
                label = known[name].label if name in known else name
                self._head((column, False), label, name)
                if name in known and known[name].kind == "amount":
                    self._head((column, True), self._words["currency"].format(field=label), name)
                continue
            for one in _TOLD_BY.get(column, (column,)):
                self._head((one, False), self._words[one].format(zone=call.workspace.time_zone), one)

    @property
    def names(self) -> list[str]:
        return list(self._headings.values())

    def rows(self, shown: Iterator[RunShape]) -> Iterator[dict[str, Any]]:
        for number, run in enumerate(shown):
            if number == MOST:
                yield {self.names[0]: self._words["cut"].format(number=MOST)}
                return
            fields = {one.name: one for one in run.fields}
            yield {heading: self._cell(run, fields, *column) for column, heading in self._headings.items()}

    def _head(self, column: tuple[str, bool], heading: str, name: str) -> None:
        taken = self._headings.values()
        self._headings[column] = heading if heading not in taken else f"{heading} ({name})"

    def _cell(self, run: RunShape, fields: Mapping[str, RunFieldShape], column: str, is_currency: bool) -> Any:
        match column:
            case "status":
                status = self._words[run.status]
                return f"{status} ({self._words['test']})" if run.mode == "test" else status
            case "key":
                return run.business_key
            case "run":
                return str(run.id)
            case "tags":
                return ", ".join(run.tags)
            case "workflow":
                return run.workflow.name
            case "version":
                return run.version
            case "step":
                return None if run.current_step is None else run.current_step.name
            case "reason":
                return _reason(run)
            case "started":
                return self._moment(run.accepted_at)
            case "finished":
                return self._moment(run.finished_at)
            case "duration":
                return None if run.duration_ms is None else Decimal(run.duration_ms) / 1000
            case "who":
                by = run.started_by
                return run.started_by_name or self._words.get("run_by" if by == "run" else by, "")
            case _:
                one = fields.get(column.removeprefix(_FIELD))
                return None if one is None else one.currency if is_currency else _worth(one)

    def _moment(self, text: str | None) -> str | None:
        """As spreadsheets read it everywhere."""
        if text is None:
            return None
        moment = datetime.fromisoformat(text).astimezone(UTC)
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S")


def _reason(run: RunShape) -> str | None:
    if run.error is not None:
        return run.error.title
    return None if run.waiting is None else run.waiting.text


def _worth(field: RunFieldShape) -> Any:
    """A number as one, so that a spreadsheet can reckon with it; anything else as it was given."""
    if field.kind not in ("number", "amount"):
        return field.text
    try:
        number = Decimal(field.text)
    except InvalidOperation:
        return field.text
    return number if number.is_finite() else field.text

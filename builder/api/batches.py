"""Batches: the entries of one step of a run, watched, corrected and proven."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe, stamp
from builder.api import manifest_sheets, result_sheets
from builder.api.batch_shapes import (
    BatchCheckShape,
    BatchFileShape,
    BatchShape,
    CauseShape,
    ControlTotalShape,
    Correct,
    CorrectedShape,
    CountAndSumShape,
    ErrorFileQuery,
    FailedEntryShape,
    FailedQuery,
    MendedShape,
    MinuteShape,
    NoteCheck,
    RetryFailed,
    SlowingShape,
    TurnsShape,
    WrongFileShape,
)
from builder.api.bulk_retries import BulkRetryShape, shape_of
from builder.api.cursors import PageQuery
from builder.api.files import FileShape, file_shapes
from builder.api.links import without_links
from builder.api.manifest_sheets import ManifestQuery
from builder.api.operation import ApiView, Call, operation
from builder.api.problems import Refusal
from builder.api.result_sheets import ResultQuery
from builder.api.sensitive import masking, worked_with
from builder.api.shapes import Items, Paged
from runtime import api as runtime_api
from runtime.contracts.batches import BatchCheckView, ControlTotal, CountAndSum, WrongFile

_MOST_BYTES = 32 * 1024 * 1024
_CSV = "text/csv; charset=utf-8"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Batch(ApiView):
    @operation(Action.RUN_SEE, answer=BatchShape)
    def get(self, call: Call, *, run_id: UUID, node_id: str) -> BatchShape:
        """How the entries of this step stand: counts, pace, causes, control totals, files."""
        one = runtime_api.batch(workspace_id=call.workspace.id, run_id=run_id, node=node_id)
        manifest = None if one.manifest is None else file_shapes(call, [one.manifest])[0]
        return BatchShape(
            run_id=one.run_id,
            node=one.node,
            key=one.key,
            name=one.name,
            workflow_id=one.workflow_id,
            status=one.status,
            run_status=one.run_status,
            open=one.run_waiting,
            can_retry_run=one.run_status == "dead_lettered" and one.status == "failed",
            total=one.total,
            started=one.started,
            done=one.done,
            failed=one.failed,
            solved=one.solved,
            running=one.running,
            waiting=one.waiting,
            skipped=one.skipped,
            left_out=one.left_out,
            left=None if one.total is None else max(0, one.total - one.started),
            started_at=maybe(one.started_at),
            finished_at=maybe(one.finished_at),
            ended_last=maybe(one.ended_last),
            per_minute=one.per_minute,
            points=[MinuteShape(at=stamp(at), count=count) for at, count in one.points],
            causes=[
                CauseShape(cause=of.cause, code=of.code, title=of.title, example=of.example, count=of.count)
                for of in one.causes
            ],
            has_amounts=one.has_amounts,
            expected_count=one.expected_count,
            totals=[_total(total) for total in one.totals],
            files=one.files,
            input=None if one.input is None else file_shapes(call, [one.input])[0],
            manifest=manifest,
            sealed=one.sealed,
            turns=[
                TurnsShape(
                    connection=of.connection_id,
                    connection_name=of.name,
                    calls=of.calls,
                    period_ms=of.period_ms,
                    at_once=of.at_once,
                    paused_until=maybe(of.paused_until),
                    count=of.count,
                )
                for of in one.turns
            ],
            slowing=None if one.slowing is None else SlowingShape(**asdict(one.slowing)),
            goes_on_at=maybe(one.goes_on_at),
        )


class Manifest(ApiView):
    @operation(Action.FILE_SEE, query=ManifestQuery, file=True, does="batch.manifest_downloaded")
    def get(self, call: Call, *, run_id: UUID, node_id: str, query: ManifestQuery) -> StreamingHttpResponse:
        """The manifest as the entries stand now, made while it is sent; one that was kept is among the files."""
        lines = runtime_api.manifest(workspace_id=call.workspace.id, run_id=run_id, node=node_id)
        if query.format != "json":
            comma = query.format == "csv_comma"
            table = runtime_api.csv_portions(manifest_sheets.rows(lines), manifest_sheets.COLUMNS, comma=comma)
            headers = {"Content-Disposition": 'attachment; filename="manifest.csv"', "Accept-Ranges": "none"}
            return StreamingHttpResponse(table, content_type=_CSV, headers=headers)
        headers = {"Content-Disposition": 'attachment; filename="manifest.jsonl"', "Accept-Ranges": "none"}
        return StreamingHttpResponse(lines, content_type="application/x-ndjson", headers=headers)

    @operation(Action.RUN_RETRY, answer=FileShape, status=201, repeat="stored_apart", does="batch.manifest_kept")
    def post(self, call: Call, *, run_id: UUID, node_id: str) -> FileShape:
        """Keep the manifest as the entries stand now, as a file of the run."""
        made = runtime_api.keep_manifest(workspace_id=call.workspace.id, run_id=run_id, node=node_id)
        return file_shapes(call, [made])[0]


class Results(ApiView):
    @operation(Action.FILE_SEE, query=ResultQuery, file=True, does="batch.results_downloaded")
    def get(self, call: Call, *, run_id: UUID, node_id: str, query: ResultQuery) -> StreamingHttpResponse:
        """What came of each entry, beside what it was given: the columns of the table, then status, message and id."""
        about: Any = {"workspace_id": call.workspace.id, "run_id": run_id, "node": node_id}
        named = result_sheets.columns(runtime_api.walk_items(**about), call.language)
        hidden = masking(call)
        found = result_sheets.rows(
            runtime_api.walk_results(**about), named, lambda value: hidden.dotted(without_links(call, value))
        )
        table = runtime_api.csv_portions(found, named.names, comma=query.format == "csv_comma")
        headers = {"Content-Disposition": 'attachment; filename="results.csv"', "Accept-Ranges": "none"}
        return StreamingHttpResponse(table, content_type=_CSV, headers=headers)


class Checks(ApiView):
    @operation(Action.FILE_SEE, answer=Items[BatchCheckShape])
    def get(self, call: Call, *, run_id: UUID, node_id: str) -> Items[BatchCheckShape]:
        """The last comparisons of the files with a manifest, the newest first."""
        found = runtime_api.batch_checks(workspace_id=call.workspace.id, run_id=run_id, node=node_id)
        names = names_of({one.by for one in found if one.by is not None})
        return Items[BatchCheckShape](items=[_check(one, names) for one in found])

    @operation(Action.RUN_START, answer=BatchCheckShape, status=201, repeat="stored_apart", does="batch.checked")
    def post(self, call: Call, *, run_id: UUID, node_id: str) -> BatchCheckShape:
        """Read every file that the manifest names and compare its digest."""
        made = runtime_api.check_batch(workspace_id=call.workspace.id, run_id=run_id, node=node_id, by=call.person.id)
        return _check(made, names_of({call.person.id}))


class BrowserChecks(ApiView):
    @operation(
        Action.RUN_START,
        body=NoteCheck,
        answer=BatchCheckShape,
        status=201,
        repeat="stored_apart",
        does="batch.check_noted",
    )
    def post(self, call: Call, *, run_id: UUID, node_id: str, body: NoteCheck) -> BatchCheckShape:
        """Note what a browser found."""
        made = runtime_api.note_batch_check(
            workspace_id=call.workspace.id,
            run_id=run_id,
            node=node_id,
            sha256=body.sha256,
            checked=body.checked,
            missing=[WrongFile(one.name, one.seq, one.key) for one in body.missing],
            changed=[WrongFile(one.name, one.seq, one.key) for one in body.changed],
            by=call.person.id,
        )
        return _check(made, names_of({call.person.id}))


class Failed(ApiView):
    @operation(Action.RUN_SEE, query=FailedQuery, answer=Paged[FailedEntryShape])
    def get(self, call: Call, *, run_id: UUID, node_id: str, query: FailedQuery) -> Paged[FailedEntryShape]:
        """Entries that failed and wait for a decision, with what they were given, by their number."""
        page = runtime_api.failed_entries(
            workspace_id=call.workspace.id,
            run_id=run_id,
            node=node_id,
            cause=query.cause,
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[FailedEntryShape](
            items=[
                FailedEntryShape(
                    run_id=one.run_id,
                    index=one.index,
                    label=one.label,
                    item=worked_with(call, one.item),
                    cause=one.cause,
                    title=one.title,
                    message=one.message,
                    at=stamp(one.at),
                    fixed=one.fixed,
                )
                for one in page.items
            ],
            next_cursor=page.next_cursor,
        )


class FilesOfBatch(ApiView):
    @operation(Action.FILE_SEE, query=PageQuery, answer=Paged[BatchFileShape])
    def get(self, call: Call, *, run_id: UUID, node_id: str, query: PageQuery) -> Paged[BatchFileShape]:
        """The files that the entries have made, by their number; a page holds those of so many entries."""
        page = runtime_api.batch_files(
            workspace_id=call.workspace.id, run_id=run_id, node=node_id, after=query.cursor, limit=query.limit
        )
        return Paged[BatchFileShape](
            items=[
                BatchFileShape(
                    id=one.id, name=one.name, size=one.size, sha256=one.sha256, seq=one.index + 1, key=one.key
                )
                for one in page.items
            ],
            next_cursor=page.next_cursor,
        )


class RetryOfFailed(ApiView):
    @operation(
        Action.RUN_RETRY,
        body=RetryFailed,
        answer=BulkRetryShape,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="batch.retry_begun",
    )
    def post(self, call: Call, *, run_id: UUID, node_id: str, body: RetryFailed) -> BulkRetryShape:
        """Go on with those that failed, and with no others, one after another."""
        here = call.workspace.id
        runs = runtime_api.failed_runs(workspace_id=here, run_id=run_id, node=node_id, cause=body.cause)
        made = runtime_api.start_bulk_retry(
            workspace_id=here,
            run_ids=runs,
            per_minute=body.per_minute,
            stop_after=body.stop_after,
            trial=body.trial,
            reason=body.reason,
            by=call.person.id,
        )
        return shape_of(call, made)


class Corrections(ApiView):
    @operation(
        Action.RUN_RETRY,
        body=Correct,
        answer=Items[CorrectedShape],
        status=202,
        repeat="stored_apart",
        does="batch.entry_corrected",
    )
    def post(self, call: Call, *, run_id: UUID, node_id: str, body: Correct) -> Items[CorrectedShape]:
        """Give entries that failed something else, and go on with each from where it failed."""
        made = runtime_api.correct_entries(
            workspace_id=call.workspace.id,
            run_id=run_id,
            node=node_id,
            items={one.index: one.item for one in body.items},
            by=call.person.id,
        )
        return Items[CorrectedShape](
            items=[CorrectedShape(index=one.index, outcome=one.outcome, message=one.message) for one in made]
        )


class ErrorFile(ApiView):
    @operation(Action.RUN_RETRY, query=ErrorFileQuery, file=True, does="batch.failed_downloaded")
    def get(self, call: Call, *, run_id: UUID, node_id: str, query: ErrorFileQuery) -> StreamingHttpResponse:
        """Those that failed as a spreadsheet, to be mended there and sent back: with every value whole, so only for
        those who may send it back."""
        portions = runtime_api.error_file(workspace_id=call.workspace.id, run_id=run_id, node=node_id, kind=query.kind)
        headers = {"Content-Disposition": f'attachment; filename="failed.{query.kind}"', "Accept-Ranges": "none"}
        return StreamingHttpResponse(portions, content_type=_CSV if query.kind == "csv" else _XLSX, headers=headers)

    @operation(
        Action.RUN_RETRY,
        answer=MendedShape,
        status=202,
        also=(409, 413),
        upload=True,
        repeat="stored_apart",
        does="batch.entry_corrected",
    )
    def post(self, call: Call, *, run_id: UUID, node_id: str) -> MendedShape:
        """Send the mended file back as the body: its entries go on with what stands in it now."""
        about: Any = {"workspace_id": call.workspace.id, "run_id": run_id, "node": node_id}
        with tempfile.TemporaryFile() as file:
            size = 0
            while portion := call.request.read(256 * 1024):
                size += len(portion)
                if size > _MOST_BYTES:
                    raise Refusal(413, "file_too_large", "A mended file may have at most 32 MiB. Split it.")
                file.write(portion)
            found = runtime_api.mended(**about, file=file)
        begun, refused, problems = 0, 0, list(found.problems)
        numbers = list(found.items)
        for start in range(0, len(numbers), 500):
            some = {index: found.items[index] for index in numbers[start : start + 500]}
            for one in runtime_api.correct_entries(**about, items=some, by=call.person.id):
                begun += one.outcome == "begun"
                refused += one.outcome != "begun"
                if one.message:
                    problems.append(f"Number {one.index + 1}: {one.message}")
        return MendedShape(begun=begun, unchanged=found.unchanged, refused=refused, problems=problems[:100])


def _total(total: ControlTotal) -> ControlTotalShape:
    return ControlTotalShape(
        currency=total.currency,
        received=_sum(total.received),
        done=_sum(total.done),
        failed=_sum(total.failed),
        left_out=_sum(total.left_out),
        open=_sum(total.open),
        posted=None if total.posted is None else _sum(total.posted),
        expected=None if total.expected is None else f"{total.expected:f}",
        without=total.without,
    )


def _sum(one: CountAndSum) -> CountAndSumShape:
    return CountAndSumShape(count=one.count, amount=f"{one.amount:f}")


def _check(one: BatchCheckView, names: Mapping[UUID, str]) -> BatchCheckShape:
    return BatchCheckShape(
        id=one.id,
        at=stamp(one.at),
        by=None if one.by is None else names.get(one.by, ""),
        place=one.where,
        sha256=one.sha256,
        signed=one.signed,
        well=one.is_well,
        checked=one.checked,
        missing_count=one.missing_count,
        changed_count=one.changed_count,
        extra_count=one.extra_count,
        missing=_wrong(one.missing),
        changed=_wrong(one.changed),
        extra=_wrong(one.extra),
        problem=one.problem,
    )


def _wrong(found: Sequence[WrongFile]) -> list[WrongFileShape]:
    return [WrongFileShape(name=one.name, seq=one.seq, key=one.key) for one in found]

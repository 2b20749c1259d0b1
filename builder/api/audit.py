"""The audit log: listed, verified, exported. The history of one thing is in `histories.py`, from the same rows."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from django.http import StreamingHttpResponse
from pydantic import AwareDatetime, Field

from builder.accounts.models import Workspace
from builder.accounts.rights import Action
from builder.accounts.times import ms_of
from builder.api.cursors import PageQuery, bad_cursor
from builder.api.operation import Access, ApiView, Call, Query, View, operation
from builder.api.problems import Refusal
from builder.api.shapes import Paged
from builder.audit import exporting, notes, reading, verify
from builder.audit.chain import INSTALLATION, stamp
from builder.audit.models import AuditRow
from builder.audit.reading import Filters

Word = Annotated[str, Field(max_length=120)]


class AuditActor(View):
    """Who. `kind`: member · token · link · command · nobody."""

    kind: str
    id: str
    name: str


class AuditObject(View):
    """To what: its kind, id and the name that it had then."""

    kind: str
    id: str
    name: str


class HistoryRow(View):
    """What somebody did to a thing. `detail`: before, after, what was said, digests."""

    sequence: int
    at: str
    actor: AuditActor
    verb: str
    object: AuditObject
    detail: dict[str, Any]


class AuditRowShape(HistoryRow):
    """The whole row: from where, under which request, and its place in the chain."""

    address: str
    agent: str
    request_id: str
    previous: str
    digest: str


class AuditFacets(View):
    """Whom and what the log tells of, to filter by. `kinds`: of things."""

    actors: list[AuditActor]
    verbs: list[str]
    kinds: list[str]


class AuditFault(View):
    """The first row that is wrong. `what`: changed · missing · inserted · does_not_follow · cut_off ·
    other_than_noted."""

    sequence: int
    what: str
    message: str


class AuditVerdict(View):
    """Whether the chain is as it was written: so many `rows` were read, up to the end `sequence` with this `digest`."""

    ok: bool
    rows: int
    sequence: int
    digest: str
    fault: AuditFault | None


class _Filter(Query):
    actor: Word = ""
    verb: Annotated[list[Word], Field(max_length=100, json_schema_extra={"many": True})] = []
    kind: Word = ""
    object: Word = ""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    q: Annotated[str, Field(max_length=200)] = ""


class AuditQuery(PageQuery, _Filter):
    """Which rows: of whom (`actor`: id), which deeds, to what (`kind`, `object`: id), from when until when (not
    included), with these words."""


class AuditExportQuery(_Filter):
    """Which rows, as for the list; csv to look at, json (lines) to verify."""

    format: Literal["csv", "json"] = "json"


class Audit(ApiView):
    @operation(Action.AUDIT_SEE, query=AuditQuery, answer=Paged[AuditRowShape])
    def get(self, call: Call, *, query: AuditQuery) -> Paged[AuditRowShape]:
        """What people did in this workspace, newest first."""
        return _page(str(call.workspace.id), query)


class AuditFilters(ApiView):
    @operation(Action.AUDIT_SEE, answer=AuditFacets)
    def get(self, call: Call) -> AuditFacets:
        """Whom and what the log tells of."""
        return _facets(str(call.workspace.id))


class AuditCheck(ApiView):
    @operation(Action.AUDIT_SEE, answer=AuditVerdict)
    def get(self, call: Call) -> AuditVerdict:
        """Read the whole chain and tell the first row that is not as it was written."""
        return _verdict(str(call.workspace.id))


class AuditExport(ApiView):
    @operation(Action.AUDIT_SEE, query=AuditExportQuery, file=True, does="audit.exported")
    def get(self, call: Call, *, query: AuditExportQuery) -> StreamingHttpResponse:
        """The rows as a file. That it was taken is on record, and the file's last row says so."""
        return _export(call, str(call.workspace.id), call.workspace, query)


class InstallationAudit(ApiView):
    @operation(Access.SIGNED_IN, query=AuditQuery, answer=Paged[AuditRowShape], also=(403,))
    def get(self, call: Call, *, query: AuditQuery) -> Paged[AuditRowShape]:
        """What belongs to no workspace: commands, sign-ins of nobody known. For admins of the instance."""
        _refuse_others(call)
        return _page(INSTALLATION, query)


class InstallationAuditFilters(ApiView):
    @operation(Access.SIGNED_IN, answer=AuditFacets, also=(403,))
    def get(self, call: Call) -> AuditFacets:
        """Whom and what the installation's log tells of."""
        _refuse_others(call)
        return _facets(INSTALLATION)


class InstallationAuditCheck(ApiView):
    @operation(Access.SIGNED_IN, answer=AuditVerdict, also=(403,))
    def get(self, call: Call) -> AuditVerdict:
        """The same for the installation's chain."""
        _refuse_others(call)
        return _verdict(INSTALLATION)


class InstallationAuditExport(ApiView):
    @operation(Access.SIGNED_IN, query=AuditExportQuery, file=True, also=(403,), does="audit.exported")
    def get(self, call: Call, *, query: AuditExportQuery) -> StreamingHttpResponse:
        """The installation's rows as a file."""
        _refuse_others(call)
        return _export(call, INSTALLATION, None, query)


_CSV: Final = "text/csv; charset=utf-8"
_LINES: Final = "application/x-ndjson"


def _refuse_others(call: Call) -> None:
    if not call.person.is_instance_admin:
        raise Refusal(403, "forbidden", "Only an admin of this instance sees this.")


def _filters(query: _Filter) -> Filters:
    return Filters(
        actor_id=query.actor,
        verbs=tuple(query.verb),
        object_kind=query.kind,
        object_id=query.object,
        since=ms_of(query.since),
        until=ms_of(query.until),
        text=query.q.strip(),
    )


def _page(chain: str, query: AuditQuery) -> Paged[AuditRowShape]:
    rows, following = cut(chain, _filters(query), query)
    return Paged[AuditRowShape](items=[_row(row) for row in rows], next_cursor=following)


def cut(chain: str, filters: Filters, query: PageQuery) -> tuple[list[AuditRow], str | None]:
    before = None
    if query.cursor is not None:
        if not query.cursor.isascii() or not query.cursor.isdigit() or len(query.cursor) > 18:
            raise bad_cursor()
        before = int(query.cursor)
    rows = reading.page(chain, filters, before=before, most=query.limit + 1)
    following = str(rows[query.limit - 1].sequence) if len(rows) > query.limit else None
    return rows[: query.limit], following


def told(row: AuditRow) -> dict[str, Any]:
    return {
        "sequence": row.sequence,
        "at": stamp(row.at),
        "actor": AuditActor(kind=row.actor_kind, id=row.actor_id, name=row.actor_name),
        "verb": row.verb,
        "object": AuditObject(kind=row.object_kind, id=row.object_id, name=row.object_name),
        "detail": reading.detail_of(row),
    }


def _row(row: AuditRow) -> AuditRowShape:
    return AuditRowShape(
        **told(row),
        address=row.address,
        agent=row.agent,
        request_id=row.request_id,
        previous=row.previous,
        digest=row.digest,
    )


def _facets(chain: str) -> AuditFacets:
    found = reading.facets(chain)
    return AuditFacets(
        actors=[AuditActor(kind=kind, id=one, name=name) for kind, one, name in found.actors],
        verbs=found.verbs,
        kinds=found.kinds,
    )


def _verdict(chain: str) -> AuditVerdict:
    found = verify.verify(chain, noted=notes.noted(chain))
    fault = found.fault
    return AuditVerdict(
        ok=found.ok,
        rows=found.rows,
        sequence=found.sequence,
        digest=found.digest,
        fault=None if fault is None else AuditFault(sequence=fault.sequence, what=fault.what, message=fault.message),
    )


def _export(call: Call, chain: str, workspace: Workspace | None, query: AuditExportQuery) -> StreamingHttpResponse:
    filters = _filters(query)
    call.deed.note(filters={name: str(one) for name, one in query.model_dump().items() if one and name != "format"})
    at = ms_of(call.now)
    if query.format == "csv":
        portions = exporting.as_csv(chain, filters)
    else:
        name = "" if workspace is None else workspace.name
        portions = exporting.as_json(chain, filters, workspace=name, at=at)
    ending = "csv" if query.format == "csv" else "jsonl"
    day = call.now.strftime("%Y-%m-%d")
    headers = {
        "Content-Disposition": f'attachment; filename="audit-{day}.{ending}"',
        "Accept-Ranges": "none",
        "X-Content-Type-Options": "nosniff",
    }
    kind = _CSV if query.format == "csv" else _LINES
    return StreamingHttpResponse(portions, content_type=kind, headers=headers)

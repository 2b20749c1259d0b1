"""Dead letters as a file, and what people say about a group of them: a note, a ticket, and that nobody is told."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from django.conf import settings
from django.http import StreamingHttpResponse
from pydantic import Field, field_validator

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe
from builder.api.links import without_links
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.sensitive import masking
from builder.workflows import selectors
from runtime import api as runtime_api
from runtime.contracts.retries import LetterGroupSaid

_TYPES: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


class LettersExportQuery(Query):
    """Which letters: of a `workflow`, of a `cause`, or these `runs` (at most 200), or `sent` to somebody with that one;
    all that wait, where none is named. `format`: csv has commas and decimal points, csv_comma semicolons and decimal
    commas."""

    format: Literal["csv", "csv_comma", "json"] = "csv"
    workflow: UUID | None = None
    cause: Annotated[str, Field(max_length=32)] | None = None
    runs: Annotated[list[UUID], Field(max_length=200, json_schema_extra={"many": True})] = []
    sent: UUID | None = None


class NoteBody(Body):
    """What is to stand on the group. `revision`: of what the person has seen (0: nothing was there)."""

    note: Annotated[str, Field(max_length=2_000)] = ""
    ticket: Annotated[str, Field(max_length=500)] = ""
    revision: Annotated[int, Field(ge=0, le=2**31 - 1)]

    @field_validator("ticket")
    @classmethod
    def is_address(cls, value: str) -> str:
        if value.strip() and not runtime_api.is_ticket(value.strip()):
            raise ValueError("The address of a ticket begins with https://.")
        return value


class MuteBody(Body):
    """For how many days nobody is told of the group; null: until somebody says otherwise."""

    days: Literal[1, 7] | None


class GroupSaidView(View):
    """What people have said about a group. `revision`: of the note and the ticket. `muted_until`: null is until
    somebody says otherwise."""

    revision: int
    note: str
    ticket: str
    noted_at: str | None
    noted_by: str | None
    muted: bool
    muted_at: str | None
    muted_until: str | None
    muted_by: str | None


class LettersExport(ApiView):
    @operation(Action.RUN_SEE, query=LettersExportQuery, file=True, does="dead_letters.exported")
    def get(self, call: Call, *, query: LettersExportQuery) -> StreamingHttpResponse:
        """Dead letters as a file, with what their failed steps were given; sensitive values are dots."""
        here = call.workspace.id
        chosen: Any = {
            "workflow_id": query.workflow, "cause": query.cause, "run_ids": query.runs, "sending_id": query.sent,
        }  # fmt: skip
        call.deed.note(count=runtime_api.count_letters(workspace_id=here, **chosen))
        hides = masking(call)

        @lru_cache(maxsize=500)
        def workflow(workflow_id: UUID) -> str:
            return selectors.names(workspace_id=here, workflow_ids={workflow_id}).get(workflow_id, "")

        portions = runtime_api.export_letters(
            workspace_id=here,
            format=query.format,
            **chosen,
            told=runtime_api.LettersTold(
                mask=lambda value: hides.dotted(without_links(call, value)),
                workflow=workflow,
                step=lambda version_id, node: selectors.step_names(workspace_id=here, version_id=version_id).get(
                    node, node
                ),
                address=lambda run_id: f"{settings.PUBLIC_URL}/runs/{run_id}",
            ),
        )
        kind = query.format.removesuffix("_comma")
        headers = {
            "Content-Disposition": f'attachment; filename="dead-letters-{call.now:%Y-%m-%d}.{kind}"',
            "Accept-Ranges": "none",
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingHttpResponse(portions, content_type=_TYPES[kind], headers=headers)


class GroupNote(ApiView):
    @operation(
        Action.RUN_RETRY,
        body=NoteBody,
        answer=GroupSaidView,
        also=(409,),
        repeat="stored_apart",
        does="letter_group.noted",
    )
    def put(self, call: Call, *, cause: str, body: NoteBody) -> GroupSaidView:
        """Put a note and the address of a ticket on a group; refused where somebody was quicker."""
        said = runtime_api.note_letters(
            workspace_id=call.workspace.id,
            cause=cause,
            note=body.note,
            ticket=body.ticket,
            revision=body.revision,
            by=call.person.id,
        )
        return said_shapes({cause: said})[cause]


class MuteGroup(ApiView):
    @operation(
        Action.RUN_RETRY,
        body=MuteBody,
        answer=GroupSaidView,
        also=(409,),
        repeat="stored_apart",
        does="letter_group.muted",
    )
    def post(self, call: Call, *, cause: str, body: MuteBody) -> GroupSaidView:
        """Let alerts not count the letters of this group for now. They come, and stand in the list, as ever."""
        here = call.workspace.id
        if call.progress.left is not None:
            # It was done, and nobody heard of it: the days are counted from then.
            call.deed.is_kept()
            return said_shapes({cause: runtime_api.letter_group(workspace_id=here, cause=cause)})[cause]
        call.deed.beside(lambda: call.progress.keep({"muted": True}))
        said = runtime_api.mute_letters(workspace_id=here, cause=cause, days=body.days, by=call.person.id)
        return said_shapes({cause: said})[cause]


class UnmuteGroup(ApiView):
    @operation(Action.RUN_RETRY, answer=GroupSaidView, also=(409,), repeat="stored_apart", does="letter_group.unmuted")
    def post(self, call: Call, *, cause: str) -> GroupSaidView:
        """Let alerts count the letters of this group again."""
        return said_shapes({cause: runtime_api.unmute_letters(workspace_id=call.workspace.id, cause=cause)})[cause]


NOTHING_SAID: Final = GroupSaidView(
    revision=0,
    note="",
    ticket="",
    noted_at=None,
    noted_by=None,
    muted=False,
    muted_at=None,
    muted_until=None,
    muted_by=None,
)


def said_shapes(found: dict[str, LetterGroupSaid]) -> dict[str, GroupSaidView]:
    """By cause, with the names of those who said it."""
    ids = {one for said in found.values() for one in (said.noted_by, said.muted_by) if one is not None}
    people = names_of(ids) if ids else {}
    return {
        cause: GroupSaidView(
            revision=said.revision,
            note=said.note,
            ticket=said.ticket,
            noted_at=maybe(said.noted_at),
            noted_by=None if said.noted_by is None else people.get(said.noted_by),
            muted=said.muted,
            muted_at=maybe(said.muted_at),
            muted_until=maybe(said.muted_until),
            muted_by=None if said.muted_by is None else people.get(said.muted_by),
        )
        for cause, said in found.items()
    }

"""The entries of a list that began no run, and why."""

from __future__ import annotations

from uuid import UUID

from builder.accounts.rights import Action
from builder.accounts.times import maybe
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Call, View, operation
from builder.api.shapes import Paged
from runtime import api as runtime_api


class PassedOverShape(View):
    """An entry that began no run. `number`: from 1, among these; `place`: where it stands in the list; `key`: by what
    it was known. `done_by`: the run of an entry that had done it before; null: it came twice in this list."""

    number: int
    place: str
    key: str
    done_by: UUID | None
    done_at: str | None


class PassedOver(ApiView):
    @operation(Action.RUN_SEE, query=PageQuery, answer=Paged[PassedOverShape])
    def get(self, call: Call, *, run_id: UUID, node_id: str, query: PageQuery) -> Paged[PassedOverShape]:
        """The entries of this step that were passed over, in their order."""
        page = runtime_api.batch_passed_over(
            workspace_id=call.workspace.id, run_id=run_id, node=node_id, after=query.cursor, limit=query.limit
        )
        return Paged[PassedOverShape](
            items=[
                PassedOverShape(
                    number=one.number + 1,
                    place=one.place,
                    key=one.key,
                    done_by=one.done_by,
                    done_at=maybe(one.done_at),
                )
                for one in page.items
            ],
            next_cursor=page.next_cursor,
        )

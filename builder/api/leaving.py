"""What somebody leaves behind who is taken out of a workspace."""

from __future__ import annotations

from uuid import UUID

from builder.accounts import selectors
from builder.accounts.rights import Action
from builder.api.operation import ApiView, Call, View, operation
from builder.api.problems import not_here
from builder.workflows import selectors as workflows
from builder.workflows.shapes import WorkflowName
from runtime import api as runtime_api

__all__ = ["Leaving"]

#: So many workflows are named; how many there are is told.
_MOST_NAMED = 20


class LeavingView(View):
    """`questions`: how many open questions are asked of this person and of nobody else; they go to the admins.
    `workflows`: what they own, by name, at most 20 of so many (`owned`)."""

    questions: int
    owned: int
    workflows: list[WorkflowName]


class Leaving(ApiView):
    @operation(Action.MEMBERS_MANAGE, answer=LeavingView)
    def get(self, call: Call, *, member_id: UUID) -> LeavingView:
        """What hangs on a member alone, to be known before they are taken out."""
        found = selectors.member(workspace_id=call.workspace.id, membership_id=member_id)
        if found is None or found.user_id is None:
            raise not_here("member")
        owned = workflows.owned(workspace_id=call.workspace.id, user_id=found.user_id)
        return LeavingView(
            questions=runtime_api.asked_alone(workspace_id=call.workspace.id, email=found.email),
            owned=len(owned),
            workflows=[WorkflowName(id=id_, name=name) for id_, name in owned[:_MOST_NAMED]],
        )

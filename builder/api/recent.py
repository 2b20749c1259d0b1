"""The workflows that somebody worked on last, for the page they begin at."""

from __future__ import annotations

from typing import cast

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.operation import ApiView, Call, View, operation
from builder.api.shapes import Items
from builder.api.workflows import WorkflowShape, shape
from builder.workflows import selectors
from builder.workflows.recent import Did


class RecentShape(View):
    """A workflow, what the asking person did to it last, and when."""

    workflow: WorkflowShape
    did: Did
    at: str


class Recent(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=Items[RecentShape])
    def get(self, call: Call) -> Items[RecentShape]:
        """The workflows that one edited, published, ran or tested by hand, newest first; at most five."""
        found = selectors.recent(workspace=call.workspace, person=call.person, now=call.now)
        items = [
            RecentShape(workflow=shape(item), did=cast(Did, touch.did), at=stamp(touch.at)) for item, touch in found
        ]
        return Items[RecentShape](items=items)

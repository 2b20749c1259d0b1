"""Dead letters that are given other values many at once: what their failed step was given, and what is changed."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, field_validator

from builder.accounts.rights import Action
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.sendings import LettersQuery
from builder.api.sensitive import DOTS, shown
from builder.api.shapes import Paged
from builder.workflows import selectors
from builder.workflows.shapes import RunShape
from runtime import api as runtime_api
from runtime.contracts import RunEdit

Part = Annotated[str, Field(min_length=1, max_length=200)]


class FieldEditBody(Body):
    """Another value at this place in what the step was given: the names that lead to it."""

    path: Annotated[list[Part], Field(min_length=1, max_length=12)]
    value: Any = None

    @field_validator("value")
    @classmethod
    def no_mask(cls, value: Any) -> Any:
        if isinstance(value, dict | list):
            raise ValueError("Only single values are changed.")
        if isinstance(value, str) and (DOTS in value or len(value) > 20_000):
            raise ValueError("These are dots that stand for a value, or more than 20,000 letters.")
        return value


class RunEditBody(Body):
    """Other values for the failed step of a run (`node`) in the go that failed (`generation`). All others stay."""

    run: UUID
    generation: Annotated[int, Field(ge=1, le=2**31 - 1)]
    node: Annotated[str, Field(min_length=1, max_length=64)]
    fields: Annotated[list[FieldEditBody], Field(min_length=1, max_length=100)]

    def edit(self) -> RunEdit:
        return RunEdit(
            run_id=self.run,
            generation=self.generation,
            node=self.node,
            fields=tuple((tuple(one.path), one.value) for one in self.fields),
        )


class EditableLetterView(View):
    """One run of a group with what its failed step (`node`, of this `type`) was given, sensitive values masked.
    `fixed`: why it is not given anything else here, null where it can be."""

    run: RunShape
    node: str
    type: str | None
    message: str
    input: Any
    fixed: str | None


class EditableLetters(ApiView):
    @operation(Action.RUN_SEE, query=LettersQuery, answer=Paged[EditableLetterView])
    def get(self, call: Call, *, cause: str, query: LettersQuery) -> Paged[EditableLetterView]:
        """The runs of one group, the newest first, with what can be changed of them before they are retried."""
        page = runtime_api.editable_letters(
            workspace_id=call.workspace.id,
            cause=cause,
            sending_id=query.sent,
            after=query.cursor,
            limit=query.limit,
        )
        runs = selectors.shaped(workspace_id=call.workspace.id, views=[one.run for one in page.items])
        return Paged[EditableLetterView](
            items=[
                EditableLetterView(
                    run=run,
                    node=one.node,
                    type=one.type,
                    message=one.message,
                    input=shown(call, one.input),
                    fixed=one.fixed,
                )
                for run, one in zip(runs, page.items, strict=True)
            ],
            next_cursor=page.next_cursor,
        )

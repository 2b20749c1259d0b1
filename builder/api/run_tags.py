"""Words that people put on runs: on one, or on all that were chosen; and those that are there already."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from builder.accounts.rights import Action
from builder.api.bulk_retries import MOST, ChosenRuns
from builder.api.operation import ApiView, Body, Call, Query, View, operation
from builder.api.run_filters import filters_of
from runtime import api as runtime_api
from runtime.contracts.tagging import LONGEST_TAG, MOST_TAGS, NONE_TAGGED, TaggedRuns, tag_of

#: So many words are put on runs at a time, so that ten thousand of them take little time.
_AT_ONCE: Final = 5
_NO_RUN: Final = UUID(int=0)
Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG), AfterValidator(tag_of)]


class ChangeTags(Body):
    """Words to put on it and to take away: at most 40 letters each, without commas and quotation marks. They are
    compared without their case; a run has at most 20."""

    add: Annotated[list[Tag], Field(max_length=MOST_TAGS)] = []
    remove: Annotated[list[Tag], Field(max_length=MOST_TAGS)] = []

    @model_validator(mode="after")
    def some_word(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("Name a tag to add or to remove.")
        return self


class TagRuns(ChosenRuns):
    """Which runs (`runs`, or what a search finds: the first 10,000), and at most five words each to put on them and to
    take away."""

    add: Annotated[list[Tag], Field(max_length=_AT_ONCE)] = []
    remove: Annotated[list[Tag], Field(max_length=_AT_ONCE)] = []

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        if (self.search is None) == (self.runs is None):
            raise ValueError("Name runs or a search, and not both.")
        if not self.add and not self.remove:
            raise ValueError("Name a tag to add or to remove.")
        return self


class TagsQuery(Query):
    """What the words hold; empty for all."""

    q: Annotated[str, Field(max_length=LONGEST_TAG)] = ""


class RunTagsShape(View):
    """All words on a run, in the order of the alphabet."""

    tags: list[str]


class TagsUsedShape(View):
    """Words that stand on runs here, in the order of the alphabet, at most 50."""

    tags: list[str]


class TaggedShape(View):
    """Of so many runs (`found`) so many say something else now (`changed`); `full`: so many could not take every word,
    since a run has at most 20. `more`: the search finds more than 10,000, and the others are as they were."""

    found: int
    changed: int
    full: int
    more: bool


class TagsOfRuns(ApiView):
    @operation(Action.RUN_SEE, query=TagsQuery, answer=TagsUsedShape)
    def get(self, call: Call, *, query: TagsQuery) -> TagsUsedShape:
        """The words that stand on runs here."""
        return TagsUsedShape(tags=runtime_api.tags_used(workspace_id=call.workspace.id, part=query.q))

    @operation(Action.RUN_TAG, body=TagRuns, answer=TaggedShape, repeat="stored_apart", does="runs.tagged")
    def post(self, call: Call, *, body: TagRuns) -> TaggedShape:
        """Put words on many runs, and take others away. What the runs do stays the same."""
        left = None if call.progress.left is None else _Left.model_validate(call.progress.left)
        if left is None:
            chosen = _chosen(call, body, MOST + 1)
            more, chosen, before = len(chosen) > MOST, chosen[:MOST], NONE_TAGGED
        else:
            # Behind where it stopped, whatever has come since; as many as that may stand before these.
            chosen = [one for one in _chosen(call, body, 2 * MOST) if left.oldest <= one < left.last]
            more, before = left.more, TaggedRuns(left.found, left.changed, left.full)
            if before.changed:
                call.deed.is_kept()
        call.deed.note(count=len(chosen))
        oldest = min(chosen, default=_NO_RUN) if left is None else left.oldest

        def keep(done: TaggedRuns, last: UUID) -> None:
            far = _Left(**asdict(done), more=more, last=last, oldest=oldest)
            call.progress.keep(far.model_dump(mode="json"))

        done = runtime_api.tag_runs(
            workspace_id=call.workspace.id,
            run_ids=chosen,
            add=body.add,
            remove=body.remove,
            by=call.person.id,
            before=before,
            keep=keep,
        )
        return TaggedShape(found=done.found, changed=done.changed, full=done.full, more=more)


class _Left(View):
    """How far somebody came who puts words on many runs: the oldest that has had its turn, and the `oldest` of all."""

    found: int
    changed: int
    full: int
    more: bool
    last: UUID
    oldest: UUID


def _chosen(call: Call, body: TagRuns, most: int) -> list[UUID]:
    """Those that are named, or that the search finds, the newest first."""
    if body.search is None:
        return body.runs or []
    filters = filters_of(call, body.search)
    return runtime_api.find_runs(workspace_id=call.workspace.id, filters=filters, most=most)


class TagsOfRun(ApiView):
    @operation(
        Action.RUN_TAG, body=ChangeTags, answer=RunTagsShape, also=(409,), repeat="stored_apart", does="run.tagged"
    )
    def post(self, call: Call, *, run_id: UUID, body: ChangeTags) -> RunTagsShape:
        """Put words on a run, and take others away. What the run does stays the same."""
        tags = runtime_api.tag_run(
            workspace_id=call.workspace.id, run_id=run_id, add=body.add, remove=body.remove, by=call.person.id
        )
        return RunTagsShape(tags=list(tags))

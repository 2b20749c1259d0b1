"""Words that people put on runs. They say nothing to the runs themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from django.db import connection

from runtime.contracts import NotFound, RuntimeRefused
from runtime.contracts.tagging import MOST_TAGS, NONE_TAGGED, TaggedRuns, tag_of
from runtime.engine.naming import folded
from runtime.store import tags
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.models import Run

__all__ = ["tag_run", "tag_runs", "tags_used"]

_POINT: Final = "run.tag"
#: So many are offered.
_MOST_OFFERED: Final = 50
#: Between two portions, in seconds.
_LONGEST_PAUSE: Final = 0.05


def tags_used(*, workspace_id: UUID, part: str = "") -> list[str]:
    """The words that stand on runs of a workspace and hold `part`, in the order of the alphabet; at most 50."""
    return tags.used(workspace_id, folded(part), _MOST_OFFERED)


def tag_runs(
    *,
    workspace_id: UUID,
    run_ids: Sequence[UUID],
    add: Sequence[str],
    remove: Sequence[str],
    by: UUID | None,
    before: TaggedRuns = NONE_TAGGED,
    keep: Callable[[TaggedRuns, UUID], None] | None = None,
) -> TaggedRuns:
    """Put words on these runs and take others away, the newest first; runs that are gone are left out, and one that has
    as many words as it can takes no more. Raises ValueError for what is no word.

    In many short transactions, so that nobody who wants to write waits for all of them. `before`: what was done by
    whoever began with it, which counts, too; `keep`: told within each transaction what is done so far, and the oldest
    run that has had its turn.
    """
    done = before
    words = len(add) + len(remove)
    pause = 0.0
    for portion in tags.portions(run_ids, words):
        time.sleep(pause)
        with commit(_POINT):
            began = time.monotonic()
            made = _changed(workspace_id, portion, add, remove, by)
            if not made.changed:
                unchanged()
            done = TaggedRuns(done.found + made.found, done.changed + made.changed, done.full + made.full)
            if keep is not None:
                keep(done, portion[-1])
        if connection.vendor == "sqlite":
            # Whoever waits meanwhile has a turn before the next portion, however many portions there are.
            pause = min((time.monotonic() - began) / 2, _LONGEST_PAUSE)
    return done


def tag_run(
    *, workspace_id: UUID, run_id: UUID, add: Sequence[str], remove: Sequence[str], by: UUID | None
) -> tuple[str, ...]:
    """The same for one run; all words on it then. Raises NotFound, RuntimeRefused where it has too many."""
    if not Run.objects.filter(workspace_id=workspace_id, pk=run_id).exists():
        raise NotFound("There is no such run.", code="run_not_found")
    with commit(_POINT):
        made = _changed(workspace_id, [run_id], add, remove, by)
        if made.full:
            raise RuntimeRefused(f"A run has at most {MOST_TAGS} tags. Take one away first.", code="too_many_tags")
        if not made.changed:
            unchanged()
        tell(id=str(run_id))
        return tags.of_runs([run_id]).get(run_id, ())


def _changed(
    workspace_id: UUID, run_ids: Sequence[UUID], add: Sequence[str], remove: Sequence[str], by: UUID | None
) -> tags.Changed:
    words = {folded(word): word for word in map(tag_of, add)}
    return tags.change(workspace_id, run_ids, words, [folded(word) for word in remove], by)

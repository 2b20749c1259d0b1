"""What crosses the front door when a run that ended badly is gone on with, or given up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from runtime.engine.jsonprofile import JSON

if TYPE_CHECKING:
    from runtime.contracts import RunView


@dataclass(frozen=True, slots=True)
class PlannedItems:
    """What becomes of the runs of one step. `kept`: done, and not done again; `again`: gone on with; `repeats`: would
    do something a second time, and are gone on with only where somebody says that they may; `asks`: stay as they are
    until somebody decides; `open`: under way already; `next`: how many are begun for the first time, where that is
    known. `same`: the step is given the same as before. `version`: of a call whose run goes on with another version of
    its workflow than it had, the number of that one."""

    total: int
    kept: int = 0
    again: int = 0
    repeats: int = 0
    asks: int = 0
    open: int = 0
    next: int | None = None
    same: bool = True
    version: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One of them that is not kept. `error`: why it did not end well, as of a run."""

    run_id: UUID
    index: int
    label: str | None
    status: str
    fate: str
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class RetryStep:
    """One line of a plan. `fate`: kept, again, repeats, asks, next. `why`: harmless, happened, refused, same_key,
    in_doubt, undone, called (given something else it runs another workflow anew) or None. `first`: the run goes on with
    it, so its settings can be edited; `input` is what they were. `items`: of a step that has others done by runs.
    `asks`: what people call the system that can be asked whether it happened (`ask_now`), empty where nothing names it;
    None where nobody can be."""

    node: str
    key: str
    name: str
    type: str
    fate: str
    why: str | None
    first: bool
    input: JSON
    items: PlannedItems | None = None
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """What going on with a run would do. `id` names exactly this plan; `versions` are the numbers to choose from;
    `incompatible`: keys of kept steps that the chosen version reaches otherwise, which stops it; so does `dropped`:
    names of steps that it no longer has, and of which nobody knows whether they happened; and `missing`: names of steps
    that it no longer has, and that did something outside that stands. `paused_around`: it goes on
    when the run around it is resumed, and not before. `workflow_held`: its workflow is paused, still accepting, which
    holds what starts and not what somebody has go on."""

    id: str
    run_id: UUID
    generation: int
    version: int
    versions: list[int]
    steps: list[RetryStep]
    incompatible: list[str]
    dropped: list[str]
    missing: list[str]
    paused_around: bool = False
    workflow_held: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person says of an effect in doubt: it happened (with its result), or it is to be sent again."""

    happened: bool
    output: JSON = None


@dataclass(frozen=True, slots=True)
class RetryView:
    """A retry that took place, or an undo (`kind`, with somebody's `reason`).

    `edits`: node → {before, after}; `decisions`: node → {happened, output}; `plan`: lines of {node, fate, why}.
    """

    generation: int
    at: int
    by: str
    version_before: int
    version_after: int
    plan: list[dict[str, Any]]
    edits: dict[str, Any]
    decisions: dict[str, Any]
    kind: str = "retry"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetterGroup:
    """Failed runs that failed alike and wait for a decision. `pattern`: their message without what differs.
    `workflow_held`: their workflow is paused, still accepting. `are_items`: they are items of batches."""

    cause: str
    workflow_id: UUID
    version_id: UUID
    node: str
    code: str
    title: str
    pattern: str
    count: int
    first_at: int
    last_at: int
    workflow_held: bool = False
    are_items: bool = False


@dataclass(frozen=True, slots=True)
class LetterFigures:
    """Of a group: how many came in each 24 hours of the last seven days, and what its runs are worth, by currency, in
    ten-thousandths."""

    days: tuple[int, ...]
    worth: dict[str, int]


@dataclass(frozen=True, slots=True)
class LetterGroupSaid:
    """What people have said about letters that failed alike: a `note`, the address of a `ticket`, and that nobody is
    told of them for now. `revision`: of the note and the ticket. `muted_until`: None is until somebody says otherwise.
    """

    cause: str
    title: str
    revision: int = 0
    note: str = ""
    ticket: str = ""
    noted_at: int | None = None
    noted_by: UUID | None = None
    muted: bool = False
    muted_at: int | None = None
    muted_until: int | None = None
    muted_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class RetryOutcome:
    """What came of one run of several: `retried`, `asks` (its plan needs somebody's word) or `refused`, and why."""

    run_id: UUID
    outcome: str
    message: str


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """One failed run of a group."""

    run: RunView
    message: str
    at: int


@dataclass(frozen=True, slots=True)
class RunEdit:
    """Other values for the step that failed in a run: `fields`, by their place in what the step was given. Only single
    values are changed. `generation`: the one that failed. `whole`: all of its settings, in the place of `fields`."""

    run_id: UUID
    generation: int
    node: str
    fields: tuple[tuple[tuple[str, ...], JSON], ...] = ()
    whole: JSON = None


@dataclass(frozen=True, slots=True)
class EditableLetter:
    """One failed run of a group with what its failed step (`node`, of this `type`) was given. `fixed`: why it is not
    given anything else together with others; None where it can be."""

    run: RunView
    node: str
    type: str | None
    message: str
    input: JSON
    fixed: str | None


@dataclass(frozen=True, slots=True)
class HeldTo:
    """The version of a workflow that a bulk retry goes on with: `version`, its number, was live when that began.
    `live`: the number of the one that is live now, None where none is."""

    workflow_id: UUID
    version: int
    live: int | None


@dataclass(frozen=True, slots=True)
class BulkRetryView:
    """What is done to many runs one after another. `kind`: retry (dead letters), replay (each started anew), cancel;
    what is said of going on means that. `status`: trying, waiting (for somebody's word), running,
    done, stopped (by its rule), cancelled. Of `total`, `begun` were gone on with: they are `done`, `failed` again, or
    under way; of the others `asks` need somebody's word, `refused` could not be gone on with, and the rest is left.
    `trial`: what came of the first one: done, failed, asks, refused, under_way. `workflow_held`: a workflow of theirs
    is paused, still accepting, which holds what starts and not what somebody has go on. `open`: it changes still.
    `held_to`: the versions it goes on with, where those are not each run's own."""

    id: UUID
    workflow_id: UUID | None
    cause: str | None
    title: str
    at: int
    by: UUID | None
    reason: str
    version: str
    per_minute: int | None
    stop_after: int | None
    status: str
    trial: str | None
    total: int
    begun: int
    done: int
    failed: int
    asks: int
    refused: int
    ended_at: int | None
    ended_by: str | None
    open: bool
    workflow_held: bool
    held_to: tuple[HeldTo, ...] = ()
    kind: str = "retry"

    @property
    def under_way(self) -> int:
        """Gone on with, and not at their end."""
        return self.begun - self.done - self.failed

    @property
    def left(self) -> int:
        """Not gone on with so far."""
        return self.total - self.begun - self.asks - self.refused


@dataclass(frozen=True, slots=True)
class BulkRetryItemView:
    """One of them of which there is something to tell. `outcome`: begun, done, failed, asks, refused; `message`: why
    it failed again, or was not gone on with."""

    run: RunView
    outcome: str
    message: str


@dataclass(frozen=True, slots=True)
class BulkPlan:
    """What it would come to. Of the first `looked_at` of `total`, `safe` can go ahead, `asks` need somebody's word, and
    `refused` cannot. `again`: so many of those that need it would do something outside a second time. `more`: there are
    more than can be done at once, which are left."""

    total: int
    more: bool
    looked_at: int
    safe: int
    asks: int
    again: int
    refused: int

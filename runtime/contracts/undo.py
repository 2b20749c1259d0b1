"""What crosses the front door when it is undone what a run did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

#: What a person says of an undo step that had no answer: that it was undone after all, or that it was not and stays
#: as it is. Neither sends anything.
UndoDecision = Literal["undone", "still_done"]

#: Why a run cannot be undone from the failure it asks people about: it is none; it is answered, or the run is ending;
#: the run is a part of another; nobody knows whether the step that failed happened, or whether an undo step did; no
#: undo step would do anything.
WhyNoUndo = Literal["no_failure", "over", "below", "doubt", "unsure", "nothing"]


@dataclass(frozen=True, slots=True)
class PlannedUndo:
    """What becomes of the runs of one step. `undo`: undone, the one that ended last first; `undone`: already;
    `nothing`: did nothing that is to be undone; `asks`: their undo may have happened already, so somebody looks at them
    first; `stays`: nothing undoes what they did, or some of it; `open`: not over yet.
    `unknown`: of so many of these nobody knows whether something was undone. `left`: names of steps in them that stay
    done, at most ten."""

    total: int
    undo: int = 0
    undone: int = 0
    nothing: int = 0
    asks: int = 0
    stays: int = 0
    open: int = 0
    unknown: int = 0
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class UndoLine:
    """One step that did something outside, or may have. `fate`:

    - `undo`: its undo step (`undo_node`, `undo_name`) is carried out.
    - `again`: that did not end well before and is carried out once more; `why` says what is known of it: refused,
      same_key (sent again under the same key), in_doubt (may happen a second time), happened. Of the middle two
      nobody knows whether they did it, and a person may say so instead (`UndoDecision`).
    - `undone`: it is undone already.
    - `stays`: nothing undoes it; `why`: no_undo_step, switched_off, earlier_go (an earlier go did it, and the step was
      done anew since, or is no longer there).
    - `nothing`: somebody said that there is nothing to undo.
    - `apart`: it began a run of another workflow without waiting for its end, which goes its own way.

    `items`: of a step that has others done by runs. `done_at`: when the call began that this is about, in ms; a step
    may have made more than one.
    """

    node: str
    key: str
    name: str
    type: str
    fate: str
    why: str | None
    undo_node: str | None
    undo_name: str | None
    items: PlannedUndo | None = None
    done_at: int | None = None


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing a run would do, in that order. `id` names exactly this plan. `possible`: whether the run is over and
    something is left that can be undone; of an open run it says what a cancel with undo would do now."""

    id: str
    run_id: UUID
    generation: int
    possible: bool
    lines: list[UndoLine]

"""Lists that people review, as the front door shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from runtime.contracts.batches import CountAndSum
from runtime.contracts.refusals import NotAsked, RuntimeRefused
from runtime.engine.jsonprofile import JSON

RowState = Literal["", "accepted", "rejected"]
RowsShown = Literal["all", "todo", "changed", "rejected"]
Stage = Literal["review", "release", "released", "rejected"]


class ReviewChanged(RuntimeRefused):
    """The list is no longer as it was when somebody looked at it."""

    code = "review_changed"


class NotReady(RuntimeRefused):
    """Rows wait for a decision, or totals have to agree before the list can be handed over."""

    code = "not_ready"


class FourEyes(NotAsked):
    """A second person has to release it: not one who had a hand in it, nor who asks for it."""

    code = "four_eyes"


@dataclass(frozen=True, slots=True)
class ReviewTotal:
    """The rows in one currency. `prepared`: as they came; `now`: as they are, of which those that are `accepted` and
    `rejected`. `expected`: what they have to come to, None where nobody said; `without`: so many have no amount."""

    currency: str
    prepared: CountAndSum
    now: CountAndSum
    accepted: CountAndSum
    rejected: CountAndSum
    expected: Decimal | None
    without: int

    @property
    def agrees(self) -> bool:
        return self.expected is None or self.expected == self.now.amount


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A list. `stage`: it is looked through, waits for its release, or is decided. `revision`: goes up with every
    change. `columns`: [{name, label, type, editable, required, total}], of which `worth` says what a row is worth.
    `todo`: so many rows keep it from being handed over, of which `blocking` have to be mended or rejected. `differs`: a
    total, or the number of rows, is not what it has to be. `two_people`: whoever had a hand in it (`hands`) may not
    release it. `sha256`: of the lines that were handed over, by `handed_by`. `sent_back`: that it was, where nobody has
    handed it over since. `may_…`: whoever asks may do so now; `four_eyes`: they may not release it, for they had a hand
    in it or ask for it. `nobody`: nobody is left who could release it, should they hand it over.
    """

    id: UUID
    task_id: UUID
    stage: Stage
    revision: int
    columns: list[dict[str, Any]]
    rows: int
    todo: int
    blocking: int
    changed: int
    rejected: int
    expected_count: int | None
    totals: list[ReviewTotal]
    differs: bool
    must_agree: bool
    two_people: bool
    sha256: str
    handed_by: str
    handed_at: int | None
    handed_comment: str
    sent_back: ReviewChangeView | None
    hands: list[str]
    may_edit: bool
    may_hand_over: bool
    may_release: bool
    may_send_back: bool
    may_reject: bool
    four_eyes: bool
    nobody: bool
    worth: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewRowView:
    """A row. `number`: from 1. `data`: the columns that are shown; `prepared`: of those that were changed, as they
    came. `problems`: [{level, text, column}]. `todo`: somebody has to mend, accept or reject it. `version`: has to be
    named by whoever changes it."""

    number: int
    data: dict[str, JSON]
    prepared: dict[str, JSON]
    state: RowState
    reason: str
    problems: list[dict[str, Any]]
    todo: bool
    version: int
    changed_by: str
    changed_at: int | None


@dataclass(frozen=True, slots=True)
class RowChange:
    """What somebody wants of a row. `version`: as they saw it. `values`: what is put into cells, by column; `state`:
    None leaves it."""

    number: int
    version: int
    values: Mapping[str, JSON] = field(default_factory=dict)
    state: RowState | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RowBecame:
    """What became of it. `outcome`: changed · conflict (somebody changed it meanwhile: `row` is how it is now) ·
    refused (`fields`: column → sentence)."""

    number: int
    outcome: Literal["changed", "conflict", "refused"]
    row: ReviewRowView | None
    message: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReviewChangeView:
    """What somebody did. `number`: to which row, from 1; None: to the list. `kind`: edit · accept · reject · reopen ·
    hand_over · send_back · take_back. `before` and `after`: the cells that changed."""

    id: UUID
    number: int | None
    kind: str
    at: int
    by: str
    before: dict[str, JSON]
    after: dict[str, JSON]
    reason: str

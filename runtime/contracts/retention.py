"""For how long a workspace keeps what: its rules, what they would remove, what is held, and how the last sweep went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from runtime.contracts.refusals import RuntimeRefused

__all__ = [
    "CLASSES",
    "DAY_MS",
    "KEPT",
    "MOST_DAYS",
    "HoldRefused",
    "LegalHoldView",
    "RetentionOutdated",
    "RetentionPreview",
    "RetentionView",
    "Stored",
    "Sweep",
]

DAY_MS: Final = 24 * 3_600_000
MOST_DAYS: Final = 36_500
#: What a rule can be about. `done`, `failed`, `tests`: ended runs with all that belongs to them, of which those that
#: failed only when somebody has decided about them. `values`: what the steps of ended runs were given and gave; the run
#: stays, and says so. `items`: the same of entries of lists. `calls`: what was sent and answered. `starts`: bodies and
#: headers of start events, and repeated deliveries. `files`: the bytes of files that runs have made. `drafts`: drafts
#: of deleted workflows, which whoever keeps drafts removes.
CLASSES: Final[tuple[str, ...]] = ("done", "failed", "tests", "values", "items", "calls", "starts", "files", "drafts")
#: Why something is kept that is old enough: it is not over (a question or a part of it is open); its dead letter waits
#: for a decision; a legal hold; its figures are not added up yet; something under way needs it.
KEPT: Final = ("open", "letter", "hold", "uncounted", "needed")


class RetentionOutdated(RuntimeRefused):
    """Somebody changed the rules meanwhile."""

    code = "rules_changed"


class HoldRefused(RuntimeRefused):
    """A hold that names nothing, or is there already."""

    code = "hold_refused"


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one sweep came to: so much was `removed` by class, so much that was old enough was `kept`, by reason.
    `ended_at`: None while it is under way. Times in milliseconds since the epoch."""

    began_at: int
    ended_at: int | None
    removed: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetentionView:
    """The rules: days by class, of which those that are not named are kept for ever."""

    rules: Mapping[str, int]
    revision: int
    last: Sweep | None
    under_way: Sweep | None
    waits: bool


@dataclass(frozen=True, slots=True)
class RetentionPreview:
    """What these rules would remove at this moment, by class, and what is kept though it is old enough, by reason.
    `whole`: False where there is more, which was not counted."""

    removes: Mapping[str, int]
    kept: Mapping[str, int]
    whole: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """How much of a class there is: so many rows, and about so many bytes."""

    count: int
    size: int


@dataclass(frozen=True, slots=True)
class LegalHoldView:
    """Nothing of a workflow, or of runs with a business key, is removed by a rule since `at`."""

    id: UUID
    workflow_id: UUID | None
    key: str | None
    reason: str
    at: int
    by: UUID | None

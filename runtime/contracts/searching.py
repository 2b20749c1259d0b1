"""What crosses the boundary about finding runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

FieldOp = Literal["contains", "is", "above", "at_least", "below", "at_most"]
RunSort = Literal["newest", "oldest", "longest", "shortest", "largest", "smallest"]


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """A condition on a field that runs are found by. `text` for `contains` and `is`; the others compare numbers, in
    ten-thousandths, or days, in milliseconds; `currency`: of this one only."""

    name: str
    op: FieldOp
    text: str = ""
    number: int | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class RunFilters:
    """Which runs to list; None and empty mean any.

    `query`: words that must all be found, each in the business key or a field, or as a run's id, its beginning or its
    last eight characters. `version_ids`: of these versions. `started_by`: as rows say it, `user:` for anybody. `nodes`:
    steps at which it failed, or stands. `stands`: how it stands there now, or at any step: running · waiting · failed
    (and nobody has decided about it) · any of these; of one workflow items of its lists are found so, too. `codes`,
    `causes`: of what it failed. Durations in milliseconds, of an open run so far. `asks`: whether a person is asked.
    `tags`: all of these words stand on it, in whatever case. `sort_field`: by which field `largest` and `smallest` go.
    """

    workflow_id: UUID | None = None
    statuses: tuple[str, ...] = ()
    mode: str | None = None
    query: str | None = None
    accepted_after: int | None = None
    accepted_before: int | None = None
    version_ids: tuple[UUID, ...] | None = None
    started_by: tuple[str, ...] = ()
    nodes: tuple[str, ...] | None = None
    stands: Literal["any", "running", "waiting", "failed"] | None = None
    codes: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    longer_than: int | None = None
    shorter_than: int | None = None
    asks: bool | None = None
    fields: tuple[FieldTerm, ...] = ()
    tags: tuple[str, ...] = ()
    sort: RunSort = "newest"
    sort_field: str = ""


@dataclass(frozen=True, slots=True)
class RunFieldView:
    """A field of a run as lists show it. `kind`: text · number · amount · date; `text` as it was given."""

    name: str
    label: str
    kind: str
    text: str
    currency: str = ""


@dataclass(frozen=True, slots=True)
class SearchedField:
    """A field that runs of this workspace can be found by, and the workflows whose live versions name it."""

    name: str
    label: str
    kind: str
    workflows: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class CappedCount:
    """How many there are; `more`: there are more than that."""

    count: int
    more: bool


@dataclass(frozen=True, slots=True)
class StandingAt:
    """How many runs stand at a step now, or failed there and wait for somebody."""

    node: str
    running: int
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """Something that happened to a run of a key. `kind`: started · started_anew · came_again · came_differently (a
    further delivery of what started it) · decided (by a person) · retried · undo · cancelled, or how it ended: a final
    status. `by`: as rows say it, of a decision a name, `in_place_of`: of who was away, empty where nobody was. `text`:
    what it failed of, or what was asked. `called`: the builder's own name for `outcome`, if it has one."""

    at: int
    kind: str
    run_id: UUID
    workflow_id: UUID
    status: str
    by: str
    text: str
    outcome: str
    comment: str
    in_place_of: str = ""
    called: str = ""


@dataclass(frozen=True, slots=True)
class KeyTimeline:
    """What happened to the runs of one key, the oldest first; `fields`: of the newest; `more`: there are more runs."""

    key: str
    events: list[KeyEvent]
    fields: tuple[RunFieldView, ...]
    more: bool

"""What happened in a run, in one order of time: the changes that are on its own record, and what people did in it, from
the audit log's rows about this run and about the questions it asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Annotated, Any, Final, Literal, NamedTuple
from uuid import UUID

from pydantic import Field

from builder.accounts.rights import Action, allows
from builder.accounts.selectors import names_of
from builder.api.audit import AuditActor
from builder.api.cursors import Limit, bad_cursor
from builder.api.operation import ApiView, Call, Query, View, operation
from builder.api.shapes import Paged
from builder.api.trails import TrailEntryView, entry_view, person_of
from builder.audit import reading
from builder.audit.chain import stamp
from builder.audit.models import AuditRow
from builder.workflows import selectors
from runtime import api as runtime_api
from runtime.contracts import SaidView, TrailEntry

__all__ = ["SAID_THERE", "Happenings"]

#: What the record of a run tells by itself; everything else there is what somebody did.
_OF_ITSELF: Final = frozenset({"accepted", "changed", "worked", "claim", "release", "set_aside"})
#: The deeds that make a change of each kind: one that a deed tells of is not told a second time.
_SAME: Final[Mapping[str, frozenset[str]]] = {
    "cancel": frozenset({"run.cancelled", "task.run_undone"}),
    "pause": frozenset({"run.paused"}),
    "resume": frozenset({"run.resumed", "run.taken_up", "run.moved_on"}),
    "try_now": frozenset({"run.tried_now"}),
    "retried": frozenset({"run.retried", "dead_letter.retried", "batch.entry_corrected"}),
    "undone": frozenset({"run.undone", "run.cancelled", "task.run_undone"}),
    "decide": frozenset(
        {
            "task.decided", "tasks.decided", "task.decided_by_link", "task.decision_took_effect", "task.mended",
            "review.released", "review.rejected",
        }
    ),
}  # fmt: skip
_MAKING: Final = frozenset(verb for verbs in _SAME.values() for verb in verbs)
#: A deed's row and the change it makes are written in one transaction, each with the clock as it stood then.
_TOGETHER_MS: Final = 10_000
#: That a run was accepted, and by whom, its own record says; that a decision took effect, the decision and its step.
SAID_THERE: Final = frozenset({"run.started", "run.tested", "task.decision_took_effect"})
_DECIDED: Final = frozenset({"task.decided", "tasks.decided"})
_TAKEN_BACK: Final = frozenset({"task.decision_taken_back", "tasks.decisions_taken_back", "task.decision_refused"})
#: What only those see who see the audit log: a decision that was taken back, or came to nothing, and what somebody put
#: off for themselves.
_ADMINS_ONLY: Final = _TAKEN_BACK | {"task.snoozed"}
#: Of what was said, in this order. Values are never on record; these are words, names and choices.
_TOLD: Final = ("reason", "comment", "outcome", "undo", "add", "remove", "side", "path", "to", "version", "start")
#: No moment is later: the last of the year 9999, in ms.
_LATEST: Final = 253_402_300_799_999
#: A request looks at so many changes at most, whatever it looks for; the page then ends there.
_MOST_READ: Final = 5_000


class HappeningsQuery(Query):
    """Which page, and of what: everything, what steps did, or what people did; `node`: of one step only."""

    limit: Limit = 100
    cursor: Annotated[str, Field(max_length=80)] | None = None
    only: Literal["all", "steps", "people"] = "all"
    node: Annotated[str, Field(max_length=200)] = ""


class DeedView(View):
    """What somebody did, as in the audit log. `about`: the question, where it was done to one; `node`: the step it was
    done at; null for the run as a whole. `detail`: what was said, such as `reason`, `comment`, `outcome`, `called` (the
    builder's own name for it), `path` (which value was looked at, never what stood there), `edits` (what was set
    otherwise at which step, by name)."""

    sequence: int
    verb: str
    actor: AuditActor
    about: str
    node: str | None
    detail: dict[str, Any]


class HappeningView(View):
    """Either a change that is on the run's own record, or what somebody did. `told`: somebody's deed that made this
    change is told by itself."""

    at: str
    change: TrailEntryView | None
    deed: DeedView | None
    told: bool


class Happenings(ApiView):
    @operation(Action.RUN_SEE, query=HappeningsQuery, answer=Paged[HappeningView])
    def get(self, call: Call, *, run_id: UUID, query: HappeningsQuery) -> Paged[HappeningView]:
        """What happened in the run, the oldest first: its changes, and what people did in it. A page may hold fewer
        than asked for, and be followed by another."""
        story = _Story(call, run_id)
        found: list[_Told] = []
        here: str | None = None
        for one, place in islice(story.told(_place(query.cursor), query.only), _MOST_READ):
            if len(found) == query.limit:
                break
            here = str(place)
            if story.fits(one, query):
                found.append(one)
        else:
            # Either all of it was read, or as much as one request reads.
            here = here if story.more else None
        return Paged[HappeningView](items=story.views(found), next_cursor=here)


class _Place(NamedTuple):
    """How far the reader has come: in the run's record, in the log, and to which moment."""

    trail: str | None = None
    sequence: int = 0
    at: int = 0

    def __str__(self) -> str:
        return f"{self.trail or ''}~{self.sequence}~{self.at}"


def _place(cursor: str | None) -> _Place:
    if cursor is None:
        return _Place()
    trail, *numbers = cursor.split("~")
    if len(numbers) != 2 or not all(one.isascii() and one.isdecimal() and len(one) < 19 for one in numbers):
        raise bad_cursor()
    place = _Place(trail or None, int(numbers[0]), int(numbers[1]))
    if place.at > _LATEST:
        raise bad_cursor()
    return place


class _Told(NamedTuple):
    """One of both, when it was (ms, never before what stands before it), and whether a deed tells of it."""

    what: TrailEntry | AuditRow
    at: int
    told: bool


def _who_of_what(row: AuditRow) -> tuple[str, str, str]:
    return row.object_id, row.actor_kind, row.actor_id


class _Story:
    """One run's record and the log's rows about it, put together."""

    def __init__(self, call: Call, run_id: UUID) -> None:
        self.run = runtime_api.run(workspace_id=call.workspace.id, run_id=run_id)
        self.workspace_id = call.workspace.id
        self.sees_log = allows(call.role, Action.AUDIT_SEE, call.actor)
        self.asked = runtime_api.said_in(workspace_id=call.workspace.id, run_id=run_id)
        self.things = {"run": [str(run_id)], "task": [str(one) for one in self.asked]}
        self.more = True
        self._made: list[tuple[str, int]] | None = None
        self._last: dict[tuple[str, str, str], int] | None = None

    def told(self, place: _Place, only: str) -> Iterator[tuple[_Told, _Place]]:
        """Both in one order of time, each with the place behind it."""
        trail, sequence, last = place
        changes = runtime_api.trail_from(workspace_id=self.workspace_id, run_id=self.run.id, after=trail)
        rows = iter(()) if only == "steps" else self._deeds(sequence)
        deeds = (row for row in rows if row.verb not in SAID_THERE)
        change, deed = next(changes, None), next(deeds, None)
        while change is not None or deed is not None:
            # A change without a moment, or with an earlier one than what stands before it, stands behind that.
            at = last if change is None or change[0].at is None else max(last, change[0].at)
            if change is not None and (deed is None or at <= deed.at):
                entry, trail = change
                last, change = at, next(changes, None)
                self.more = change is not None or deed is not None
                yield _Told(entry, last, self._is_told(entry)), _Place(trail, sequence, last)
            elif deed is not None:
                row, sequence, last = deed, deed.sequence, max(last, deed.at)
                deed = next(deeds, None)
                self.more = change is not None or deed is not None
                yield _Told(row, last, False), _Place(trail, sequence, last)

    def _deeds(self, after: int, verbs: Collection[str] = ()) -> Iterator[AuditRow]:
        rows = reading.about(str(self.workspace_id), self.things, after=after, verbs=verbs)
        return (row for row in rows if self._may_see(row))

    def _may_see(self, row: AuditRow) -> bool:
        """Whoever sees a run sees the questions it asks, and of a decision what stands."""
        if self.sees_log:
            return True
        return row.verb not in _ADMINS_ONLY and (row.verb not in _DECIDED or self._stands(row))

    def _stands(self, row: AuditRow) -> bool:
        """Whether it is what somebody said last, and is counted: the same may have been said before, and taken back."""
        if self._last is None:
            self._last = {}
            asked = {"task": self.things["task"]}
            for one in reading.about(str(self.workspace_id), asked, verbs=_DECIDED | _TAKEN_BACK):
                if one.verb in _TAKEN_BACK:
                    self._last.pop(_who_of_what(one), None)
                elif self._counts(one):
                    self._last[_who_of_what(one)] = one.sequence
        return self._last.get(_who_of_what(row)) == row.sequence

    def _counts(self, row: AuditRow) -> bool:
        said = reading.detail_of(row).get("said", {})
        votes = [one for one in self._question(row).votes if one[1] == said.get("outcome")]
        if row.actor_kind == "member":
            return any(str(voter) == row.actor_id for voter, _, _ in votes)
        # Whose program it was the log does not say, but by the words. It has them as they were sent, of long ones how
        # they begin, and of an address no keys; what is kept has no space around it.
        comment: Any = said.get("comment") or ""
        cut = isinstance(comment, dict)
        text = str(comment.get("begins", "")).lstrip() if cut else str(comment).strip()
        return any(
            written.startswith(text) if cut else text in (written, runtime_api.redacted(written))
            for _, _, written in votes
        )

    def _question(self, row: AuditRow) -> SaidView:
        return self.asked[UUID(row.object_id)]

    def _is_told(self, entry: TrailEntry) -> bool:
        """Whether the log has the deed that made this change, as far as this reader sees it."""
        verbs = _SAME.get(entry.kind)
        if verbs is None or entry.at is None:
            return False
        if self._made is None:
            self._made = [(row.verb, row.at) for row in self._deeds(0, _MAKING)]
        return any(verb in verbs and abs(at - entry.at) <= _TOGETHER_MS for verb, at in self._made)

    def fits(self, found: _Told, query: HappeningsQuery) -> bool:
        """Whether this is what the reader looks for."""
        one = found.what
        if isinstance(one, AuditRow):
            return not query.node or self._node(one) == query.node
        if query.node and not any(step.node == query.node for step in one.steps):
            return False
        match query.only:
            case "steps":
                return bool(one.steps)
            case "people":
                by_somebody = one.kind == "accepted" and person_of(one.by) is not None
                return not found.told and (one.kind not in _OF_ITSELF or by_somebody)
            case _:
                return True

    def _node(self, row: AuditRow) -> str | None:
        if row.object_kind == "task":
            return self._question(row).node
        detail = reading.detail_of(row)
        said, edits = detail.get("said", {}), detail.get("edits", {})
        for named in ([said.get("node_id")], [said.get("node")], said.get("start"), list(edits)):
            # A retry of several steps is about the run as a whole.
            if isinstance(named, list) and len(named) == 1 and isinstance(named[0], str):
                return named[0]
        return None

    def views(self, found: list[_Told]) -> list[HappeningView]:
        """As they are told."""
        steps = selectors.step_names(workspace_id=self.workspace_id, version_id=self.run.version_id)
        entries = [one.what for one in found if isinstance(one.what, TrailEntry)]
        people = names_of({person for entry in entries if (person := person_of(entry.by)) is not None})
        views = []
        for one, at, told in found:
            if isinstance(one, AuditRow):
                views.append(HappeningView(at=stamp(at), change=None, deed=self._deed(one), told=told))
            else:
                change = entry_view(one, steps, people)
                views.append(HappeningView(at=stamp(at), change=change, deed=None, told=told))
        return views

    def _deed(self, row: AuditRow) -> DeedView:
        detail = reading.detail_of(row)
        said = detail.get("said", {})
        told = {name: said[name] for name in _TOLD if name in said}
        if called := detail.get("called"):
            told["called"] = called
        if edits := detail.get("edits"):
            told["edits"] = {node: one.get("changed", []) for node, one in edits.items()}
        return DeedView(
            sequence=row.sequence,
            verb=row.verb,
            actor=AuditActor(kind=row.actor_kind, id=row.actor_id, name=row.actor_name),
            about=row.object_name if row.object_kind == "task" else "",
            node=self._node(row),
            detail=told,
        )

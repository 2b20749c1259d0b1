"""Rate budgets: which calls of a connection may begin, which wait, and whose turn is next.

The rows are the truth; whoever asks, tells of an end or looks does so in one transaction that locks the budget's row
first, so any number of processes together let through what one would. A call counts while it is under way and for one
period behind that, whatever becomes of its process. Of those that wait the workflows go round and round
(start-time fair queueing: a turn's rank is one behind the last of its workflow, or behind the last that was given).

Over Django's connection of the calling thread. Faults of the database pass through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from runtime.store import upserts
from runtime.store.budget_window import Window, slice_ms
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Budget, BudgetTurn, Run, StepRun
from runtime.store.pauses import due_unless_stopped
from runtime.store.statements import HELD

__all__ = ["Answer", "Ask", "End", "Limits", "Settled", "due", "limits", "settle", "take_at_once", "tidy"]

WAITS, GIVEN, TAKEN = "waits", "given", "taken"
#: How long a call may need to arrive there once it was sent; beyond that its answer does not matter. ms
_ARRIVAL_MS: Final = 1_000
_LEAST_ARRIVAL_MS: Final = 250
#: A wait that no time ends: others have to come to an end first. It is looked at again so late, should nobody ring.
_NO_TIME_MS: Final = 30_000
#: Who waits for a broken connection is rung for when it is repaired; should that get lost, it looks again so late.
_BROKEN_MS: Final = 3_600_000
#: The longest pause that another system can ask for.
MOST_PAUSE_MS: Final = 3_600_000
#: A turn that nobody took up is rung for again, and then given to somebody else. ms
_RING_AGAIN_MS: Final = 1_000
_GIVEN_MS: Final = 30_000
#: Nobody's any more: a call whose process lost its lease this long ago at the least. ms
_LOST_MS: Final = 5_000
#: How soon those that wait are looked at again when something else than time holds them up. ms
_LOOK_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a budget says. `changed_at`: since when."""

    connection_id: UUID
    name: str
    calls: int | None
    period_ms: int | None
    at_once: int | None
    changed_at: int
    pauses: bool = False
    broken_at: int | None = None

    @property
    def limited(self) -> bool:
        """Whether there may be more calls than it takes."""
        return self.calls is not None or self.at_once is not None

    @property
    def asks(self) -> bool:
        """Whether a call has to ask for its turn: while nothing is limited and nothing broken, none does."""
        return self.limited or self.broken_at is not None


@dataclass(frozen=True, slots=True)
class Ask:
    """A call that wants its turn: of which step of which run, by whom (the lease). `place`: see `BudgetTurn`."""

    connection_id: UUID
    workflow_id: UUID
    run_id: UUID
    node_id: str
    generation: int
    owner: str
    token: int
    place: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """A call has ended. `sent_at`: when it was sent; None: nothing was, so it does not count. `pause_ms`: for how long
    the other system takes no more, and the `status` by which it said so."""

    connection_id: UUID
    turn_id: UUID
    ended_at: int
    sent_at: int | None
    pause_ms: int | None = None
    status: int | None = None
    #: The other system refused the connection's credentials, for this reason.
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a call. `turn_id`: None where there is no budget. `goes`: it may begin; else it waits, until
    about `due_at`. `paused_until`: the other system takes none until then."""

    turn_id: UUID | None
    goes: bool
    due_at: int = 0
    paused_until: int | None = None
    #: Why the connection is broken, which somebody has to repair before it goes on.
    broken: str | None = None


_NO_BUDGET: Final = Answer(None, goes=True)


@dataclass(slots=True)
class Settled:
    """`answers`: to the asks, in their order. `given`: turns that others wait for: run, node, id. `next_at`: by
    connection, when to look again; None where nobody waits."""

    answers: list[Answer] = field(default_factory=list)
    given: list[tuple[UUID, str, UUID]] = field(default_factory=list)
    next_at: dict[UUID, int | None] = field(default_factory=dict)
    #: By the database's clock.
    now: int = 0


def locked(connection_id: UUID, workspace_id: UUID) -> Budget:
    """The row of a connection, made where there is none, under its lock: whoever makes it at the same moment waits."""
    fresh = Budget(connection_id=connection_id, workspace_id=workspace_id, changed_at=database_now())
    return upserts.locked(fresh, by=["connection_id"])


def limits() -> list[Limits]:
    """All budgets that limit anything, and the connections for which is waited where they are broken."""
    rows = Budget.objects.filter(
        Q(calls__isnull=False) | Q(at_once__isnull=False) | Q(pauses=True) | Q(broken_at__isnull=False)
    )
    names = "connection_id", "name", "calls", "period_ms", "at_once", "changed_at", "pauses", "broken_at"
    return [Limits(*row) for row in rows.values_list(*names)]


def due() -> dict[UUID, int]:
    """The budgets that somebody waits for, and when to look at each."""
    rows = Budget.objects.filter(next_at__isnull=False).values_list("connection_id", "next_at")
    return {connection_id: at for connection_id, at in rows if at is not None}


def settle(asks: Sequence[Ask], ends: Sequence[End] = (), looks: Iterable[UUID] = ()) -> Settled:
    """Take in what ended, answer who asks, and give what is free to those that wait; the runs of these are woken."""
    ids = {*looks, *(ask.connection_id for ask in asks), *(end.connection_id for end in ends)}
    found = Settled()
    answers: dict[int, Answer] = {}
    with commit("budget.turn"):
        rows = list(Budget.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        found.now = now = database_now()
        for row in rows:
            mine = [(place, ask) for place, ask in enumerate(asks) if ask.connection_id == row.pk]
            desk = _Desk(row, now)
            desk.take_in([end for end in ends if end.connection_id == row.pk])
            answers.update(desk.answer(mine))
            found.given += desk.given
            found.next_at[row.pk] = desk.close()
        wake(sorted({run_id for run_id, _, _ in found.given}), now)
    found.answers = [answers.get(place, _NO_BUDGET) for place in range(len(asks))]
    return found


def take_at_once(ask: Ask) -> Answer:
    """A turn for a call that no run waits for, of a person who looks on: now, or not at all. It goes behind everybody
    who waits, and `due_at` says about when there may be room. Its end is told like that of any other (`settle`); of one
    whose process died `tidy` hears."""
    with commit("budget.turn"):
        row = Budget.objects.select_for_update().filter(pk=ask.connection_id).first()
        if row is None or (row.calls is None and row.at_once is None and row.broken_at is None):
            return _NO_BUDGET
        now = database_now()
        desk = _Desk(row, now)
        desk.take_in([])
        desk.answer([])
        answer = desk.take(ask)
        desk.close()
        wake(sorted({run_id for run_id, _, _ in desk.given}), now)
    return answer


def wake(run_ids: Sequence[UUID], now: int) -> None:
    """Have these runs looked at. The caller holds the transaction."""
    if run_ids:
        # In the order in which everybody locks runs.
        list(Run.objects.select_for_update().filter(pk__in=run_ids).order_by("id").values_list("id"))
        open_runs = Run.objects.filter(pk__in=run_ids, finished_at__isnull=True)
        open_runs.filter(Q(wake_at__isnull=True) | Q(wake_at__gt=now)).update(wake_at=due_unless_stopped(now))


class _Desk:
    """One budget, under its lock, within one transaction."""

    def __init__(self, row: Budget, now: int) -> None:
        self.row, self.now = row, now
        self.given: list[tuple[UUID, str, UUID]] = []
        self.turns = BudgetTurn.objects.filter(connection_id=row.pk)
        self.window = window_of(row)
        self.under_way = 0
        if row.paused_until is not None and row.paused_until <= now:
            row.paused_until = row.paused_status = None

    def take_in(self, ends: Sequence[End]) -> None:
        if ends:
            by_id = {end.turn_id: end for end in ends}
            for turn in self.turns.filter(pk__in=by_id, state=TAKEN):
                end = by_id[turn.pk]
                if end.sent_at is not None:
                    self._count(min(end.ended_at, end.sent_at + self._arrival()))
            self.turns.filter(pk__in=by_id).delete()
            for end in ends:
                self._break(end)
                if end.pause_ms:
                    self._pause(min(end.ended_at, self.now) + min(end.pause_ms, MOST_PAUSE_MS), end.status)
        self.under_way = self.turns.filter(state__in=(GIVEN, TAKEN)).count()

    def _arrival(self) -> int:
        return _ARRIVAL_MS if (self.row.period_ms or 0) > 10_000 else _LEAST_ARRIVAL_MS

    def _count(self, at: int) -> None:
        if self.window is not None:
            self.window.add(min(at, self.now))

    def _pause(self, until: int, status: int | None) -> None:
        if until > max(self.now, self.row.paused_until or 0):
            self.row.paused_until, self.row.paused_status = until, status

    def _break(self, end: End) -> None:
        """Nothing goes by these credentials any more, unless they were replaced since the call was sent."""
        row = self.row
        if end.broken is None or not row.pauses or row.broken_at is not None:
            return
        if row.repaired_at is None or (end.sent_at or end.ended_at) > row.repaired_at:
            row.broken_at, row.broken_reason = self.now, end.broken[:400]

    def room(self) -> int:
        """How many more may begin now."""
        if self.row.paused_until is not None or self.row.broken_at is not None:
            return 0
        rooms = [] if self.window is None else [self.window.room(self.now, self.under_way)]
        if self.row.at_once is not None:
            rooms.append(max(0, self.row.at_once - self.under_way))
        return min(rooms, default=1_000_000)

    def take(self, ask: Ask) -> Answer:
        """A turn of which no run has to hear."""
        if self.room():
            turn = BudgetTurn(
                connection_id=ask.connection_id, workflow_id=ask.workflow_id, run_id=ask.run_id, node_id=ask.node_id,
                generation=ask.generation, place=ask.place, state=TAKEN, rank=self.row.clock, asked_at=self.now,
                given_at=self.now, owner=ask.owner, token=ask.token,
            )  # fmt: skip
            turn.save(force_insert=True)
            return Answer(turn.pk, goes=True)
        if self.row.broken_at is not None:
            return Answer(None, goes=False, broken=self.row.broken_reason or "")
        due_at = self.row.paused_until or 0
        if self.window is not None:
            waiting = self.turns.filter(state=WAITS).count()
            due_at = max(due_at, self.window.room_at(waiting + 1, self.now, self.under_way))
        return Answer(None, goes=False, due_at=due_at, paused_until=self.row.paused_until)

    def answer(self, asks: Sequence[tuple[int, Ask]]) -> dict[int, Answer]:
        if asks and self.row.calls is None and self.row.at_once is None and self.row.broken_at is None:
            self._give([])
            return {}
        turns = self._turns(asks) if asks else {}
        self._give(list(turns.values()))
        return {place: self._answer(turn) for place, turn in turns.items()}

    def _turns(self, asks: Sequence[tuple[int, Ask]]) -> dict[int, BudgetTurn]:
        """The row of each ask: the one that it has, or a new one; as they stand in the database."""
        had = {
            (turn.run_id, turn.node_id, turn.generation, turn.place): turn
            for turn in self.turns.filter(run_id__in={ask.run_id for _, ask in asks})
        }
        self._count_lost(had.values(), {(ask.run_id, ask.node_id): ask for _, ask in asks})
        fresh, found = list[BudgetTurn](), dict[int, BudgetTurn]()
        ranks = self._last_ranks({ask.workflow_id for _, ask in asks})
        for place, ask in asks:
            turn = had.get((ask.run_id, ask.node_id, ask.generation, ask.place))
            if turn is not None and turn.state == TAKEN:
                turn = None
            stopped = self.row.paused_until is not None or self.row.broken_at is not None
            if turn is not None and turn.state == GIVEN and stopped:
                turn.state, turn.given_at = WAITS, None
                self.under_way -= 1
                turn.save(update_fields=["state", "given_at"])
            if turn is None:
                last = self.row.clock if ask.place else ranks.get(ask.workflow_id, self.row.clock)
                ranks[ask.workflow_id] = rank = max(last, self.row.clock) + 1
                turn = BudgetTurn(
                    connection_id=ask.connection_id, workflow_id=ask.workflow_id, run_id=ask.run_id,
                    node_id=ask.node_id, generation=ask.generation, place=ask.place, state=WAITS, rank=rank,
                    asked_at=self.now,
                )  # fmt: skip
                fresh.append(turn)
            turn.owner, turn.token = ask.owner, ask.token
            found[place] = turn
        BudgetTurn.objects.bulk_create(fresh)
        return found

    def _count_lost(self, had: Iterable[BudgetTurn], asks: Mapping[tuple[UUID, str], Ask]) -> None:
        """A step calls one call after another: one that it asks for has the process before it died over the others."""
        lost = [turn.pk for turn in had if turn.state == TAKEN and (turn.run_id, turn.node_id) in asks]
        for _ in lost:
            self._count(self.now)
        self.turns.filter(pk__in=lost).delete()
        self.under_way -= len(lost)

    def _last_ranks(self, workflows: set[UUID]) -> dict[UUID, int]:
        waiting = self.turns.filter(state=WAITS, place=0, workflow_id__in=workflows)
        return dict(waiting.values("workflow_id").annotate(last=Max("rank")).values_list("workflow_id", "last"))

    def _give(self, asking: list[BudgetTurn]) -> None:
        """Give what is free, in the order of the ranks; who asks this moment takes it up at once."""
        here = {turn.pk: turn for turn in asking}
        room, next_ones = self.room(), list[BudgetTurn]()
        if room:
            next_ones = list(_may_go(self.turns.filter(state=WAITS)).order_by("rank", "id")[:room])
        for turn in next_ones:
            self.row.clock = max(self.row.clock, turn.rank)
            self.under_way += 1
            if turn.pk not in here:
                self.given.append((turn.run_id, turn.node_id, turn.pk))
        self.turns.filter(pk__in=[turn.pk for turn in next_ones if turn.pk not in here]).update(
            state=GIVEN, given_at=self.now
        )
        now_given = {turn.pk for turn in next_ones}
        taken = [turn for turn in asking if turn.pk in now_given or turn.state == GIVEN]
        for turn in taken:
            turn.state, turn.given_at = TAKEN, self.now
        BudgetTurn.objects.bulk_update(taken, ["state", "given_at", "owner", "token"])

    def _answer(self, turn: BudgetTurn) -> Answer:
        if turn.state == TAKEN:
            return Answer(turn.pk, goes=True)
        if self.row.broken_at is not None:
            return Answer(turn.pk, goes=False, due_at=self.now + _BROKEN_MS, broken=self.row.broken_reason or "")
        ahead = self.turns.filter(state=WAITS).filter(Q(rank__lt=turn.rank) | Q(rank=turn.rank, id__lt=turn.pk)).count()
        due_at = self.now
        if self.window is not None:
            due_at = self.window.room_at(ahead + 1, self.now, self.under_way)
        due_at = max(due_at, self.row.paused_until or 0)
        if due_at <= self.now:
            due_at = self.now + _NO_TIME_MS
        return Answer(turn.pk, goes=False, due_at=due_at, paused_until=self.row.paused_until)

    def close(self) -> int | None:
        """Keep what has changed; when to look again."""
        row = self.row
        if self.window is not None:
            self.window.forget(self.now)
            row.used = self.window.text()
        row.next_at = self._next() if self.turns.filter(state__in=(WAITS, GIVEN)).exists() else None
        row.save(
            update_fields=["used", "clock", "paused_until", "paused_status", "next_at", "broken_at", "broken_reason"]
        )
        return row.next_at

    def _next(self) -> int:
        if self.row.broken_at is not None:
            # Whoever repairs it says so.
            return self.now + _NO_TIME_MS
        if self.row.paused_until is not None:
            return self.row.paused_until
        soon = self.now + _LOOK_MS
        if self.window is None or self.room():
            return soon
        return min(soon, max(self.window.room_at(1, self.now, self.under_way), self.now + 1))


def window_of(row: Budget) -> Window | None:
    """The calls of this budget that count; None where it says nothing of a period."""
    if row.calls is None or row.period_ms is None:
        return None
    return Window.read(row.calls, row.period_ms, row.used)


def _may_go(turns: QuerySet[BudgetTurn]) -> QuerySet[BudgetTurn]:
    """Those of these whose runs are neither over nor stopped."""
    return turns.filter(
        Exists(Run.objects.filter(pk=OuterRef("run_id"), finished_at__isnull=True, min_engine__lt=HELD))
    )


def tidy(connection_id: UUID) -> None:
    """Look after turns that nobody looks after: of calls whose process died, of turns that nobody took up, of runs that
    are over."""
    with commit("budget.turn"):
        row = Budget.objects.select_for_update().filter(pk=connection_id).first()
        if row is None:
            return
        now, turns, window = database_now(), BudgetTurn.objects.filter(connection_id=connection_id), window_of(row)
        holds = Run.objects.filter(
            pk=OuterRef("run_id"), lease_owner=OuterRef("owner"), lease_token=OuterRef("token"),
            lease_expires_at__gt=now,
        )  # fmt: skip
        lost = turns.filter(~Exists(holds), state=TAKEN, given_at__lt=now - _LOST_MS)
        if (count := lost.count()) and window is not None:
            window.add(now, count)
            row.used = window.text()
        lost.delete()
        open_runs = Run.objects.filter(
            pk=OuterRef("run_id"), generation=OuterRef("generation"), finished_at__isnull=True
        )
        turns.filter(~Exists(open_runs), state__in=(WAITS, GIVEN)).delete()
        waiting = StepRun.objects.filter(
            run_id=OuterRef("run_id"), node_id=OuterRef("node_id"), generation=OuterRef("generation"),
            status="waiting",
        )  # fmt: skip
        old = turns.filter(state=GIVEN, given_at__lt=now - _GIVEN_MS)
        # A later call asks anew when it wants to go: it may want to no more, and would keep all others waiting.
        old.filter(Q(place__gt=0) | ~Exists(waiting)).delete()
        # Whoever waits for it may have been too busy: it is the next again.
        old.update(state=WAITS, given_at=None, rank=row.clock)
        again = turns.filter(state=GIVEN, given_at__lt=now - _RING_AGAIN_MS).order_by("run_id")
        wake(list(again.values_list("run_id", flat=True).distinct()), now)
        row.save(update_fields=["used"])


def waiting(connection_ids: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """How many calls of each of these wait, and how many are under way."""
    rows = BudgetTurn.objects.filter(connection_id__in=list(connection_ids)).values("connection_id", "state")
    found: dict[UUID, tuple[int, int]] = {}
    for connection_id, state, count in rows.annotate(count=Count("id")).values_list("connection_id", "state", "count"):
        waits, under_way = found.get(connection_id, (0, 0))
        found[connection_id] = (waits + count, under_way) if state == WAITS else (waits, under_way + count)
    return found


__all__ += ["GIVEN", "MOST_PAUSE_MS", "TAKEN", "WAITS", "slice_ms", "waiting", "wake", "window_of"]

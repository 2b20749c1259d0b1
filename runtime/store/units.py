"""One batch of units on its way into the database: what to write, and what each unit's answer is.

Rows are built before they are sent; several units of one run go in rounds, in the order they were handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from runtime.contracts import RunTouched
from runtime.engine.state import TERMINAL
from runtime.store import acceptance, claims, failpoints, hanging, lease_statements, repeats, traced, trail, unit_rows
from runtime.store import statements as sql
from runtime.store.batches import INSERT_AMOUNTS, UPDATE_POSTED
from runtime.store.dialect import Link
from runtime.store.files import INSERT_FILES
from runtime.store.questions import CLOSE_TASKS, INSERT_TASKS
from runtime.store.readings import INSERT_KEYS, INSERT_PASSED_OVER, UPSERT_READINGS
from runtime.store.reads import ResponseRow, RunEnd
from runtime.store.records import Accepted, AcceptRun, Claimed, RunRow, RunWrite, StepWrite, Written
from runtime.store.run_fields import UPSERT_FIELDS, field_rows
from runtime.store.tickets import CancelPending, Fenced, PausePending, Ticket, Wanted, Work

__all__ = ["Batch", "CancelPending", "Fenced", "PausePending", "Ticket", "Work"]

_Rows = Callable[[], list[tuple[Any, ...]]]
_Claims = Callable[[], list[Claimed]]
#: A run's key, what shall be written of it, and who waits for that.
_Keyed = tuple[Any, RunWrite, Ticket]

_NO_STEP: Final = (None,) * len(StepWrite._fields)  # in place of a step where a unit has none


class Batch:
    """Tickets that share one transaction."""

    def __init__(
        self,
        link: Link,
        tickets: Sequence[Ticket],
        owner: str,
        *,
        in_one_go: bool = False,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.tickets = tickets
        self.leased: list[Claimed] = []
        self.free: list[UUID] = []
        #: Runs that ended or answered, with what their callers wait for where it is known.
        self.answered: list[tuple[UUID, RunEnd | None]] = []
        # How many leases this process holds: by what this batch changed, or as a renewal of all of them counted.
        self.held_more = 0
        self.held_now: int | None = None
        self._link = link
        self._owner = owner
        self._parked: list[Claimed] = []
        self._accepts: list[Ticket] = []
        self._writes: list[Ticket] = []
        self._claims: list[Ticket] = []
        self._renewals: list[Ticket] = []
        self._releases: list[Ticket] = []
        self._beside: list[AcceptRun] = []
        sorts = (self._accepts, self._writes, self._claims, self._renewals, self._releases)
        for ticket in tickets:
            ticket.result = ticket.error = None
            sorts[ticket.work].append(ticket)
        #: COMMIT follows at once, and what came of events and runs is known behind it: see `learn`.
        self._in_one_go = in_one_go
        #: To ask the database itself for the time may be a journey.
        self._clock = clock or link.now
        self._ended_at: dict[Any, int] = {}
        self._stored: _Rows | None = None
        self._advanced: list[tuple[list[_Keyed], _Rows]] = []
        self._claimed: list[tuple[list[Ticket], _Claims]] = []
        self._began = traced.begins()

    # --- names ------------------------------------------------------------------------------------------------

    def points(self) -> Collection[str]:
        """The commit points it passes; each unit's own while one is armed, which then counts units, not batches."""
        names = [name for ticket in self.tickets for name in ticket.points()]
        return names if failpoints.armed() else set(names)

    # --- writing ----------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Send everything and set each ticket's result or error. The caller holds the transaction."""
        if self._accepts and self._in_one_go:
            self._stored = self._link.batch_later(sql.ACCEPT, self._accept_rows(self._accepts))
        elif self._accepts:
            self._write_accepts()
        if self._renewals:
            self._write_renewals()
        for tickets in unit_rows.rounds(self._writes):
            self._write_round(tickets)
        if self._releases:
            self._write_releases()
        if self._claims:
            self._write_claims()
        if self._beside:
            self._write_beside()

    def look_up(self, link: Link) -> None:
        """After a COMMIT whose answer was lost: ask for what `learn` needs."""
        if self._stored is not None:
            events = link.batch(sql.STORED_EVENTS, [(link.key(ticket.unit.event.id),) for ticket in self._accepts])
            self._stored = lambda: events
        for number, (keyed, _) in enumerate(self._advanced):
            runs = link.batch(sql.READ_ADVANCED, [(run_key,) for run_key, _, _ in keyed])
            self._advanced[number] = keyed, lambda runs=runs: runs  # type: ignore[misc]
        for number, (tickets, _) in enumerate(self._claimed):
            claimed = claims.claimed_anyway(link, _wanted(tickets), tickets[0].unit.owner)
            self._claimed[number] = tickets, lambda claimed=claimed: claimed  # type: ignore[misc]

    def learn(self) -> list[Ticket]:
        """After a COMMIT that followed at once: take note of what was written. Returns the tickets of events that are
        not new, which are of no more concern to this batch."""
        if self._began:
            traced.committed(self._began, self.tickets)
        for keyed, found in self._advanced:
            self._note_advanced(keyed, found())
        for tickets, claimed in self._claimed:
            self._note_claimed(tickets, claimed())
        if self._stored is None:
            return []
        self._accepts, others = self._told_apart(self._stored(), self._accepts)
        for ticket in self._accepts:
            self._note_run(ticket)
        if others:
            known = set(map(id, others))
            self.tickets = [ticket for ticket in self.tickets if id(ticket) not in known]
        return others

    def touched(self) -> list[RunTouched]:
        """News for the live sink, once the commit took place."""
        news: list[RunTouched] = []
        for ticket in self._accepts:
            run: RunRow | None = ticket.unit.run
            if run is not None and ticket.error is None and not ticket.result.duplicate:
                news.append(RunTouched(run.id, run.workspace_id, run.workflow_id, 0, "accepted", True))
        for ticket in self._writes:
            if ticket.error is None:
                unit: RunWrite = ticket.unit
                news.append(
                    RunTouched(unit.run_id, unit.workspace_id, unit.workflow_id, ticket.result.seq, unit.status)
                )
        for one in self._parked:
            news.append(RunTouched(one.run_id, one.workspace_id, one.workflow_id, one.seq, one.status))
        return news

    def _write_beside(self) -> None:
        """What is committed with new events; last, for it waits for others who hold rows of runs."""
        for unit in self._beside:
            assert unit.beside is not None
            unit.beside.write(self._link.query, {"id": None if unit.run is None else str(unit.run.id)})

    # --- events and runs --------------------------------------------------------------------------------------

    def _write_accepts(self) -> None:
        fresh, repeated = self._insert(self._accepts)
        for ticket in fresh:
            self._note_run(ticket)
        if repeated:
            for ticket in repeats.write(self._link, repeated, self._insert):
                self._note_run(ticket)

    def _insert(self, tickets: list[Ticket]) -> tuple[list[Ticket], list[Ticket]]:
        """Insert the events of these tickets, and their runs; those whose events are new, and the others."""
        link = self._link
        if link.far is not None:
            return self._told_apart(link.batch(sql.ACCEPT, self._accept_rows(tickets)), tickets)
        key = link.key
        units = sorted((ticket.unit for ticket in tickets), key=acceptance.dedupe_key)
        events = [acceptance.event_row(key, unit) for unit in units]
        runs = [acceptance.run_row(key, unit) for unit in units if unit.run is not None]
        if link.count(sql.INSERT_EVENTS, events) == len(events):
            link.batch(sql.INSERT_RUNS, runs)
            return tickets, []
        fresh = link.batch(sql.FRESH_EVENTS, [(event[0],) for event in events])
        stored = {row[0] for row in fresh}
        link.batch(sql.INSERT_RUNS, [run for run in runs if run[4] in stored])
        return self._told_apart(fresh, tickets)

    def _told_apart(self, rows: list[tuple[Any, ...]], tickets: list[Ticket]) -> tuple[list[Ticket], list[Ticket]]:
        """Those of these tickets whose events are in these rows, and the others."""
        stored = {row[0] for row in rows}
        fresh: list[Ticket] = []
        repeated: list[Ticket] = []
        for ticket in tickets:
            (fresh if self._link.key(ticket.unit.event.id) in stored else repeated).append(ticket)
        return fresh, repeated

    def _accept_rows(self, tickets: list[Ticket]) -> list[tuple[Any, ...]]:
        """Rows for PostgreSQL: each event with its run."""
        key = self._link.key
        units = sorted((ticket.unit for ticket in tickets), key=acceptance.dedupe_key)
        return [
            (
                *acceptance.event_row(key, unit),
                *(acceptance.NO_RUN if unit.run is None else acceptance.run_row(key, unit)),
            )
            for unit in units
        ]

    def _note_run(self, ticket: Ticket) -> None:
        unit: AcceptRun = ticket.unit
        run = unit.run
        if unit.beside is not None:
            self._beside.append(unit)
        if run is None:
            ticket.result = Accepted(unit.event.id, None)
            return
        ticket.result = Accepted(unit.event.id, run.id)
        if run.lease_owner is None:
            self.free.append(run.id)
        elif run.lease_owner == self._owner:
            self.held_more += 1
            self.leased.append(acceptance.leased(unit, run))

    # --- engine transactions ----------------------------------------------------------------------------------

    def _write_round(self, tickets: list[Ticket]) -> None:
        """At most one unit a run: the fence and the run rows in one statement, then what hangs on them."""
        key = self._link.key
        keyed: list[_Keyed] = [(key(ticket.unit.run_id), ticket.unit, ticket) for ticket in tickets]
        keyed.sort(key=unit_rows.first)
        rows = [self._run_row(run_key, unit) for run_key, unit, _ in keyed]
        if self._in_one_go:
            # One step goes along with its run; there are seldom more.
            further: list[tuple[Any, ...]] = []
            for number, (run_key, unit, _) in enumerate(keyed):
                first, *others = unit_rows.steps_of(unit) or (_NO_STEP,)
                rows[number] += (unit.seq, *first)
                further += [(run_key, *step, unit.token) for step in others]
            self._advanced.append((keyed, self._link.batch_later(sql.ADVANCE_ALL, rows)))
            if further:
                self._link.batch(sql.FURTHER_STEPS, further)
        else:
            keyed = self._note_advanced(keyed, self._link.batch(sql.ADVANCE_RUNS, rows))
            steps = [
                (run_key, *step[:13], ticket.result.seq, *step[13:], unit.token)
                for run_key, unit, ticket in keyed
                for step in unit_rows.steps_of(unit)
            ]
            self._link.batch(sql.UPSERT_STEPS, steps)
        self._write_what_hangs_on(keyed)

    def _run_row(self, run_key: Any, unit: RunWrite) -> tuple[Any, ...]:
        """The row of `ADVANCE_RUNS`."""
        ended = unit.status in TERMINAL
        if ended:
            self._ended_at[run_key] = unit.finished_at or self._clock()
        return (
            run_key,
            unit.token,
            unit.status,
            unit.outcome,
            unit.error,
            unit.waiting,
            unit.business_key,
            unit.started_at,
            self._ended_at[run_key] if ended else None,
            unit.wake_at,
            unit.generation,
            1 if ended or unit.release else 0,
            1 if unit.progress else 0,
            unit.unless,
            None if unit.plain else trail.change_of(unit),
        )

    def _note_advanced(self, keyed: list[_Keyed], found: list[tuple[Any, ...]]) -> list[_Keyed]:
        """Take note of the runs that were advanced, and of why the others were not; returns the former."""
        written = {row[0]: row for row in found}
        advanced: list[_Keyed] = []
        refused: list[_Keyed] = []
        for entry in keyed:
            run_key, unit, ticket = entry
            row = written.get(run_key)
            if row is None:
                refused.append(entry)
                continue
            advanced.append(entry)
            ticket.result = Written(unit.run_id, *row[1:4])
            ended = unit.status in TERMINAL
            if ended or unit.release:
                self.held_more -= 1
            if ended or unit.response is not None:
                self.answered.append((unit.run_id, _end_of(unit, self._ended_at.get(run_key))))
        if refused:
            self._explain(refused)
        return advanced

    def _write_what_hangs_on(self, keyed: list[_Keyed]) -> None:
        attempts: list[tuple[Any, ...]] = []
        timers: list[tuple[Any, ...]] = []
        cleared: list[tuple[Any, ...]] = []
        responses: list[tuple[Any, ...]] = []
        dead: list[tuple[Any, ...]] = []
        tasks: list[tuple[Any, ...]] = []
        closed: list[tuple[Any, ...]] = []
        children: list[tuple[Any, ...]] = []
        waits: list[tuple[Any, ...]] = []
        over: list[tuple[Any, ...]] = []
        readings: list[tuple[Any, ...]] = []
        keys: list[tuple[Any, ...]] = []
        passed_over: list[tuple[Any, ...]] = []
        files: list[tuple[Any, ...]] = []
        amounts: list[tuple[Any, ...]] = []
        posted: list[tuple[Any, ...]] = []
        fields: list[tuple[Any, ...]] = []
        for run_key, unit, _ in keyed:
            if unit.attempts:
                attempts += hanging.attempt_rows(run_key, unit)
            for clear in unit.cleared:
                cleared.append((run_key, clear.node_id, clear.generation, clear.kind))
            for timer in unit.timers:
                timers.append((run_key, timer.node_id, timer.generation, timer.kind, timer.due_at))
            if unit.response is not None:
                responses.append((run_key, unit.response.status, unit.response.headers, unit.response.body))
            if unit.dead_letter is not None:
                ids = self._link.key(unit.workspace_id), self._link.key(unit.workflow_id)
                dead.append((run_key, unit.generation, *ids, *unit.dead_letter))
            if unit.tasks:
                ids = self._link.key(unit.workspace_id), self._link.key(unit.workflow_id)
                tasks += [(self._link.key(task.id), *ids, run_key, *task[1:]) for task in unit.tasks]
            closed += [(run_key, *one) for one in unit.closed]
            if unit.children:
                children += self._child_rows(run_key, unit)
            for reading in unit.readings:
                readings.append((run_key, *reading[:4]))
                keys += hanging.key_rows(self._link.key, run_key, unit, reading)
                passed_over += hanging.passed_over_rows(self._link.key, run_key, reading)
            if unit.waits:
                waits += hanging.wait_rows(self._link.key, run_key, unit)
            if unit.files:
                files += hanging.file_rows(self._link.key, run_key, unit)
            amounts += [(run_key, *one) for one in unit.amounts]
            if unit.posted is not None:
                posted.append((self._link.key(unit.posted.run_id), *unit.posted[1:]))
            if unit.worths:
                fields += field_rows(self._link.key, run_key, unit)
            if unit.waits_over:
                over += [(run_key, *wait) for wait in unit.waits_over]
        for statement, rows in (
            (sql.UPSERT_ATTEMPTS, attempts),
            (sql.CLEAR_TIMERS, cleared),
            (sql.UPSERT_TIMERS, timers),
            (sql.INSERT_RESPONSES, responses),
            (sql.INSERT_DEAD_LETTERS, dead),
            (CLOSE_TASKS, closed),
            # Before the questions, which read there what their runs are worth.
            (UPSERT_FIELDS, fields),
            (INSERT_TASKS, tasks),
            (sql.INSERT_CHILDREN, children),
            (sql.CLOSE_WAITS, over),
            (sql.INSERT_WAITS, waits),
            (UPSERT_READINGS, readings),
            (INSERT_KEYS, keys),
            (INSERT_PASSED_OVER, passed_over),
            (INSERT_FILES, files),
            (INSERT_AMOUNTS, amounts),
            (UPDATE_POSTED, posted),
        ):
            if rows:
                self._link.batch(statement, rows)

    def _child_rows(self, run_key: Any, unit: RunWrite) -> Iterable[tuple[Any, ...]]:
        key, workspace = self._link.key, self._link.key(unit.workspace_id)
        for child in unit.children:
            leased = child.lease_owner is not None
            if leased:
                self.held_more += 1
            elif not child.delay_ms:
                self.free.append(child.id)
            ids = key(child.id), key(child.workflow_id), key(child.version_id)
            yield run_key, workspace, *ids, *child[3:11], int(child.detached), child.lease_owner, int(leased)

    def _explain(self, refused: list[_Keyed]) -> None:
        """Tell a lost lease from a cancel or a pause that came first."""
        tokens = {row[0]: row for row in self._link.batch(sql.READ_FENCES, [(entry[0],) for entry in refused])}
        for run_key, unit, ticket in refused:
            row = tokens.get(run_key)
            held = row is not None and row[1] == unit.token and row[3] is None
            if held and row is not None and unit.unless & sql.UNLESS_CANCELLED and row[2] is not None:
                ticket.error = CancelPending(unit.run_id)
            elif held and row is not None and unit.unless & sql.UNLESS_PAUSED and row[4] is not None:
                ticket.error = PausePending(unit.run_id)
            else:
                ticket.error = Fenced(unit.run_id)

    # --- leases -----------------------------------------------------------------------------------------------

    def _write_renewals(self) -> None:
        key = self._link.key
        wanted = {(key(run_id), token) for ticket in self._renewals for run_id, token in ticket.unit}
        kept = {row[0] for row in self._link.batch(lease_statements.RENEW_LEASES, sorted(wanted))}
        for ticket in self._renewals:
            ticket.result = {run_id for run_id, _ in ticket.unit if key(run_id) not in kept}
        self.held_now = len(kept)

    def _write_releases(self) -> None:
        key = self._link.key
        rows = {
            (key(run_id), token): (key(run_id), token, wake_at, 1 if counts else 0)
            for leases, wake_at, counts in (ticket.unit for ticket in self._releases)
            for run_id, token in leases
        }
        released = self._link.batch(lease_statements.RELEASE_LEASES, [rows[name] for name in sorted(rows)])
        self.held_more -= len(released)
        self.free.extend(self._link.unkey(row[0]) for row in released)

    def _write_claims(self) -> None:
        named: dict[str, list[Ticket]] = {}
        for ticket in self._claims:
            wanted: Wanted = ticket.unit
            if wanted.run_ids is None:
                if wanted.held:
                    held = sorted((self._link.key(run_id), token) for run_id, token in wanted.held)
                    self._link.batch(lease_statements.KEEP_LAPSED, held)
                ticket.result, parked = claims.claim_some(self._link, wanted)
                self.held_more += len(ticket.result)
                self._parked.extend(parked)
            else:
                named.setdefault(wanted.owner, []).append(ticket)
        far = self._link.far
        for owner, tickets in named.items():
            if self._in_one_go and far is not None:
                self._claimed.append((tickets, claims.claim_later(far, _wanted(tickets), owner)))
                continue
            claimed, parked = claims.claim_these(self._link, _wanted(tickets), owner)
            self._parked.extend(parked)
            self._note_claimed(tickets, claimed)

    def _note_claimed(self, tickets: list[Ticket], claimed: list[Claimed]) -> None:
        self.held_more += len(claimed)
        by_id = {one.run_id: one for one in claimed}
        for ticket in tickets:
            # The first who asked for a run gets it.
            ticket.result = [by_id.pop(run_id) for run_id in ticket.unit.run_ids if run_id in by_id]


def _wanted(tickets: list[Ticket]) -> list[UUID]:
    """The runs that these claims name."""
    return [run_id for ticket in tickets for run_id in ticket.unit.run_ids]


def _end_of(unit: RunWrite, finished_at: int | None) -> RunEnd | None:
    """What the run's callers wait for; None where an earlier unit may have brought it."""
    if unit.may_have_answered:
        return None
    made = unit.response
    response = None if made is None else ResponseRow(made.status, made.headers, made.body)
    return RunEnd(unit.status, unit.outcome, finished_at, response)

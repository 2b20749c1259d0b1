"""The shell around the engine: one run under one lease, driven until it ends, waits, or is taken away.

    loop:  what happened → engine.advance → rows and commands → one commit → carry out the commands → what happened

Nothing is carried out before the state that asks for it is durable, and nothing is remembered that a reload would not
find. An effect's intent shares the commit of the result that led to it (I9); a pure step has no row before its result.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Final, assert_never
from uuid import UUID

from runtime.engine.advance import advance
from runtime.engine.change import timer_kind
from runtime.engine.commands import ClearTimer, Command, Execute, FinishRun, PassThrough, SetTimer
from runtime.engine.facts import (
    CancelRequested,
    Fact,
    StepStarted,
    TimerFired,
)
from runtime.engine.jsonprofile import dumps
from runtime.engine.state import DECIDED, RunState, RunStatus, StepError, StepStatus
from runtime.interpreter import (
    beginning,
    doubts,
    keeping,
    lookups,
    outputs,
    own_runs,
    people,
    preparing,
    settling,
    signals,
    traced,
    turns,
    units,
)
from runtime.interpreter.attempts import call_inline, failed, fits
from runtime.interpreter.loading import Loaded
from runtime.interpreter.looking import which_look
from runtime.interpreter.outcomes import Cut, Done, Ending
from runtime.interpreter.records import Asked, Record, Told, Unit
from runtime.interpreter.shell import Shell
from runtime.interpreter.versions import Unsupported, Version
from runtime.interpreter.waiting import due_nodes, is_active, next_due, sooner
from runtime.sdk import EffectClass
from runtime.store.reads import AnswerRow
from runtime.store.records import AttemptWrite, Claimed
from runtime.store.units import CancelPending, PausePending

#: A wait shorter than this keeps its lease: letting go and claiming again would cost more.
HOLD_MS: Final = 1_000
#: What the infrastructure cut off, or could not keep, is tried again this much later.
AGAIN_SECONDS: Final = 1.0

# Looking a member up on its class costs more than comparing it.
_ACCEPTED: Final = RunStatus.ACCEPTED
_RUNNING: Final = RunStatus.RUNNING
_COMPENSATING: Final = RunStatus.COMPENSATING
_PURE: Final = EffectClass.PURE
_ASKED_ABOUT: Final = frozenset({CancelRequested, TimerFired})
_OPEN: Final = frozenset({StepStatus.READY, StepStatus.RUNNING})


class Driver:
    """Drives one claimed run. Make one for each claim; `drive` once."""

    def __init__(self, shell: Shell, version: Version, claimed: Claimed, loaded: Loaded) -> None:
        self.shell = shell
        self.version = version
        #: The version's, with what only this run knows.
        self.graph = loaded.knowing(version.graph)
        self.claimed = claimed
        self.event = loaded.event
        self.state: RunState = loaded.state
        #: The state as committed; equal to `state` between commits.
        self.base: RunState = loaded.state
        self.records = loaded.records
        self.since = shell.now_ms()
        self.started_at = claimed.started_at or self.since
        self.values = outputs.Values(version, claimed, loaded, self.started_at)
        if version.linked:
            self.values.know_links(signals.links_of(self))
        self.business_key: str | None = None
        self.commit_seq = loaded.commit_seq
        #: The run's seq as committed: while the lease lasts, nobody else raises it.
        self.seq = claimed.seq
        self.unit = Unit()
        self.intents = loaded.intents
        #: Attempts of which it is being looked up whether they happened.
        self.looking = loaded.looking
        #: What became of intents without a result, until that is committed.
        self.resolved: tuple[AttemptWrite, ...] = ()
        #: Keys that attempts of an earlier generation were made with; see `Loaded`.
        self.keys = loaded.keys
        #: Undo steps that an earlier generation called, or may have called, with what and under which key.
        self.lost_calls = loaded.lost_calls
        #: Steps of which an attempt may have happened without an answer.
        self.lost, self.unsure = loaded.lost, loaded.unsure
        #: How many keys of each step a definite refusal has used up (I11).
        self.epochs = loaded.epochs
        self.decided = loaded.decided
        self.answers = loaded.answers
        self.is_further = claimed.generation > 1
        #: An earlier commit, perhaps another driver's, may have brought the run's answer.
        self.may_have_answered = bool(loaded.state.steps)
        self.told: deque[Told] = deque()
        self._starting: list[Asked] = []
        #: Attempts that could not be made ready because the store was away (I19).
        self._postponed: list[Execute] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._waker: asyncio.Future[None] | None = None
        self._over = False
        #: Steps wait for links or events, and nobody has looked yet whether those have come before.
        self._looks = signals.any_waits(self.state)
        #: Somebody paused the run: what has begun may end, nothing begins (I41).
        self._paused = False
        self._unsupported: Unsupported | None = None
        self.fault = loaded.fault
        #: Steps that wait for runs of their own.
        self.fans: dict[str, own_runs.Fan] = own_runs.found(loaded.state, loaded.records)
        #: The run that has begun this one.
        self.parent = None if loaded.outer is None else loaded.outer.parent_run
        self.place = 0 if loaded.outer is None else loaded.outer.index
        self.counts_from = signals.counts_from(claimed, loaded.outer, self.graph)
        self._letting_go = False
        #: Turns at connections whose calls are limited, by step: which connection, which turn, when the call was sent.
        self.turns: dict[str, tuple[UUID, UUID, int | None]] = {}

    # --- from outside ---------------------------------------------------------------------------------------------

    def cancel_seen(self) -> None:
        """Somebody cancelled the run; honoured at the next step boundary (I28)."""
        state = self.state
        known = state.cancel_requested and (state.undo_requested or not self.graph.undone_by)
        if not known and not self._over and state.status is not _COMPENSATING:
            self._tell(Told(self.shell.now_ms(), fact=CancelRequested(self.shell.now_ms())))

    def pause_seen(self) -> None:
        """Somebody paused the run: the lease goes back at the next step boundary."""
        self._paused = True
        self.wake()

    @property
    def stops(self) -> bool:
        """Whether nothing may begin here any more: the process stops, or the run is paused."""
        return self._paused or self.shell.stopping

    @property
    def asks_people(self) -> bool:
        return any(people.waits_for_people(step) or signals.waits(step) for step in self.state.steps.values())

    def answers_seen(self, answers: list[AnswerRow]) -> None:
        """People answered, while other branches of the run are busy here."""
        for answer in answers:
            if not self._over and people.is_waited_for(self.state, answer):
                self._tell(Told(self.shell.now_ms(), answer=answer))

    def call_ended(self, node: str, error: StepError | None) -> None:
        """What this step has called has answered, or has not."""
        turns.ended(self, node, self.shell.now_ms(), error)

    @property
    def is_leaving(self) -> bool:
        """Whether it looks at nothing any more."""
        return self._over or self._letting_go

    def wake(self) -> None:
        """Look up: the process is stopping."""
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)

    async def drive(self) -> None:
        """Advance the run until it ends, is handed back, or the lease is lost (then `Fenced` is raised)."""
        turn = traced.begin_turn(self)
        try:
            beginning.begin_with(self)
            await self._loop()
            if self.parent is not None and self.state.status.is_terminal:
                await own_runs.knock(self)
        finally:
            for task in self.tasks.values():
                task.cancel()
            turns.let_all_go(self)
            if turn is not None:
                traced.end_turn(self, turn)

    # --- the loop -------------------------------------------------------------------------------------------------

    async def _loop(self) -> None:
        while True:
            while self.told or self.unit.asked:
                if self.told:
                    told = self.told.popleft()
                    if type(told.fact) in _ASKED_ABOUT:
                        told = await lookups.with_what_is_stored(self, told)
                    elif self.state.cancel_requested:
                        await lookups.hear_of_undo(self)
                    self.unit.told.append(told)
                    settling.take_in(self, told)
                if self.unit.asked and not self.told:
                    # Attempts that cannot even begin tell so before the commit.
                    for asked in self._sorted_out():
                        await self._prepare(asked)
            if self.fans and await own_runs.look(self):
                continue
            if self.unit.dirty and not self._begins_inline():
                await self._commit()
                if self._over:
                    return
                if self.shell.reloads and not self.tasks and all(asked.inline for asked in self._starting):
                    self._letting_go = True
                    await self.shell.write(units.handed_back(self))
                    return
            starting, self._starting = self._starting, []
            for asked in starting:
                if asked.inline:
                    if not self._run_at_once(asked):
                        await self._run_at_length(asked)
                else:  # also where a pause has been heard of since: that it begins was committed before
                    self.tasks[asked.step.node.id] = self.shell.task(self, self._attempt(asked))
            if self.told or self.unit.asked or own_runs.is_due(self) or doubts.end_what_was_cut_off(self):
                continue
            if self._looks:
                self._looks = False
                self.answers_seen(await lookups.come_already(self))
                continue
            idle = not self.tasks and (not self._postponed or self.stops)
            if idle and await self._let_go():
                return
            await self._wait()

    async def _let_go(self) -> bool:
        """Whether there is nothing left to do here and now, so that the lease went back."""
        if self._unsupported is not None:
            await self.shell.write(units.parked(self, self._unsupported))
        elif self.stops:
            await self.shell.write(units.handed_back(self))
        elif not self._waits_shortly():
            # An early nudge: the lease goes back as it came.
            self._letting_go = True
            try:
                await self.shell.write(units.let_go(self, self.wake_at()))
            except CancelPending:
                self._letting_go = False
                self.cancel_seen()
                return False
        else:
            return False
        return True

    def _begins_inline(self) -> bool:
        """The start has only been asked for: its result, which costs nothing, shares the first commit."""
        return (
            self.base.status is _ACCEPTED
            and not self._over
            and bool(self._starting)
            and all(
                asked.inline and (asked.step.node.is_trigger or self.graph.container is not None)
                for asked in self._starting
            )
        )

    async def _wait(self) -> None:
        if own_runs.is_due(self):
            return
        now = self.shell.now_ms()
        due = None if self.stops else self._until()
        if self._postponed:
            due = sooner(due, now + int(AGAIN_SECONDS * 1000))
        self._waker = asyncio.get_running_loop().create_future()
        try:
            if due is None:
                await self._waker
            else:
                async with asyncio.timeout(max(0, due - now) / 1000 + 0.002):
                    await self._waker
        except TimeoutError:
            now = self.shell.now_ms()
            self.told.extend(Told(now, fact=TimerFired(node, now)) for node in due_nodes(self.state, now))
            self.unit.asked.extend(self._postponed)
            self._postponed.clear()
            own_runs.stir(self)
        finally:
            self._waker = None

    def _waits_shortly(self) -> bool:
        due = self._until()
        return due is not None and due - self.shell.now_ms() <= HOLD_MS

    def _until(self) -> int | None:
        """When to look up at the latest."""
        held = own_runs.held_until(self) if self.fans else None
        return min((at for at in (next_due(self.state), held) if at is not None), default=None)

    def wake_at(self) -> int | None:
        """When somebody should look at the run again, if it is let go now."""
        return sooner(next_due(self.state), own_runs.next_look(self) if self.fans else None)

    def _tell(self, told: Told) -> None:
        self.told.append(told)
        self.wake()

    # --- what happened --------------------------------------------------------------------------------------------

    def apply(self, fact: Fact) -> None:
        before = self.state
        self.state, commands = advance(self.graph, before, fact)
        if self.state is before and not commands:
            return
        self.unit.dirty = True
        self.unit.changed += self.state.changed
        if type(fact) is TimerFired and (fired := before.step(fact.node)) is not None:
            self.unit.cleared += (units.cleared(self, fact.node, timer_kind(fired)),)
        units.name_points(self.unit.names, self.version.graph, fact, commands, self.state)
        for command in commands:
            self._obey(command)

    def _obey(self, command: Command) -> None:
        match command:
            case Execute():
                self.unit.asked.append(command)
            case PassThrough():
                value = self.values.of_node(command.source)
                self.values.put(self.version.graph.by_id[command.node], value)
                self.records.setdefault(command.node, Record()).output = dumps(value)
            case SetTimer():
                self.unit.timers += (units.timer(self, command),)
            case ClearTimer():
                self.unit.cleared += (units.cleared(self, command.node, command.kind),)
            case FinishRun():
                self._over = True
            case _:
                assert_never(command)

    # --- attempts -------------------------------------------------------------------------------------------------

    def _sorted_out(self) -> list[Asked]:
        """What was asked for and may begin: cheap attempts wait for the coming commit; returned are those that have to
        be prepared for it."""
        asked_for, self.unit.asked = self.unit.asked, []
        if self._over or self.state.ending is not None or self.stops:
            return []
        to_prepare: list[Asked] = []
        for command in asked_for:
            state = self.state.step(command.node)
            if state is None or state.status not in _OPEN or state.attempt != command.attempt:
                continue
            try:
                step = self.version.step(command.node)
            except Unsupported as unsupported:
                self._unsupported = unsupported
                continue
            asked = Asked(step, command.attempt, None, None, "", 0, "", self.claimed.generation)  # begins later
            if step.inline and not preparing.is_heavy(step, self.event) and not preparing.is_given(self, command.node):
                self._starting.append(asked)
            else:
                asked.inline = False
                to_prepare.append(asked)
        return to_prepare

    async def _prepare(self, asked: Asked) -> None:
        """Work out what an attempt needs; the intent of an effect joins the coming commit."""
        step, node_id = asked.step, asked.step.node.id
        asked.at = self.shell.now_ms()
        try:
            await preparing.resolve(self, asked, self._first_started_at(asked))
            if not await turns.may_begin(self, asked):
                return
        except Exception as error:
            self._note(asked, failed(error, None, step))
            return
        asked.at = self.shell.now_ms()
        self.apply(StepStarted(node_id, asked.attempt, asked.at, units.begun_before(self, asked)))
        begun = self.state.step(node_id)
        if begun is None or begun.status is not StepStatus.RUNNING:
            return
        self.records.setdefault(node_id, Record()).input = asked.input_text
        asked.looks = which_look(self, node_id)
        if step.writes and not asked.looks:
            asked.earlier = self.intents.pop(node_id, None)
            self.unit.attempts += (units.attempt_intent(self, asked),)
            self.unit.names["comp.intent" if node_id in self.version.graph.undoes else "step.intent"] = None
            self.unit.dirty = True
        self._starting.append(asked)

    def _run_at_once(self, asked: Asked) -> bool:
        """Carry out a cheap attempt that may now happen; False where something has to be read or put aside for it."""
        step = asked.step
        state = self.state.step(step.node.id)
        if state is None or state.status not in _OPEN or self.stops:
            return True
        asked.at = self.shell.now_ms()
        try:
            if not preparing.resolve_at_once(self, asked, state.first_started_at or asked.at):
                return False
            ending = call_inline(step, asked.config, asked.step_input, self.shell.context(self, asked))
        except Exception as error:
            ending = failed(error, None, step)
        if not fits(ending):
            asked.ending = ending
            return False
        # What succeeds at once, and touches nothing, takes no time.
        timeless = type(ending) is Done and step.effect is _PURE
        self._note(asked, ending, asked.at if timeless else None)
        return True

    async def _run_at_length(self, asked: Asked) -> None:
        """What `_run_at_once` left undone: to read what the attempt needs, or to put aside what it gave."""
        step = asked.step
        try:
            if (ending := asked.ending) is None:
                await preparing.resolve(self, asked, self._first_started_at(asked))
                ending = call_inline(step, asked.config, asked.step_input, self.shell.context(self, asked))
            ending = await keeping.put_aside(self, ending, step)
        except Exception as error:
            ending = failed(error, None, step)
        self._note(asked, ending)

    def _first_started_at(self, asked: Asked) -> int:
        """When the first attempt at this step began, which may be this one."""
        state = self.state.step(asked.step.node.id)
        return asked.at if state is None else state.first_started_at or asked.at

    def _note(self, asked: Asked, ending: Ending, at: int | None = None) -> None:
        """Tell of an attempt that cost nothing yet; one for which the store had no room begins a little later."""
        traced.made(self, asked, ending)
        if isinstance(ending, Cut):
            # What was told before is committed meanwhile: it does not wait for room that this step needs.
            self._postponed.append(Execute(asked.step.node.id, asked.attempt))
        else:
            self.told.append(Told(at or self.shell.now_ms(), random.random(), None, asked, ending))

    async def _attempt(self, asked: Asked) -> None:
        try:
            ending = await turns.calling(self, asked)
            if isinstance(ending, Cut):
                await asyncio.sleep(AGAIN_SECONDS)
            kept = await keeping.put_aside_at_length(self, ending, asked.step)
        except Exception as error:
            kept = failed(error, None, asked.step)
        finally:
            self.tasks.pop(asked.step.node.id, None)
        if kept is None:
            self.wake()
        else:
            self._tell(Told(self.shell.now_ms(), random.random(), None, asked, kept))

    # --- the commit -----------------------------------------------------------------------------------------------

    async def _commit(self) -> None:
        under_way = self.tasks or self._starting or self._postponed
        waits = not self._over and not under_way and self._unsupported is None
        # What has come before a wait is looked for under the lease.
        rests = waits and not self.unit.waits and not own_runs.is_due(self)
        release = rests and not self._waits_shortly() and not is_active(self.state)
        self._letting_go = release
        tries = any(not asked.inline for asked in self._starting)
        unit = units.run_write(self, release=release, waits=waits, tries=tries)
        try:
            written = await self.shell.write(unit)
            own_runs.set_out(self, unit)
        except CancelPending:
            self._letting_go = False
            self._do_over(units.told_with_cancel(self.unit.told, self.shell.now_ms(), ends=self._over))
            return
        except PausePending:
            self._letting_go, self._paused = False, True
            self._do_over(units.told_while_paused(self.base, self.unit.told))
            return
        self.base, self.seq = self.state, written.seq
        self.may_have_answered = self.may_have_answered or self.unit.response is not None
        self._looks = self._looks or bool(self.unit.waits)
        self.unit, self.resolved = Unit(), ()
        for node in tuple(self.records):
            if (step := self.state.step(node)) is not None and step.status in DECIDED:
                del self.records[node]
        if release:
            self._over = True
            return
        if written.cancel_requested_at is not None:
            self.cancel_seen()
        if written.paused_at is not None:
            self.pause_seen()

    def _do_over(self, told: list[Told]) -> None:
        """A cancel or a pause came before this commit: what happened stands, what would have begun does not."""
        for asked in self._starting:
            turns.not_begun(self, asked.step.node.id)
            if asked.earlier is not None:
                self.intents[asked.step.node.id] = asked.earlier
        self.told.extendleft(reversed(told))
        self.state, self.unit, self._starting, self._postponed = self.base, Unit(attempts=self.resolved), [], []
        self._over = False
        self.fans = {} if not self.fans else own_runs.found(self.base, self.records)

"""Facts that a driver hears of from elsewhere, and what the database has to say to them first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final
from uuid import UUID

from runtime.contracts import StoreUnavailable
from runtime.engine.facts import CancelRequested, TimerFired
from runtime.engine.state import RunStatus
from runtime.interpreter import people, signals
from runtime.interpreter.records import Told
from runtime.store import reads
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanTask, Run
from runtime.store.reads import AnswerRow

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

_AGAIN_SECONDS: Final = 1.0


async def with_what_is_stored(driver: Driver, told: Told) -> Told:
    """Whether a cancel asks for undo; and whether people were quicker than the time that they had (I13). However long
    there is no database to say so (I19)."""
    while True:
        try:
            return await _looked_up(driver, told)
        except StoreUnavailable:
            await asyncio.sleep(_AGAIN_SECONDS)


async def come_already(driver: Driver) -> list[AnswerRow]:
    """What moves steps on that have just begun to wait for a link or an event."""
    run_id = driver.claimed.run_id
    while not driver.shell.stopping:
        try:
            return await driver.shell.ask(lambda: signals.come_already(run_id))
        except StoreUnavailable:
            await asyncio.sleep(_AGAIN_SECONDS)
    return []


async def hear_of_undo(driver: Driver) -> None:
    """Before a run that was cancelled comes to its end: whether somebody has asked for undo since."""
    state, graph = driver.state, driver.graph
    if state.undo_requested or not graph.undone_by or state.status is RunStatus.COMPENSATING:
        return
    told = await with_what_is_stored(driver, Told(now := driver.shell.now_ms(), fact=CancelRequested(now)))
    if isinstance(told.fact, CancelRequested) and told.fact.undo:
        driver.unit.told.append(told)
        driver.apply(told.fact)


async def _looked_up(driver: Driver, told: Told) -> Told:
    fact, run_id = told.fact, driver.claimed.run_id
    if isinstance(fact, CancelRequested):
        undo = bool(driver.graph.undone_by) and await driver.shell.ask(lambda: wants_undo(run_id))
        return Told(told.at, fact=CancelRequested(fact.at, undo))
    assert isinstance(fact, TimerFired)
    node, step = fact.node, driver.state.step(fact.node)
    if step is None or step.due_at is None or step.due_at > fact.at:
        return told
    generation, attempt = driver.state.generation, step.attempt
    if signals.waits(step):
        came = await driver.shell.ask(lambda: signals.too_late(run_id, node, generation))
        return told if came is None else Told(told.at, answer=came)
    if not people.waits_for_people(step):
        return told
    answer = await driver.shell.ask(lambda: too_late(run_id, node, generation, attempt))
    return told if answer is None else Told(told.at, answer=answer)


def wants_undo(run_id: UUID) -> bool:
    """Whether whoever cancelled the run wants undone what it did."""
    return Run.objects.filter(id=run_id, cancel_undo=True).exists()


def too_late(run_id: UUID, node_id: str, generation: int, attempt: int) -> AnswerRow | None:
    """Let nobody answer any more; returns the answer of whoever was quicker."""
    asked = HumanTask.objects.filter(run_id=run_id, node_id=node_id, generation=generation, attempt=attempt)
    with commit("human.late"):
        asked.filter(status="open").update(status="late", closed_at=database_now())
    wanted = node_id, generation, attempt
    given = reads.answers([run_id]).get(run_id, ())
    return next((row for row in given if (row.node_id, row.generation, row.attempt) == wanted), None)

"""Effects of which nobody knows whether they happened: what becomes of them, and what undo has to know of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from runtime.engine import replay
from runtime.engine.facts import FailRequested, StepInterrupted
from runtime.engine.state import StepError, StepStatus
from runtime.interpreter import units
from runtime.interpreter.outcomes import Failed
from runtime.interpreter.records import Asked, Told
from runtime.interpreter.rows import error_of
from runtime.interpreter.settling import MAY_REPEAT
from runtime.sdk import EffectClass
from runtime.store.reads import AttemptRow

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver


def resolve(driver: Driver, now: int) -> set[str]:
    """Intents without a result whose effect must not be repeated unasked: recorded, and the step goes no further."""
    found: set[str] = set()
    for node, intent in driver.intents.items():
        if EffectClass(intent.effect_class) in MAY_REPEAT:
            continue
        found.add(node)
        error = units.in_doubt_error(driver.version.graph.by_id[node].name)
        driver.unit.attempts += (units.attempt_in_doubt(driver, intent, error, now),)
        driver.commit_seq += 1
        driver.told.append(Told(now, fact=FailRequested(node, error, now, driver.commit_seq)))
    return found


def end_what_was_cut_off(driver: Driver) -> bool:
    """A run that is bound to end does not wait for attempts that a crash, or a cancel before its start, cut off."""
    state = driver.state
    if state.ending is None or state.status.is_terminal:
        return False
    now = driver.shell.now_ms()
    for key, step in state.steps.items():
        if step.status is StepStatus.RUNNING and key.generation == state.generation:
            if key.node in driver.tasks:
                continue
            intent = driver.intents.pop(key.node, None)
            if intent is not None:
                error = units.in_doubt_error(driver.version.graph.by_id[key.node].name)
                driver.unit.attempts += (units.attempt_in_doubt(driver, intent, error, now),)
            driver.told.append(Told(now, fact=StepInterrupted(key.node, step.attempt, now)))
    return bool(driver.told)


def weighed(driver: Driver, asked: Asked, ending: Failed) -> StepError:
    """The error of an attempt that failed, saying whether the step may have done something outside nevertheless, in
    this try or in one before: then undo has to look after it (I24)."""
    error, node = ending.error, asked.step.node.id
    if not asked.step.writes:
        return error
    undecided = error.http_status is not None and not replay.is_definite(error)
    if ending.maybe_applied or undecided or replay.may_have_happened(error) or asked.earlier is not None:
        driver.lost.add(node)
    return replace(error, may_have_happened=True) if node in driver.lost else error


def lost(attempts: Iterable[AttemptRow]) -> set[str]:
    """The steps that one of these attempts may have carried out without anybody having been told."""
    found = set()
    for row in attempts:
        error = error_of(row.error)
        if row.status in ("intent", "in_doubt") or (error is not None and error.may_have_happened):
            found.add(row.node_id)
    return found

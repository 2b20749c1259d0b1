"""Effects of which nobody knows whether they happened: what becomes of them, and what undo has to know of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runtime.engine import replay
from runtime.engine.facts import FailRequested, StepFailed, StepInterrupted
from runtime.engine.state import StepError, StepStatus
from runtime.interpreter import looking, people, units
from runtime.interpreter.outcomes import Failed
from runtime.interpreter.records import Asked, Told
from runtime.interpreter.rows import error_of
from runtime.sdk import EffectClass
from runtime.store.reads import AttemptRow
from runtime.store.records import AttemptWrite

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

#: Effects that may simply be made again, with their key, when nobody knows how they ended.
MAY_REPEAT: Final = frozenset({EffectClass.PURE, EffectClass.READ, EffectClass.KEYED, EffectClass.NATURAL})


def resolve(driver: Driver, now: int) -> set[str]:
    """Intents without a result whose effect must not be repeated unasked: recorded, and the step goes no further."""
    found: set[str] = set()
    for node, intent in driver.intents.items():
        if EffectClass(intent.effect_class) in MAY_REPEAT:
            continue
        found.add(node)
        error = units.in_doubt_error(driver.version.graph.by_id[node].name)
        if (told := looking.look_up(driver, driver.version.step(node), intent, error, now)) is not None:
            _note(driver, driver.looking[node])
            driver.told.append(told)
            continue
        _note(driver, units.attempt_in_doubt(driver, intent, error, now))
        driver.commit_seq += 1
        if driver.version.graph.by_id[node].settings.on_failure == "person":
            driver.told.append(Told(now, fact=StepFailed(node, intent.attempt, error, now, 0.5, driver.commit_seq)))
            people.ask_about(driver, node, intent.attempt, error)
        else:
            driver.told.append(Told(now, fact=FailRequested(node, error, now, driver.commit_seq)))
    return found


def _note(driver: Driver, attempt: AttemptWrite) -> None:
    """For the coming commit, and for the one in its place should a cancel come first."""
    driver.unit.attempts += (attempt,)
    driver.resolved += (attempt,)


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
                _note(driver, units.attempt_in_doubt(driver, intent, error, now))
            driver.told.append(Told(now, fact=StepInterrupted(key.node, step.attempt, now)))
    return bool(driver.told)


def weighed(driver: Driver, asked: Asked, ending: Failed) -> StepError:
    """The error of an attempt that failed, saying whether the step may have done something outside nevertheless, in
    this try or in one before: then undo has to look after it (I24)."""
    error, node = ending.error, asked.step.node.id
    if not asked.step.writes:
        return error
    # After a lost answer a refusal says nothing of the call before it, which only the same key keeps from being made
    # once more.
    if replay.is_definite(error) and not ending.maybe_applied and node not in driver.lost:
        driver.epochs[node] = asked.epoch + 1
    # One that was looked up is known to have done nothing.
    was_cut_off = asked.earlier is not None and asked.step.effect in MAY_REPEAT
    undecided = error.http_status is not None and not replay.is_definite(error)
    if ending.maybe_applied or undecided or replay.may_have_happened(error) or was_cut_off:
        driver.lost.add(node)
    return replace(error, may_have_happened=True) if node in driver.lost else error


def epochs(attempts: Iterable[AttemptRow]) -> dict[str, int]:
    """How many keys of each step these attempts of one generation have used up."""
    found: dict[str, int] = {}
    for row in sorted(attempts, key=lambda row: row.attempt):
        error = error_of(row.error)
        refused = row.status == "failed" and error is not None and replay.is_definite(error)
        refused = refused and error is not None and not error.may_have_happened
        found[row.node_id] = row.key_epoch + (1 if refused else 0)
    return found


def lost(attempts: Iterable[AttemptRow]) -> set[str]:
    """The steps that one of these attempts may have carried out without anybody having been told."""
    found = set()
    for row in attempts:
        error = error_of(row.error)
        # That somebody had it sent again says nothing of the first call.
        if row.status in ("intent", "in_doubt", "abandoned") or (error is not None and error.may_have_happened):
            found.add(row.node_id)
    return found

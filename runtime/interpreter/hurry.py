"""A run that is driven here, and a person who does not want to wait for its next try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.engine.facts import TimerFired
from runtime.engine.state import StepStatus
from runtime.interpreter.records import Told

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

__all__ = ["hear", "tries_again"]


def tries_again(driver: Driver) -> bool:
    """Whether a step of the run waits for its next try."""
    return any(step.status is StepStatus.RETRYING for step in driver.state.steps.values())


def hear(driver: Driver, node: str, generation: int, attempt: int) -> None:
    """The next try of this step is due, sooner than was thought here. It counts as in time: nothing stood still."""
    step = driver.state.step(node)
    if driver.is_leaving or generation != driver.state.generation or step is None or step.due_at is None:
        return
    if step.status is StepStatus.RETRYING and step.attempt == attempt:
        driver.told.append(Told(driver.shell.now_ms(), fact=TimerFired(node, step.due_at)))
        driver.wake()

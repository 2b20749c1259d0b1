"""What a driver is told first: what the rows of its run say of the time since somebody last had it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.engine.advance import resume
from runtime.engine.commands import Execute
from runtime.engine.facts import CancelRequested, FailRequested, RunReopened, RunStarted, StepSucceeded, TimerFired
from runtime.engine.state import RunStatus
from runtime.interpreter import doubts, turns
from runtime.interpreter.records import Told
from runtime.interpreter.waiting import due_nodes

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver


def begin_with(driver: Driver) -> None:
    """Tell it, and ask for what was under way."""
    now = driver.shell.now_ms()
    if driver.is_further and driver.state.steps:
        driver.told.append(Told(now, fact=RunReopened(driver.claimed.trigger_node, now)))
        # What a person said came before a cancel.
        for node, ports in driver.decided.items():
            driver.commit_seq += 1
            driver.told.append(Told(now, fact=StepSucceeded(node, 1, ports, now, driver.commit_seq)))
    driver.told.extend(Told(now, answer=answer) for answer in driver.answers)
    if driver.claimed.cancel_requested_at is not None and driver.state.status is not RunStatus.COMPENSATING:
        driver.told.append(Told(now, fact=CancelRequested(now)))
    if driver.fault is not None:
        driver.told.append(Told(now, fact=FailRequested(driver.claimed.trigger_node, driver.fault, now)))
    if not driver.state.steps and not driver.state.status.is_terminal:
        driver.told.appendleft(Told(now, fact=RunStarted(driver.claimed.trigger_node, now)))
        return
    driver.told.extend(turns.come(driver, now))
    for node in due_nodes(driver.state, now):
        driver.told.append(Told(now, fact=TimerFired(node, now)))
    in_doubt = doubts.resolve(driver, now)
    driver.unit.asked.extend(
        command
        for command in resume(driver.version.graph, driver.state, now)
        if isinstance(command, Execute) and command.node not in in_doubt
    )

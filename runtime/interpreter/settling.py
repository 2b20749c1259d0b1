"""From the ending of an attempt to the fact that the engine hears, and to what its row says beside the state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, assert_never

from runtime.engine.facts import FailRequested, StepFailed, StepInterrupted, StepSucceeded, StepWaits, StopRequested
from runtime.engine.graph import Node
from runtime.engine.jsonprofile import dumps
from runtime.engine.state import TURN, StepError, StepStatus, made
from runtime.interpreter import doubts, looking, naming, own_runs, people, signals, units
from runtime.interpreter.outcomes import Cut, Done, Ending, Failed, Fans, Looked, Refused, Stops, Waits
from runtime.interpreter.records import Asked, Record, Told
from runtime.sdk import EffectClass

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver


def take_in(driver: Driver, told: Told) -> None:
    """Tell the engine what happened, and note what the coming commit shall say about it."""
    if told.fact is not None:
        driver.apply(told.fact)
        return
    if told.answer is not None:
        people.take_in(driver, told.answer, told.at)
        return
    assert told.asked is not None
    asked, ending, node = told.asked, told.ending, told.asked.step.node
    match ending:
        case Done():
            _record(driver, asked, ending)
            driver.commit_seq += 1
            fact = made(StepSucceeded, (node.id, asked.attempt, ending.ports, told.at, driver.commit_seq))
            driver.apply(fact)
            if node.is_trigger:
                naming.take_key_of_start(driver, asked)
                driver.event = None
        case Failed():
            _take_in_failure(driver, told, asked, ending)
            return
        case Waits():
            record = _record(driver, asked, ending)
            wait: dict[str, Any] = {"kind": ending.kind, "until": ending.due_at}
            if (signal := ending.signal) is not None:
                wait |= {"signal": signal.kind, "name": signal.name, "key": signal.key}
            record.wait = dumps(wait)
            # From when the step began, which is what it reckoned with, however late its end was noticed.
            driver.apply(StepWaits(node.id, asked.attempt, ending.kind, ending.due_at, asked.at, ending.ports))
            if ending.task is not None and people.waits_for_people(driver.state.step(node.id)):
                driver.unit.tasks += (people.question(driver, asked, ending.task),)
                driver.unit.names["human.create"] = None
            if signal is not None and signals.waits(driver.state.step(node.id)):
                driver.unit.waits += (signals.begun(driver, asked, ending),)
                driver.unit.names["wait.begin"] = None
        case Stops():
            _record(driver, asked, ending)
            driver.commit_seq += 1
            driver.apply(StopRequested(node.id, ending.outcome, told.at, driver.commit_seq))
        case Fans():
            record = driver.records.setdefault(node.id, Record())
            record.input, record.wait = asked.input_text, own_runs.wait_document(asked, ending.spec)
            driver.apply(StepWaits(node.id, asked.attempt, "children", None, asked.at))
            own_runs.take_up(driver, asked, ending.spec)
            return
        case Looked():
            looking.take_in(driver, told, asked, ending)
            return
        case Refused():
            record = driver.records.setdefault(node.id, Record())
            record.input = asked.input_text or None
            record.wait = dumps({"kind": TURN, "until": ending.due_at, **ending.said})
            if asked.step.effect is not EffectClass.PURE:
                told_as = Failed(ending.error, request=ending.request, response=ending.response)
                _attempt_row(driver, told, asked, "failed", told_as, ending.error)
            driver.apply(StepWaits(node.id, asked.attempt, TURN, ending.due_at, told.at))
            return
        case Cut() if asked.looks:
            looking.take_in(driver, told, asked, ending)
            return
        case Cut():
            driver.apply(StepInterrupted(node.id, asked.attempt, told.at))
            return
        case None:
            raise AssertionError("an attempt was told of without its ending")
        case _:
            assert_never(ending)
    driver.unit.files += asked.files
    if asked.step.effect is not EffectClass.PURE:
        _attempt_row(driver, told, asked, "succeeded", ending, None)


def _take_in_failure(driver: Driver, told: Told, asked: Asked, ending: Failed) -> None:
    node = asked.step.node
    record = driver.records.setdefault(node.id, Record())
    record.input = asked.input_text or None
    driver.commit_seq += 1
    if ending.maybe_applied and asked.step.effect not in doubts.MAY_REPEAT:
        row = units.attempt_ended(driver, asked, "in_doubt", told.at, ending, ending.error)
        doubt = replace(ending.error, may_have_happened=True)
        if (again := looking.look_up(driver, asked.step, row, doubt, told.at)) is not None and again.fact is not None:
            driver.unit.attempts += (driver.looking[node.id],)
            driver.apply(again.fact)
            return
        error = units.in_doubt_error(node.name, ending.error)
        _attempt_row(driver, told, asked, "in_doubt", ending, error)
        if node.settings.on_failure != "person":
            driver.apply(FailRequested(node.id, error, told.at, driver.commit_seq))
            return
    else:
        error = doubts.weighed(driver, asked, ending)
        _attempt_row(driver, told, asked, "failed", ending, error)
    driver.apply(StepFailed(node.id, asked.attempt, error, told.at, told.jitter, driver.commit_seq))
    step = driver.state.step(node.id)
    if step is not None and step.status is StepStatus.FAILED and step.ports:
        _carry_on(driver, node, record)
    elif people.waits_for_people(step):
        people.ask_about(driver, node.id, asked.attempt, error, may_repeat=asked.step.effect in doubts.MAY_REPEAT)


def _carry_on(driver: Driver, node: Node, record: Record) -> None:
    """The run goes on past this failure: with the value set for that, or with nothing by the error port."""
    fallback = node.settings.fallback if node.settings.on_failure == "continue" else None
    record.output = dumps(fallback)
    driver.values.put(node, fallback)


def _record(driver: Driver, asked: Asked, ending: Done | Waits | Stops) -> Record:
    node = asked.step.node
    record = driver.records.get(node.id)
    if record is None:
        record = driver.records[node.id] = Record()
    record.input, record.output, record.note = asked.input_text, ending.text, ending.note
    driver.values.put(node, ending.value)
    if not isinstance(ending, Waits) and ending.respond is not None:
        driver.unit.response = units.response(ending.respond)
    return record


def _attempt_row(
    driver: Driver, told: Told, asked: Asked, status: str, ending: Ending, error: StepError | None
) -> None:
    if asked.looks:
        looking.happened(driver, asked, status, ending, told.at, error)
        return
    driver.unit.attempts += (units.attempt_ended(driver, asked, status, told.at, ending, error),)

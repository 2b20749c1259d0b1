"""What people are asked by a run, and what becomes of their answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from runtime.engine import replay
from runtime.engine.containers import in_turns
from runtime.engine.facts import FailRequested, RetryRequested, SignalReceived
from runtime.engine.graph import DEFAULT_OUT
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSON, dumps
from runtime.engine.naming import CURRENCY, units_of
from runtime.engine.state import RunState, RunStatus, StepError, StepKey, StepState, StepStatus
from runtime.interpreter import signals
from runtime.interpreter.records import Asked, Record
from runtime.interpreter.rows import error_document
from runtime.ports import PORTS
from runtime.sdk import Task
from runtime.store.left_out import SKIP
from runtime.store.reads import AnswerRow
from runtime.store.records import TaskClose, TaskWrite

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

#: What people can say to a failure: try again, go on with a value, leave this item of a list out (`SKIP`), give up.
TRY_AGAIN: Final = "retry"
USE_VALUE: Final = "value"
GIVE_UP: Final = "give_up"
#: What became of a question whose run was undone in its place: no answer that a run goes on by.
UNDO_RUN: Final = "undo_run"
_LONGEST_TITLE: Final = 300


def question(driver: Driver, asked: Asked, task: Task) -> TaskWrite:
    """The task of a step that asks people."""
    notices = task.notices
    if not task.mail and PORTS.post is None:
        # Nobody could be told; reminders and escalation are seen in the inbox too.
        notices = tuple(one for one in notices if one.kind != "ask")
    return TaskWrite(
        uuid7(), asked.step.node.id, asked.generation, asked.attempt, task.kind, task.title[:_LONGEST_TITLE],
        dumps(task.document(notices)), listed(task.people), task.due_at_ms, task.ends_at_ms, listed(task.barred),
        notices[0].at if notices else None, *worth_of(task.amount, task.currency), _worth_field(driver),
    )  # fmt: skip


def worth_of(amount: JSON, currency: str) -> tuple[int | None, str]:
    """An amount as questions are sorted by it, and its currency; None of what is none, or too large to compare."""
    units = units_of(amount)
    code = currency.strip().upper()
    return units, code if units is not None and CURRENCY.fullmatch(code) else ""


def _worth_field(driver: Driver) -> str:
    """The first amount that runs of this workflow are found by."""
    naming = driver.version.graph.naming
    return "" if naming is None else next((one.name for one in naming.fields if one.kind == "amount"), "")


def listed(tokens: Iterable[str]) -> str:
    """Tokens as a row keeps them, each between commas, so that one can be looked for."""
    found = tuple(tokens)
    return ",".join(("", *found, "")) if found else ""


def tokens(listed: str) -> list[str]:
    """What stands between the commas."""
    return [one for one in listed.split(",") if one]


def amount_text(amount: JSON, currency: str) -> str:
    """An amount as people read it where no page formats it: cents in full, and never other digits than it has."""
    if amount in (None, ""):
        return ""
    text = str(amount).strip()
    whole, dot, cents = text.partition(".")
    if len(currency) == 3 and whole.removeprefix("-").isdecimal() and (cents.isdecimal() or not dot) and len(cents) < 2:
        text = f"{whole}.{cents:0<2}"
    return f"{text} {currency}".strip()


_EARLIER: Final = (
    "But this step was also sent before, and nobody knows whether that happened: look in the other system first."
)


def ask_about(driver: Driver, node_id: str, attempt: int, error: StepError, *, may_repeat: bool = True) -> None:
    """Let people say what becomes of a failure. What was sent, and what the tries gave, stands with the run.
    `may_repeat`: doing it again does it once; else they are told so where it may have happened."""
    node = driver.version.graph.by_id[node_id]
    step = driver.version.step(node_id)
    # A value says nothing about the way on where there are several: nobody shall pass an approval by one.
    one_way = step.type.category != "people" and DEFAULT_OUT in step.type.ports(node.config)
    choices = (TRY_AGAIN, USE_VALUE, GIVE_UP) if one_way else (TRY_AGAIN, GIVE_UP)
    spec: dict[str, JSON] = {
        "text": error.message,
        "error": error_document(error),
        "choices": [{"id": one, "label": one, "comment": False} for one in choices],
    }
    if _is_item(driver):
        spec["may_skip"] = True
    unknown = error.may_have_happened or node_id in driver.unsure
    if not may_repeat and (unknown or replay.may_have_happened(error)):
        # It was answered, only not by what its settings call a result, or a call before this one has had no answer:
        # trying it again may do it twice.
        spec["in_doubt"] = True
    if not may_repeat and unknown and error.kind != "in_doubt":
        spec["text"] = f"{error.message} {_EARLIER}"
    driver.records.setdefault(node_id, Record()).wait = dumps({"kind": "human", "until": None})
    driver.unit.tasks += (
        TaskWrite(
            uuid7(), node_id, driver.state.generation, attempt, "exception",
            f"{node.name}: {error.title}"[:_LONGEST_TITLE], dumps(spec), "", None, worth_field=_worth_field(driver),
        ),
    )  # fmt: skip
    driver.unit.names["human.create"] = None


def _is_item(driver: Driver) -> bool:
    """Whether the run is an item of a list, which others of the list do not hang on, and is not being undone. A turn of
    a repetition goes by the one before it, and a called workflow gives a result: nobody can leave these out."""
    around = driver.version.around
    in_list = around is not None and not in_turns(around.node.type)
    return in_list and driver.state.status is not RunStatus.COMPENSATING


def choices_of(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answers to a question as they are stored. *Skip* is said apart, and stands before giving up: a door of an
    earlier build offers and takes only what its workers understand."""
    choices: list[dict[str, Any]] = list(spec["choices"])
    if not spec.get("may_skip"):
        return choices
    skip = {"id": SKIP, "label": SKIP, "comment": True}
    return [*choices[:-1], skip, *choices[-1:]]


def called(spec: Mapping[str, Any], outcome: str | None) -> str | None:
    """The builder's own name for this answer; None where it has its usual one."""
    return next((one["label"] for one in spec.get("choices") or () if one["id"] == outcome and one.get("own")), None)


def waits_for_people(step: StepState | None) -> bool:
    return step is not None and step.status is StepStatus.WAITING and step.wait_kind == "human"


def is_waited_for(state: RunState, answer: AnswerRow) -> bool:
    """Whether a step still waits for this answer."""
    step = state.step(answer.node_id)
    if answer.kind == "signal":
        return signals.waits(step) and state.generation == answer.generation
    if step is None or not waits_for_people(step):
        return False
    return (step.attempt, state.generation) == (answer.attempt, answer.generation)


def take_in(driver: Driver, answer: AnswerRow, at: int) -> None:
    """Tell the engine what people said, and keep what the step gives by that."""
    if not is_waited_for(driver.state, answer):
        return
    node = driver.version.graph.by_id[answer.node_id]
    driver.commit_seq += 1
    if answer.kind == "exception" and answer.outcome == TRY_AGAIN:
        driver.apply(RetryRequested(node.id, at))
        return
    if answer.kind == "exception" and answer.outcome in (GIVE_UP, SKIP):
        step = driver.state.step(node.id)
        error = None if step is None else step.error
        assert error is not None
        driver.apply(FailRequested(node.id, error, at, driver.commit_seq, skips=answer.outcome == SKIP))
        return
    record = driver.records.setdefault(node.id, Record())
    record.output = answer.answer
    driver.values.put_text(node, answer.answer)
    ports = (node.default_port,) if answer.kind == "exception" else (answer.outcome,)
    driver.apply(SignalReceived(node.id, ports, at, driver.commit_seq))


def asked(driver: Driver) -> tuple[TaskWrite, ...]:
    """The questions of the coming commit: of steps that it leaves waiting."""
    return tuple(task for task in driver.unit.tasks if waits_for_people(driver.state.step(task.node_id)))


def closed(before: RunState, after: RunState, changed: tuple[StepKey, ...]) -> tuple[TaskClose, ...]:
    """The questions that nobody needs to answer any more."""
    if before.tally is not None and not before.tally.humans:
        return ()
    found = []
    for key in dict.fromkeys(changed):
        if waits_for_people(before.steps.get(key)) and not waits_for_people(after.steps[key]):
            late = after.steps[key].status is StepStatus.SUCCEEDED
            found.append(TaskClose(key.node, key.generation, "late" if late else "cancelled"))
    return tuple(found)

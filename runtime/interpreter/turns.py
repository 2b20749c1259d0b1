"""Turns at a connection whose calls are limited: an attempt begins when it has one, and is a due time until then.

A step that waits so has not begun: it has no intent, its tries and their time stand still, and what it holds is one row
in the line and one timer. The lease goes back, so neither a thread nor a process waits with it. What was begun before,
and is only sent once more (after a crash, by the same key) or asked about, waits where it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from runtime.engine.facts import StepInterrupted, StepWaits
from runtime.engine.jsonprofile import dumps
from runtime.engine.state import TURN, StepError, StepState, StepStatus
from runtime.interpreter import own_runs, traced
from runtime.interpreter.looking import carry_out, looks
from runtime.interpreter.outcomes import Cut, Ending, Failed, Refused
from runtime.interpreter.records import Asked, Record, Told
from runtime.interpreter.turn_words import in_turn
from runtime.sdk import StepFailure
from runtime.store.budgets import Ask, End, Limits

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

#: Statuses by which another system says that it takes no calls for a while.
_ASKS_FOR_PAUSE: Final = (429, 503)
#: By which it says that it does not take these credentials, and has done nothing.
_REFUSES: Final = frozenset({"http_401", "http_407", "smtp_auth", "sftp_auth"})
_REFUSED_KEYS: Final = ("InvalidAccessKeyId", "SignatureDoesNotMatch")


_NO_TURN: Final = UUID(int=0)


def waits(step: StepState | None) -> bool:
    """Whether this step waits for its turn."""
    return step is not None and step.status is StepStatus.WAITING and step.wait_kind == TURN


def ask_for(driver: Driver, connection_id: UUID, node: str, place: int = 0) -> Ask:
    """A call of this step that wants its turn."""
    claimed = driver.claimed
    return Ask(
        connection_id, claimed.workflow_id, claimed.run_id, node, driver.state.generation, driver.shell.worker,
        claimed.token, place,
    )  # fmt: skip


def limits_of(driver: Driver, asked: Asked) -> Limits | None:
    """The budget of the connection by which this attempt calls; None where there is none, as nearly always."""
    budgets = driver.shell.budgets
    if budgets is None or not budgets.known or not asked.step.type.is_action:
        return None
    named = getattr(asked.config, "connection", None)
    if not isinstance(named, str) or not named:
        return None
    try:
        return budgets.known.get(UUID(named))
    except ValueError:
        return None


async def may_begin(driver: Driver, asked: Asked) -> bool:
    """Whether this attempt may begin; else the step waits from now on. Raises StoreUnavailable."""
    limits, node = limits_of(driver, asked), asked.step.node.id
    if limits is None or not limits.asks or node in driver.intents or looks(driver.state.step(node)):
        return True
    budgets = driver.shell.budgets
    assert budgets is not None
    answer = await budgets.ask(ask_for(driver, limits.connection_id, node))
    if answer.goes:
        take(driver, node, limits.connection_id, answer.turn_id, None)
        return True
    record = driver.records.setdefault(node, Record())
    said = in_turn(limits, answer.paused_until, answer.broken)
    record.wait = dumps({"kind": TURN, "until": answer.due_at, **said})
    driver.apply(StepWaits(node, asked.attempt, TURN, answer.due_at, driver.shell.now_ms()))
    return False


def take(driver: Driver, node: str, connection_id: UUID, turn_id: UUID | None, sent_at: int | None) -> None:
    """It is the turn of this step."""
    if turn_id is not None:
        driver.turns[node] = connection_id, turn_id, sent_at


async def calling(driver: Driver, asked: Asked) -> Ending:
    """Carry the attempt out; with its end the next call's turn comes nearer."""
    sent_at, ending = driver.shell.now_ms(), None
    span = traced.begin_attempt(driver, asked)
    try:
        ending = await carry_out(driver, asked)
    finally:
        if span is not None:
            traced.end_attempt(span, ending)
        if driver.turns:
            ended(driver, asked.step.node.id, sent_at, ending.error if isinstance(ending, Failed) else None)
    if type(ending) is Failed and (limits := limits_of(driver, asked)) is not None and limits.pauses:
        return await _refused(driver, asked, limits, ending, sent_at)
    return ending


async def _refused(driver: Driver, asked: Asked, limits: Limits, ending: Failed, sent_at: int) -> Ending:
    """An attempt that failed by a connection for which is waited where it is broken. Raises StoreUnavailable."""
    error, budgets = ending.error, driver.shell.budgets
    if ending.maybe_applied or not is_refusal(error) or budgets is None:
        return ending
    reason, now = error.message, driver.shell.now_ms()
    budgets.end(End(limits.connection_id, _NO_TURN, now, sent_at, broken=reason))
    answer = await budgets.ask(ask_for(driver, limits.connection_id, asked.step.node.id))
    if answer.goes:
        # Somebody has repaired it meanwhile, or nothing waits for it any more: the same attempt tells which.
        if answer.turn_id is not None:
            budgets.end(End(limits.connection_id, answer.turn_id, driver.shell.now_ms(), None))
        return Cut("repaired")
    # It says what an attempt says that was not made: it used up neither a try nor a key.
    told = replace(error, http_status=None, kind="connection", retryable=True)
    said = in_turn(limits, answer.paused_until, answer.broken)
    return Refused(told, answer.due_at, said, ending.request, ending.response)


def is_refusal(error: StepError) -> bool:
    """Whether the other system has said by this that it does not take the credentials."""
    if error.code in _REFUSES:
        return True
    return error.http_status == 403 and any(word in (error.detail or "") for word in _REFUSED_KEYS)


def not_begun(driver: Driver, node: str) -> None:
    """The attempt that had its turn does not begin: the turn is another's."""
    if (turn := driver.turns.pop(node, None)) is not None and (budgets := driver.shell.budgets) is not None:
        budgets.end(End(turn[0], turn[1], driver.shell.now_ms(), None))


def ended(driver: Driver, node: str, sent_at: int, error: StepError | StepFailure | None = None) -> None:
    """The call of this step has ended, which was sent then unless its turn says when; by `error` the other system may
    have asked for a pause."""
    if (turn := driver.turns.pop(node, None)) is None or (budgets := driver.shell.budgets) is None:
        return
    connection_id, turn_id, sent = turn
    budgets.end(End(connection_id, turn_id, driver.shell.now_ms(), sent or sent_at, *pause_of(error)))


def pause_of(error: StepError | StepFailure | None) -> tuple[int | None, int | None]:
    """For how many milliseconds the other system asks to be left alone by this, and with which status; None twice where
    it does not."""
    if error is None or error.retry_after_seconds is None or error.http_status not in _ASKS_FOR_PAUSE:
        return None, None
    return int(error.retry_after_seconds * 1000), error.http_status


def let_all_go(driver: Driver) -> None:
    """Nothing of this run is under way here any more."""
    for node in tuple(driver.turns):
        ended(driver, node, driver.shell.now_ms())


def came(driver: Driver, node: str) -> bool:
    """This run is driven here: its step may have its turn now. Whether anything waited for it."""
    step = driver.state.step(node)
    if not waits(step):
        return own_runs.page_may_be_read(driver, node)
    assert step is not None
    if not driver.is_leaving:
        now = driver.shell.now_ms()
        driver.told.append(Told(now, fact=StepInterrupted(node, step.attempt, now)))
        driver.wake()
    return not driver.is_leaving


def come(driver: Driver, now: int) -> list[Told]:
    """Of a run that was taken up: its turns may have come, before anybody could have heard of that here."""
    generation = driver.state.generation
    return [
        Told(now, fact=StepInterrupted(key.node, step.attempt, now))
        for key, step in driver.state.steps.items()
        if key.generation == generation and waits(step)
    ]

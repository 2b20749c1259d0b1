"""Asking other systems for somebody who looks at a plan: from the process that answers people, with no run at work.

The question is made ready in the thread of the request; the look-up goes out on the loop, by the same doors as every
step, has its turn at a connection whose calls are limited, or is not made, and has a short time.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from runtime.contracts import StoreUnavailable
from runtime.contracts.asking_now import AskedNow
from runtime.documents.processes import Drawing
from runtime.interpreter.asked_now import ASKER, Question
from runtime.interpreter.attempts import ending_of, failed
from runtime.interpreter.outcomes import Cut, Done
from runtime.interpreter.records import Asked
from runtime.interpreter.turns import pause_of
from runtime.sdk import StepFailure
from runtime.sdk.context import Ways
from runtime.sdk.probes import Happened, working_out
from runtime.store import budgets
from runtime.store.budgets import Answer, Ask, End
from runtime.store.dialect import database_now
from runtime.worker.context import Doors, StepContext

T = TypeVar("T")

#: So long the other system has. A person waits.
LOOK_SECONDS: Final = 5.0
_SLOW: Final = "It did not answer in time."


class NoTurn(Exception):
    """The connection takes no call this moment."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Inquirer:
    """What a process asks with; on the loop that it is made on."""

    def __init__(self, ways: Ways, pool: ThreadPoolExecutor, owner: str) -> None:
        self._doors = Doors(ways, pool=pool, drawing=cast("Drawing", None))
        self._loop = asyncio.get_running_loop()
        self._pool = pool
        self._owner = owner
        ASKER.ask = self.ask

    def stop(self) -> None:
        """Answer no more questions."""
        if ASKER.ask == self.ask:
            ASKER.ask = None

    def ask(self, question: Question) -> AskedNow:
        """From another thread than the loop's, which waits. Raises StoreUnavailable."""
        asked = asyncio.run_coroutine_threadsafe(self._ask(question), self._loop)
        try:
            return asked.result(LOOK_SECONDS * 2)
        except TimeoutError:
            asked.cancel()
            return _said(question, "could_not_tell", "slow", _SLOW)

    async def _ask(self, question: Question) -> AskedNow:
        step, meter = question.step, _Turns(question, self._owner, self._in_thread)
        context: StepContext | None = None
        error: Exception | None = None
        try:
            assert step.prepared is not None
            assert step.type.probe is not None
            config = step.prepared.validate(question.settings)
            asked = Asked(
                step, question.attempt, config, question.step_input, "", question.at, question.key,
                question.claimed.generation, False,
            )  # fmt: skip
            context = StepContext(
                question.claimed, self._doors, step.node.key, question.attempt, question.key, question.at,
                LOOK_SECONDS, None, asked, None, meter,
            )  # fmt: skip
            async with asyncio.timeout(LOOK_SECONDS):
                found = await step.type.probe.look(
                    config, question.step_input, context, working_out(question.known, question.key)
                )
            if not isinstance(found, Happened):
                return _said(question, "did_not_happen")
            ending = ending_of(found.result, context)
            output = ending.value if isinstance(ending, Done) else None
            return _said(question, "happened", output=output)
        except NoTurn as no:
            if no.answer.broken is not None:
                return _said(question, "could_not_tell", "broken", no.answer.broken)
            return _said(question, "no_turn", until=no.answer.due_at or None)
        except TimeoutError:
            return _said(question, "could_not_tell", "slow", _SLOW)
        except Exception as failure:
            error = failure
            told = failed(failure, context, step)
            if isinstance(told, Cut):
                raise StoreUnavailable("The database did not answer.") from failure
            return _said(question, "could_not_tell", told.error.code, told.error.message)
        finally:
            await asyncio.shield(meter.end(error))

    async def _in_thread(self, act: Callable[[], T]) -> T:
        return await self._loop.run_in_executor(self._pool, act)


def _said(
    question: Question, found: Any, code: str = "", message: str = "", *, until: int | None = None, output: Any = None
) -> AskedNow:
    return AskedNow(found, question.system, question.at, code, message, until, output)


class _Turns:
    """The `metering.Turns` of a look-up: each call has its turn, at once or not at all."""

    def __init__(self, question: Question, owner: str, in_thread: Callable[[Callable[[], Any]], Any]) -> None:
        self._question = question
        self._owner = owner
        self._in_thread = in_thread
        self._connection: UUID | None = None
        self._turn: UUID | None = None
        self._sent_at: int | None = None
        self.limit: asyncio.Timeout | None = None
        self.waited_seconds = 0.0

    @property
    def counts(self) -> bool:
        return self._connection is not None

    async def opened(self, connection_id: UUID) -> None:
        """A step is about to call by this connection. Raises NoTurn."""
        if self._connection == connection_id:
            # Opened once more, to sign in anew: its next call has a turn of its own.
            return
        await self.end(None)
        self._connection = connection_id
        await self._have_turn()

    async def call(self) -> None:
        """One more call. Raises NoTurn."""
        if self._connection is None:
            return
        if self._sent_at is not None:
            await self.end(None)
            await self._have_turn()
        self._sent_at = await self._in_thread(database_now)

    def leaves(self) -> None:
        """The call begins to leave: what there was to get ready is a moment."""

    async def _have_turn(self) -> None:
        assert self._connection is not None
        claimed = self._question.claimed
        ask = Ask(
            self._connection, claimed.workflow_id, claimed.run_id, self._question.step.node.id, claimed.generation,
            self._owner, 0,
            # Two people may ask about one step at once.
            1 + secrets.randbelow(2**30),
        )  # fmt: skip
        answer: Answer = await self._in_thread(lambda: budgets.take_at_once(ask))
        if not answer.goes:
            raise NoTurn(answer)
        self._turn = answer.turn_id

    async def end(self, error: Exception | None) -> None:
        """The last call has ended; by `error` the other system may have asked for a pause."""
        turn, self._turn, sent_at, self._sent_at = self._turn, None, self._sent_at, None
        if turn is None or self._connection is None:
            return
        pause = pause_of(error if isinstance(error, StepFailure) else None)
        connection = self._connection
        await self._in_thread(lambda: budgets.settle((), [End(connection, turn, database_now(), sent_at, *pause)]))

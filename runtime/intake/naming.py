"""Each request at the door has an id: the lines that are logged about it carry it, and so does its answer."""

from __future__ import annotations

import logging
import time
from contextvars import Token
from types import TracebackType
from typing import Any, Final
from uuid import UUID

from runtime.engine.ids import uuid7
from runtime.intake.answers import Answer
from runtime.intake.knock import Scope
from runtime.traces import REQUEST, RUN

__all__ = ["Request"]

logger = logging.getLogger("millrace.intake")

_HEADER: Final = b"x-request-id"


class Request:
    """One request. Its id is ours, as that of a request of the API: what a sender calls it is kept with the event.

    `with request.lines(): …`: what is logged meanwhile is about it, and about the run that it has begun (`begun`).
    """

    __slots__ = ("_method", "_since", "id")

    def __init__(self, scope: Scope) -> None:
        self.id = uuid7()
        self._method: str = scope["method"]
        self._since = time.monotonic()
        scope["millrace.request_id"] = str(self.id)

    def lines(self) -> _Lines:
        return _Lines(self.id)

    @staticmethod
    def begun(run_id: UUID | None) -> None:
        """This run has come of it; within `lines`."""
        RUN.set(run_id)

    def named(self, answer: Answer) -> Answer:
        """The answer with the id. One that a workflow gives its own answer stays."""
        if logger.isEnabledFor(logging.DEBUG):
            # Never at which address: that opens doors. There are thousands a second, so only where somebody wants it.
            took = (time.monotonic() - self._since) * 1000
            logger.debug("A webhook was answered: %s, %d, %.1f ms.", self._method, answer.status, took)
        if any(name == _HEADER for name, _ in answer.headers):
            return answer
        return Answer(answer.status, (*answer.headers, (_HEADER, str(self.id).encode())), answer.body)


class _Lines:
    __slots__ = ("_id", "_tokens")

    def __init__(self, request_id: UUID) -> None:
        self._id = request_id

    def __enter__(self) -> None:
        self._tokens: tuple[Token[Any], Token[Any]] = (REQUEST.set(self._id), RUN.set(None))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        request, run = self._tokens
        REQUEST.reset(request)
        RUN.reset(run)

"""The links of runs that wait for a signal: `/hooks/resume/{run}/{step}/{generation}/{secret}`.

A POST moves the run on, once: its body is what the waiting step gives, committed before the answer. A GET never does,
whoever follows links in mails and chats; people get a page with a button. A link that is used before the run has come
to its wait counts when it comes. The secret follows from the installation's own, so a wrong one is turned away after
the same work as any other, and no database is asked about it.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import re
from collections.abc import Callable, MutableMapping
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from django.db import Error as DatabaseFault
from django.db import connection

from runtime.contracts import StoreUnavailable
from runtime.engine.jsonprofile import JSON, JSONRefused
from runtime.intake import answers, pages
from runtime.intake.answers import Answer
from runtime.intake.bodies import Inflation, parse
from runtime.intake.knock import by_name
from runtime.intake.knocks import Pace
from runtime.intake.reading import ReadingRoom, Receive
from runtime.intake.triggers import Doors
from runtime.interpreter import signals as sending
from runtime.interpreter.keys import stored_secret
from runtime.interpreter.waiting import iso
from runtime.store.models import Run
from runtime.store.signals import Used, standing

__all__ = ["RESUME", "Resuming"]

T = TypeVar("T")

RESUME: Final = "resume/"
_LINK: Final = re.compile(
    r"(?P<run>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})/(?P<node>[A-Za-z0-9_-]{1,64})/"
    r"(?P<generation>[1-9][0-9]{0,8})/(?P<secret>[0-9a-f]{40})\Z"
)
#: Uses of one link a minute, in this process.
_PER_MINUTE: Final = 60
# Together with the body's patience an answer stays within what callers wait for (I2).
_PATIENCE_SECONDS: Final = 4.0
_SOME_KEY: Final = b"no secret was made yet"

_NOT_HERE: Final = answers.problem(404, "no_such_link", "There is no such link.", "Perhaps not all of it was copied.")


class _Link(NamedTuple):
    run_id: UUID
    node_id: str
    generation: int


class Resuming:
    """Answers what comes to such links, on the threads that look up addresses."""

    def __init__(self, doors: Doors, room: ReadingRoom) -> None:
        self._doors = doors
        self._room = room
        self._pace = Pace()
        self._secret: bytes | None = None

    async def answer(self, scope: MutableMapping[str, Any], text: str, receive: Receive) -> Answer:
        """The answer to one request. Raises StoreUnavailable, and what reading a body raises."""
        headers = by_name(scope["headers"])
        if headers is None:
            return answers.TOO_MANY_HEADERS
        page = pages.wanted(headers)
        link = await self._known(text)
        if link is None:
            return pages.not_here(page) if page else _NOT_HERE
        scope["millrace.proved"] = True
        if seconds := self._pace.wait(link.run_id, _PER_MINUTE):
            return answers.problem(
                429, "too_many", "This link was used too often just now.", "Try again later.",
                (b"retry-after", b"%d" % math.ceil(seconds)),
            )  # fmt: skip
        method = scope["method"]
        if method in ("GET", "HEAD"):
            if page is None:
                return answers.problem(
                    405, "method_not_allowed", "Nothing was done: this link takes a POST.",
                    "Send what the run is to go on with as JSON.", (b"allow", b"POST, GET"),
                )  # fmt: skip
            return pages.asked(page, await self._ask(lambda: standing(*link)))
        if method != "POST":
            return answers.wrong_method(b"POST, GET")
        seat = self._room.seat()
        try:
            announced = headers.get(b"content-length")
            body = await seat.read(receive, announced[0] if announced else None)
            used = await self._used(link, headers, body)
        finally:
            seat.leave()
        if isinstance(used, Answer):
            return used
        return pages.done(page, used) if page else _told(used)

    async def _known(self, text: str) -> _Link | None:
        if self._secret is None:
            self._secret = await self._ask(stored_secret)
        found = _LINK.match(text)
        if found is None:
            return None
        run_id, node_id, generation = UUID(found["run"]), found["node"], int(found["generation"])
        wanted = sending.link_secret(self._secret or _SOME_KEY, run_id, node_id, generation)
        if not hmac.compare_digest(wanted, found["secret"]) or self._secret is None:
            return None
        return _Link(run_id, node_id, generation)

    async def _used(self, link: _Link, headers: dict[bytes, list[bytes]], body: bytes) -> Used | Answer:
        def use() -> Used | Answer:
            try:
                parsed = parse(headers.get(b"content-type", []), headers.get(b"content-encoding", []), body)
            except Inflation:
                return _too_large()
            if parsed.error:
                return answers.problem(400, "body_unreadable", "The body cannot be read.", parsed.error)
            return _use(link, parsed.payload)

        return await self._ask(use)

    async def _ask(self, question: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                answer: T = await self._doors.in_thread(_guarded, question)
                return answer
        except TimeoutError:
            raise StoreUnavailable("The database did not answer in time.") from None


def _guarded(question: Callable[[], T]) -> T:
    try:
        return question()
    except DatabaseFault as error:
        connection.close()
        raise StoreUnavailable(str(error)) from error


def _use(link: _Link, payload: JSON) -> Used | Answer:
    run = Run.objects.filter(pk=link.run_id).values("workspace_id", "workflow_id", "mode").first()
    if run is None:
        return Used("missing")
    try:
        draft = sending.draft(
            workspace_id=run["workspace_id"], kind="link", data=payload, by="link", sent_by="link", mode=run["mode"],
            run_id=link.run_id,
        )  # fmt: skip
    except sending.SignalTooLarge:
        return _too_large()
    except JSONRefused as refused:
        return answers.problem(400, "body_unreadable", "The body cannot be read.", str(refused)[:400])
    return sending.resume(
        draft, node_id=link.node_id, generation=link.generation, workflow_id=run["workflow_id"], early=True
    )


def _too_large() -> Answer:
    return answers.problem(413, "body_too_large", "The body is too large.", "A step may be given 10 MiB.")


def _told(used: Used) -> Answer:
    run = str(used.run_id)
    match used.what:
        case "resumed" | "again":
            value: dict[str, object] = {"run": run, "resumed_at": None if used.at is None else iso(used.at)}
            if used.what == "again":
                value["duplicate"] = True
            return answers.json_answer(202 if used.what == "resumed" else 200, value)
        case "other":
            return answers.problem(
                409, "already_used", "This link was used before, with another body.", "The first one counts.", run=run
            )
        case "late":
            return answers.problem(
                410, "too_late", "The time for this is over.", "The run goes on without, or has done so.", run=run
            )
        case "missing":
            return _NOT_HERE
        case _:
            return answers.problem(
                410, "run_ended", "Nobody waits for this any more.", "The run has ended, or needs it no more.", run=run
            )

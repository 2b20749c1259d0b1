"""The door for the world: a small ASGI application for `/hooks/…`, in front of Django.

`/hooks/{slug}` takes a webhook: read the bytes within limits, see who sent them, store event and run in one shared
commit, answer. Nothing is answered with a 2xx before it is durable (I1); when the database is away the answer is 503
(I2). `GET /hooks/status/{run_id}` says how far a run is; `/hooks/resume/…` are links of runs that wait for a signal.

An address that does not exist, one that is switched off and a signature that does not fit get the same answer after
the same work (S28); the owner finds the reason among the workflow's events.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import re
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final
from uuid import UUID

from runtime.contracts import StoreUnavailable
from runtime.intake import answers
from runtime.intake.answers import Answer
from runtime.intake.aside import Aside
from runtime.intake.examining import Examiner, Headers, Proof, Sense, is_quick, prove, read
from runtime.intake.knock import Knock, Scope, by_name
from runtime.intake.knocks import Allowance, Pace
from runtime.intake.naming import Request
from runtime.intake.reading import (
    BODY_LIMIT,
    PATIENCE_SECONDS,
    BodyTooLarge,
    BodyTooSlow,
    Disconnected,
    Overloaded,
    ReadingRoom,
    Seat,
)
from runtime.intake.resuming import RESUME, Resuming
from runtime.intake.status import Status
from runtime.intake.told import Told
from runtime.intake.triggers import Door, Doors
from runtime.intake.waiting import Held
from runtime.store import artifacts, failpoints
from runtime.store.attention import ATTENTION
from runtime.store.brake import BRAKE
from runtime.store.records import Accepted, AcceptRun
from runtime.store.writer import ACCEPT_PATIENCE, Writer

__all__ = ["PREFIX", "Intake"]

logger = logging.getLogger("millrace.intake")

PREFIX: Final = "/hooks/"
_STATUS: Final = "status/"
# What waits longer than the writer's patience would be refused anyway: refuse it before it takes memory.
_MOST_WAITING: Final = 20_000
_HOST: Final = re.compile(rb"[A-Za-z0-9.\-]+(?::\d{1,5})?\Z|\[[0-9a-fA-F:.]+\](?::\d{1,5})?\Z")

_NOT_HERE: Final = answers.problem(
    404,
    "no_such_webhook",
    "No webhook took this request.",
    "The address is not in use, or what proves the sender does not fit.",
)
_OFF: Final = "The workflow was switched off."
_TOO_LARGE: Final = answers.problem(
    413, "body_too_large", "The body is too large.", f"A request may carry {BODY_LIMIT // 1024 // 1024} MiB."
)
_TOO_SLOW: Final = answers.problem(
    408, "body_too_slow", "The body came too slowly.", "Send the request again.", (b"connection", b"close")
)
_AWAY: Final = answers.problem(
    503,
    "store_unavailable",
    "The event could not be stored.",
    "Nothing was accepted. Send the request again.",
    (b"retry-after", b"2"),
)

#: What is asked before a browser sends something is not sent by anybody.
_PREFLIGHT: Final = b"access-control-request-method"

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Tell = Callable[[Answer], None]


class Intake:
    """The application. One for a process, used from one event loop.

    public_url      where the world reaches this installation; without it the request's own Host is used.
    body_patience   seconds for a body to arrive; answer_patience seconds that a caller is held.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        public_url: str = "",
        body_limit: int = BODY_LIMIT,
        body_patience: float = PATIENCE_SECONDS,
        answer_patience: float = 30.0,
    ) -> None:
        self._writer = writer
        self._public_url = public_url.rstrip("/")
        self._doors = Doors()
        self._status = Status(self._doors)
        self._room = ReadingRoom(limit=body_limit, patience=body_patience)
        self._resuming = Resuming(self._doors, self._room)
        self._examiner = Examiner()
        self._aside = Aside()
        self._held_callers = Held(writer=writer, look=self._status.ends, seconds=answer_patience)
        # A stranger can make the first kind; the second comes from senders that proved who they are, or need not.
        self._strangers = Allowance(burst=60, per_second=0.5)
        self._refused = Allowance(burst=2_000, per_second=20)
        self._pace = Pace()
        self._told = Told(ACCEPT_PATIENCE)
        self._notes: set[asyncio.Task[None]] = set()
        self._later: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Finish writing down what was refused, and let go of threads. Call before the writer stops."""
        self._held_callers.close()
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        if self._notes:
            await asyncio.wait(self._notes, timeout=3)
        self._examiner.close()
        await asyncio.to_thread(self._aside.close)
        self._doors.hand_over()
        await asyncio.to_thread(self._doors.close)

    async def __call__(self, scope: Scope, receive: Receive, send: answers.Send) -> None:
        """Handle one HTTP request whose path begins with `PREFIX`."""
        ATTENTION.call()
        request = Request(scope)
        with request.lines():
            await self._call(request, scope, receive, send)

    async def _call(self, request: Request, scope: Scope, receive: Receive, send: answers.Send) -> None:
        name = scope["path"][len(PREFIX) :]
        try:
            if name.startswith(_STATUS):
                answer = await self._status.answer(scope["method"], name[len(_STATUS) :])
            elif name.startswith(RESUME):
                answer = await self._resuming.answer(scope, name[len(RESUME) :], receive)
            else:
                answer = await self._knock(name, scope, receive)
        except BodyTooLarge:
            answer = _TOO_LARGE
        except BodyTooSlow:
            answer = _TOO_SLOW
        except Disconnected:
            return
        except Exception as error:
            answer = _sorry(error)
        if failpoints.armed():
            failpoints.hit("ingress.respond:before")
        await answers.send_answer(send, request.named(answer), head=scope["method"] == "HEAD")
        if failpoints.armed():
            failpoints.hit("ingress.respond:after")

    # --- without a coroutine -------------------------------------------------------------------------------------

    def at_once(self, scope: Scope, body: bytes, tell: Tell) -> bool:
        """Handle a small request that has come whole, without a coroutine; False where `__call__` must do it.

        `tell` is called once, perhaps before this returns. The request alone decides between the two ways, and whether
        somebody asked for its address a moment ago; never what is found there (S28).
        """
        ATTENTION.call()
        name = scope["path"][len(PREFIX) :]
        door = False if name.startswith((_STATUS, RESUME)) else self._doors.at_once(name)
        headers = by_name(scope["headers"])
        if isinstance(door, bool) or headers is None or not is_quick(headers, body):
            return False
        request = Request(scope)

        def named(answer: Answer) -> None:
            tell(request.named(answer))

        with request.lines():
            try:
                answer = self._admit_at_once(request, door, scope, headers, body, named)
            except Exception as error:
                answer = _sorry(error)
            if answer is not None:
                _say(named, answer)
        return True

    def _admit_at_once(
        self, request: Request, door: Door | None, scope: Scope, headers: Headers, body: bytes, tell: Tell
    ) -> Answer | None:
        """`_admit` and `_answer`; None where `tell` is called later."""
        proof = prove(door, headers, body)
        knock = self._let_in(door, scope, headers, body, proof)
        if isinstance(knock, Answer):
            return knock
        door = knock.door
        sense = read(door, scope["query_string"], headers, body, proof)
        if _is_refused(door, sense):
            self._tell_later(self._refuse(knock, sense), tell, otherwise=_AWAY)
            return None
        knock.error = sense.error
        self._refuse_to_wait()

        def told(end: Accepted | BaseException) -> None:
            with request.lines():
                try:
                    answer = self._told_at_once(door, scope, headers, end, tell)
                except Exception as error:
                    answer = _sorry(error)
                if answer is not None:
                    _say(tell, answer)

        unit = knock.unit(self._writer.now_ms(), starts=True, lease_owner=self._lease_owner(door), key=sense.key)
        caller = self._told.caller(told)
        try:
            self._writer.accept_told(unit, caller)
        except StoreUnavailable:
            caller.withdraw()
            raise
        return None

    def _told_at_once(
        self, door: Door, scope: Scope, headers: Headers, end: Accepted | BaseException, tell: Tell
    ) -> Answer | None:
        if isinstance(end, BaseException):
            return _sorry(end)
        answer = self._answer_at_once(door, scope, headers, end)
        if answer is None:
            accepted = _told_of(end, self._base(scope, headers))
            self._tell_later(self._answer(door, scope, headers, end), tell, otherwise=accepted)
        return answer

    def _tell_later(self, coming: Coroutine[Any, Any, Answer], tell: Tell, *, otherwise: Answer) -> None:
        """`otherwise` is said when this process stops before the answer comes."""

        async def wait() -> None:
            try:
                answer = await coming
            except asyncio.CancelledError:
                _say(tell, otherwise)
                raise
            except Exception as error:
                answer = _sorry(error)
            _say(tell, answer)

        self._keep(wait(), self._later)

    @staticmethod
    def _keep(work: Coroutine[Any, Any, None], kept: set[asyncio.Task[None]]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        kept.add(task)
        task.add_done_callback(kept.discard)

    # --- a knock ----------------------------------------------------------------------------------------------

    async def _knock(self, slug: str, scope: Scope, receive: Receive) -> Answer:
        headers = by_name(scope["headers"])
        if headers is None:
            return answers.TOO_MANY_HEADERS
        seat = self._room.seat()
        try:
            done = await self._admit(slug, scope, headers, receive, seat)
        finally:
            seat.leave()
        # A caller may be held for long: by now the body is stored, and nothing of it stands in memory.
        return done if isinstance(done, Answer) else await self._answer(done[0], scope, headers, done[1])

    async def _admit(
        self, slug: str, scope: Scope, headers: Headers, receive: Receive, seat: Seat
    ) -> Answer | tuple[Door, Accepted]:
        """Read, look, and store: what was accepted, or why it was not."""
        announced = headers.get(b"content-length")
        body = await seat.read(receive, announced[0] if announced else None)
        found = self._doors.at_once(slug)
        door = await self._doors.find(slug) if isinstance(found, bool) else found
        proof = await self._examiner.prove(door, headers, body)
        knock = self._let_in(door, scope, headers, body, proof)
        if isinstance(knock, Answer):
            return knock
        door = knock.door
        sense = await self._examiner.read(door, scope["query_string"], headers, body, proof)
        del body
        if _is_refused(door, sense):
            return await self._refuse(knock, sense)
        knock.error = sense.error
        return door, await self._store(knock, key=sense.key, starts=True)

    def _let_in(self, door: Door | None, scope: Scope, headers: Headers, body: bytes, proof: Proof) -> Knock | Answer:
        """The knock, or the answer for one that may not come in, whatever it carries."""
        if door is None:
            return _NOT_HERE
        knock = Knock(door, scope, body, proof, headers)
        if proof.stranger:
            self._note(knock, proof.stranger)
            return _NOT_HERE
        if door.off:
            self._note(knock, _OFF)
            return _NOT_HERE
        scope["millrace.proved"] = door.auth != "none"
        if len(door.secrets) > 1:
            self._doors.was_used(door, proof.which)
        method = scope["method"]
        if (door.methods is not None and method not in door.methods) or (method == "OPTIONS" and _PREFLIGHT in headers):
            return answers.wrong_method(door.allow)
        # After the signature: a stranger must not use up what the real sender may send.
        if door.per_minute and (seconds := self._pace.wait(door.trigger_id, door.per_minute)):
            self._note(knock, f"More than {door.per_minute} deliveries came in a minute.")
            return _too_many(seconds)
        return knock

    async def _answer(self, door: Door, scope: Scope, headers: Headers, accepted: Accepted) -> Answer:
        answer = self._answer_at_once(door, scope, headers, accepted)
        return await self._held(door, accepted, self._base(scope, headers)) if answer is None else answer

    def _answer_at_once(self, door: Door, scope: Scope, headers: Headers, accepted: Accepted) -> Answer | None:
        """The answer; None where it waits for the run."""
        scope["millrace.accepted"] = accepted
        Request.begun(accepted.run_id)
        if accepted.conflict and door.auth != "hmac":
            return answers.problem(
                409,
                "key_reused",
                "This key came before with another body.",
                "The body was kept beside the first one, and nothing was started.",
                event=str(accepted.event_id),
                run=None if accepted.run_id is None else str(accepted.run_id),
            )
        waits = door.respond != "immediately" and not door.held
        if waits and accepted.run_id is not None and not accepted.conflict:
            return None
        return _told_of(accepted, self._base(scope, headers))

    async def _held(self, door: Door, accepted: Accepted, base: str) -> Answer:
        """The run's own answer, or its end; that it was accepted when it takes too long."""
        run_id = accepted.run_id
        assert run_id is not None
        end = await self._held_callers.until_end(
            run_id, for_response=door.respond == "respond_step", begun_earlier=accepted.duplicate
        )
        if end is None:
            return _told_of(accepted, base)
        if end.response is not None:
            return answers.of_workflow(end.response)
        members = {
            "event": str(accepted.event_id),
            "run": str(run_id),
            "run_status": end.status,
            "outcome": end.outcome,
            "status_url": f"{base}{run_id}",
        }
        if end.status == "completed":
            return answers.json_answer(200, members)
        return answers.problem(
            422, "run_did_not_succeed", "The run did not succeed.", "The event was accepted; its run failed.", **members
        )

    # --- writing down -----------------------------------------------------------------------------------------

    async def _refuse(self, knock: Knock, sense: Sense) -> Answer:
        may_note = self._refused.take(knock.door.trigger_id)
        if sense.bomb:
            if may_note:
                await self._store(knock, reason="Unpacked, the body is too large.")
            return _TOO_LARGE
        knock.error = sense.error
        title = f"The {sense.part} cannot be read."
        event_id = (await self._store(knock, reason=title)).event_id if may_note else None
        return answers.problem(
            400,
            f"{sense.part}_unreadable",
            title,
            sense.error or "",
            event=None if event_id is None else str(event_id),
        )

    def _note(self, knock: Knock, reason: str) -> None:
        """Write down a knock that was not let in, without letting the answer wait for it.

        Of a large body only size and digest are kept: it is not worth the disk.
        """
        if not self._strangers.take(knock.door.trigger_id):
            return
        if knock.size > artifacts.INLINE_LIMIT:
            knock.body = None
        self._keep(self._store_quietly(knock, reason), self._notes)

    async def _store_quietly(self, knock: Knock, reason: str) -> None:
        try:
            await self._store(knock, reason=reason)
        except StoreUnavailable:
            logger.warning("A refused knock could not be written down.")

    async def _store(
        self, knock: Knock, *, starts: bool = False, key: str | None = None, reason: str | None = None
    ) -> Accepted:
        """Commit the event, and its run where it `starts` one. Raises StoreUnavailable."""
        self._refuse_to_wait()
        artifact_id: UUID | None = None
        if knock.body is not None and knock.size > artifacts.INLINE_LIMIT:
            artifact_id = await self._aside.put(knock.door.workspace_id, knock.body, knock.content_type)
            knock.body = None
        unit = knock.unit(
            self._writer.now_ms(),
            starts=starts,
            lease_owner=self._lease_owner(knock.door),
            key=key,
            reason=reason,
            artifact_id=artifact_id,
        )
        return await (self._writer.accept(unit) if artifact_id is None else self._accept_large(unit, artifact_id))

    def _refuse_to_wait(self) -> None:
        BRAKE.refuse_when_full()
        if self._writer.backlog + self._told.waiting > _MOST_WAITING:
            raise StoreUnavailable("More events came than can be stored in time.")
        if not self._writer.running:
            raise StoreUnavailable("The writer is not running.")

    def _lease_owner(self, door: Door) -> str | None:
        return self._writer.owner if self._writer.takes and not door.held else None

    async def _accept_large(self, unit: AcceptRun, artifact_id: UUID) -> Accepted:
        """Commit an event whose body was put aside, and take the body away again where no event came of it."""
        try:
            accepted = await self._writer.accept(unit)
        except StoreUnavailable:
            raise  # the commit may have taken place all the same
        except Exception:
            self._aside.forget(artifact_id)
            raise
        if accepted.duplicate and not accepted.conflict:
            self._aside.forget(artifact_id)
        return accepted

    def _base(self, scope: Scope, headers: Headers) -> str:
        """The status address without the run's id."""
        if self._public_url:
            return f"{self._public_url}/hooks/status/"
        return _base_at(scope.get("scheme", "http"), headers.get(b"host", [b""])[0])


def _say(tell: Tell, answer: Answer) -> None:
    if failpoints.armed():
        failpoints.hit("ingress.respond:before")
    tell(answer)
    if failpoints.armed():
        failpoints.hit("ingress.respond:after")


def _sorry(error: BaseException) -> Answer:
    """What a sender is told when nothing was accepted and that is not its fault."""
    if not isinstance(error, StoreUnavailable | Overloaded):
        # Nothing that a sender can send leads here; whatever did, the event is not lost while it is sent again.
        logger.error("The webhook door met a fault that it does not know.", exc_info=error)
    return _AWAY


def _told_of(accepted: Accepted, base: str) -> Answer:
    return answers.accepted(
        accepted.event_id, accepted.run_id, base, duplicate=accepted.duplicate, conflict=accepted.conflict
    )


def _is_refused(door: Door, sense: Sense) -> bool:
    return sense.bomb or (sense.error is not None and not (door.keep_unparsable and sense.part == "body"))


@functools.lru_cache(maxsize=256)
def _base_at(scheme: str, host: bytes) -> str:
    return f"{scheme}://{host.decode('ascii')}/hooks/status/" if _HOST.match(host) else "/hooks/status/"


def _too_many(seconds: float) -> Answer:
    return answers.problem(
        429,
        "too_many",
        "This webhook takes no more deliveries just now.",
        "Nothing was accepted. Send the request again later.",
        (b"retry-after", b"%d" % math.ceil(seconds)),
    )

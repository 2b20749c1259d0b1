"""Knocking at the webhook door in this process: real application, real writer, no socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Coroutine, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from runtime.contracts import StoreUnavailable
from runtime.intake.answers import Answer
from runtime.intake.app import Intake
from runtime.store.writer import Writer

T = TypeVar("T")
HeaderList = list[tuple[str, str]] | dict[str, str]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def alike(self) -> list[tuple[str, str]]:
        """The headers that answers to two requests can have in common."""
        return [one for one in self.headers if one[0] != "x-request-id"]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


class Knocker:
    """Sends requests to one `Intake`, as `both_ways` says."""

    short = False

    def __init__(self, intake: Intake) -> None:
        self.intake = intake

    async def __call__(
        self,
        slug: str = "orders",
        body: bytes | Iterable[bytes] = b"{}",
        *,
        method: str = "POST",
        headers: HeaderList = {"content-type": "application/json"},  # noqa: B006
        query: bytes = b"",
        pause: float = 0.0,
    ) -> Reply:
        chunks = [body] if isinstance(body, bytes) else list(body)
        pairs = headers.items() if isinstance(headers, dict) else headers
        scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": f"/hooks/{slug}",
            "raw_path": f"/hooks/{slug}".encode(),
            "query_string": query,
            "headers": [
                (b"host", b"millrace.test"),
                *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in pairs),
            ],
        }
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            if pause:
                await asyncio.sleep(pause)
            if not chunks:
                return {"type": "http.disconnect"}
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        if self.short and len(chunks) == 1 and not pause and method != "HEAD":
            answer = await self._at_once(slug, scope, chunks[0])
            if answer is not None:
                return answer
        await self.intake(scope, receive, send)
        start, rest = sent[0], sent[1:]
        return Reply(
            start["status"],
            [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]],
            b"".join(message.get("body", b"") for message in rest),
        )

    async def _at_once(self, slug: str, scope: dict[str, Any], body: bytes) -> Reply | None:
        """The short way in, at an address that was looked up a moment ago; None where it is not for this request."""
        if self.intake._doors.at_once(slug) is False:
            with contextlib.suppress(StoreUnavailable):
                await self.intake._doors.find(slug)
        coming: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if not self.intake.at_once(scope, body, coming.set_result):
            return None
        answer = await coming
        return Reply(
            answer.status, [(name.decode(), value.decode("latin-1")) for name, value in answer.headers], answer.body
        )


#: What database and broker do matters to neither: both ways are gone with those of an installation as it comes.
_AS_IT_COMES = ("MILLRACE_TEST_DATABASE", "sqlite"), ("MILLRACE_TEST_BROKER", "memory")
_WAYS = ["long", "short"] if all(os.environ.get(name, usual) == usual for name, usual in _AS_IT_COMES) else ["short"]


@pytest.fixture(params=_WAYS)
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test once with coroutines and once with function calls, where the request allows it."""
    monkeypatch.setattr(Knocker, "short", request.param == "short")


def at_the_door(writer: Writer, visit: Callable[[Knocker], Coroutine[Any, Any, T]], **settings: Any) -> T:
    """Open a door, let the visitor knock, close it."""

    async def whole() -> T:
        intake = Intake(writer, **settings)
        try:
            return await visit(Knocker(intake))
        finally:
            await intake.close()

    return asyncio.run(whole())


def knock(writer: Writer, *arguments: Any, settings: dict[str, Any] | None = None, **named: Any) -> Reply:
    """One request."""
    return at_the_door(writer, lambda knocker: knocker(*arguments, **named), **(settings or {}))

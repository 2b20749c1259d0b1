"""Tells a service of Apprise something: in a thread, for the library waits; its requests come back to this loop and
leave through the one door."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from runtime.sdk import StepFailure
from runtime.sdk.context import HttpAnswer, HttpClient
from runtime.sdk.notifiers import NotReached, make_service
from runtime.worker.outbox import AT_ONCE, SEND_SECONDS

__all__ = ["Notice", "Services"]

#: One message to many receivers is many requests.
_MOST_REQUESTS: Final = 50
_MOST_BYTES: Final = 100_000
#: What the library still does when no request of its may leave any more.
_LATE_SECONDS: Final = 5.0
Mood: TypeAlias = Literal["failure", "success", "info"]


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be said, and where. Its representation shows no secret."""

    address: str = field(repr=False)
    title: str
    text: str
    mood: Mood


class _Sending:
    """One message on its way: what its requests came to."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._loop = asyncio.get_running_loop()
        self._ends = time.monotonic() + SEND_SECONDS
        self._over = False
        self._left = _MOST_REQUESTS
        self._under_way: Future[HttpAnswer] | None = None
        self.failure: StepFailure | None = None
        self.status: int | None = None

    def way(self, method: str, url: str, headers: list[tuple[str, str]], content: bytes) -> HttpAnswer:
        """Called in the thread."""
        seconds = self._ends - time.monotonic()
        self._left -= 1
        if self._over or seconds <= 0 or self._left < 0:
            raise NotReached("too late")
        asked = self._http.request(
            method, url, headers=headers, content=content, total_seconds=seconds, follow_redirects=False,
            max_bytes=_MOST_BYTES,
        )  # fmt: skip
        self._under_way = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            answer = self._under_way.result(seconds + 1)
        except StepFailure as failure:
            self.failure = failure
            raise NotReached("not reached") from None
        if not 200 <= answer.status < 300:
            self.status = answer.status
        return answer

    def give_up(self) -> None:
        """Nothing leaves after this."""
        self._over = True
        if self._under_way is not None:
            self._under_way.cancel()

    def _patient(self, throttle: Callable[..., None]) -> Callable[..., None]:
        """A service may want to be waited for as long as the other side says, be it a day: no other message would go
        out meanwhile. It is tried again in Millrace's own order."""

        def rest(last_io: Any = None, wait: float | None = None) -> None:
            if wait is not None and not wait < self._ends - time.monotonic():
                raise NotReached("it wants to be left alone for longer")
            throttle(last_io=last_io, wait=wait)

        return rest

    def told(self, notice: Notice) -> bool:
        """In the thread: whether the service took it."""
        from runtime.sdk.notifier_door import opened

        service = make_service(notice.address)
        service.throttle = self._patient(service.throttle)
        with opened(self.way):
            return bool(
                service.notify(
                    body=notice.text,
                    title=notice.title,
                    notify_type=notice.mood,
                    body_format="text",
                    # A text that is too long for the service ends earlier, rather than being refused.
                    overflow="truncate" if str(getattr(service.overflow_mode, "value", "")) == "upstream" else None,
                )
            )


class Services:
    """Threads for as many messages as go out at once; none before the first."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    async def tell(self, http: HttpClient, notice: Notice) -> str | None:
        """Send it; in words why it was not taken, or None. Raises StepFailure where it could not be sent."""
        self._threads = self._threads or ThreadPoolExecutor(AT_ONCE, thread_name_prefix="millrace-services")
        sending = _Sending(http)
        try:
            telling = asyncio.get_running_loop().run_in_executor(
                self._threads, copy_context().run, sending.told, notice
            )
            taken = await asyncio.wait_for(telling, SEND_SECONDS + _LATE_SECONDS)
        except StepFailure:
            raise
        except Exception:
            # What a library says of its own failure may hold an address.
            taken = False
        finally:
            sending.give_up()
        if taken:
            return None
        if sending.failure is not None:
            return _without_secrets(sending.failure.message, notice.address)
        if sending.status is not None:
            return f"It answered with status {sending.status}."
        return "The service did not take it."

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


def _without_secrets(said: str, address: str) -> str:
    """A failure names the host, which for some services holds a part of the address that is nobody else's business."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    secret = {parts.username or "", parts.password or "", *parts.path.split("/"), *parts.query.split("&")}
    pieces = {form for one in secret for form in (one, unquote(one), quote(one)) if len(form) > 3}
    if "." not in host:
        pieces.add(host)
    if any(piece.lower() in said.lower() for piece in pieces if piece):
        return "The service could not be reached."
    return said

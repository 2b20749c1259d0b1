"""The broker of scaled installations; imported only where REDIS_URL is set."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError

logger = logging.getLogger("millrace.queue")

_NAMESPACE = "millrace"
_REACH_SECONDS = 2.0
#: While its messages wait for a thread here, a consumer looks after this long whether there is room again.
_ROOM_SECONDS = 0.025
#: How often a consumer asks for messages also where none has come.
_ALIVE_SECONDS = 1.0


def make_redis_broker(url: str, *, heartbeat_ms: int, maintenance_chance: int) -> RedisBroker:
    """A broker that gives up on an unreachable Redis after two seconds: ringing late is as good as not at all."""
    client = redis.Redis.from_url(
        url,
        socket_timeout=_REACH_SECONDS,
        socket_connect_timeout=_REACH_SECONDS,
        health_check_interval=30,
    )
    return _Broker(  # type: ignore[no-untyped-call]
        client=client,
        middleware=[],
        namespace=_NAMESPACE,
        heartbeat_timeout=heartbeat_ms,
        maintenance_chance=maintenance_chance,
        dead_message_ttl=3_600_000,
    )


@contextmanager
def _away() -> Iterator[None]:
    """Silent, full or loading is as good as away: dramatiq tries again in a while, without a traceback each time. By
    itself it knows only a refused connection, and of an answer that took too long it says that it is a bug."""
    try:
        yield
    except redis.RedisError as error:
        raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]


class _Consumer(_RedisConsumer):
    """Waits at Redis for a message instead of asking again and again, and passes over messages that nobody of ours
    wrote, instead of restarting the consumer for each."""

    def __init__(self, broker: Any, queue_name: str, prefetch: int, timeout: int) -> None:
        # No pause after an empty answer: the pause is the wait at Redis, or for room here.
        super().__init__(broker, queue_name, prefetch, 0)  # type: ignore[no-untyped-call]
        self._wait_seconds = timeout / 1_000
        self._list = f"{broker.namespace}:{queue_name}"
        self._dry = False
        self._asked_at = 0.0

    def __next__(self) -> Any:
        try:
            with _away():
                if self._dry and not self._has_come():
                    return None
                self._asked_at = time.monotonic()
                message = super().__next__()  # type: ignore[no-untyped-call]
        except (DecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
            logger.warning("A message on the broker was not understood (%s) and is ignored.", type(error).__name__)
            return None
        self._dry = message is None
        return message

    def _has_come(self) -> bool:
        """Wait for a message for a while; whether to ask for it, which is also how a consumer says that it lives."""
        if self.outstanding_message_count >= self.prefetch:
            time.sleep(_ROOM_SECONDS)
            return True
        # Moves the oldest entry of the list to where it is: nothing changes but that Redis answers once there is one.
        # What takes it out, and notes who did, is the fetch.
        there = self.broker.client.blmove(self._list, self._list, self._wait_seconds, src="LEFT", dest="LEFT")
        return there is not None or time.monotonic() - self._asked_at > _ALIVE_SECONDS

    def ack(self, message: Any) -> None:
        with _away():
            super().ack(message)  # type: ignore[no-untyped-call]

    def nack(self, message: Any) -> None:
        with _away():
            super().nack(message)  # type: ignore[no-untyped-call]

    def requeue(self, messages: Any) -> None:
        with _away():
            super().requeue(messages)  # type: ignore[no-untyped-call]


class _Broker(RedisBroker):
    @property
    def consumer_class(self) -> type[_Consumer]:
        return _Consumer

"""The broker of scaled installations; imported only where REDIS_URL is set."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.errors import ConnectionClosed, DecodeError

logger = logging.getLogger("millrace.queue")

_NAMESPACE = "millrace"
_REACH_SECONDS = 2.0


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
    """Passes over messages that nobody of ours wrote, instead of restarting the consumer for each."""

    def __next__(self) -> Any:
        try:
            with _away():
                return super().__next__()  # type: ignore[no-untyped-call]
        except (DecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
            logger.warning("A message on the broker was not understood (%s) and is ignored.", type(error).__name__)
            return None

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

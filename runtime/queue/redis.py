"""The broker of scaled installations; imported only where REDIS_URL is set."""

from __future__ import annotations

import logging
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


class _Consumer(_RedisConsumer):
    """Passes over messages that nobody of ours wrote, instead of restarting the consumer for each."""

    def __next__(self) -> Any:
        try:
            return super().__next__()  # type: ignore[no-untyped-call]
        except (DecodeError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
            logger.warning("A message on the broker was not understood (%s) and is ignored.", type(error).__name__)
            return None
        except redis.RedisError as error:
            # Silent, full or loading is as good as away: try again in a while, without a traceback each time.
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]


class _Broker(RedisBroker):
    @property
    def consumer_class(self) -> type[_Consumer]:
        return _Consumer

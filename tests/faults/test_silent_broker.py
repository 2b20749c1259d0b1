"""F22: a Redis that is there and says nothing, seen by who rings and who listens."""

from __future__ import annotations

from collections.abc import Iterator

import dramatiq
import pytest
from dramatiq.errors import ConnectionClosed

from runtime.queue.redis import make_redis_broker
from tests.faults.servers import BreakableRedis

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]


@pytest.fixture
def redis() -> Iterator[BreakableRedis]:
    """A Redis of this test's own."""
    server = BreakableRedis()
    yield server
    server.close()


@pytest.mark.parametrize("answer", ["ack", "nack", "requeue"])
def test_an_answer_to_a_silent_broker_counts_as_a_broken_connection_and_can_be_given_again(
    redis: BreakableRedis, answer: str
) -> None:
    broker = make_redis_broker(redis.url, heartbeat_ms=60_000, maintenance_chance=1)
    broker.declare_queue("q")
    broker.enqueue(dramatiq.Message(queue_name="q", actor_name="ring", args=(), kwargs={}, options={}))
    consumer = broker.consume("q", timeout=100)
    message = next(consumer)
    assert message is not None

    def give() -> None:
        consumer.requeue([message]) if answer == "requeue" else getattr(consumer, answer)(message)

    with redis.silent(), pytest.raises(ConnectionClosed):
        give()
    give()
    assert broker.do_qsize("q") == (1 if answer == "requeue" else 0)
    broker.close()

"""The doorbell: the broker, and the one way to ring it.

The database is the truth and the queue; a message says "somebody should look at these runs" and carries nothing but
their ids. It may be lost, doubled, late or forged: claims decide, and the sweeper rings for what nobody took. So there
are no retries, no delays and no results (what `dramatiq` does about those is not wanted here), and ringing never fails.

With REDIS_URL the broker is Redis; without, messages stay within the process. MILLRACE_BROKER=off silences the bell.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

import dramatiq
from django.conf import settings
from dramatiq.errors import ActorNotFound

__all__ = [
    "ACTOR",
    "FLOOD_IDS",
    "MOST_IDS",
    "QUEUE",
    "InProcessBroker",
    "broker",
    "declare",
    "ids_of",
    "is_off",
    "reachable",
    "ring",
    "ring_in_flood",
]

logger = logging.getLogger("millrace.queue")

QUEUE: Final = "runs"
ACTOR: Final = "advance_runs"
#: Ids in one message. Small enough that several workers share a burst, large enough that a burst is a few messages.
MOST_IDS: Final = 64
#: Ids in a message that is rung in a flood: it is known by there being more of them than in any other.
FLOOD_IDS: Final = 256

_HEARTBEAT_MS: Final = 15_000
#: Of a million commands, how many also look for the messages of dead workers.
_MAINTENANCE_CHANCE: Final = 100_000
_COMPLAIN_SECONDS: Final = 30.0

_complained_at = -_COMPLAIN_SECONDS


def is_off() -> bool:
    """Whether the doorbell is switched off: then the sweeper alone finds work."""
    return os.environ.get("MILLRACE_BROKER", "").strip().lower() == "off"


@cache
def broker() -> dramatiq.Broker:
    """This process's broker."""
    made: dramatiq.Broker
    if url := getattr(settings, "REDIS_URL", ""):
        from runtime.queue.redis import make_redis_broker

        made = make_redis_broker(url, heartbeat_ms=_HEARTBEAT_MS, maintenance_chance=_MAINTENANCE_CHANCE)
    else:
        made = InProcessBroker(middleware=[])
    made.declare_queue(QUEUE)
    dramatiq.set_broker(made)
    return made


def declare(advance: Callable[..., None]) -> None:
    """Make `advance` the actor behind the doorbell, in a process that advances runs."""
    made = broker()
    made.actors.pop(ACTOR, None)
    dramatiq.Actor(advance, broker=made, actor_name=ACTOR, queue_name=QUEUE, priority=0, options={})


def ring(run_ids: Sequence[UUID]) -> None:
    """Tell whoever listens to look at these runs. May block for as long as the broker's time-out; never raises."""
    _ring(run_ids, MOST_IDS)


def ring_in_flood(run_ids: Sequence[UUID]) -> None:
    """Like `ring`, for more than `MOST_IDS` runs and others behind them: one message names the first of them, and says
    by its size that more are to be looked for in the database."""
    _ring(run_ids[:FLOOD_IDS], FLOOD_IDS)


def _ring(run_ids: Sequence[UUID], at_a_time: int) -> None:
    global _complained_at
    if is_off():
        return
    try:
        made = broker()
        for start in range(0, len(run_ids), at_a_time):
            texts = [str(run_id) for run_id in run_ids[start : start + at_a_time]]
            made.enqueue(
                dramatiq.Message(queue_name=QUEUE, actor_name=ACTOR, args=(), kwargs={"run_ids": texts}, options={})
            )
    except Exception as error:
        # The runs are due in the database: they start a little later.
        if time.monotonic() - _complained_at > _COMPLAIN_SECONDS:
            _complained_at = time.monotonic()
            logger.warning(
                "The broker was not reached (%s: %s); the sweeper finds the work.", type(error).__name__, error
            )


def ids_of(run_ids: object) -> list[UUID]:
    """The run ids of a message. What is no id is left out: whoever reaches the broker can write anything into it."""
    if not isinstance(run_ids, list) or len(run_ids) > 10 * MOST_IDS:
        return []
    found = []
    for text in run_ids:
        if isinstance(text, str) and len(text) <= 36:
            try:
                found.append(UUID(text))
            except ValueError:
                continue
    return found


class InProcessBroker(dramatiq.Broker):
    """A broker for one process: enqueueing a message is calling its actor, which only passes ids to the event loop."""

    def __init__(self, middleware: list[dramatiq.Middleware] | None = None) -> None:
        super().__init__(middleware=middleware)
        self.queues: dict[str, None] = {}

    def declare_queue(self, queue_name: str) -> None:
        self.queues[queue_name] = None

    def get_declared_queues(self) -> set[str]:
        return set(self.queues)

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        if delay is not None:
            raise ValueError("The doorbell knows no delays: due times are rows.")
        try:
            actor = self.get_actor(message.actor_name)
        except ActorNotFound:
            return message  # this process advances nothing just now
        actor.fn(*message.args, **message.kwargs)
        return message


def reachable() -> bool:
    """Whether the broker answers just now."""
    made = broker()
    if isinstance(made, InProcessBroker):
        return True
    try:
        return bool(made.client.ping())  # type: ignore[attr-defined]
    except Exception:
        return False

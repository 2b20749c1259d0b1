"""The broker is a doorbell: it may lose, double or forge messages, and be away."""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
import redis
from pytest_django import Settings

from runtime import queue
from runtime.engine.ids import uuid7
from runtime.store.models import Run
from tests.runtime.machine import Machine, flow, wait_until
from tests.services import RedisServer

pytestmark = pytest.mark.services

#: So seldom that only the doorbell can have brought a run.
NO_SWEEP = 600.0


@pytest.fixture
def bell(redis_server: RedisServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    monkeypatch.delenv("MILLRACE_BROKER", raising=False)
    settings.REDIS_URL = redis_server.url
    queue.broker.cache_clear()
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    yield client
    client.close()
    queue.broker.cache_clear()


def listening(machine: Machine) -> Machine:
    """A worker that hears the bell and does not sweep; its first sweep, at the start, is over."""
    if machine.runtime is None:
        machine.start("worker", sweep_seconds=NO_SWEEP)
        run_id = machine.begin(flow("start -> a"))
        machine.finish(run_id)
    return machine


def test_a_rung_run_is_advanced_without_the_sweep(bell: redis.Redis, loud: Machine) -> None:
    run_id = listening(loud).begin(flow("start -> a -> b"))
    assert loud.finish(run_id).status == "completed"


def test_a_message_rung_twice_advances_once(bell: redis.Redis, loud: Machine) -> None:
    run_id = listening(loud).begin(flow("start -> a -> b"))
    for _ in range(5):
        queue.ring([run_id, run_id])
    run = loud.finish(run_id)
    assert (run.status, run.seq) == ("completed", 3)


def test_forged_messages_are_passed_over_and_run_no_code(bell: redis.Redis, loud: Machine) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (print, ("the bomb went off",))

    listening(loud)
    good = {"queue_name": "runs", "actor_name": "advance_runs", "args": [], "kwargs": {}, "options": {},
            "message_id": "m", "message_timestamp": 1}  # fmt: skip
    forged = [
        pickle.dumps(Bomb()),
        b"\xff\xfe not json",
        b"null",
        b"[1, 2]",
        b"{}",
        json.dumps({**good, "actor_name": "os.system", "args": ["true"]}).encode(),
        json.dumps({**good, "kwargs": {"run_ids": "all", "later": {"x": 1}}}).encode(),
        json.dumps({**good, "kwargs": {"run_ids": ["x" * 100_000, 7, None, str(uuid7())]}}).encode(),
        json.dumps({**good, "args": [1, 2, 3]}).encode(),
    ]
    for number, message in enumerate(forged):
        bell.hset("millrace:runs.msgs", f"forged-{number}", message)
        bell.rpush("millrace:runs", f"forged-{number}")
    wait_until(lambda: bell.llen("millrace:runs") == 0)
    run_id = loud.begin(flow("start -> a"))
    assert loud.finish(run_id).status == "completed", "the consumer lives on"


def test_a_listening_worker_waits_at_the_broker_instead_of_asking_again_and_again(
    bell: redis.Redis, loud: Machine
) -> None:
    listening(loud)
    wait_until(lambda: "cmdstat_blmove" in bell.info("commandstats"))
    bell.config_resetstat()
    began = time.monotonic()
    time.sleep(2.5)
    passed = time.monotonic() - began
    asked = {
        name: row["calls"] for name, row in bell.info("commandstats").items() if name != "cmdstat_config|resetstat"
    }
    # Two lists, ten waits a second each; and once a second it says that it lives, which takes two commands.
    assert sum(asked.values()) <= 2 * (10 + 2) * passed + 10, asked
    assert asked["cmdstat_evalsha"] >= 2, "or what it holds is given to others"


def test_a_start_needs_no_broker(redis_server: RedisServer, settings: Settings, idle_machine: Machine) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # nobody is there
    queue.broker.cache_clear()
    try:
        run_id: UUID = idle_machine.begin(flow("start -> a"))
        assert Run.objects.filter(pk=run_id, status="accepted").exists()
        queue.ring([run_id])
        assert not queue.reachable()
    finally:
        settings.REDIS_URL = ""
        queue.broker.cache_clear()
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "completed"


@pytest.fixture
def loud(bell: redis.Redis, idle_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.delenv("MILLRACE_BROKER", raising=False)
    return idle_machine

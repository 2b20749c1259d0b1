"""Idempotency-Key: a repeat gets the first answer and writes nothing (S123)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections as databases
from rest_framework.response import Response

from builder.accounts.models import ApiToken
from builder.api import repeats
from builder.api.problems import Refusal
from builder.config import housekeeping
from builder.workflows.models import Answered, Workflow
from tests.builder.conftest import World

NOW = datetime.now(UTC)
KEY = {"Idempotency-Key": "order-2041"}


def test_a_repeat_gets_the_first_answer_and_writes_nothing(world: World) -> None:
    first = world.as_bo.post(f"{world.here}/workflows", {"name": "Once"}, headers=KEY)
    again = world.as_bo.post(f"{world.here}/workflows", {"name": "Once"}, headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert again.headers["Idempotent-Replay"] == "true"
    assert Workflow.objects.count() == 1


def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    world.as_bo.post(f"{world.here}/workflows", {"name": "Once"}, headers=KEY)
    answer = world.as_bo.post(f"{world.here}/workflows", {"name": "Twice"}, headers=KEY)
    assert (answer.status, answer.code) == (422, "key_reused")


def test_a_key_belongs_to_its_sender_and_its_route(world: World) -> None:
    for caller in (world.as_bo, world.as_alice):
        assert caller.post(f"{world.here}/workflows", {"name": "Once"}, headers=KEY).status == 201
    body = {"name": "Once", "scopes": ["read"]}
    assert world.as_alice.post(f"{world.here}/tokens", body, headers=KEY).status == 201
    assert Workflow.objects.count() == 2


def test_after_a_refusal_the_key_is_free_again(world: World) -> None:
    assert world.as_bo.post(f"{world.here}/workflows", {"name": ""}, headers=KEY).status == 422
    assert world.as_bo.post(f"{world.here}/workflows", {"name": "Once"}, headers=KEY).status == 201


def test_a_secret_answer_is_repeated_and_stored_sealed(world: World) -> None:
    body = {"name": "ERP", "scopes": ["read"]}
    first = world.as_alice.post(f"{world.here}/tokens", body, headers=KEY)
    again = world.as_alice.post(f"{world.here}/tokens", body, headers=KEY)
    assert first.body["token"] == again.body["token"]
    assert ApiToken.objects.count() == 1
    assert first.body["token"] not in str(list(Answered.objects.values()))


@pytest.mark.parametrize("key", ["", "x" * 256, "grüße"])
def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    answer = world.as_bo.post(f"{world.here}/workflows", {"name": "Once"}, headers={"Idempotency-Key": key})
    assert answer.status == 400


def test_a_first_request_still_at_work_is_waited_for_then_given_up(db: None) -> None:
    row = Answered.objects.create(key_sha256="k", body_sha256=_digest(b"{}"), created_at=NOW)
    ran: list[int] = []
    arguments: dict[str, Any] = {"key": "k", "body": b"{}", "together": False, "secret": False}

    def run() -> Response:
        ran.append(1)
        return Response({"done": True}, status=201)

    with pytest.raises(Refusal) as refused:
        repeats.once(**arguments, run=run, now=NOW + timedelta(seconds=5))
    assert refused.value.code == "still_working"
    assert repeats.once(**arguments, run=run, now=NOW + repeats.ABANDONED + timedelta(seconds=1)).status_code == 201
    assert ran == [1]
    assert not Answered.objects.filter(pk=row.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("together", [True, False])
def test_of_many_at_once_one_runs(together: bool) -> None:
    ran: list[int] = []
    statuses: list[int] = []
    gate = threading.Barrier(8)

    def run() -> Response:
        ran.append(1)
        return Response({"n": len(ran)}, status=201)

    def ask() -> None:
        gate.wait()
        try:
            answer = repeats.once(key="k", body=b"{}", run=run, now=datetime.now(UTC), together=together, secret=False)
            statuses.append(answer.status_code)
        except Refusal as refusal:
            statuses.append(refusal.status)
        finally:
            databases.close_all()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == [1]
    assert len(statuses) == 8
    assert set(statuses) <= {201, 409}


def test_answers_older_than_a_day_are_swept_and_forgotten(db: None) -> None:
    Answered.objects.create(key_sha256="k", body_sha256="x", status=201, created_at=NOW - timedelta(days=2))
    Answered.objects.create(key_sha256="l", body_sha256="x", status=201, created_at=NOW)
    assert repeats.sweep(now=NOW) == 1


def test_the_hourly_sweep_removes_what_is_over_and_nothing_else(world: World) -> None:
    from django.contrib.sessions.models import Session

    world.as_bo.post(f"{world.here}/workflows", {"name": "Once"}, headers=KEY)
    Answered.objects.create(key_sha256="old", body_sha256="x", status=201, created_at=NOW - timedelta(days=2))
    Session.objects.create(session_key="over", session_data="x", expire_date=NOW - timedelta(days=1))
    housekeeping.sweep()
    assert not Session.objects.filter(session_key="over").exists()
    assert Answered.objects.count() == 1
    assert world.as_bo.get("/me").status == 200


def _digest(body: bytes) -> str:
    import hashlib

    return hashlib.sha256(body).hexdigest()

"""Idempotency-Key: a repeat gets the first answer and writes nothing (S123)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.db import connections as databases
from rest_framework.response import Response

from builder.accounts.models import ApiToken
from builder.api import repeats
from builder.api.problems import Refusal
from builder.config import housekeeping
from builder.workflows import services
from builder.workflows.models import Answered, Workflow
from tests import factories
from tests.builder.conftest import World
from tests.builder.route_table import PAGES, F, W
from tests.builder.test_routes import routes_of_the_product

NOW = datetime.now(UTC)
KEY = {"Idempotency-Key": "order-2041"}


def test_a_repeat_gets_the_first_answer_and_writes_nothing(world: World) -> None:
    first = world.as_bo.post(f"{world.here}/workflows", {"name": "Once"}, headers=KEY)
    again = world.as_bo.post(f"{world.here}/workflows", {"name": "Once"}, headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert again.headers["Idempotent-Replay"] == "true"
    assert Workflow.objects.count() == 1


#: Writes without a stored answer: the first begin or end a session, the others change nothing.
NO_KEY = {
    ("POST", "session"), ("DELETE", "session"), ("POST", "setup"), ("POST", "invitations/accept"),
    ("POST", f"{F}/check"), ("POST", f"{W}/expressions/preview"), ("POST", f"{W}/schedules/preview"),
    ("POST", f"{W}/documents/preview"),
    ("POST", f"{F}/backfills/plan"), ("POST", f"{F}/intake/look"),
    ("POST", f"{W}/dead-letters/bulk-retries/plan"), ("POST", f"{W}/alerts/rules/try"),
    ("POST", f"{W}/calendars/import"), ("POST", "me/second-factor/offer"),
    ("POST", f"{W}/inbox/<uuid:task_id>/fix/check"), ("POST", f"{W}/members/list/check"),
    # Asked twice, the other system is asked twice: what it said a moment ago is not what it says now.
    ("POST", f"{W}/runs/<uuid:run_id>/retry-plan/ask"), ("POST", f"{W}/inbox/<uuid:task_id>/fix/ask"),
    # A file that is sent in portions: asked for twice, it is made twice, and both go on record.
    ("POST", f"{W}/runs/export"),
    # Asked twice, it is shown twice, and both go on record; a stored answer would keep the value.
    ("POST", f"{W}/runs/<uuid:run_id>/steps/<str:node_id>/reveal"),
}  # fmt: skip


def test_every_write_honours_a_key() -> None:
    without = set()
    for route, callback in routes_of_the_product():
        if route not in PAGES:
            operations = callback.view_class.operations()
            without |= {(method, route) for method, found in operations.items() if found.repeat == "no"}
    assert {(method, route) for method, route in without if method != "GET"} == NO_KEY


def test_what_was_deleted_answers_a_repeat_as_it_did(world: World) -> None:
    workflow = world.workflow()
    token = world.as_alice.post(f"{world.here}/tokens", {"name": "x", "scopes": ["read"]}).body["id"]
    fields = {"token": "a long enough secret", "base_url": "https://bank.example"}
    body = {"kind": "http_bearer", "name": "Bank", "fields": fields}
    connection = world.as_alice.post(f"{world.here}/connections", body).body["id"]
    for path in (f"workflows/{workflow.id}", f"tokens/{token}", f"connections/{connection}"):
        statuses = [world.as_alice.delete(f"{world.here}/{path}", headers=KEY).status for _ in range(2)]
        assert statuses == [204, 204], path


def test_a_draft_is_saved_once_under_a_key(world: World) -> None:
    path = f"{world.here}/workflows/{world.workflow().id}/draft"
    headers = {**KEY, "If-Match": '"1"'}
    first, again = (world.as_bo.put(path, {"graph": factories.graph()}, headers=headers) for _ in range(2))
    assert (first.status, again.status, again.headers["ETag"]) == (200, 200, '"2"')
    assert first.body == again.body
    # Also once somebody else has saved in between: the answer is the one that was lost.
    body = {"graph": factories.small_graph()}
    assert world.as_alice.put(path, body, headers={"If-Match": '"2"'}).status == 200
    assert world.as_bo.put(path, {"graph": factories.graph()}, headers=headers).body == first.body
    assert world.as_bo.get(path).body["revision"] == 3


def test_a_lost_answer_to_a_save_is_no_conflict(world: World) -> None:
    path = f"{world.here}/workflows/{world.workflow().id}/draft"
    match = {"If-Match": '"1"'}
    assert world.as_bo.put(path, {"graph": factories.graph()}, headers=match).body["revision"] == 2
    again = world.as_bo.put(path, {"graph": factories.graph()}, headers=match)
    assert (again.status, again.body["revision"], again.headers["ETag"]) == (200, 2, '"2"')
    # Another person, another content, or an older revision is a conflict as before.
    assert world.as_alice.put(path, {"graph": factories.graph()}, headers=match).status == 409
    assert world.as_bo.put(path, {"graph": factories.small_graph()}, headers=match).status == 409
    assert world.as_bo.put(path, {"graph": factories.small_graph()}, headers={"If-Match": '"2"'}).status == 200
    assert world.as_bo.put(path, {"graph": factories.small_graph()}, headers=match).status == 409
    assert world.as_bo.get(path).body["revision"] == 3


def test_changes_and_switches_are_done_once_under_a_key(world: World) -> None:
    workflow = world.workflow()
    services.publish(workflow=workflow, by=world.bo, note="x")
    path = f"{world.here}/workflows/{workflow.id}"
    assert world.as_bo.post(f"{path}/disable", headers=KEY).body["enabled"] is False
    assert world.as_bo.post(f"{path}/enable", headers=KEY).body["enabled"] is True
    # The repeat tells of its own time and switches nothing off again.
    assert world.as_bo.post(f"{path}/disable", headers=KEY).body["enabled"] is False
    assert world.as_bo.get(path).body["enabled"] is True
    assert world.as_bo.patch(path, {"name": "First"}, headers=KEY).body["name"] == "First"
    assert world.as_bo.patch(path, {"name": "Second"}).body["name"] == "Second"
    assert world.as_bo.patch(path, {"name": "First"}, headers=KEY).body["name"] == "First"
    assert world.as_bo.get(path).body["name"] == "Second"


def test_a_fault_of_the_write_itself_is_not_taken_for_a_repeat(db: None) -> None:
    def run() -> Response:
        raise IntegrityError("its own")

    for together in (True, False):
        with pytest.raises(IntegrityError, match="its own"):
            repeats.once(key="k", body=b"{}", run=run, now=NOW, together=together, secret=False)
        assert not Answered.objects.exists()


def test_what_is_kept_of_a_body_does_not_help_to_guess_it() -> None:
    assert repeats.digest(b"password") != hashlib.sha256(b"password").hexdigest()


def test_another_body_under_the_same_key_is_refused(world: World) -> None:
    world.as_bo.post(f"{world.here}/workflows", {"name": "Once"}, headers=KEY)
    answer = world.as_bo.post(f"{world.here}/workflows", {"name": "Twice"}, headers=KEY)
    assert (answer.status, answer.code) == (409, "key_reused")


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
    row = Answered.objects.create(key_sha256="k", body_sha256=repeats.digest(b"{}"), created_at=NOW)
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


class Portioned:
    """A write in portions, of which each request does one and may then come to a stop."""

    def __init__(self) -> None:
        self.left: list[Any] = []

    def ask(self, *, stops: bool = False, meanwhile: Callable[[], object] = lambda: None, late: int = 0) -> Any:
        """What is answered; `late`: so many seconds from now."""
        progress = repeats.Progress()

        def run() -> Response:
            self.left.append(progress.left)
            progress.keep({"done": len(self.left)})
            meanwhile()
            progress.keep({"done": len(self.left)})
            if stops:
                raise RuntimeError("the lights went out")
            return Response({"done": len(self.left)})

        now = datetime.now(UTC) + timedelta(seconds=late)
        arguments: dict[str, Any] = {"key": "k", "body": b"{}", "together": False, "secret": False}
        return repeats.once(**arguments, run=run, now=now, progress=progress).data


def test_a_write_in_portions_that_failed_on_the_way_is_gone_on_with(db: None) -> None:
    write = Portioned()
    with pytest.raises(RuntimeError):
        write.ask(stops=True)
    with pytest.raises(RuntimeError):
        write.ask(stops=True)
    assert write.ask() == write.ask() == {"done": 3}
    assert write.left == [None, {"done": 1}, {"done": 2}]


def test_a_write_in_portions_is_waited_for_as_long_as_it_gets_on(db: None) -> None:
    write = Portioned()
    told: list[str] = []

    def another() -> None:
        with pytest.raises(Refusal) as refused:
            write.ask(late=50)
        told.append(refused.value.code)

    assert write.ask(meanwhile=another) == {"done": 1}
    assert told == ["still_working"]


def test_a_write_in_portions_that_was_given_up_for_dead_and_is_not_stops(db: None) -> None:
    write = Portioned()
    answers: list[Any] = []
    with pytest.raises(Refusal) as refused:
        write.ask(meanwhile=lambda: answers.append(write.ask(late=70)))
    assert refused.value.code == "still_working"
    assert answers == [{"done": 2}]
    assert write.left == [None, {"done": 1}]
    assert write.ask() == {"done": 2}, "the answer of whoever took over"


def test_another_body_does_not_take_over_a_write_in_portions(db: None) -> None:
    write = Portioned()
    with pytest.raises(RuntimeError):
        write.ask(stops=True)
    arguments: dict[str, Any] = {"key": "k", "body": b"[]", "together": False, "secret": False}
    with pytest.raises(Refusal) as refused:
        repeats.once(**arguments, run=lambda: Response({}), now=datetime.now(UTC))
    assert refused.value.code == "key_reused"

"""S15: the instance is claimed once, by whoever holds the printed link, and by nobody else."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from django.db import connections

from builder.accounts import services
from builder.accounts.models import Membership, User, Workspace
from tests.builder.conftest import World
from tests.factories import PASSWORD, Caller

ANSWERS = {
    "name": "Alice",
    "email": "Alice@Example.org",
    "password": PASSWORD,
    "workspace": {"name": "Northwind", "language": "de", "time_zone": "Europe/Berlin", "currency": "eur"},
}


def open_link() -> str:
    token = services.open_setup(now=datetime.now(UTC))
    assert token is not None
    return token


def test_the_link_makes_the_first_admin_and_signs_them_in(nobody: Caller) -> None:
    answer = nobody.post("/setup", {"token": open_link(), **ANSWERS})
    assert answer.status == 201, answer.body
    assert answer.body["user"]["email"] == "alice@example.org"
    assert answer.body["workspaces"][0] | {"id": ""} == {
        "id": "",
        "name": "Northwind",
        "role": "admin",
        "language": "de",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "sensitive_fields": [],
    }
    assert nobody.get("/session").body["setup_required"] is False
    assert nobody.get("/me").status == 200


def test_the_waiting_workspace_with_the_example_is_taken_over(nobody: Caller) -> None:
    now = datetime.now(UTC)
    waiting, made = services.waiting_workspace(now=now) or (None, False)
    assert made
    assert waiting is not None
    assert services.waiting_workspace(now=now) == (waiting, False)
    answer = nobody.post("/setup", {"token": open_link(), **ANSWERS})
    assert answer.body["workspaces"][0]["id"] == str(waiting.id)
    assert Workspace.objects.count() == 1


def test_a_used_wrong_or_replaced_link_is_refused(nobody: Caller) -> None:
    old = open_link()
    new = open_link()
    for token in (old, "guess", new + "x"):
        assert nobody.post("/setup", {"token": token, **ANSWERS}).code == "setup_closed"
    assert nobody.post("/setup", {"token": new, **ANSWERS}).status == 201
    again = Caller()
    again.csrf = again.get("/session").body["csrf_token"]
    used = again.post("/setup", {"token": new, **ANSWERS, "email": "mallory@example.org"})
    assert (used.status, used.code) == (403, "setup_closed")
    assert used.body["params"]["used_at"]
    assert services.open_setup(now=datetime.now(UTC)) is None


@pytest.mark.parametrize("token", [None, "", [], {}, 0, True])
def test_a_token_that_is_no_token_is_refused(nobody: Caller, token: object) -> None:
    open_link()
    assert nobody.post("/setup", {**ANSWERS, "token": token}).status == 422
    assert not User.objects.exists()


def test_a_refused_first_person_leaves_the_link_open(nobody: Caller) -> None:
    token = open_link()
    weak = nobody.post("/setup", {"token": token, **ANSWERS, "password": "password1234"})
    assert weak.status == 422
    assert "password" in weak.body["fields"]
    assert nobody.post("/setup", {"token": token, **ANSWERS}).status == 201


@pytest.mark.django_db(transaction=True)
def test_of_two_claimants_at_once_one_wins() -> None:
    token = open_link()
    outcomes: list[str] = []
    gate = threading.Barrier(6)

    def claim(number: int) -> None:
        gate.wait()
        try:
            services.set_up(
                token=token,
                name=f"Claimant {number}",
                email=f"claimant{number}@example.org",
                password=PASSWORD,
                workspace_name="Mine",
                language="en",
                time_zone="UTC",
                currency="EUR",
                now=datetime.now(UTC),
            )
            outcomes.append("won")
        except services.SetupClosed:
            outcomes.append("lost")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 5 + ["won"]
    assert User.objects.count() == Membership.objects.count() == Workspace.objects.count() == 1


def test_the_system_check_opens_to_the_link_and_to_admins_only(world: World, nobody: Caller) -> None:
    assert nobody.get("/system-checks").status == 401
    assert world.as_bo.get("/system-checks").status == 403
    lines = world.as_alice.get("/system-checks").body["items"]
    assert {"id", "ok", "title", "detail", "fix"} == set(lines[0])


def test_the_system_check_shows_itself_before_there_is_anybody(nobody: Caller) -> None:
    token = open_link()
    assert nobody.get("/system-checks", headers={"X-Setup-Token": token}).status == 200
    assert nobody.get("/system-checks", headers={"X-Setup-Token": "guess"}).status == 401

"""Secrets are replaced while both are accepted, or once the other system has taken the new one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from builder.audit.models import AuditRow
from builder.config.housekeeping import put_on_record
from builder.connections import rotation, trials
from builder.connections.models import Connection
from builder.connections.vault import SealedVault
from tests.builder.conftest import World
from tests.factories import Caller

OLD = "the old shared secret"


def secret(world: World) -> str:
    body = {"kind": "webhook_secret", "name": "Shop", "fields": {"secret": OLD}}
    made = world.as_bo.post(f"{world.here}/connections", body)
    assert made.status == 201, made.body
    return f"{world.here}/connections/{made.body['id']}"


def bank(world: World) -> str:
    fields = {"token": OLD, "base_url": "https://bank.example"}
    made = world.as_bo.post(f"{world.here}/connections", {"kind": "http_bearer", "name": "Bank", "fields": fields})
    return f"{world.here}/connections/{made.body['id']}"


def opened(world: World, here: str) -> dict[str, Any]:
    return SealedVault().open(workspace_id=world.northwind.id, connection_id=UUID(here[-36:])).fields


def verbs() -> list[str]:
    return [row.verb for row in AuditRow.objects.order_by("chain", "sequence") if row.verb.startswith("connection.")]


class TestWhoeverComesIn:
    def test_the_old_secret_is_accepted_along_with_a_new_one_that_is_shown_once(self, world: World) -> None:
        here = secret(world)
        rotated = world.as_bo.post(f"{here}/rotate", {"overlap_hours": 24}).body
        assert rotated["switched"] is True
        assert rotated["secret"].startswith("whsec_")
        assert opened(world, here) == {"secret": rotated["secret"], "previous_secret": OLD}
        until = datetime.fromisoformat(rotated["connection"]["previous"]["until"])
        assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(hours=24)
        assert rotated["secret"] not in str(world.as_bo.get(here).body)

    def test_with_no_overlap_the_old_one_ends_at_once(self, world: World) -> None:
        here = secret(world)
        body = {"secret": "as the sender made it", "overlap_hours": 0}
        rotated = world.as_bo.post(f"{here}/rotate", body).body
        assert (rotated["secret"], rotated["connection"]["previous"]) == (None, None)
        assert opened(world, here) == {"secret": "as the sender made it"}

    def test_the_old_one_ends_by_itself_is_destroyed_and_that_goes_on_record(self, world: World) -> None:
        here = secret(world)
        world.as_bo.post(f"{here}/rotate", {"overlap_hours": 1})
        past = datetime.now(UTC) - timedelta(seconds=1)
        Connection.objects.update(previous_until=past)
        assert "previous_secret" not in opened(world, here)
        assert world.as_bo.get(here).body["previous"] is None
        sealed = Connection.objects.get().sealed
        put_on_record()
        row = Connection.objects.get()
        assert (row.previous_until, row.sealed != sealed, "previous_secret" in row.shown["set"]) == (None, True, False)
        put_on_record()
        assert verbs() == ["connection.created", "connection.rotated", "connection.previous_ended"]
        assert AuditRow.objects.get(verb="connection.previous_ended").actor_kind == "rule"

    def test_one_ends_however_many_before_it_cannot_be_opened(self, world: World) -> None:
        here = secret(world)
        world.as_bo.post(f"{here}/rotate", {"overlap_hours": 1})
        past = datetime.now(UTC) - timedelta(seconds=1)
        Connection.objects.update(previous_until=past)
        row = Connection.objects.get()
        columns = {one.attname: getattr(row, one.attname) for one in Connection._meta.concrete_fields}
        # Sealed for the other connection's id, so that nobody can open them.
        closed = [Connection(**{**columns, "id": UUID(int=number), "name": f"Shut {number}"}) for number in range(120)]
        Connection.objects.bulk_create(closed)
        assert rotation.end_over(now=datetime.now(UTC)) == 1
        assert Connection.objects.get(pk=row.pk).previous_until is None

    def test_before_its_time_nothing_ends_by_itself(self, world: World) -> None:
        here = secret(world)
        world.as_bo.post(f"{here}/rotate", {"overlap_hours": 1})
        assert rotation.end_over(now=datetime.now(UTC)) == 0
        assert opened(world, here)["previous_secret"] == OLD

    def test_it_is_ended_by_a_button_or_given_more_time(self, world: World) -> None:
        here = secret(world)
        world.as_bo.post(f"{here}/rotate", {"overlap_hours": 1})
        longer = world.as_bo.patch(f"{here}/previous-secret", {"hours": 72}).body["previous"]["until"]
        assert datetime.fromisoformat(longer) - datetime.now(UTC) > timedelta(hours=71)
        assert world.as_bo.delete(f"{here}/previous-secret").body["previous"] is None
        assert "previous_secret" not in opened(world, here)
        assert world.as_bo.patch(f"{here}/previous-secret", {"hours": 72}).code == "no_previous"
        assert verbs()[1:] == ["connection.rotated", "connection.overlap_changed", "connection.previous_ended"]

    def test_a_third_secret_does_not_put_out_one_that_is_still_accepted(self, world: World) -> None:
        here = secret(world)
        world.as_bo.post(f"{here}/rotate", {})
        assert world.as_bo.post(f"{here}/rotate", {}).code == "overlap_open"
        assert opened(world, here)["previous_secret"] == OLD

    def test_the_page_says_which_of_both_was_last_used(self, world: World) -> None:
        here = secret(world)
        world.as_bo.post(f"{here}/rotate", {})
        now = datetime.now(UTC).timestamp()
        note: Mapping[str, Any] = {"workspace_id": world.northwind.id, "connection_id": UUID(here[-36:])}
        SealedVault().note_secrets(**note, current=None, previous=now + 5)
        SealedVault().note_secrets(**note, current=None, previous=now + 2)
        found = world.as_bo.get(here).body["previous"]
        assert found["present_used_at"] is None
        assert datetime.fromisoformat(found["last_used_at"]).timestamp() == pytest.approx(now + 5, abs=0.01)

    def test_what_was_used_before_the_change_says_nothing_of_the_new_secret(self, world: World) -> None:
        here = secret(world)
        world.as_bo.post(f"{here}/rotate", {})
        before = datetime.now(UTC).timestamp() - 3600
        SealedVault().note_secrets(
            workspace_id=world.northwind.id, connection_id=UUID(here[-36:]), current=before, previous=None
        )
        assert world.as_bo.get(here).body["previous"]["present_used_at"] is None

    def test_the_same_secret_is_no_new_one(self, world: World) -> None:
        refused = world.as_bo.post(f"{secret(world)}/rotate", {"secret": OLD})
        assert (refused.status, list(refused.body["fields"])) == (422, ["secret"])


class TestWhatGoesOut:
    def test_the_new_values_are_tried_first_and_kept_only_where_they_are_taken(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, tried = bank(world), []

        def trial(_kind: str, fields: Mapping[str, Any]) -> trials.Outcome:
            tried.append(fields["token"])
            return trials.Outcome("good" in fields["token"], f"It saw {fields['token']}.")

        monkeypatch.setattr(trials.TRIALS, "trial", trial)
        refused = world.as_bo.post(f"{here}/rotate", {"fields": {"token": "a bad new secret"}}).body
        assert refused["switched"] is False
        assert "bad" not in refused["message"]
        assert opened(world, here)["token"] == OLD
        taken = world.as_bo.post(f"{here}/rotate", {"fields": {"token": "a good new secret"}}).body
        assert (taken["switched"], taken["connection"]["status"]) == (True, "working")
        assert opened(world, here) == {"token": "a good new secret", "base_url": "https://bank.example"}
        assert tried == ["a bad new secret", "a good new secret"]
        assert verbs() == ["connection.created", "connection.tested", "connection.rotated"]

    def test_a_step_that_is_at_work_keeps_what_it_began_with(self, world: World) -> None:
        here = bank(world)
        at_work = opened(world, here)
        world.as_bo.post(f"{here}/rotate", {"fields": {"token": "a good new secret"}})
        assert at_work["token"] == OLD

    def test_what_somebody_saves_meanwhile_is_not_overwritten(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = bank(world)

        def trial(*_: object) -> trials.Outcome:
            world.as_alice.patch(here, {"fields": {"token": "what alice entered"}})
            return trials.Outcome(True, "Fine.")

        monkeypatch.setattr(trials.TRIALS, "trial", trial)
        assert world.as_bo.post(f"{here}/rotate", {"fields": {"token": "a new secret"}}).code == "connection_changed"
        assert opened(world, here)["token"] == "what alice entered"

    def test_without_a_new_secret_nothing_is_asked(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trials.TRIALS, "trial", lambda *_: pytest.fail("The other system was asked."))
        body = {"fields": {"base_url": "https://bank.example/"}}
        assert world.as_bo.post(f"{bank(world)}/rotate", body).status == 422


class TestTokens:
    def made(self, world: World) -> tuple[str, str]:
        made = world.as_alice.post(f"{world.here}/tokens", {"name": "ERP", "scopes": ["read"]}).body
        return f"{world.here}/tokens/{made['id']}", made["token"]

    def test_both_are_accepted_until_the_old_one_ends(self, world: World) -> None:
        here, old = self.made(world)
        answer = world.as_alice.post(f"{here}/rotate", {"overlap_hours": 24})
        new = answer.body["token"]
        assert (answer.status, answer.body["scopes"], answer.body["name"]) == (201, ["read"], "ERP")
        workflows = f"{world.here}/workflows"
        assert [Caller(token=one).get(workflows).status for one in (old, new)] == [200, 200]
        rows = {one["id"]: one for one in world.as_alice.get(f"{world.here}/tokens").body["items"]}
        assert rows[here[-36:]]["replaced_by"] == answer.body["id"]
        assert world.as_alice.post(f"{here}/rotate", {}).code == "token_replaced"
        assert world.as_alice.delete(here).status == 204
        assert [Caller(token=one).get(workflows).status for one in (old, new)] == [401, 200]

    def test_with_no_overlap_the_old_one_ends_at_once(self, world: World) -> None:
        here, old = self.made(world)
        assert world.as_alice.post(f"{here}/rotate", {"overlap_hours": 0}).status == 201
        assert Caller(token=old).get(f"{world.here}/workflows").status == 401


def test_all_that_expires_is_listed_the_earliest_first(world: World) -> None:
    here = secret(world)
    world.as_bo.post(f"{here}/rotate", {"overlap_hours": 24})
    world.as_bo.patch(bank(world), {"expires_on": "2020-01-31"})
    world.as_alice.post(f"{world.here}/tokens", {"name": "ERP", "scopes": ["read"], "expires_days": 30})
    found = [(one["what"], one["name"]) for one in world.as_alice.get(f"{world.here}/expiring").body["items"]]
    assert found == [("connection", "Bank"), ("previous_secret", "Shop"), ("token", "ERP")]
    assert [one["what"] for one in world.as_bo.get(f"{world.here}/expiring").body["items"]] == [
        "connection",
        "previous_secret",
    ]

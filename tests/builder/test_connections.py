"""Connections: sealed at rest, never read back, bound to their row, rotated without a failed read (S59 to S65)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection as database

from builder.connections import crypto, services, trials
from builder.connections.models import Connection
from builder.connections.vault import SealedVault
from runtime.ports import ConnectionMissing
from tests.builder.conftest import World

SECRET = "canary-9f2c-very-secret-value"
HOSTS = ["bank.example"]


@pytest.fixture(autouse=True)
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> crypto.KeyRing:
    """A ring of this test's own."""
    ring = crypto.KeyRing(tmp_path / "keys.json", make=True)
    monkeypatch.setattr(crypto, "_RING", ring)
    return ring


def make(world: World, name: str = "Bank", **fields: Any) -> Connection:
    values = {"username": "millrace", "password": SECRET, "allowed_hosts": HOSTS, **fields}
    return services.create(workspace=world.northwind, by=world.bo, kind="http_basic", name=name, fields=values)


def opened(row: Connection) -> dict[str, Any]:
    return SealedVault().open(workspace_id=row.workspace_id, connection_id=row.id).fields


def test_what_goes_in_comes_out_only_at_the_vault(world: World) -> None:
    fields = {"username": "millrace", "password": SECRET, "allowed_hosts": HOSTS}
    body = {"kind": "http_basic", "name": "Bank", "fields": fields}
    made = world.as_bo.post(f"{world.here}/connections", body)
    assert made.status == 201, made.body
    assert made.body["public"] == {"username": "millrace", "allowed_hosts": HOSTS}
    assert made.body["secrets_set"] == ["password"]
    assert made.body["last_four"] == {"password": SECRET[-4:]}
    path = f"{world.here}/connections/{made.body['id']}"
    for answer in (made, world.as_bo.get(path), world.as_alice.get(f"{world.here}/connections")):
        assert SECRET not in answer.raw.decode()
    found = SealedVault().open(workspace_id=world.northwind.id, connection_id=Connection.objects.get().id)
    assert (found.kind, found.fields["password"], found.secrets) == ("http_basic", SECRET, (SECRET,))
    assert SECRET not in repr(found)


def test_the_database_holds_no_plain_secret(world: World) -> None:
    make(world)
    with database.cursor() as cursor:
        cursor.execute("SELECT * FROM connections_connection")
        dump = str(cursor.fetchall())
    assert SECRET not in dump
    assert "canary" not in dump


def test_another_workspace_opens_nothing(world: World) -> None:
    row = make(world)
    with pytest.raises(ConnectionMissing):
        SealedVault().open(workspace_id=world.southwind.id, connection_id=row.id)
    with pytest.raises(ConnectionMissing):
        SealedVault().open(workspace_id=world.northwind.id, connection_id=uuid4())


def test_a_token_moved_altered_or_cut_short_does_not_open(world: World) -> None:
    """S60."""
    row, other = make(world), make(world, "Other", password="another secret value")
    good = row.sealed
    head, _, body = good.rpartition(".")
    for bad in (other.sealed, good[:-8], f"{head}.{body[:-6]}AAAAA=", f"v2.{body}", "", "v1.k0.!!!"):
        Connection.objects.filter(pk=row.pk).update(sealed=bad)
        with pytest.raises(ConnectionMissing, match="cannot be opened"):
            opened(row)
    Connection.objects.filter(pk=row.pk).update(sealed=good, kind="smtp")
    with pytest.raises(ConnectionMissing):
        opened(row)


def test_a_lost_key_is_named(world: World, ring: crypto.KeyRing) -> None:
    row = make(world)
    lost = ring.keys()[0].id
    ring.replace((crypto.new_key(),))
    with pytest.raises(ConnectionMissing, match=lost):
        opened(row)


def test_fields_left_out_keep_their_value_and_null_takes_them_away(world: World) -> None:
    row = make(world, base_url="https://bank.example/me")
    path = f"{world.here}/connections/{row.id}"
    assert world.as_bo.patch(path, {"fields": {"username": "other"}}).status == 200
    kept = {"username": "other", "password": SECRET, "allowed_hosts": HOSTS}
    assert opened(row) == {**kept, "base_url": "https://bank.example/me"}
    assert world.as_bo.patch(path, {"name": "Renamed", "fields": {"base_url": None}}).status == 200
    assert opened(row) == kept


@pytest.mark.parametrize(
    "elsewhere", [{"allowed_hosts": ["mallory.example"]}, {"allowed_hosts": ["bank.example", "*.example"]}]
)
def test_a_secret_is_sent_to_another_place_only_by_whoever_knows_it(world: World, elsewhere: dict[str, Any]) -> None:
    row = make(world)
    path = f"{world.here}/connections/{row.id}"
    refused = world.as_alice.patch(path, {"fields": elsewhere})
    assert (refused.status, set(refused.body["fields"])) == (422, {"fields.password"})
    assert opened(row)["allowed_hosts"] == HOSTS
    assert world.as_alice.patch(path, {"fields": {**elsewhere, "password": "another one"}}).status == 200
    assert opened(row)["password"] == "another one"


def test_a_mail_password_does_not_follow_to_another_server(world: World) -> None:
    fields = {"host": "smtp.example.com", "username": "m", "password": SECRET, "from_address": "a@example.com"}
    row = services.create(workspace=world.northwind, by=world.bo, kind="smtp", name="Mail", fields=fields)
    path = f"{world.here}/connections/{row.id}"
    for changed in ({"host": "smtp.mallory.example"}, {"port": 2525}, {"security": "none"}):
        assert world.as_bo.patch(path, {"fields": changed}).status == 422
    assert world.as_bo.patch(path, {"fields": {"from_address": "b@example.com"}}).status == 200
    assert opened(row)["password"] == SECRET


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "fields.username"),
        ({"username": "x", "password": SECRET, "more": 1}, "fields.more"),
        ({"username": "x" * 500, "password": SECRET}, "fields.username"),
        ({"username": ["x"], "password": SECRET}, "fields.username"),
        ({"username": 1.5, "password": SECRET}, "fields.username"),
        ({"username": "x", "password": 4711471147114711}, "fields.password"),
        ({"username": "x", "password": SECRET, "base_url": 5}, "fields.base_url"),
        ({"username": "x", "password": SECRET}, "fields.allowed_hosts"),
    ],
)
def test_wrong_fields_are_named_and_the_secret_is_not_quoted(world: World, fields: dict[str, Any], wrong: str) -> None:
    answer = world.as_bo.post(f"{world.here}/connections", {"kind": "http_basic", "name": "B", "fields": fields})
    assert answer.status == 422
    assert wrong in answer.body["fields"]
    assert SECRET not in answer.raw.decode()


def test_a_secret_is_text_so_that_it_can_be_found_and_hidden(world: World) -> None:
    fields = {"username": "x", "password": 4711471147114711, "allowed_hosts": HOSTS}
    made = world.as_bo.post(f"{world.here}/connections", {"kind": "http_basic", "name": "B", "fields": fields})
    assert (made.status, made.body["fields"]) == (422, {"fields.password": ["Use text."]})
    row = make(world)
    path = f"{world.here}/connections/{row.id}"
    changed = world.as_bo.patch(path, {"fields": {"password": 4711471147114711}})
    assert (changed.status, changed.body["fields"]) == (422, {"fields.password": ["Use text."]})
    assert opened(row)["password"] == SECRET


def test_numbers_are_kept_in_the_type_of_their_field(world: World) -> None:
    fields = {"host": "mail.example", "from_address": "a@b.example", "port": 587.0}
    made = world.as_bo.post(f"{world.here}/connections", {"kind": "smtp", "name": "Mail", "fields": fields})
    assert made.status == 201, made.body
    assert made.body["public"]["port"] == 587


class TestFirstRing:
    """Scaled processes share one ring; `migrate`, which comes before them all, makes it."""

    @pytest.fixture
    def path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = tmp_path / "shared" / "keys.json"
        path.parent.mkdir()
        monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
        monkeypatch.setattr(settings, "CONNECTION_KEYS_FILE", path)
        monkeypatch.setattr(crypto, "_RING", crypto.KeyRing(path, make=False))
        return path

    def body(self) -> dict[str, Any]:
        return {
            "kind": "http_basic",
            "name": "B",
            "fields": {"username": "x", "password": SECRET, "allowed_hosts": HOSTS},
        }

    def test_without_a_ring_the_api_says_so_in_words(self, world: World, path: Path) -> None:
        for answer in (
            world.as_bo.post(f"{world.here}/connections", self.body()),
            world.as_bo.post(f"{world.here}/workflows", {"name": "Mine", "from_example": "Order to cash"}),
        ):
            assert (answer.status, answer.code) == (503, "keys_missing")
            assert str(path) not in answer.raw.decode()
        assert not path.exists()

    def test_without_a_ring_a_token_is_shown_once_and_its_repeat_is_told_so(self, world: World, path: Path) -> None:
        key = {"Idempotency-Key": "once"}
        first, again = (
            world.as_alice.post(f"{world.here}/tokens", {"name": "x", "scopes": ["read"]}, headers=key)
            for _ in range(2)
        )
        assert (first.status, again.status, again.code) == (201, 409, "answer_gone")
        assert [token["name"] for token in world.as_alice.get(f"{world.here}/tokens").body["items"]] == ["x"]
        assert not path.exists()

    def test_migrating_a_new_installation_makes_the_ring_once(
        self, world: World, path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("migrate", interactive=False)
        assert f"Made {path}" in capsys.readouterr().out
        made = path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
        assert world.as_bo.post(f"{world.here}/connections", self.body()).status == 201
        call_command("migrate", interactive=False)
        assert path.read_bytes() == made

    def test_a_lost_ring_is_not_replaced(self, world: World, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("migrate", interactive=False)
        make(world)
        path.unlink()
        call_command("migrate", interactive=False)
        assert "Put it back" in capsys.readouterr().out
        assert not path.exists()

    def test_looking_at_the_plan_makes_nothing(self, db: None, path: Path) -> None:
        call_command("migrate", plan=True)
        assert not path.exists()


def test_a_name_stands_for_one_connection(world: World) -> None:
    make(world)
    body = {
        "kind": "http_basic",
        "name": "Bank",
        "fields": {"username": "x", "password": SECRET, "allowed_hosts": HOSTS},
    }
    answer = world.as_bo.post(f"{world.here}/connections", body)
    assert answer.body["fields"] == {"name": ["Another connection here has this name."]}


def test_a_builder_manages_their_own_and_an_admin_all(world: World) -> None:
    ours = services.create(
        workspace=world.northwind,
        by=world.alice,
        kind="http_bearer",
        name="A",
        fields={"token": SECRET, "allowed_hosts": HOSTS},
    )
    path = f"{world.here}/connections/{ours.id}"
    assert world.as_bo.get(path).body["mine"] is False
    assert world.as_bo.patch(path, {"name": "B"}).status == 403
    assert world.as_bo.delete(path).status == 403
    assert world.as_bo.post(f"{path}/test").status == 403
    theirs = make(world)
    assert world.as_alice.delete(f"{world.here}/connections/{theirs.id}").status == 204


def test_a_trial_tells_what_the_other_system_said_without_the_secret(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make(world)

    def refuses(kind: str, fields: Any) -> trials.Outcome:
        return trials.Outcome(False, f"bank.example refused {fields['password']}")

    monkeypatch.setattr(trials.TRIALS, "trial", refuses)
    answer = world.as_bo.post(f"{world.here}/connections/{row.id}/test")
    assert answer.body == {"ok": False, "message": "bank.example refused •••", "confirm": None}
    shown = world.as_bo.get(f"{world.here}/connections/{row.id}").body
    assert (shown["status"], shown["status_detail"]) == ("broken", "bank.example refused •••")


class TestRotation:
    def test_every_connection_is_sealed_anew_and_the_old_key_is_destroyed(
        self, world: World, ring: crypto.KeyRing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("builder.config.management.commands.rotate_keys.PAUSE_SECONDS", 0)
        rows = [make(world, f"C{number}", password=f"{SECRET}-{number}") for number in range(5)]
        old = ring.keys()
        call_command("rotate_keys")
        assert len(ring.keys()) == 1
        assert ring.keys()[0].id != old[0].id
        assert [opened(row)["password"] for row in rows] == [f"{SECRET}-{number}" for number in range(5)]
        assert set(Connection.objects.values_list("key_id", flat=True)) == {ring.keys()[0].id}

    def test_killed_at_any_point_both_keys_open_and_a_second_run_finishes(
        self, world: World, ring: crypto.KeyRing
    ) -> None:
        """S65."""
        rows = [make(world, f"C{number}") for number in range(6)]
        for fatal in range(1, 5):
            passed = 0

            def point(name: str, fatal: int = fatal) -> None:
                nonlocal passed
                passed += 1
                assert all(opened(row)["password"] == SECRET for row in rows)
                if passed == fatal:
                    raise KeyboardInterrupt(name)

            with contextlib.suppress(KeyboardInterrupt):
                services.rotate(made=point, batch=2)
            assert all(opened(row)["password"] == SECRET for row in rows)
        services.rotate(batch=2)
        services.drop_old_keys()
        assert len(ring.keys()) == 1
        assert all(opened(row)["password"] == SECRET for row in rows)

    def test_a_row_saved_meanwhile_keeps_the_newer_seal(self, world: World) -> None:
        row = make(world)
        stale = Connection.objects.get(pk=row.pk)
        services.change(row=row, fields={"password": "a newer secret value"}, now=row.updated_at)
        assert services._reseal(stale, crypto.ring().keys()) == 0
        assert opened(row)["password"] == "a newer secret value"

    def test_a_ring_that_others_can_read_is_refused(self, ring: crypto.KeyRing, tmp_path: Path) -> None:
        ring.create()
        (tmp_path / "keys.json").chmod(0o644)
        with pytest.raises(crypto.KeyMissing, match="chmod 600"):
            ring.keys()

    def test_without_a_ring_nothing_is_made_up(self, tmp_path: Path) -> None:
        with pytest.raises(crypto.KeyMissing, match="CONNECTION_KEYS_FILE"):
            crypto.KeyRing(tmp_path / "none.json", make=False).keys()

    @pytest.mark.parametrize("content", ["", "{}", '{"keys": []}', '{"keys": [{"id": "k", "secret": "AAAA"}]}'])
    def test_a_broken_ring_is_named(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "keys.json"
        path.write_text(content)
        path.chmod(0o600)
        with pytest.raises(crypto.KeyMissing, match=r"keys\.json"):
            crypto.KeyRing(path, make=False).keys()

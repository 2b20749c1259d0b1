"""A server of files is confirmed by a person: what it shows comes with the trial, and nothing secret is sent before."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.config import wiring
from builder.connections import crypto
from builder.connections.trials import TRIALS
from runtime.worker.egress import Egress
from tests.builder.conftest import World
from tests.services import MissingService, skip_or_fail
from tests.services.rclone_server import PASSWORD, USER, sftp_server

HOST = "files.example.com"


@pytest.fixture(autouse=True)
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "_RING", crypto.KeyRing(tmp_path / "keys.json", make=True))


@pytest.fixture
def trials() -> Iterator[None]:
    """Trials as the product makes them, on a loop of their own; one server is reached by its name."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    before = TRIALS.trial
    try:
        with sftp_server() as server:
            thread.start()
            wiring.allow_trials(loop, Egress.make(named_sftp={HOST: ("127.0.0.1", server.port)}))
            yield
    except MissingService as missing:
        skip_or_fail(str(missing))
    finally:
        TRIALS.trial = before
        if thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
        loop.close()


def test_a_server_is_shown_confirmed_and_then_held_to_its_key(world: World, trials: None) -> None:
    given = {"host": HOST, "username": USER, "password": PASSWORD}
    made = world.as_bo.post(f"{world.here}/connections", {"kind": "sftp", "name": "Bank", "fields": given}).body
    assert made["public"] == {"host": HOST, "username": USER}
    path = f"{world.here}/connections/{made['id']}"
    first = world.as_bo.post(f"{path}/test").body
    assert (first["ok"], first["confirm"]["field"]) == (False, "host_key")
    shown = first["confirm"]["value"]
    assert shown in first["message"]
    confirmed = world.as_bo.patch(path, {"fields": {"host_key": shown}})
    assert confirmed.status == 200, confirmed.body
    second = world.as_bo.post(f"{path}/test").body
    assert (second["ok"], second["confirm"]) == (True, None), second
    # Another key than the confirmed one is never offered to be confirmed by a click.
    world.as_bo.patch(path, {"fields": {"host_key": shown[:-3] + "AAA"}})
    third = world.as_bo.post(f"{path}/test").body
    assert (third["ok"], third["confirm"]) == (False, None)
    assert "Somebody may be in between" in third["message"]


def test_a_connection_led_elsewhere_needs_its_secrets_again(world: World) -> None:
    fields = {"host": HOST, "username": USER, "private_key": "x" * 40, "passphrase": "a phrase"}
    made = world.as_bo.post(f"{world.here}/connections", {"kind": "sftp", "name": "Bank", "fields": fields}).body
    path = f"{world.here}/connections/{made['id']}"
    refused = world.as_bo.patch(path, {"fields": {"host": "evil.example.com"}})
    assert (refused.status, sorted(refused.body["fields"])) == (422, ["fields.passphrase", "fields.private_key"])
    assert world.as_bo.patch(path, {"fields": {"folder": "/in"}}).status == 200

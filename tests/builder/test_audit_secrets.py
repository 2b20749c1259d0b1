"""S61: canaries in connections, inputs, edits, tokens and passwords; none in rows, exports, histories or pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import connection

from builder.connections import trials
from tests import factories
from tests.builder.audited import flow_of
from tests.builder.conftest import World
from tests.builder.test_people import question
from tests.builder.test_tables import make
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
CANARIES: Final = [f"CANARY-{number}-5f4e3d2c1b0a" for number in range(12)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    monkeypatch.setattr(trials.TRIALS, "trial", lambda *_: trials.Outcome(False, f"refused {CANARIES[0]}"))


def test_no_secret_and_no_business_data_is_on_record(world: World) -> None:
    here, bo, alice = world.here, world.as_bo, world.as_alice
    secrets: list[str] = list(CANARIES)
    # connections
    fields = {"token": CANARIES[0], "base_url": f"https://user:{CANARIES[1]}@bank.example/?api_key={CANARIES[2]}"}
    made = bo.post(f"{here}/connections", {"kind": "http_bearer", "name": "Bank", "fields": fields})
    if made.status != 201:
        fields["base_url"] = f"https://bank.example/?api_key={CANARIES[2]}"
        made = bo.post(f"{here}/connections", {"kind": "http_bearer", "name": "Bank", "fields": fields})
    assert made.status == 201, made.body
    bank = f"{here}/connections/{made.body['id']}"
    assert bo.patch(bank, {"fields": {"token": CANARIES[3]}}).status == 200
    assert bo.post(f"{bank}/test", {}).status == 200
    # drafts, starts, tests, events
    flow = flow_of(world)
    path = f"{here}/workflows/{flow.id}"
    graph = factories.graph(("start", "trigger.manual@1", {}), ("x", "data.edit_fields@1", {"fields": [
        {"name": "token", "value": CANARIES[4]}
    ]}), edges=["start -> x"])  # fmt: skip
    assert bo.put(f"{path}/draft", {"graph": graph}, headers={"If-Match": '"1"'}).status == 200
    assert bo.post(f"{path}/publish", {"revision": 2}).status == 201
    assert bo.post(f"{path}/runs", {"input": {"card": CANARIES[5]}}).status == 202
    assert bo.post(f"{path}/test", {"input": {"card": CANARIES[5]}}).status == 202
    assert bo.post(f"{here}/sent-events", {"name": "paid", "key": CANARIES[6], "data": CANARIES[6]}).status == 202
    # answers and tables
    spec = {"fields": [{"name": "pin", "label": "Pin", "type": "text"}]}
    asked = question(world, spec=spec)
    decided = bo.post(f"{here}/inbox/{asked.id}/decide", {"outcome": "approved", "answers": {"pin": CANARIES[7]}})
    assert decided.status in (200, 422)
    table = make(world)
    row = bo.post(f"{table}/rows", {"values": {"Customer": CANARIES[8]}})
    assert row.status == 201
    # people
    secrets.append(alice.post(f"{here}/tokens", {"name": "ERP", "scopes": ["read"]}).body["token"])
    link = alice.post(f"{here}/members", {"email": "new@example.org", "role": "viewer"}).body["link"]
    secrets.append(link.rpartition("=")[2])
    joined = world.as_nobody.post("/invitations/accept", {"token": secrets[-1], "name": "New", "password": CANARIES[9]})
    assert joined.status == 201, joined.body
    body = {"current_password": PASSWORD, "password": f"{CANARIES[10]} and more"}
    assert world.as_rosa.patch("/me", body).status == 200
    world.as_vera.post("/session", {"email": world.vera.email, "password": CANARIES[11]})
    assert world.as_vera.post("/session", {"email": CANARIES[11], "password": "x"}).status == 401

    shown = [
        str(rows_of("audit_row")),
        alice.get(f"{here}/audit?limit=200").raw.decode(),
        alice.get(f"{here}/audit/export").raw.decode(),
        alice.get(f"{here}/audit/export?format=csv").raw.decode(),
        alice.get("/installation/audit?limit=200").raw.decode(),
        bo.get(f"{path}/history").raw.decode(),
        bo.get(f"{bank}/history").raw.decode(),
    ]
    assert "connection.changed" in shown[0]
    assert "run.started" in shown[0]
    assert '"secrets_entered": ["token"]' in alice.get(f"{here}/audit?limit=200").raw.decode().replace(
        '"secrets_entered":["token"]', '"secrets_entered": ["token"]'
    )
    for text in shown:
        for secret in secrets:
            assert secret not in text


def rows_of(table: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        return list(cursor.fetchall())

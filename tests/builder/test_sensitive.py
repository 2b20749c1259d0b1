"""Values of sensitive fields are shown to nobody unasked, by no way, and whoever asks for one goes on record."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from builder.accounts.rights import Scope
from builder.api.sensitive import DOTS, MARK, Masking, fold
from builder.audit.models import AuditRow
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.store.models import Attempt, Event, Run
from tests.builder.conftest import World
from tests.builder.test_comparisons import AT, lived, publish

CANARY = "DE89370400440532013000"
GIVEN = {"body": {"supplier": "Brinkmann", "IBAN": CANARY, "lines": [{"iban": CANARY, "total": 3}], "none": None}}


@pytest.fixture
def run(world: World) -> UUID:
    """A run that was given account numbers, in a workspace that calls them sensitive."""
    answer = world.as_alice.patch(world.here, {"sensitive_fields": ["iban", "Booking date"]})
    assert answer.body["sensitive_fields"] == ["iban", "Booking date"]
    return lived(world, publish(world, world.workflow()), GIVEN, inside={"to": GIVEN["body"]})


def step(world: World, run: UUID, node: str = "n_start") -> str:
    return f"{world.here}/runs/{run}/steps/{node}"


def test_a_name_counts_however_it_is_written() -> None:
    assert {fold(name) for name in ("booking_date", "Booking date", "bookingDate", "BOOKING-DATE")} == {"bookingdate"}
    hides = Masking(["Booking date", " "])
    assert hides.is_sensitive(["body", "bookingDate"])
    assert hides.is_sensitive(["booking_date", 3, "x"])
    assert not hides.is_sensitive(["body", 0, "date"])
    assert not Masking([]).is_sensitive([""])


def test_sensitive_values_are_marks_and_everything_else_is_as_it_was(world: World, run: UUID) -> None:
    for caller in (world.as_vera, world.as_rosa, world.as_alice):
        seen = caller.get(step(world, run)).body["output"]
        assert seen == {
            "body": {
                "supplier": "Brinkmann",
                "IBAN": {MARK: ["output", "body", "IBAN"]},
                "lines": [{"iban": {MARK: ["output", "body", "lines", 0, "iban"]}, "total": 3}],
                "none": None,
            }
        }
    assert CANARY not in json.dumps(world.as_vera.get(step(world, run, "n_fields")).body)


def test_a_value_inside_a_text_hides_the_text_and_a_sentence_stays() -> None:
    hides = Masking(["iban"])
    assert hides.masked({"request": f'{{"iban": "{CANARY}"}}'}) == {"request": {MARK: []}}
    assert hides.masked({"url": f"https://x.example/?iban={CANARY}"}) == {"url": {MARK: []}}
    assert hides.hides(["request"], f'{{"iban": "{CANARY}"}}')
    assert not hides.hides(["note"], "The IBAN is missing")
    assert hides.masked({"note": "The IBAN is missing"}) == {"note": "The IBAN is missing"}
    assert hides.text(f'{{"iban": "{CANARY}", "a": 1}}') == f'{{"iban":"{DOTS}","a":1}}'
    assert hides.text(f"iban={CANARY}") == DOTS
    assert hides.text("a=1") == "a=1"


def test_a_reviewer_sees_one_value_by_asking_and_the_record_tells_which_and_not_what(world: World, run: UUID) -> None:
    asked = {"side": "output", "path": ["body", "lines", 0, "iban"]}
    answer = world.as_rosa.post(f"{step(world, run)}/reveal", asked)
    assert (answer.status, answer.body) == (200, {"value": CANARY})
    assert "no-store" in answer.headers["Cache-Control"]
    row = AuditRow.objects.get(verb="run.value_shown")
    assert (row.actor_name, row.object_id) == ("Rosa", str(run))
    assert CANARY not in row.detail
    assert '"iban"' in row.detail
    assert "n_start" in row.detail


def test_who_may_not_ask_is_told_nothing_and_nothing_goes_on_record(world: World, run: UUID) -> None:
    asked = {"side": "output", "path": ["body", "IBAN"]}
    reader = world.program(world.alice, Scope.READ)
    for caller in (world.as_vera, reader):
        answer = caller.post(f"{step(world, run)}/reveal", asked)
        assert answer.status == 403
        assert CANARY not in str(answer.body)
    theirs = f"{world.there}/runs/{run}/steps/n_start/reveal"
    assert world.as_mallory.post(theirs, asked).status == 404
    assert not AuditRow.objects.filter(verb="run.value_shown").exists()


@pytest.mark.parametrize("path", [["body", "supplier"], ["body"], ["body", "lines", 9, "iban"], ["iban"]])
def test_only_what_is_hidden_and_there_can_be_asked_for(world: World, run: UUID, path: list[Any]) -> None:
    answer = world.as_rosa.post(f"{step(world, run)}/reveal", {"side": "output", "path": path})
    assert answer.status == 404


def test_a_comparison_says_that_values_differ_and_not_how(world: World, run: UUID) -> None:
    version = publish(world, world.workflow("Twice"))
    one = lived(world, version, {"iban": CANARY, "who": {"iban": "x"}})
    two = lived(world, version, {"iban": CANARY[::-1]})
    for path in (f"{world.here}/runs/{one}/compare/{two}", f"{world.here}/runs/{two}/since-good"):
        told = world.as_alice.get(path)
        found = told.body.get("found", told.body)
        assert {tuple(field["path"]): field["change"] for field in found["start"]}[("iban",)] == "changed"
        assert CANARY not in str(told.body)
        assert CANARY[::-1] not in str(told.body)
    inner = world.as_alice.get(f"{world.here}/runs/{one}/compare/{two}/steps/n_start").body
    assert CANARY not in str(inner)
    assert inner["output"][0]["here"] == {MARK: []}


def test_tries_events_samples_and_the_file_of_a_run_hold_no_sensitive_value(world: World, run: UUID) -> None:
    request = {"method": "POST", "url": "https://erp.example", "body": GIVEN["body"]}
    Attempt.objects.create(
        run_id=run, node_id="n_start", attempt=1, status="succeeded", effect_class="keyed", lease_token=1, worker="w",
        started_at=AT, request=dumps(request), response=dumps({"iban": CANARY}),
    )  # fmt: skip
    event = Event.objects.create(
        id=uuid7(), workspace_id=world.northwind.id, workflow_id=uuid7(), source="webhook", received_at=AT,
        body=dumps(GIVEN["body"]).encode(), body_sha256="0" * 64, verdict="accepted", content_type="application/json",
        query=f"iban={CANARY}",
    )  # fmt: skip
    Run.objects.filter(pk=run).update(event_id=event.id)
    workflow = Run.objects.get(pk=run).workflow_id
    assert CANARY not in str(world.as_alice.get(step(world, run)).body["attempts"])
    seen = world.as_alice.get(f"{world.here}/events/{event.id}").body
    assert CANARY not in str(seen)
    assert json.loads(seen["body_text"])["supplier"] == "Brinkmann"
    assert CANARY not in str(world.as_vera.get(f"{world.here}/workflows/{workflow}/samples").body)
    export = world.as_alice.get(f"{world.here}/runs/{run}/export").body
    text = export if isinstance(export, str) else json.dumps(export)
    assert CANARY not in text
    assert "Brinkmann" in text


def test_without_sensitive_fields_nothing_is_hidden(world: World) -> None:
    run = lived(world, publish(world, world.workflow()), GIVEN)
    assert world.as_vera.get(step(world, run)).body["output"] == GIVEN


def test_only_admins_say_which_fields_are_sensitive_and_that_is_told(world: World) -> None:
    assert world.as_bo.patch(world.here, {"sensitive_fields": []}).status == 403
    assert world.as_alice.patch(world.here, {"sensitive_fields": ["iban", "iban ", "salary"]}).status == 200
    assert world.as_vera.get(world.here).body["sensitive_fields"] == ["iban", "salary"]
    row = AuditRow.objects.filter(verb="workspace.changed").latest("sequence")
    assert "salary" in row.detail

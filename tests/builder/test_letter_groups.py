"""Dead letters as a file, and what people say about a group of them, by the API."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from builder.api import repeats
from builder.audit.models import AuditRow
from builder.workflows.models import Answered
from runtime import api as runtime_api
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.interpreter.payloads import Reference
from runtime.store.models import DeadLetter, LetterGroup, RunField, Version
from tests.builder.conftest import World
from tests.builder.test_dead_letter_edits import letters
from tests.factories import Answer

CAUSE = "0123456789abcdef0123456789abcdef"
TICKET = "https://tickets.example.org/ERP-4711?tab=log"


@pytest.fixture
def failed(world: World) -> list[str]:
    """Two runs of one cause, the newest first."""
    made = letters(world)
    DeadLetter.objects.update(cause=CAUSE)
    return made


def said(world: World) -> dict[str, Any]:
    (group,) = world.as_vera.get(f"{world.here}/dead-letters").body["items"]
    found: dict[str, Any] = group["said"]
    return found


def note(world: World, text: str = "", ticket: str = "", revision: int = 0, **more: Any) -> Answer:
    body = {"note": text, "ticket": ticket, "revision": revision, **more}
    return world.as_rosa.call("PUT", f"{world.here}/dead-letters/{CAUSE}/note", body)


def exported(world: World, query: str = "", who: str = "vera") -> bytes:
    answer = getattr(world, f"as_{who}").get(f"{world.here}/dead-letters/export?{query}")
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="dead-letters-')
    found: bytes = answer.raw
    return found


def table(raw: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    assert raw.startswith(b"\xef\xbb\xbf"), "Excel knows by that how it is written"
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig")), delimiter=delimiter))


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_group_is_a_table_with_what_its_steps_were_given(world: World, failed: list[str]) -> None:
    rows = table(exported(world, f"cause={CAUSE}"))
    assert [row["Run"] for row in rows] == failed
    row = rows[0]
    assert (row["Step"], row["Failed of"], row["Message"], row["Code"]) == ("Stop", "Refused", "No.", "refused")
    assert row["Given to the step"] == '{"message":"No."}'
    assert row["Address"].endswith(f"/runs/{failed[0]}")
    assert row["Failed at"] == "1970-01-01T00:00:00.002Z"


def test_only_what_is_chosen_or_what_the_filter_shows_is_in_it(world: World, failed: list[str]) -> None:
    other = letters(world, 1)
    workflow = DeadLetter.objects.get(run_id=other[0]).workflow_id
    assert [row["Run"] for row in table(exported(world))] == [*other, *failed]
    assert [row["Run"] for row in table(exported(world, f"workflow={workflow}"))] == other
    chosen = ",".join(one.replace("-", "") for one in (failed[1], other[0]))
    assert [row["Run"] for row in table(exported(world, f"runs={chosen}"))] == [other[0], failed[1]]
    assert table(exported(world, "cause=nothing")) == []
    DeadLetter.objects.filter(run_id=failed[0]).update(solved_at=3)
    assert [row["Run"] for row in table(exported(world, f"cause={CAUSE}"))] == failed[1:], "only what waits"
    assert world.as_mallory.get(f"{world.here}/dead-letters/export").status == 404, (
        "whoever belongs to another workspace"
    )


def test_text_never_becomes_a_formula(world: World) -> None:
    letters(world, given=dumps("+1+2"))
    DeadLetter.objects.update(message="=HYPERLINK(A1)", title="@SUM(1)")
    for row in table(exported(world)):
        assert (row["Message"], row["Failed of"]) == ("'=HYPERLINK(A1)", "'@SUM(1)")
        assert row["Given to the step"] == '"+1+2"'


def test_amounts_are_numbers_and_each_column_is_called_once(world: World, failed: list[str]) -> None:
    fields: Any = [{"name": "total", "label": "Total", "value": "{{ 1 }}", "kind": "amount"},
                   {"name": "run", "label": "Run", "value": "{{ 1 }}", "kind": "text"}]  # fmt: skip
    for version in Version.objects.all():
        graph = json.loads(version.graph)
        graph["naming"] = {"fields": fields}
        Version.objects.filter(pk=version.pk).update(graph=json.dumps(graph))
    for name, shown, number, currency in (("total", "1204.50", 12_045_000, "EUR"), ("run", "R-7", None, "")):
        RunField.objects.create(
            workspace_id=world.northwind.id, run_id=failed[0], name=name, shown=shown, folded=shown.lower(),
            number=number, currency=currency,
        )  # fmt: skip
    (row, _) = table(exported(world))
    assert (row["Total"], row["Total: currency"], row["Run (run)"], row["Run"]) == ("1204.50", "EUR", "R-7", failed[0])
    (row, _) = table(exported(world, "format=csv_comma"), ";")
    assert row["Total"] == "1204,50"


def test_the_same_as_json_for_a_program(world: World, failed: list[str]) -> None:
    found = json.loads(exported(world, "format=json"))
    assert (found["format"], found["version"]) == ("millrace.dead_letters", 1)
    assert [one["run"] for one in found["items"]] == failed
    assert found["items"][0]["given"] == {"message": "No."}
    assert json.loads(exported(world, "format=json&cause=nothing"))["items"] == []


def test_sensitive_values_are_dots_in_every_file_for_everybody(world: World) -> None:
    world.northwind.sensitive_fields = ["IBAN"]
    world.northwind.save()
    letters(world, given=dumps({"pay": {"iban": "DE02120300000000202051"}, "a": 1}))
    DeadLetter.objects.update(message='{"iban": "DE02120300000000202051"} is wrong')
    for who in ("vera", "alice"):
        for form in ("csv", "csv_comma", "json"):
            raw = exported(world, f"format={form}", who)
            assert b"DE0212" not in raw, (who, form)
            assert "••••".encode() in raw


def test_the_file_comes_in_portions_and_everybody_is_in_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    made = letters(world, 7)
    monkeypatch.setattr("runtime.api.letter_files._PAGE", 3)
    assert [row["Run"] for row in table(exported(world))] == made
    assert [one["run"] for one in json.loads(exported(world, "format=json"))["items"]] == made


def test_no_more_is_held_than_one_letter_however_much_their_steps_were_given(world: World) -> None:
    letters(world, 6, given=dumps({"message": "x" * 200_000}))
    told = runtime_api.LettersTold(
        mask=lambda value: value, workflow=lambda _: "", step=lambda _, node: node, address=lambda _: ""
    )
    portions = list(runtime_api.export_letters(workspace_id=world.northwind.id, format="json", told=told))
    assert max(map(len, portions)) < 300_000
    assert len(json.loads(b"".join(portions))["items"]) == 6


def test_what_cannot_be_read_any_more_is_said_and_the_others_are_there(world: World) -> None:
    letters(world, 1)
    letters(world, 1, given=Reference(uuid7(), "0" * 64, 5).text())
    lost, there = table(exported(world))
    assert lost["Given to the step"] == "What this step was given cannot be read any more."
    assert there["Given to the step"] == '{"message":"No."}'


def test_that_a_file_was_taken_is_on_record(world: World, failed: list[str]) -> None:
    exported(world, f"cause={CAUSE}&format=json")
    row = AuditRow.objects.get(verb="dead_letters.exported")
    assert json.loads(row.detail) == {"said": {"format": "json", "cause": CAUSE}, "count": 2}


# --- the note ---------------------------------------------------------------------------------------------------------


def test_a_note_and_a_ticket_stand_on_the_group_with_who_and_when(world: World, failed: list[str]) -> None:
    assert said(world)["revision"] == 0
    made = note(world, "The ERP team knows.\nBack on Monday.", TICKET)
    assert made.status == 200, made.body
    found = said(world)
    assert found == made.body
    assert (found["note"], found["ticket"], found["noted_by"], found["revision"]) == (
        "The ERP team knows.\nBack on Monday.", TICKET, "Rosa", 1,
    )  # fmt: skip
    assert found["noted_at"] is not None
    assert not found["muted"]
    assert world.as_vera.call("PUT", f"{world.here}/dead-letters/{CAUSE}/note", {"revision": 1}).status == 403


def test_it_stays_when_the_letters_are_decided_and_new_ones_come(world: World, failed: list[str]) -> None:
    assert note(world, "Known.").status == 200
    DeadLetter.objects.update(solved_at=3)
    assert world.as_vera.get(f"{world.here}/dead-letters").body["items"] == []
    letters(world, 1)
    DeadLetter.objects.filter(solved_at=None).update(cause=CAUSE)
    assert said(world)["note"] == "Known."


def test_nobody_writes_over_what_they_have_not_seen(world: World, failed: list[str]) -> None:
    assert note(world, "First.").status == 200
    late = note(world, "Second.")
    assert (late.status, late.code) == (409, "note_changed")
    assert said(world)["note"] == "First."
    assert note(world, "First.").status == 200, "the same once more is no change"
    assert AuditRow.objects.filter(verb="letter_group.noted").count() == 1
    assert note(world, "Second.", revision=1).body["revision"] == 2


@pytest.mark.parametrize(
    "ticket",
    ["http://tickets.example.org/1", "javascript:alert(1)", "https://", "https://a b.example.org", "ticket 7",
     "https://bank.example.org@evil.example.org/", "https://x.example.org/" + "a" * 500],
)  # fmt: skip
def test_a_ticket_is_an_address_that_a_browser_may_be_sent_to(world: World, failed: list[str], ticket: str) -> None:
    answer = note(world, "", ticket)
    assert answer.status == 422, answer.body
    assert "ticket" in answer.body["fields"]
    assert not LetterGroup.objects.exists()


def test_a_note_has_at_most_two_thousand_letters(world: World, failed: list[str]) -> None:
    assert note(world, "x" * 2_001).status == 422
    assert note(world, "x" * 2_000).status == 200


def test_its_history_stands_in_the_audit_log(world: World, failed: list[str]) -> None:
    note(world, "First.")
    note(world, "Second.", TICKET, revision=1)
    first, second = AuditRow.objects.filter(verb="letter_group.noted").order_by("sequence")
    assert (first.object_kind, first.object_id, first.object_name) == ("letter_group", CAUSE, "Refused")
    assert json.loads(second.detail) == {
        "before": {"note": "First.", "ticket": ""}, "after": {"note": "Second.", "ticket": TICKET},
    }  # fmt: skip


def test_there_is_nothing_to_say_of_a_group_that_is_not_here(world: World) -> None:
    assert (note(world, "x").status, note(world, "x").code) == (404, "not_found")
    for word in ("mute", "unmute"):
        body = {"days": 1} if word == "mute" else None
        assert world.as_rosa.post(f"{world.here}/dead-letters/{CAUSE}/{word}", body).status == 404
    assert not LetterGroup.objects.exists()


# --- silence ----------------------------------------------------------------------------------------------------------


def test_a_group_is_muted_for_a_while_or_until_somebody_says_otherwise(world: World, failed: list[str]) -> None:
    path = f"{world.here}/dead-letters/{CAUSE}"
    for_a_day = world.as_rosa.post(f"{path}/mute", {"days": 1})
    assert (for_a_day.status, for_a_day.body["muted"], for_a_day.body["muted_by"]) == (200, True, "Rosa")
    assert for_a_day.body["muted_until"] is not None
    for_good = world.as_bo.post(f"{path}/mute", {"days": None})
    assert (for_good.body["muted"], for_good.body["muted_until"], for_good.body["muted_by"]) == (True, None, "Bo")
    assert said(world) == for_good.body, "it is in the list as ever"
    assert world.as_rosa.post(f"{path}/mute", {"days": 30}).status == 422
    assert world.as_vera.post(f"{path}/unmute").status == 403
    assert world.as_rosa.post(f"{path}/unmute").body["muted"] is False
    assert world.as_rosa.post(f"{path}/unmute").status == 200, "said twice it is done once"
    assert AuditRow.objects.filter(verb="letter_group.unmuted").count() == 1
    row = AuditRow.objects.filter(verb="letter_group.muted").order_by("-sequence").first()
    assert row is not None
    assert json.loads(row.detail)["after"] == {"muted_until": "somebody says otherwise"}


def test_when_its_time_is_over_it_is_muted_no_more(world: World, failed: list[str]) -> None:
    world.as_rosa.post(f"{world.here}/dead-letters/{CAUSE}/mute", {"days": 7})
    LetterGroup.objects.update(muted_until=5)
    found = said(world)
    assert (found["muted"], found["muted_by"], found["muted_until"]) == (False, None, None)


def test_a_mute_whose_answer_was_lost_is_not_begun_anew(
    world: World, failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, key = f"{world.here}/dead-letters/{CAUSE}/mute", {"Idempotency-Key": "once"}
    monkeypatch.setattr(repeats, "_keep", lambda *_: None)
    first = world.as_rosa.post(path, {"days": 7}, headers=key)
    monkeypatch.undo()
    Answered.objects.update(created_at=datetime.now(UTC) - timedelta(minutes=2))
    assert world.as_rosa.post(path, {"days": 7}, headers=key).body == first.body
    assert AuditRow.objects.filter(verb="letter_group.muted").count() == 1
    # Asked for anew, it is counted from now.
    assert world.as_rosa.post(path, {"days": 7}).body["muted_at"] > first.body["muted_at"]

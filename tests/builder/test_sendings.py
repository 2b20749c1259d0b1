"""Dead letters that are sent to somebody's inbox, by the API: who has them, who is told, and how that ends."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from builder.accounts import groups, rights
from builder.accounts.models import Membership, Role
from builder.accounts.rights import Action
from builder.audit.models import AuditRow
from builder.config import housekeeping
from builder.workflows.models import SeenQuestion
from runtime import api as runtime_api
from runtime.engine.ids import uuid7
from runtime.store.models import DeadLetter, HumanMail, LetterSending, Run, SentLetter
from runtime.worker.sendings import Sendings
from tests.builder.conftest import World
from tests.builder.test_bulk_retries import letters
from tests.builder.test_people import membership, question
from tests.factories import Answer, Caller, join, make_person

# The runtime's writer has a connection of its own.
pytestmark = pytest.mark.django_db(transaction=True)
MAY = ("finish", "pass_on", "take_back")


def send(world: World, to: str = "", by: Caller | None = None, **body: Any) -> Answer:
    body = {"to": to or world.vera.email, **({} if "runs" in body else {"cause": "c1"}), **body}
    return (by or world.as_rosa).post(f"{world.here}/dead-letters/send", body)


def sent(world: World, to: str = "", by: Caller | None = None, **body: Any) -> dict[str, Any]:
    answer = send(world, to, by, **body)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def inbox(caller: Caller, world: World, **query: str) -> list[dict[str, Any]]:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    found: list[dict[str, Any]] = caller.get(f"{world.here}/inbox/letters?{words}").body["items"]
    return found


def counted(caller: Caller, world: World) -> dict[str, int]:
    found: dict[str, int] = caller.get(f"{world.here}/inbox/count").body
    return found


def look() -> int:
    return Sendings().look()


def group_of(world: World, sending: str = "") -> dict[str, Any]:
    words = f"?sent={sending}" if sending else ""
    (found,) = world.as_vera.get(f"{world.here}/dead-letters{words}").body["items"]
    group: dict[str, Any] = found
    return group


def test_the_receiver_has_one_row_with_what_failed_from_whom_and_why(world: World) -> None:
    runs = letters(world)
    made = sent(world, note=" Ask the ERP team. ")
    (row,) = inbox(world.as_vera, world)
    assert row["id"] == made["id"]
    said = {name: row[name] for name in ("by", "by_me", "note", "total", "open", "title", "code", "mine", "unread")}
    assert said == {
        "by": "Rosa", "by_me": False, "note": "Ask the ERP team.", "total": 3, "open": 3, "title": "The ERP refused it",
        "code": "refused", "mine": True, "unread": True,
    }  # fmt: skip
    assert row["to"] == {"kind": "person", "key": world.vera.email, "name": "Vera"}
    assert row["workflow"]["name"] == "Order to cash"
    assert row["step"]["node"] == "n_start"
    assert (row["may_finish"], row["may_pass_on"], row["may_take_back"]) == (True, True, False)
    assert counted(world.as_vera, world) == {"count": 1, "unread": 1, "letters": 1}
    assert counted(world.as_rosa, world) == {"count": 0, "unread": 0, "letters": 0}
    assert inbox(world.as_rosa, world) == []
    assert len(inbox(world.as_rosa, world, who="anybody")) == 1
    # What is done to a run is another matter.
    assert set(Run.objects.values_list("status", flat=True)) == {"dead_lettered"}
    assert {str(one) for one in SentLetter.objects.values_list("run_id", flat=True)} == set(runs)


def test_dead_letters_say_with_whom_they_are_and_are_narrowed_to_what_was_sent(world: World) -> None:
    runs = letters(world)
    made = sent(world, runs=runs[:2])
    group = group_of(world)
    assert (group["count"], [(one["to"]["name"], one["count"], one["me"]) for one in group["sent"]]) == (
        3,
        [("Vera", 2, True)],
    )
    narrowed = group_of(world, made["id"])
    assert (narrowed["count"], sum(narrowed["days"])) == (2, 0), "the day they failed on is long over"
    here = f"{world.here}/dead-letters/c1"
    listed = world.as_rosa.get(here).body["items"]
    assert [one["sent"] and one["sent"]["to"]["name"] for one in listed] == ["Vera", "Vera", None]
    assert [one["run"]["id"] for one in world.as_rosa.get(f"{here}?sent={made['id']}").body["items"]] == runs[:2]
    assert [one["run"]["id"] for one in world.as_rosa.get(f"{here}/edits?sent={made['id']}").body["items"]] == runs[:2]
    file = world.as_rosa.get(f"{world.here}/dead-letters/export?format=json&sent={made['id']}").raw
    assert file.count(b'"business_key"') == 2
    assert world.as_rosa.get(f"{world.here}/dead-letters?sent={uuid7()}").body["items"] == []


def test_only_what_was_sent_is_retried_where_that_is_said(world: World) -> None:
    runs = letters(world)
    made = sent(world, runs=runs[1:])
    path = f"{world.here}/dead-letters/bulk-retries"
    begun = world.as_rosa.post(path, {"cause": "c1", "sent": made["id"]})
    assert (begun.status, begun.body["total"]) == (202, 2)
    assert world.as_rosa.post(path, {"runs": runs, "sent": made["id"]}).status == 422


def test_what_failed_after_the_list_was_seen_is_not_sent(world: World) -> None:
    runs = letters(world)
    DeadLetter.objects.filter(run_id=runs[0]).update(at=60_000)
    assert sent(world, until="1970-01-01T00:00:30Z")["total"] == 2


def test_what_is_handed_on_leaves_the_inbox_it_was_in(world: World) -> None:
    letters(world)
    first = sent(world, note="The ERP was down.")
    path = f"{world.here}/inbox/letters/{first['id']}/hand-over"
    assert world.as_bo.post(path, {"to": world.bo.email}).status == 403, "others have them"
    assert world.as_vera.post(path, {"to": world.vera.email}).status == 422
    answer = world.as_vera.post(path, {"to": world.bo.email})
    assert answer.status == 200, answer.body
    (row,) = inbox(world.as_bo, world)
    assert (row["id"], row["by"], row["note"]) == (answer.body["id"], "Vera", "The ERP was down.")
    assert inbox(world.as_vera, world) == []
    (over,) = inbox(world.as_rosa, world, state="closed")
    assert (over["id"], over["ended_as"], over["ended_by"]) == (first["id"], "handed_on", "Vera")
    assert world.as_vera.post(path, {"to": world.rosa.email}).status == 409, "it is over"


def test_what_somebody_has_goes_to_whoever_it_is_sent_to_next(world: World) -> None:
    runs = letters(world)
    sent(world)
    sent(world, world.bo.email, runs=runs[:1])
    assert [row["open"] for row in inbox(world.as_vera, world)] == [2]
    assert [row["open"] for row in inbox(world.as_bo, world)] == [1]
    sent(world, world.bo.email)
    assert inbox(world.as_vera, world) == []
    assert [row["open"] for row in inbox(world.as_bo, world)] == [3], "one row, and not two"


def test_the_same_to_the_same_once_more_changes_nothing(world: World) -> None:
    letters(world)
    first = sent(world, note="Look.")
    assert sent(world)["id"] == first["id"]
    assert sent(world, note="Look.")["id"] == first["id"]
    assert AuditRow.objects.filter(verb="dead_letters.sent").count() == 1
    assert sent(world, note="Now really.")["id"] != first["id"], "other words are told"


def test_the_receiver_is_done_and_the_letters_are_with_nobody(world: World) -> None:
    letters(world)
    made = sent(world)
    path = f"{world.here}/inbox/letters/{made['id']}"
    assert world.as_bo.post(f"{path}/done").status == 403
    assert world.as_rosa.post(f"{path}/done").status == 403, "who sent them takes them back"
    answer = world.as_vera.post(f"{path}/done")
    assert (answer.status, answer.body["ended_as"], answer.body["ended_by"]) == (200, "done", "Vera")
    assert inbox(world.as_vera, world) == []
    assert group_of(world)["sent"] == []
    assert not SentLetter.objects.exists()
    again = world.as_vera.post(f"{path}/done")
    assert (again.status, again.body["code"]) == (409, "letters_over")
    row = AuditRow.objects.get(verb="letter_sending.done")
    assert (row.object_name, row.actor_name) == ("The ERP refused it", "Vera")


def test_who_sent_them_takes_them_back_and_an_admin_may(world: World) -> None:
    letters(world)
    made = sent(world)
    path = f"{world.here}/inbox/letters/{made['id']}/take-back"
    assert world.as_bo.post(path).status == 403
    assert world.as_rosa.post(path).body["ended_as"] == "taken_back"
    assert inbox(world.as_vera, world) == []
    other = sent(world)
    path = f"{world.here}/inbox/letters/{other['id']}"
    may = [
        tuple(caller.get(path).body[f"may_{name}"] for name in MAY)
        for caller in (world.as_rosa, world.as_vera, world.as_bo, world.as_alice)
    ]
    assert may == [(False, True, True), (True, True, False), (False, False, False), (True, False, True)]
    answer = world.as_alice.post(f"{world.here}/inbox/letters/{other['id']}/take-back")
    assert (answer.body["ended_as"], answer.body["ended_by"]) == ("taken_back", "Alice")


def test_it_is_over_by_itself_when_none_of_them_waits_any_more(world: World) -> None:
    runs = letters(world)
    made = sent(world)
    solve = {"runs": runs[:2], "reason": "Paid by hand."}
    assert world.as_rosa.post(f"{world.here}/dead-letters/solve", solve).status == 200
    (row,) = inbox(world.as_vera, world)
    assert (row["open"], row["total"]) == (1, 3)
    assert look() == 0
    assert world.as_alice.post(f"{world.here}/dead-letters/discard", {**solve, "runs": runs}).status == 200
    assert inbox(world.as_vera, world) == [], "at once"
    assert counted(world.as_vera, world)["count"] == 0
    assert look() == 1
    assert LetterSending.objects.get(pk=made["id"]).ended_as == "settled"
    assert not SentLetter.objects.exists()


def test_what_is_under_way_again_comes_back_where_it_fails_again(world: World) -> None:
    (run,) = letters(world, 1)
    sent(world)
    DeadLetter.objects.update(solved_at=3, solution="retried")
    Run.objects.filter(pk=run).update(status="running", finished_at=None, generation=2)
    assert inbox(world.as_vera, world) == []
    assert look() == 0, "nobody knows yet"
    old = DeadLetter.objects.get()
    Run.objects.filter(pk=run).update(status="dead_lettered", finished_at=4)
    DeadLetter.objects.create(
        run_id=run, generation=2, workspace_id=old.workspace_id, workflow_id=old.workflow_id, node_id=old.node_id,
        cause="c1", code="refused", title=old.title, message="No.", pattern="No.", at=4,
    )  # fmt: skip
    assert [row["open"] for row in inbox(world.as_vera, world)] == [1]


def test_a_group_has_them_together_and_whoever_is_done_is_done_for_all(world: World) -> None:
    letters(world)
    team = groups.make_group(
        workspace=world.northwind, name="Finance", members=[membership(world, "bo"), membership(world, "vera")]
    )
    made = sent(world, f"group:{team.id}")
    assert made["to"] == {"kind": "group", "key": f"group:{team.id}", "name": "Finance"}
    for caller in (world.as_bo, world.as_vera):
        assert [row["id"] for row in inbox(caller, world)] == [made["id"]]
        assert len(inbox(caller, world, who="groups")) == 1
        assert inbox(caller, world, who="named") == []
    assert world.as_bo.post(f"{world.here}/inbox/letters/{made['id']}/done").status == 200
    assert inbox(world.as_vera, world) == []


def test_whoever_stands_in_has_what_somebody_who_is_away_was_sent(world: World) -> None:
    letters(world)
    away = {"first_day": "2020-01-01", "last_day": None, "stand_in": str(membership(world, "bo")), "note": ""}
    assert world.as_vera.post(f"{world.here}/absences/mine", away).status == 201
    made = sent(world)
    (row,) = inbox(world.as_bo, world)
    assert (row["mine"], row["in_place_of"]) == (True, {"name": "Vera", "until": None})
    assert len(inbox(world.as_bo, world, who="stand_in")) == 1
    assert world.as_bo.post(f"{world.here}/inbox/letters/{made['id']}/done").status == 200


def test_nobody_is_sent_what_they_may_not_see(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    letters(world)
    for nobody in ("nobody@example.com", world.dora.email, world.mallory.email, f"group:{uuid7()}"):
        answer = send(world, nobody)
        assert (answer.status, answer.body["fields"]) == (422, {"to": ["Nobody in this workspace is called so."]})
    empty = groups.make_group(workspace=world.northwind, name="Empty", members=[])
    assert send(world, f"group:{empty.id}").body["fields"] == {"to": ["Nobody is in Empty."]}
    stricter = {**rights.RULES, Action.RUN_SEE: rights.Rule(Role.REVIEWER, rights.Scope.READ)}
    monkeypatch.setattr(rights, "RULES", MappingProxyType(stricter))
    assert send(world).body["fields"] == {
        "to": ["Vera may not see the runs of this workspace. An admin gives them a role that allows it."]
    }
    assert send(world, "role:viewer").status == 422
    assert send(world, world.bo.email).status == 200
    assert not LetterSending.objects.exclude(to=world.bo.email).exists()


def test_none_that_waits_and_what_another_workspace_has_is_refused(world: World) -> None:
    runs = letters(world)
    assert send(world, by=world.as_vera).status == 403, "to send is for who may act on them"
    there = world.as_mallory.post(f"{world.there}/dead-letters/send", {"runs": runs, "to": world.mallory.email})
    assert (there.status, there.body["code"]) == (409, "nothing_to_send")
    made = sent(world)
    for path in (f"{world.there}/inbox/letters/{made['id']}", f"{world.here}/inbox/letters/{uuid7()}"):
        caller = world.as_mallory if world.there in path else world.as_vera
        assert caller.get(path).status == 404
        assert caller.post(f"{path}/done").status == 404
    both = {"cause": "c1", "runs": runs, "to": world.vera.email}
    assert world.as_rosa.post(f"{world.here}/dead-letters/send", both).status == 422


def test_what_was_looked_at_is_new_no_more_and_its_mark_goes_with_it(world: World) -> None:
    letters(world)
    made = sent(world)
    task = question(world, world.vera.email)
    path = f"{world.here}/inbox/letters/{made['id']}/seen"
    assert world.as_vera.put(path, {"seen": True}).body == {"unread": False}
    assert counted(world.as_vera, world) == {"count": 2, "unread": 1, "letters": 1}
    assert [row["unread"] for row in inbox(world.as_vera, world)] == [False]
    assert world.as_vera.put(f"{world.here}/inbox/{task.id}/seen", {"seen": True}).status == 200
    assert counted(world.as_vera, world)["unread"] == 0
    housekeeping.sweep()
    assert SeenQuestion.objects.count() == 2
    world.as_vera.post(f"{world.here}/inbox/letters/{made['id']}/done")
    housekeeping.sweep()
    assert SeenQuestion.objects.count() == 1


def test_what_somebody_has_who_leaves_goes_to_their_heir(world: World) -> None:
    letters(world)
    sent(world, world.bo.email, note="The ERP was down.")
    path = f"{world.here}/members/{membership(world, 'bo')}/handover"
    things = world.as_alice.get(path).body["things"]
    assert ("letters", "The ERP refused it") in {(one["kind"], one["name"]) for one in things}
    body = {"to": str(membership(world, "vera")), "reason": "Bo leaves us."}
    assert world.as_alice.post(path, body).status == 200
    (row,) = inbox(world.as_vera, world)
    assert (row["by"], row["note"], row["open"]) == ("Alice", "The ERP was down.", 3)
    assert "Bo leaves us." in AuditRow.objects.get(verb="letter_sending.handed_over").detail


def test_all_of_it_goes_to_their_heir_however_many_sendings_that_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than are listed at once: whoever is taken out then leaves none behind."""
    for run in letters(world):
        sent(world, world.bo.email, runs=[run])
    monkeypatch.setattr(import_module("runtime.api.sendings"), "_MOST_LISTED", 2)
    path = f"{world.here}/members/{membership(world, 'bo')}/handover"
    body = {"to": str(membership(world, "alice")), "reason": "Bo leaves us.", "remove": True}
    answer = world.as_alice.post(path, body)
    assert (answer.status, answer.body["removed"], answer.body["refused"]) == (200, True, [])
    assert LetterSending.objects.filter(to=world.alice.email, ended_at=None).count() == 3
    assert not LetterSending.objects.filter(to=world.bo.email, ended_at=None).exists()


def test_what_somebody_had_who_has_left_is_with_nobody(world: World) -> None:
    letters(world)
    made = sent(world)
    Membership.objects.filter(user=world.vera).update(active=False)
    assert look() == 1
    assert LetterSending.objects.get(pk=made["id"]).ended_as == "left"
    assert world.as_rosa.get(f"{world.here}/dead-letters").body["items"][0]["sent"] == []


def test_whoever_is_erased_is_named_no_more(world: World) -> None:
    gone = make_person("Viktoria")
    gone.name = "Viktoria Verschwunden"
    gone.save()
    member = join(world.northwind, gone, Role.REVIEWER)
    for to, by in ((gone.email, world.alice), (world.vera.email, gone)):
        LetterSending.objects.create(
            workspace_id=world.northwind.id, to=to, total=1, at=1, by=by.id, by_name=by.name, note=f"Ask {gone.name}."
        )
    body = {"email": gone.email, "reason": "She asked for it."}
    answer = world.as_alice.post(f"{world.here}/members/{member.pk}/erase", body)
    assert answer.status == 200, answer.body
    theirs = LetterSending.objects.get(by=gone.id)
    assert (theirs.by_name, theirs.note) == (answer.body["pseudonym"], f"Ask {answer.body['pseudonym']}.")
    other = LetterSending.objects.get(by=world.alice.id)
    assert other.to.endswith("@erased.invalid")
    assert other.note == "Ask Viktoria Verschwunden.", "of what others wrote nobody knows whom they meant"


def test_the_same_key_sends_once(world: World) -> None:
    letters(world)
    body = {"cause": "c1", "to": world.vera.email}
    key = {"Idempotency-Key": "0123456789abcdef"}
    first, again = (world.as_rosa.post(f"{world.here}/dead-letters/send", body, headers=key) for _ in range(2))
    assert first.body == again.body
    assert LetterSending.objects.count() == 1
    assert not HumanMail.objects.exists(), "without a mail server nobody is written to"
    assert runtime_api.open_sendings({UUID(first.body["id"])}) == {UUID(first.body["id"])}


def test_however_many_are_with_somebody_the_lists_ask_the_same(world: World) -> None:
    runs = letters(world, 6)
    for place, run in enumerate(runs):
        DeadLetter.objects.filter(run_id=run).update(cause=f"c{place}")
    sent(world, runs=runs[:1])
    path = f"{world.here}/dead-letters"
    assert world.as_rosa.get(path).status == 200
    with CaptureQueriesContext(connection) as one:
        world.as_rosa.get(path)
    for run, to in zip(runs[1:], (world.bo, world.vera, world.alice, world.bo, world.vera), strict=True):
        sent(world, to.email, runs=[run])
    with CaptureQueriesContext(connection) as many:
        groups_now = world.as_rosa.get(path).body["items"]
    assert [len(group["sent"]) for group in groups_now] == [1] * 6
    assert len(many) == len(one)
    assert inbox(world.as_vera, world) != inbox(world.as_bo, world), "both are signed in"
    with CaptureQueriesContext(connection) as listed:
        assert len(inbox(world.as_vera, world, who="anybody")) == 6
    with CaptureQueriesContext(connection) as fewer:
        assert len(inbox(world.as_bo, world)) == 2
    assert len(listed) == len(fewer)

"""Being away: who says it, whom questions go to meanwhile, and that all goes back by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from json import loads
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from builder.accounts import absences
from builder.accounts.directory import Directory, voter_of
from builder.accounts.models import Absence, Membership, Role
from builder.audit.models import AuditRow
from runtime.store.models import HumanVote
from tests import factories
from tests.builder.conftest import World
from tests.builder.test_people import link_of, membership, question, run_of
from tests.factories import Answer, Caller

pytestmark = pytest.mark.django_db(transaction=True)


#: It is noon where Northwind is, and stays so.
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absences, "_now", lambda: NOW)


def day(by: int) -> str:
    """A day so many days from now."""
    return (NOW.date() + timedelta(days=by)).isoformat()


def away(world: World, stand_in: str = "rosa", begin: int = 0, end: int | None = 3, **more: Any) -> dict[str, Any]:
    last = None if end is None else day(end)
    return {"first_day": day(begin), "last_day": last, "stand_in": str(membership(world, stand_in)), **more}


def say(world: World, caller: Caller, **changes: Any) -> Answer:
    return caller.post(f"{world.here}/absences/mine", away(world, **changes))


def inbox(world: World, caller: Caller, who: str = "me") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(f"{world.here}/inbox?who={who}").body["items"]
    return found


def verbs(member: UUID) -> list[str]:
    rows = AuditRow.objects.filter(object_kind="absence", object_id=str(member)).order_by("pk")
    return list(rows.values_list("verb", flat=True))


def moved(member: UUID, begin: int, end: int | None) -> None:
    """As if it were said for these days: time does not wait for tests."""
    last = None if end is None else date.fromisoformat(day(end))
    Absence.objects.filter(member_id=member).update(first_day=date.fromisoformat(day(begin)), last_day=last)


def test_whoever_is_away_says_so_changes_it_and_is_here_again(world: World) -> None:
    vera = membership(world, "vera")
    made = say(world, world.as_vera, note="Ask me by phone")
    assert made.status == 201, made.body
    assert made.body["who"] == {"member": str(vera), "name": world.vera.name, "me": True}
    assert (made.body["holds"], made.body["hand"]["name"], made.body["why"]) == (True, world.rosa.name, "")
    again = say(world, world.as_vera)
    assert (again.status, again.body["code"]) == (409, "already_away")
    changed = world.as_vera.put(f"{world.here}/absences/mine", away(world, "bo", begin=2, end=None))
    assert (changed.status, changed.body["holds"], changed.body["last_day"]) == (200, False, None)
    assert changed.body["stand_in"]["name"] == world.bo.name
    assert world.as_vera.delete(f"{world.here}/absences/mine").status == 204
    assert world.as_vera.get(f"{world.here}/absences").body["items"] == []
    assert world.as_vera.delete(f"{world.here}/absences/mine").status == 404
    assert world.as_vera.put(f"{world.here}/absences/mine", away(world)).status == 404
    assert verbs(vera) == ["absence.said", "absence.changed", "absence.ended"]
    row = AuditRow.objects.get(verb="absence.changed")
    assert world.bo.name in row.detail
    assert "by phone" not in "".join(AuditRow.objects.values_list("detail", flat=True)), "a note is nobody's to keep"


def test_a_repeated_request_is_done_once(world: World) -> None:
    key = {"Idempotency-Key": "away-once"}
    body = away(world)
    found = [world.as_vera.post(f"{world.here}/absences/mine", body, headers=key) for _ in range(2)]
    assert [one.status for one in found] == [201, 201]
    assert found[0].body == found[1].body
    assert verbs(membership(world, "vera")) == ["absence.said"]


def test_an_admin_says_it_for_somebody_and_nobody_else_does(world: World) -> None:
    path = f"{world.here}/members/{membership(world, 'vera')}/absence"
    assert world.as_rosa.post(path, away(world)).status == 403
    assert world.as_alice.post(path, away(world)).status == 201
    assert world.as_alice.put(path, away(world, "bo")).status == 200
    assert world.as_alice.delete(path).status == 204
    row = AuditRow.objects.filter(verb="absence.said").get()
    assert (row.actor_name, row.object_name) == (world.alice.name, world.vera.name)


def test_a_note_is_for_the_person_the_stand_in_and_admins(world: World) -> None:
    say(world, world.as_vera, note="Ask me by phone")
    for caller, seen in ((world.as_vera, True), (world.as_rosa, True), (world.as_alice, True), (world.as_bo, False)):
        (found,) = caller.get(f"{world.here}/absences").body["items"]
        assert (found["note"] == "Ask me by phone") is seen


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"stand_in": "vera"}, "stand_in"),
        ({"begin": 3, "end": 2}, "last_day"),
        ({"begin": -5, "end": -1}, "last_day"),
        ({"note": "x\x07"}, "note"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(world: World, changes: dict[str, Any], field: str) -> None:
    answer = say(world, world.as_vera, **changes)
    assert (answer.status, list(answer.body["fields"])) == (422, [field])
    assert not Absence.objects.exists()


def test_only_an_active_member_of_the_workspace_stands_in(world: World) -> None:
    stranger = factories.join(world.southwind, factories.make_person("Sid"), Role.ADMIN)
    body = {**away(world), "stand_in": str(stranger.pk)}
    assert list(world.as_vera.post(f"{world.here}/absences/mine", body).body["fields"]) == ["stand_in"]
    Membership.objects.filter(pk=membership(world, "rosa")).update(active=False)
    assert list(say(world, world.as_vera).body["fields"]) == ["stand_in"]


def test_nobody_stands_in_for_themselves_by_way_of_others(world: World) -> None:
    assert say(world, world.as_vera, stand_in="rosa", begin=0, end=5).status == 201
    assert say(world, world.as_rosa, stand_in="bo", begin=2, end=9).status == 201
    refused = say(world, world.as_bo, stand_in="vera", begin=4, end=7)
    assert (refused.status, list(refused.body["fields"])) == (422, ["stand_in"])
    assert say(world, world.as_bo, stand_in="vera", begin=6, end=7).status == 201, "nobody is away then who was before"


def test_what_is_asked_by_name_is_before_the_stand_in_from_the_day_on_and_goes_back_after_it(world: World) -> None:
    task = question(world, world.vera.email)
    vera = membership(world, "vera")
    say(world, world.as_vera, begin=1, end=3)
    assert inbox(world, world.as_rosa) == []
    moved(vera, 0, 3)
    (mine,) = inbox(world, world.as_rosa)
    assert mine["in_place_of"] == {"name": world.vera.name, "until": day(3)}
    assert mine["asked"][0]["away"] == {"until": day(3), "hand": world.rosa.name}
    assert [one["id"] for one in inbox(world, world.as_rosa, "stand_in")] == [str(task.id)]
    assert inbox(world, world.as_rosa, "named") == []
    assert world.as_rosa.get(f"{world.here}/inbox/count").body == {"count": 1, "unread": 1, "letters": 0}
    moved(vera, -3, 0)
    assert len(inbox(world, world.as_rosa)) == 1, "the last day belongs to it"
    moved(vera, -3, -1)
    assert inbox(world, world.as_rosa) == []
    (theirs,) = inbox(world, world.as_vera)
    assert (theirs["in_place_of"], theirs["asked"][0]["away"]) == (None, None)


def test_a_day_begins_where_the_workspace_is(world: World) -> None:
    world.northwind.time_zone = "Pacific/Kiritimati"
    assert absences.today(world.northwind).isoformat() == day(1)
    world.northwind.time_zone = "Pacific/Niue"
    assert absences.today(world.northwind).isoformat() == day(0)
    world.northwind.time_zone = "Nowhere/Known"
    assert absences.today(world.northwind).isoformat() == day(0)


def test_a_stand_in_decides_and_it_is_recorded_for_whom(world: World) -> None:
    task = question(world, world.vera.email)
    say(world, world.as_vera)
    answer = world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"})
    assert answer.status == 200, answer.body
    (vote,) = answer.body["votes"]
    assert (vote["by"], vote["in_place_of"], vote["me"]) == (world.rosa.name, world.vera.name, True)
    row = AuditRow.objects.get(verb="task.decided")
    assert (row.actor_name, f'"in_place_of":"{world.vera.name}"' in row.detail.replace(": ", ":")) == (
        world.rosa.name, True,
    )  # fmt: skip


def test_the_link_of_a_stand_in_decides_while_the_absence_holds_and_not_after(world: World) -> None:
    task = question(world, world.vera.email, spec={"open_link": True})
    say(world, world.as_vera)
    link = link_of(task, world.rosa.email)
    page = world.as_vera.client.get(link)
    assert b"Approve" in page.content
    assert f"You are asked for {world.vera.name}, who is away.".encode() in page.content
    Absence.objects.all().delete()
    assert b"Approve" not in world.as_vera.client.get(link).content
    assert not HumanVote.objects.exists()


def test_where_the_stand_in_is_away_too_it_goes_on_to_theirs_and_at_last_back(world: World) -> None:
    say(world, world.as_vera, stand_in="rosa")
    say(world, world.as_rosa, stand_in="bo")
    question(world, world.vera.email)
    assert [len(inbox(world, one)) for one in (world.as_rosa, world.as_bo)] == [0, 1]
    found = {one["who"]["name"]: one for one in world.as_bo.get(f"{world.here}/absences").body["items"]}
    first = found[world.vera.name]
    assert (first["stand_in"]["name"], first["hand"]["name"]) == (world.rosa.name, world.bo.name)
    # As two could come to it who were let in before this was looked at.
    Absence.objects.filter(member_id=membership(world, "rosa")).update(stand_in_id=membership(world, "vera"))
    found = {one["who"]["name"]: one for one in world.as_bo.get(f"{world.here}/absences").body["items"]}
    assert (found[world.vera.name]["hand"], found[world.vera.name]["why"]) == (None, "away")
    (mine,) = inbox(world, world.as_vera)
    assert mine["asked"][0]["away"]["hand"] is None, "it is said that nobody stands in"
    assert inbox(world, world.as_bo) == []


def test_whoever_asks_may_not_decide_by_standing_in(world: World) -> None:
    question(world, world.vera.email, barred=f",user:{world.rosa.id},")
    say(world, world.as_vera)
    assert inbox(world, world.as_rosa) == []


def test_removing_a_member_ends_their_absence_and_what_they_stand_in_for(world: World) -> None:
    say(world, world.as_vera, stand_in="rosa")
    say(world, world.as_bo, stand_in="vera")
    assert world.as_alice.delete(f"{world.here}/members/{membership(world, 'vera')}").status == 204
    (left,) = world.as_bo.get(f"{world.here}/absences").body["items"]
    assert (left["who"]["name"], left["stand_in"], left["hand"], left["why"]) == (world.bo.name, None, None, "left")
    assert voter_of(world.rosa, world.northwind.id, Role.REVIEWER).stands_for == ()


def test_a_stand_in_who_is_switched_off_stands_in_no_more(world: World) -> None:
    say(world, world.as_vera, stand_in="rosa")
    ask = Directory().stand_ins
    (found,) = ask(workspace_id=world.northwind.id, emails=[world.vera.email, world.bo.email])
    assert (found.absent.email, found.person.email) == (world.vera.email, world.rosa.email)
    assert world.as_alice.patch(f"{world.here}/members/{membership(world, 'rosa')}", {"active": False}).status == 200
    assert ask(workspace_id=world.northwind.id, emails=[world.vera.email]) == ()


def test_another_mark_says_that_somebody_is_away_and_here_again(world: World) -> None:
    """What the socket looks at."""
    before = absences.mark(workspace_id=world.northwind.id)
    say(world, world.as_vera, begin=1)
    planned = absences.mark(workspace_id=world.northwind.id)
    moved(membership(world, "vera"), 0, 4)
    begun = absences.mark(workspace_id=world.northwind.id)
    world.as_vera.delete(f"{world.here}/absences/mine")
    assert len({before, planned, begun}) == 3
    assert absences.mark(workspace_id=world.northwind.id) == before


def test_what_was_said_in_the_place_of_others_costs_no_look_of_its_own(world: World) -> None:
    """Of each question it is asked whether whoever said it is asked as well."""
    run = run_of(world)

    def looks() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert inbox(world, world.as_bo)
        return len(asked)

    def said() -> None:
        # Others than of the question before, so that nothing that was found stands for it.
        number = HumanVote.objects.count() + 1
        people = world.vera.email, world.bo.email, f"p{number}@example.com"
        task = question(world, *people, run=run, attempt=number, spec={"needs": 3})
        HumanVote.objects.create(
            task=task, voter=world.rosa.id, name="Rosa", email=world.rosa.email, at=1, outcome="approved", via="inbox",
            for_id=world.vera.id, for_name="Vera", for_email=world.vera.email,
        )  # fmt: skip

    said()
    looks()  # signs in, and remembers the names of steps
    one = looks()
    for _ in range(19):
        said()
    assert looks() == one


def test_absences_that_are_over_are_not_read_and_none_costs_one_small_look(world: World) -> None:
    say(world, world.as_vera)
    say(world, world.as_bo, stand_in="alice")
    moved(membership(world, "vera"), -9, -2)
    assert absences.mark(workspace_id=world.northwind.id) != ""
    moved(membership(world, "bo"), -9, -2)
    with CaptureQueriesContext(connection) as asked:
        assert absences.mark(workspace_id=world.northwind.id) == ""
    assert [one["sql"].count("JOIN") for one in asked] == [1]


def test_where_the_day_is_not_over_yet_an_absence_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absences, "_now", lambda: NOW.replace(hour=5))
    world.northwind.time_zone = "Pacific/Niue"
    world.northwind.save()
    say(world, world.as_vera)
    moved(membership(world, "vera"), -3, -1)
    (found,) = absences.all_of(workspace_id=world.northwind.id)
    assert found.holds


def test_a_note_may_hold_every_sign_that_people_type(world: World) -> None:
    note = "Ask\u00a0me:\t12\u202f%\nor my family \U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert say(world, world.as_vera, note=note).body["note"] == note
    refused = world.as_vera.put(f"{world.here}/absences/mine", away(world, note="Ring\x07 me"))
    assert refused.status == 422
    assert "control characters" in str(refused.body)
    assert "at most" not in str(refused.body)


def test_the_link_of_who_is_away_says_that_another_answered_in_their_place(world: World) -> None:
    task = question(world, world.vera.email, world.bo.email, spec={"open_link": True, "needs": 2})
    say(world, world.as_vera)
    assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", {"outcome": "approved"}).status == 200
    page = world.as_vera.client.get(link_of(task, world.vera.email)).content.decode()
    assert "Somebody has answered in your place" in page
    assert f"{world.rosa.name} for {world.vera.name}: Approved" in page


def test_the_record_says_in_whose_place_a_question_was_handed_over(world: World) -> None:
    task = question(world, world.vera.email)
    say(world, world.as_vera)
    body = {"to": world.bo.email, "reason": "He knows it"}
    answer = world.as_rosa.post(f"{world.here}/inbox/{task.id}/hand-over", body)
    assert answer.status == 200, answer.body
    row = AuditRow.objects.get(verb="task.handed_over")
    assert loads(row.detail)["in_place_of"] == world.vera.name

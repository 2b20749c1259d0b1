"""Groups, whom a step can ask, the inbox by HTTP, and the page behind the link of a mail (S16)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models import F
from django.test import Client

from builder.accounts import groups
from builder.accounts.directory import Directory
from builder.accounts.models import Membership
from builder.accounts.services import AccountsRefused
from builder.api.due import Due, span_of
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps
from runtime.interpreter.mail_links import digest, token_of
from runtime.interpreter.people import listed
from runtime.ports import PORTS, PeopleUnknown
from runtime.store.models import Event, HumanMail, HumanTask, HumanVote, Run, Version
from runtime.worker.recounts import Recounts
from tests.builder.conftest import World
from tests.factories import Caller

CHOICES = [
    {"id": "approved", "label": "Approve", "comment": False},
    {"id": "rejected", "label": "Reject", "comment": True},
]


def membership(world: World, name: str) -> UUID:
    found: UUID = Membership.objects.get(user=getattr(world, name), workspace=world.northwind).id
    return found


def run_of(world: World, node: str = "ask") -> Run:
    """A run that waits for people, as the runtime leaves one."""
    workflow = world.workflow(f"W{uuid4().hex[:8]}")
    version = Version.objects.create(
        workspace_id=world.northwind.id, workflow_id=workflow.id, number=1, kind="live", graph="{}",
        graph_sha256="0" * 64, created_at=1,
    )  # fmt: skip
    event = Event.objects.create(
        workspace_id=world.northwind.id, workflow_id=workflow.id, source="webhook", received_at=1, body=b"",
        body_sha256="0" * 64, verdict="accepted",
    )  # fmt: skip
    return Run.objects.create(
        workspace_id=world.northwind.id, workflow_id=workflow.id, version=version, event=event, trigger_node="start",
        mode="live", status="waiting_human", started_by="webhook", accepted_at=1,
    )  # fmt: skip


def question(world: World, *people: str, run: Run | None = None, **changes: Any) -> HumanTask:
    run = run or run_of(world)
    spec = {"text": "A chair.", "facts": [{"label": "Order", "value": "<b>PO-7</b>"}], "amount": "12.5",
            "currency": "EUR", "needs": 1, "choices": CHOICES, "fields": [], **changes.pop("spec", {})}  # fmt: skip
    return HumanTask.objects.create(
        workspace_id=world.northwind.id, workflow_id=run.workflow_id, run=run, node_id=changes.pop("node", "ask"),
        generation=1, attempt=changes.pop("attempt", 1), kind=changes.pop("kind", "approval"),
        title="Pay <R-7>?", spec=dumps(spec), people=listed(people), created_at=1, **changes,
    )  # fmt: skip


def link_of(task: HumanTask, email: str) -> str:
    mail = HumanMail(id=uuid7(), task=task, number=0, kind="ask", email=email, status="sent", created_at=1)
    mail.token_sha256 = digest(token_of(mail.id))
    mail.save()
    return f"/d/{token_of(mail.id)}"


# --- groups -----------------------------------------------------------------------------------------------------


def test_an_admin_makes_renames_and_removes_a_group(world: World) -> None:
    admin, here = world.as_alice, world.here
    made = admin.post(f"{here}/groups", {"name": "  Finance  team ", "members": [str(membership(world, "rosa"))]})
    assert (made.status, made.body["name"]) == (201, "Finance team")
    path = f"{here}/groups/{made.body['id']}"
    assert admin.patch(path, {"name": "Accounts"}).body["name"] == "Accounts"
    assert len(admin.patch(path, {"members": []}).body["members"]) == 0
    assert admin.delete(path).status == 204
    assert admin.get(f"{here}/groups").body["items"] == []


@pytest.mark.parametrize("name", ["", " ", "a,b", "x@y", "role:admin", "x" * 81, "a\nb;c"])
def test_a_name_that_no_step_could_use_is_refused(world: World, name: str) -> None:
    answer = world.as_alice.post(f"{world.here}/groups", {"name": name})
    assert (answer.status, list(answer.body["fields"])) == (422, ["name"])


def test_a_group_is_found_by_the_names_it_had_and_nobody_else_gets_them(world: World) -> None:
    finance = groups.make_group(workspace=world.northwind, name="Finance", members=[membership(world, "rosa")])
    groups.change_group(workspace=world.northwind, group_id=finance.id, name="Accounts")
    found = Directory().find(workspace_id=world.northwind.id, names=["finance", "ACCOUNTS"])
    assert [(one.token, one.label) for one in found] == [(f"group:{finance.id}", "Accounts")]
    with pytest.raises(AccountsRefused) as caught:
        groups.make_group(workspace=world.northwind, name="Finance", members=[])
    assert caught.value.code == "name_taken"
    groups.change_group(workspace=world.northwind, group_id=finance.id, name="Finance")


def test_only_members_of_this_workspace_are_in_a_group(world: World) -> None:
    stranger = Membership.objects.get(user=world.mallory).id
    answer = world.as_alice.post(f"{world.here}/groups", {"name": "Finance", "members": [str(stranger)]})
    assert (answer.status, answer.code) == (422, "member_unknown")


def test_the_directory_knows_who_is_here_today(world: World) -> None:
    finance = groups.make_group(
        workspace=world.northwind, name="Finance", members=[membership(world, "rosa"), membership(world, "dora")]
    )
    directory = Directory()
    (found,) = directory.find(workspace_id=world.northwind.id, names=["Finance"])
    assert [person.email for person in found.people] == [world.rosa.email], "Dora is deactivated"
    (admins,) = directory.find(workspace_id=world.northwind.id, names=["role:admin"])
    assert [person.email for person in admins.people] == [world.alice.email]
    for unknown in (world.mallory.email, world.dora.email, "Nobody", "role:king"):
        with pytest.raises(PeopleUnknown):
            directory.find(workspace_id=world.northwind.id, names=[unknown])
    with pytest.raises(PeopleUnknown):
        directory.find(workspace_id=world.southwind.id, names=[f"group:{finance.id}"])
    everybody = directory.known(workspace_id=world.northwind.id, tokens=[])
    assert len(everybody) == 4
    voter = directory.voter(workspace_id=world.northwind.id, email=world.rosa.email.upper())
    assert voter is not None
    assert (voter.groups, voter.role) == ((finance.id,), "reviewer")
    assert directory.voter(workspace_id=world.southwind.id, email=world.rosa.email) is None


def test_colleagues_see_names_and_who_the_admins_are_and_nothing_else(world: World) -> None:
    groups.make_group(workspace=world.northwind, name="Finance", members=[membership(world, "rosa")])
    found = world.as_vera.get(f"{world.here}/people").body
    assert {"member", "name", "email", "admin"} == set(found["people"][0])
    assert [one["name"] for one in found["people"]] == ["Alice", "Bo", "Rosa", "Vera"]
    assert [one["name"] for one in found["people"] if one["admin"]] == ["Alice"]
    assert [(one["name"], one["count"]) for one in found["groups"]] == [("Finance", 1)]


# --- the inbox --------------------------------------------------------------------------------------------------


def inbox(caller: Caller, world: World, who: str = "me") -> list[str]:
    return [one["id"] for one in caller.get(f"{world.here}/inbox?who={who}").body["items"]]


def test_the_inbox_is_narrowed_to_a_type_and_to_what_is_due(world: World) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    late = question(world, "role:reviewer", due_at=now - 60_000)
    failed = question(world, "role:reviewer", kind="exception", due_at=now + 30 * 86_400_000)
    whenever = question(world, "role:reviewer")

    def found(query: str) -> set[str]:
        return {one["id"] for one in world.as_rosa.get(f"{world.here}/inbox?who=anybody&{query}").body["items"]}

    assert found("due=late") == {str(late.id)}
    assert found("kind=exception") == {str(failed.id)}
    assert found("kind=approval") == {str(late.id), str(whenever.id)}
    assert found("kind=exception&due=late") == found("due=week&kind=review") == set()
    assert world.as_rosa.get(f"{world.here}/inbox?due=someday").status in {400, 422}


def test_a_day_and_a_week_are_those_of_the_workspace() -> None:
    def hours(due: Due, now: str) -> tuple[str, float]:
        begin, end = span_of(due, datetime.fromisoformat(now), "Europe/Berlin")
        return datetime.fromtimestamp(begin / 1000, UTC).isoformat(), (end - begin) / 3_600_000

    # In Berlin it is Sunday already, the day on which the clocks go back.
    assert hours("today", "2026-10-24T22:30:00+00:00") == ("2026-10-24T22:00:00+00:00", 25)
    assert hours("week", "2026-10-24T22:30:00+00:00") == ("2026-10-18T22:00:00+00:00", 169)
    assert span_of("late", datetime.fromisoformat("1970-01-01T00:00:01+00:00"), "UTC") == (0, 1000)


def test_the_inbox_knows_groups_and_who_may_not(world: World) -> None:
    finance = groups.make_group(
        workspace=world.northwind, name="Finance", members=[membership(world, "rosa"), membership(world, "vera")]
    )
    task = question(world, f"group:{finance.id}", barred=listed([f"user:{world.vera.id}"]))
    assert inbox(world.as_rosa, world) == inbox(world.as_rosa, world, "groups") == [str(task.id)]
    assert inbox(world.as_rosa, world, "named") == inbox(world.as_vera, world) == []
    path = f"{world.here}/inbox/{task.id}"
    seen = world.as_rosa.get(path).body
    assert seen["asked"] == [{"kind": "group", "key": f"group:{finance.id}", "name": "Finance", "away": None}]
    assert seen["may_decide"]
    assert not world.as_vera.get(path).body["may_decide"]
    for caller in (world.as_vera, world.as_bo, world.as_alice):
        assert caller.post(f"{path}/decide", {"outcome": "approved"}).code == "not_asked"
    assert world.as_rosa.get(f"{world.here}/inbox/done").body["count"] == 0
    assert world.as_rosa.post(f"{path}/decide", {"outcome": "approved"}).body["status"] == "decided"
    # Should a week begin between the answer and the question how many there were.
    HumanVote.objects.filter(task_id=task.id).update(at=F("at") + 3_600_000)
    assert [one.get(f"{world.here}/inbox/done").body["count"] for one in (world.as_rosa, world.as_bo)] == [1, 0]


def test_a_question_is_taken_given_back_and_handed_over_by_http(world: World) -> None:
    task = question(world)
    path = f"{world.here}/inbox/{task.id}"
    assert world.as_rosa.post(f"{path}/take", {}).body["taken_by_me"]
    assert world.as_bo.post(f"{path}/take", {}).code == "taken"
    assert inbox(world.as_bo, world) == []
    assert world.as_rosa.post(f"{path}/give-back").body["taken_by"] is None
    refused = world.as_rosa.post(f"{path}/hand-over", {"to": world.mallory.email, "reason": "x"})
    assert (refused.status, list(refused.body["fields"])) == (422, ["to"])
    handed = world.as_rosa.post(f"{path}/hand-over", {"to": world.vera.email, "reason": "On leave."})
    assert [note["kind"] for note in handed.body["notes"]] == ["take", "give_back", "hand_over"]
    assert not handed.body["may_decide"]
    assert inbox(world.as_vera, world) == [str(task.id)]


def test_alike_approvals_are_decided_together_and_each_by_itself(world: World) -> None:
    run = run_of(world)
    mine = [question(world, world.rosa.email, run=run, attempt=number) for number in (1, 2)]
    other = question(world, world.bo.email, run=run, attempt=3)
    different = question(world, world.rosa.email, run=run, node="second")
    path = f"{world.here}/inbox/decide"
    mixed = world.as_rosa.post(path, {"tasks": [str(mine[0].id), str(different.id)], "outcome": "approved"})
    assert mixed.status == 422
    assert not HumanVote.objects.exists()
    ids = [str(one.id) for one in (*mine, other)]
    said = world.as_rosa.post(path, {"tasks": ids, "outcome": "approved"})
    assert [(one["taken"], one["code"]) for one in said.body["items"]] == [
        (True, None), (True, None), (False, "not_asked"),
    ]  # fmt: skip
    again = world.as_rosa.post(path, {"tasks": ids[:2], "outcome": "rejected", "comment": "No"})
    assert {one["code"] for one in again.body["items"]} == {"already_decided"}


# --- the link of a mail -----------------------------------------------------------------------------------------


@pytest.fixture
def browser() -> Client:
    """A browser in which nobody is signed in, and which is asked for its CSRF token."""
    return Client(enforce_csrf_checks=True)


def token_in(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_opening_a_link_never_decides(world: World, browser: Client) -> None:
    task = question(world, world.rosa.email, spec={"open_link": True})
    link = link_of(task, world.rosa.email)
    for method in ("get", "head", "get"):
        assert getattr(browser, method)(link).status_code == 200
    assert browser.put(link).status_code in (403, 405)
    task.refresh_from_db()
    assert task.status == "open"
    assert not HumanVote.objects.exists()


def test_the_page_shows_the_question_and_decides_when_it_is_sent(world: World, browser: Client) -> None:
    task = question(world, world.rosa.email, spec={"open_link": True})
    link = link_of(task, world.rosa.email)
    answer = browser.get(link)
    page = answer.content.decode()
    for words in ("Pay &lt;R-7&gt;?", "12.50 EUR", "&lt;b&gt;PO-7&lt;/b&gt;", "A chair."):
        assert words in page
    assert "<script" not in page
    assert "http" not in page.replace("millrace", ""), "nothing comes from elsewhere"
    policy = answer["Content-Security-Policy"]
    assert "form-action 'self'" in policy
    assert "script-src 'none'" in policy
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"
    # A page of somebody else's cannot send it.
    assert browser.post(link, {"outcome": "approved"}).status_code == 403
    assert not HumanVote.objects.exists()
    form = {"csrfmiddlewaretoken": token_in(page)}
    missing = browser.post(link, {**form, "outcome": "rejected"})
    assert missing.status_code == 422
    assert "Say why" in missing.content.decode()
    assert browser.post(link, {**form, "outcome": "maybe", "comment": "x"}).status_code == 422
    assert browser.post(link, {**form, "outcome": "approved"}).status_code == 303
    vote = HumanVote.objects.get(task=task)
    assert (vote.voter, vote.via, vote.outcome) == (world.rosa.id, "link", "approved")
    again = browser.get(link).content.decode()
    assert "Rosa: Approved" in again
    assert "<form" not in again
    assert browser.post(link, {**form, "outcome": "approved"}).status_code == 409
    assert HumanVote.objects.count() == 1


def test_the_page_of_a_link_names_files_and_hands_out_none(world: World, browser: Client) -> None:
    file = {"id": str(uuid4()), "name": "May <1>.pdf", "mime": "application/pdf", "size": 7, "sha256": "ab" * 32}
    facts = [{"label": "Invoice", "value": file}, {"label": "Both", "value": [file, file]}]
    task = question(world, world.rosa.email, spec={"open_link": True, "facts": facts})
    page = browser.get(link_of(task, world.rosa.email)).content.decode()
    assert "<dd>May &lt;1&gt;.pdf</dd>" in page
    assert "<dd>May &lt;1&gt;.pdf, May &lt;1&gt;.pdf</dd>" in page
    assert str(file["id"]) not in page


def test_a_link_that_is_not_enough_leads_into_the_inbox(world: World, browser: Client) -> None:
    task = question(world, world.rosa.email)
    link = link_of(task, world.rosa.email)
    answer = browser.get(link)
    assert (answer.status_code, answer["Location"]) == (302, f"/inbox?task={task.id}")
    open_page = browser.get(link_of(question(world, world.rosa.email, spec={"open_link": True}), world.rosa.email))
    form = {"csrfmiddlewaretoken": token_in(open_page.content.decode()), "outcome": "approved"}
    assert browser.post(link, form).status_code == 403
    assert not HumanVote.objects.exists()


def test_a_link_is_worth_no_more_than_the_rights_of_its_person_today(world: World, browser: Client) -> None:
    task = question(world, world.rosa.email, spec={"open_link": True})
    link = link_of(task, world.rosa.email)
    form = {"csrfmiddlewaretoken": token_in(browser.get(link).content.decode()), "outcome": "approved"}
    Membership.objects.filter(user=world.rosa).update(active=False)
    assert "no member any more" in browser.get(link).content.decode()
    assert browser.post(link, form).status_code == 403
    Membership.objects.filter(user=world.rosa).update(active=True)
    HumanTask.objects.filter(pk=task.pk).update(people=listed([world.bo.email]))
    assert browser.post(link, form).status_code == 409
    assert not HumanVote.objects.exists()


def test_a_link_speaks_the_language_of_its_person_and_is_guessed_by_nobody(world: World, browser: Client) -> None:
    task = question(world, world.rosa.email, spec={"open_link": True})
    link = link_of(task, world.rosa.email)
    HumanMail.objects.update(language="de")
    assert "Genehmigen" in browser.get(link).content.decode()
    assert browser.get("/d/" + "x" * 43).status_code == 404
    assert browser.get("/d/" + "x" * 5000).status_code == 404
    HumanTask.objects.filter(pk=task.pk).update(status="late", closed_at=int(datetime.now(UTC).timestamp() * 1000))
    assert "Die Zeit dafür ist um" in browser.get(link).content.decode()


def test_a_link_whose_time_is_over_shows_no_buttons_and_says_so(world: World, browser: Client) -> None:
    task = question(world, world.rosa.email, spec={"open_link": True}, ends_at=1)
    link = link_of(task, world.rosa.email)
    page = browser.get(link).content.decode()
    assert "The time for this is over: nobody answered in time." in page
    assert "<form" not in page
    shown = world.as_alice.get(f"{world.here}/inbox/{task.id}").body
    assert (shown["status"], shown["over"], shown["may_decide"]) == ("open", "late", False)


def test_a_link_of_an_earlier_try_leads_to_the_question_that_the_run_asks_anew(world: World, browser: Client) -> None:
    task = question(world, world.rosa.email, spec={"open_link": True}, status="cancelled", closed_at=2)
    link = link_of(task, world.rosa.email)
    assert "has ended" in browser.get(link).content.decode()
    HumanTask.objects.filter(pk=task.pk).update(generation=0)
    new = question(world, world.rosa.email, run=task.run)
    page = browser.get(link).content.decode()
    assert "somebody has gone on with the run" in page
    assert f"/inbox?task={new.pk}" in page
    shown = world.as_alice.get(f"{world.here}/inbox/{task.id}").body
    assert (shown["over"], shown["anew"]) == ("anew", str(new.pk))


# --- who leaves ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", ["left the group", "deactivated", "removed", "group removed"])
def test_a_question_to_a_group_goes_to_the_admins_when_nobody_in_it_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    monkeypatch.setattr(PORTS, "people", Directory())
    admin, here = world.as_alice, world.here
    rosa = membership(world, "rosa")
    made = admin.post(f"{here}/groups", {"name": "Finance", "members": [str(rosa)]}).body
    task = question(world, f"group:{made['id']}", spec={"everyone": True})
    look = Recounts().look
    assert look() == []
    shown = admin.get(f"{here}/inbox/{task.id}").body
    assert (shown["stranded_at"], shown["may_decide"], shown["may_hand_over"]) == (None, False, True)
    if gone == "left the group":
        assert admin.patch(f"{here}/groups/{made['id']}", {"members": []}).status == 200
    elif gone == "deactivated":
        assert admin.patch(f"{here}/members/{rosa}", {"active": False}).status == 200
    elif gone == "removed":
        assert admin.delete(f"{here}/members/{rosa}").status == 204
    else:
        assert admin.delete(f"{here}/groups/{made['id']}").status == 204
    assert Recounts().look() == []
    shown = admin.get(f"{here}/inbox/{task.id}").body
    assert shown["stranded_at"] is not None
    assert (shown["may_decide"], shown["may_hand_over"], [one["kind"] for one in shown["notes"]]) == (
        True, True, ["stranded"],
    )  # fmt: skip
    assert [one["id"] for one in admin.get(f"{here}/inbox").body["items"]] == [str(task.id)]
    assert admin.get(f"{here}/inbox/count").body == {"count": 1, "unread": 1, "letters": 0}
    decided = admin.post(f"{here}/inbox/{task.id}/decide", {"outcome": "approved"})
    assert (decided.body["status"], decided.body["votes"][0]["admin"]) == ("decided", True)


def test_the_list_of_people_has_another_mark_when_somebody_is_asked_by_another_way(world: World) -> None:
    admin, here = world.as_alice, world.here
    marks = [Directory().mark(workspace_id=world.northwind.id)]
    rosa = membership(world, "rosa")

    def changed(answer: Any) -> None:
        assert answer.status < 300, answer.body
        marks.append(Directory().mark(workspace_id=world.northwind.id))

    made = admin.post(f"{here}/groups", {"name": "Finance", "members": [str(rosa)]})
    changed(made)
    changed(admin.patch(f"{here}/groups/{made.body['id']}", {"members": []}))
    changed(admin.patch(f"{here}/members/{rosa}", {"role": "viewer"}))
    changed(admin.patch(f"{here}/members/{rosa}", {"active": False}))
    assert marks[0] == marks[2], "an empty group asks nobody"
    assert len(set(marks)) == 4

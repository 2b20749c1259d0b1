"""Due dates, reminders and escalation as rows (I18), and the mail about questions, sent at least once (outbox)."""

from __future__ import annotations

import re
import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.db.models import F
from pytest_django import Settings

from runtime import api
from runtime.contracts import AlreadyDecided, RuntimeRefused, TaskView
from runtime.interpreter.mail_links import digest
from runtime.ports import PORTS, Post
from runtime.store.dialect import database_now
from runtime.store.models import HumanMail, HumanTask
from runtime.worker import notices
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, wait_until
from tests.runtime.test_people import LINKS, approval, asked, decide, failing
from tests.runtime.town import Town, town


@pytest.fixture
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = town()
    monkeypatch.setattr(PORTS, "people", made)
    return made


@pytest.fixture
def posted(world: World, folk: Town, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> World:
    """The installation sends mail through the practice company's server."""
    settings.PUBLIC_URL = "https://millrace.example.com"
    monkeypatch.setattr(PORTS, "post", Post("practice-company", 25, "none", "Millrace <no-reply@example.com>"))
    return world


def ask(machine: Machine, **config: Any) -> TaskView:
    run_id = machine.begin(flow(LINKS, approval(**config)), {"amount": 12})
    return asked(run_id)


def mails(world: World, task_id: UUID) -> list[dict[str, Any]]:
    ids = {
        f"<question-{mail.hex}@example.com>"
        for mail in HumanMail.objects.filter(task_id=task_id).values_list("id", flat=True)
    }
    return [one for one in world.ask("GET", "/mails")["items"] if one["message_id"] in ids]


def sent(task_id: UUID, kind: str) -> list[str]:
    rows = HumanMail.objects.filter(task_id=task_id, kind=kind, status="sent")
    return sorted(rows.values_list("email", flat=True))


def test_those_who_are_asked_get_a_mail_in_their_language(machine: Machine, posted: World, folk: Town) -> None:
    folk.languages["omar"] = "de"
    task = ask(
        machine, people="Finance", text="A chair.", facts=[{"name": "Order", "value": "PO-7"}], amount="12.50",
        currency="EUR", due=1, due_unit="days",
    )  # fmt: skip
    wait_until(lambda: sent(task.id, "ask") == ["ines@example.com", "omar@example.com"])
    found = {
        one["recipients"] if isinstance(one["recipients"], str) else one["recipients"][0]: one
        for one in mails(posted, task.id)
    }
    english, german = found["ines@example.com"], found["omar@example.com"]
    assert english["subject"] == "Please decide: Pay 12?"
    assert german["subject"] == "Bitte entscheiden: Pay 12?"
    for words in ("A chair.", "Order: PO-7", "Amount: 12.50 EUR", "Due: "):
        assert words in english["text"]
    links = [re.search(r"https://millrace\.example\.com/d/([\w-]{43})", one["text"]) for one in (english, german)]
    tokens = [link[1] for link in links if link]
    assert len(set(tokens)) == 2, "each has a link of their own"
    stored = set(HumanMail.objects.filter(task_id=task.id).values_list("token_sha256", flat=True))
    assert stored == {digest(token) for token in tokens}
    assert all(one["deliveries"] == 1 for one in found.values())


def test_without_a_mail_server_nobody_is_told_and_nothing_fails(machine: Machine, folk: Town) -> None:
    task = ask(machine, people="Finance")
    assert HumanTask.objects.get(pk=task.id).notice_at is None
    assert not HumanMail.objects.filter(task_id=task.id).exists()
    decide(task, "approved", folk.as_("ines"))
    machine.finish(task.run.id)


def test_a_link_is_for_one_person_and_tells_who_decided(machine: Machine, posted: World, folk: Town) -> None:
    task = ask(machine, people="Finance", link="open")
    wait_until(lambda: len(sent(task.id, "ask")) == 2)
    tokens = {
        found[1] for one in mails(posted, task.id) if (found := re.search(r"/d/([\w-]{43})", one["text"])) is not None
    }
    links = [link for token in tokens if (link := api.link(token)) is not None]
    assert {link.email for link in links} == {"ines@example.com", "omar@example.com"}
    assert all(link.may_decide and link.is_enough for link in links)
    ines = next(link for link in links if link.email == "ines@example.com")
    assert ines.voter is not None
    said = api.decide(workspace_id=ines.workspace_id, task_id=task.id, outcome="approved", voter=ines.voter, via="link")
    assert (said.votes[0].name, said.votes[0].via) == ("Ines", "link")
    machine.finish(task.run.id)
    again = [api.link(token) for token in tokens]
    assert [link is not None and link.may_decide for link in again] == [False, False]
    assert api.link("x" * 43) is None
    with pytest.raises(AlreadyDecided):
        api.decide(workspace_id=WORKSPACE, task_id=task.id, outcome="approved", voter=folk.as_("omar"), via="link")


def test_a_mail_that_cannot_go_out_is_tried_again_under_the_same_id(
    machine: Machine, posted: World, folk: Town, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at first; the run waits for its decision all the same."""
    good = PORTS.post
    monkeypatch.setattr(PORTS, "post", Post("127.0.0.1", 9, "none", "Millrace <no-reply@example.com>"))
    task = ask(machine, people="ines@example.com")
    wait_until(lambda: HumanMail.objects.filter(task_id=task.id, tries=1, error__isnull=False).exists())
    row = HumanMail.objects.get(task_id=task.id)
    assert row.status == "waiting"
    assert row.due_at is not None
    assert row.due_at > database_now() + 20_000
    monkeypatch.setattr(PORTS, "post", good)
    HumanMail.objects.filter(pk=row.pk).update(due_at=database_now())
    wait_until(lambda: sent(task.id, "ask") == ["ines@example.com"])
    (mail,) = mails(posted, task.id)
    assert mail["message_id"] == f"<question-{row.id.hex}@example.com>"


def test_a_mail_that_never_goes_out_is_told_of_beside_the_question(
    machine: Machine, folk: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PORTS, "post", Post("127.0.0.1", 9, "none", "Millrace <no-reply@example.com>"))
    task = ask(machine, people="ines@example.com")

    def hurry() -> bool:
        HumanMail.objects.filter(task_id=task.id, status="waiting", error__isnull=False).update(
            due_at=F("due_at") - 8 * 3_600_000
        )
        return HumanMail.objects.filter(task_id=task.id, status="failed").exists()

    wait_until(hurry, 60)
    (note,) = api.task(workspace_id=WORKSPACE, task_id=task.id).notes
    assert (note.kind, note.to) == ("mail_failed", "ines@example.com")


def test_nobody_is_written_to_about_what_is_decided(machine: Machine, posted: World, folk: Town) -> None:
    task = ask(machine, people="Finance", remind_every=1)
    wait_until(lambda: len(sent(task.id, "ask")) == 2)
    decide(task, "approved", folk.as_("ines"))
    machine.finish(task.run.id)
    HumanTask.objects.filter(pk=task.id).update(notice_at=database_now())
    assert not notices.carry_out(task.id)
    assert not HumanMail.objects.filter(task_id=task.id, kind="remind").exists()


def comes_due(task: TaskView) -> int:
    """Once those who are asked have been told: the time of the next notice is there, in a second; which."""
    wait_until(lambda: HumanTask.objects.filter(pk=task.id, notices__gt=0).exists())
    at = database_now() + 1_000
    HumanTask.objects.filter(pk=task.id).update(notice_at=at)
    return at


def test_a_reminder_goes_to_those_who_have_not_answered(machine: Machine, posted: World, folk: Town) -> None:
    task = ask(machine, people="Finance", rule="number", number=2, remind_every=1)
    decide(task, "approved", folk.as_("ines"))
    due = comes_due(task)
    wait_until(lambda: "omar@example.com" in sent(task.id, "remind"))
    row = HumanTask.objects.get(pk=task.id)
    assert row.reminded_at is not None
    assert row.reminded_at >= due, "never early"
    assert "ines@example.com" not in sent(task.id, "remind")


def test_a_reminder_that_somebody_wants_goes_at_once_and_once_an_hour(
    machine: Machine, posted: World, folk: Town
) -> None:
    task = ask(machine, people="Finance", rule="number", number=2)
    wait_until(lambda: len(sent(task.id, "ask")) == 2)
    decide(task, "approved", folk.as_("ines"))
    assert api.remind(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada")) == 1
    wait_until(lambda: sent(task.id, "remind") == ["omar@example.com"])
    (note,) = api.task(workspace_id=WORKSPACE, task_id=task.id).notes
    assert note.kind == "remind"
    with pytest.raises(RuntimeRefused) as refused:
        api.remind(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada"))
    assert refused.value.code == "reminded_lately"
    assert 50 < refused.value.params["minutes"] <= 60
    HumanTask.objects.filter(pk=task.id).update(reminded_at=database_now() - 3_600_000)
    HumanMail.objects.filter(task_id=task.id, kind="remind").delete()
    assert api.remind(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada")) == 1
    decide(task, "approved", folk.as_("omar"))
    with pytest.raises(AlreadyDecided):
        api.remind(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada"))


def test_of_a_failure_only_those_are_reminded_who_may_decide_what_becomes_of_it(
    machine: Machine, posted: World, folk: Town
) -> None:
    task = asked(machine.begin(failing(posted, "fail=503*1")))
    folk.away["ines"] = "vic"
    assert api.remind(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada")) == 3
    told = HumanMail.objects.filter(task_id=task.id, kind="remind").order_by("email")
    assert list(told.values_list("email", flat=True)) == ["ada@example.com", "ines@example.com", "omar@example.com"]


def test_of_many_who_want_it_at_once_one_has_them_reminded(machine: Machine, posted: World, folk: Town) -> None:
    task = ask(machine, people="Finance")
    wait_until(lambda: len(sent(task.id, "ask")) == 2)
    results: list[str] = []
    minutes: list[int] = []

    def press() -> None:
        try:
            results.append(str(api.remind(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada"))))
        except RuntimeRefused as error:
            results.append(error.code)
            minutes.append(error.params["minutes"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["2", *["reminded_lately"] * 5]
    assert max(minutes) <= 60
    assert HumanMail.objects.filter(task_id=task.id, kind="remind").count() == 2


def test_whoever_has_handed_it_over_meanwhile_is_not_reminded(
    machine: Machine, posted: World, folk: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = ask(machine, people="ines@example.com, omar@example.com", rule="number", number=2)
    hand: dict[str, Any] = {"workspace_id": WORKSPACE, "task_id": task.id, "to": "ada@example.com", "reason": "Away."}
    known = folk.known

    def late(**asked: Any) -> Any:
        found = known(**asked)
        monkeypatch.setattr(folk, "known", known)
        api.hand_over(voter=folk.as_("ines"), **hand)
        return found

    monkeypatch.setattr(folk, "known", late)
    assert api.remind(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada")) == 1
    told = HumanMail.objects.filter(task_id=task.id, kind="remind")
    assert list(told.values_list("email", flat=True)) == ["omar@example.com"]


def test_nobody_is_said_to_be_reminded_where_nothing_can_be_sent(
    machine: Machine, folk: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PORTS, "post", None)
    task = ask(machine, people="ines@example.com")
    with pytest.raises(RuntimeRefused) as refused:
        api.remind(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada"))
    assert refused.value.code == "no_mail"
    assert HumanTask.objects.get(pk=task.id).reminded_at is None


def test_others_are_asked_too_when_it_is_due_and_not_a_moment_sooner(
    machine: Machine, posted: World, folk: Town
) -> None:
    task = ask(machine, people="ines@example.com", due=60, due_unit="minutes", escalate_to="role:admin")
    wait_until(lambda: sent(task.id, "ask") == ["ines@example.com"])
    assert api.task_count(workspace_id=WORKSPACE, voter=folk.as_("ada")) == 0
    HumanTask.objects.filter(pk=task.id).update(due_at=comes_due(task))
    wait_until(lambda: sent(task.id, "escalate") == ["ada@example.com"])
    row = HumanTask.objects.get(pk=task.id)
    assert row.due_at is not None
    assert row.escalated_at is not None
    assert row.escalated_at >= row.due_at, "never early"
    assert row.status == "open"
    assert [api.task_count(workspace_id=WORKSPACE, voter=folk.as_(one)) for one in ("ines", "ada")] == [1, 1]
    notes = api.task(workspace_id=WORKSPACE, task_id=task.id).notes
    assert [(note.kind, note.to) for note in notes] == [("escalate", "admin")]
    decide(task, "approved", folk.as_("ines"))
    machine.finish(task.run.id)


def test_a_notice_is_carried_out_once_however_many_try(machine: Machine, posted: World, folk: Town) -> None:
    task = ask(machine, people="ines@example.com", remind_every=24)
    wait_until(lambda: sent(task.id, "ask") == ["ines@example.com"])
    machine.stop()
    HumanTask.objects.filter(pk=task.id).update(notice_at=database_now())
    assert [notices.carry_out(task.id) for _ in range(3)] == [True, False, False]
    assert HumanMail.objects.filter(task_id=task.id, kind="remind").count() == 1


def test_reminders_that_nobody_was_there_to_send_come_as_one(idle_machine: Machine, posted: World, folk: Town) -> None:
    idle_machine.start()
    task = ask(idle_machine, people="ines@example.com", remind_every=1)
    wait_until(lambda: sent(task.id, "ask") == ["ines@example.com"])
    idle_machine.stop()
    row = HumanTask.objects.get(pk=task.id)
    hours = 3_600_000
    # As if it had been asked five hours ago.
    from runtime.engine.jsonprofile import dumps, loads_stored

    spec: Any = loads_stored(row.spec)
    spec["notices"] = [[at - 5 * hours, kind] for at, kind in spec["notices"]]
    HumanTask.objects.filter(pk=task.id).update(spec=dumps(spec), notice_at=F("notice_at") - 5 * hours)
    assert [notices.carry_out(task.id) for _ in range(2)] == [True, False]
    assert HumanMail.objects.filter(task_id=task.id, kind="remind").count() == 1


def test_a_colleague_hears_of_what_is_handed_over(machine: Machine, posted: World, folk: Town) -> None:
    task = ask(machine, people="ines@example.com")
    api.hand_over(
        workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ines"), to="vic@example.com", reason="On leave."
    )
    wait_until(lambda: sent(task.id, "hand_over") == ["vic@example.com"])

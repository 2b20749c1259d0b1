"""Whoever stands in is told of what is open already when that begins: once, in one mail."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from pytest_django import Settings

from runtime import api
from runtime.contracts import TaskView
from runtime.contracts.people import Erased
from runtime.ports import PORTS, Post
from runtime.store import failpoints
from runtime.store.dialect import database_now
from runtime.store.models import HumanMail, HumanNote, HumanTask
from runtime.worker import mail_words, post
from runtime.worker.digests import Digests, told_of
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, wait_until
from tests.runtime.test_people import decide
from tests.runtime.test_stand_ins import ALICE, BEN, CARL, ask, folk
from tests.runtime.town import Town

__all__ = ["folk"]


class Names:
    """Every workflow has one name."""

    def workspace(self, *, workspace_id: UUID) -> str:
        return "Finance"

    def workflow(self, *, workspace_id: UUID, workflow_id: UUID) -> str:
        return "Invoices"

    def connection(self, *, workspace_id: UUID, connection_id: UUID) -> str:
        return ""


@pytest.fixture
def town(folk: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Everybody is here at first. It is looked at each tick."""
    folk.away = {}
    monkeypatch.setattr(Digests, "period_seconds", 0.0)
    monkeypatch.setattr(PORTS, "names", Names())
    return folk


@pytest.fixture
def posted(world: World, town: Town, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> World:
    """The installation sends mail through the practice company's server."""
    settings.PUBLIC_URL = "https://millrace.example.com"
    monkeypatch.setattr(PORTS, "post", Post("practice-company", 25, "none", "Millrace <no-reply@example.com>"))
    return world


def digests(email: str = BEN) -> list[HumanMail]:
    return list(HumanMail.objects.filter(kind="digest", email=email).order_by("created_at", "pk"))


def listed(email: str = BEN) -> list[UUID]:
    """Of which questions they were told in that way; one that was in two mails stands here twice."""
    rows = HumanMail.objects.filter(kind="listed", email=email).order_by("created_at", "pk")
    return list(rows.values_list("task_id", flat=True))


def told(*tasks: TaskView) -> None:
    """Wait until those who are asked have been written to, and Ben of these."""
    wait_until(lambda: {*listed()} >= {one.id for one in tasks})
    wait_until(lambda: all(one.status != "waiting" for one in digests()))


def asked(machine: Machine, **config: Any) -> tuple[UUID, TaskView]:
    """A question of which those who are asked have been told."""
    run_id, task = ask(machine, **config)
    wait_until(lambda: HumanTask.objects.get(pk=task.id).notices > 0)
    return run_id, task


def looked() -> None:
    """Somebody has looked twice more."""
    for _ in range(2):
        Digests().look()


def end(machine: Machine, *runs: UUID) -> None:
    for run_id in runs:
        api.cancel(workspace_id=WORKSPACE, run_id=run_id)
        machine.finish(run_id)


def mail(world: World, row: HumanMail) -> tuple[str, str]:
    wanted = f"<questions-{row.id.hex}@example.com>"
    (found,) = [one for one in world.ask("GET", "/mails")["items"] if one["message_id"] == wanted]
    return str(found["subject"]), str(found["text"])


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "2 open questions while Alice is away",
                "You stand in for Alice, who is away until 3 December 2026.",
                "Workflow: Invoices",
                "Due:",
            ),
        ),
        (
            "de",
            (
                "2 offene Fragen, während Alice abwesend ist",
                "Sie vertreten Alice: abwesend bis 03.12.2026.",
                "Workflow: Invoices",
                "Fällig:",
            ),
        ),
    ],
)
def test_one_mail_lists_what_is_open_already(
    machine: Machine, posted: World, town: Town, language: str, words: tuple[str, ...]
) -> None:
    town.languages["ben"] = language
    first, later = asked(machine, title="Pay later", people=ALICE)
    second, sooner = asked(machine, title="Pay\u2028soon", people=f"{ALICE}, {CARL}", due=2, due_unit="days")
    third, _ = asked(machine, title="Not hers", people=CARL)
    town.away = {"alice": "ben"}
    told(later, sooner)
    (row,) = digests()
    subject, text = mail(posted, row)
    assert subject == words[0]
    assert all(word in text for word in words[1:])
    # What is due comes first.
    assert listed() == [sooner.id, later.id]
    assert text.index("Pay soon") < text.index("Pay later")
    for one in (later, sooner):
        assert f"https://millrace.example.com/inbox?task={one.id}" in text
    assert "/d/" not in text
    assert "Not hers" not in text
    looked()
    assert len(digests()) == 1
    end(machine, first, second, third)


def test_there_is_one_however_many_look_and_after_a_restart(machine: Machine, posted: World, town: Town) -> None:
    runs, tasks = zip(*(asked(machine, people=ALICE) for _ in range(3)), strict=True)
    begin = threading.Barrier(4)

    def look() -> None:
        try:
            begin.wait(20)
            Digests().look()
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(3)]
    for one in threads:
        one.start()
    town.away = {"alice": "ben"}
    begin.wait(20)
    for one in threads:
        one.join(60)
    told(*tasks)
    machine.stop(0.2)
    machine.start()
    looked()
    assert len(digests()) == 1
    assert sorted(listed()) == sorted(one.id for one in tasks)
    end(machine, *runs)


def test_an_absence_that_is_changed_is_the_same_and_another_stand_in_is_told_once(
    machine: Machine, posted: World, town: Town
) -> None:
    run_id, task = asked(machine, people=ALICE)
    town.away = {"alice": "ben"}
    told(task)
    # They come back later, went later, and somebody else stands in for a while.
    town.until, town.since = None, database_now() + 60_000
    looked()
    town.away = {"alice": "vic"}
    looked()
    town.away = {"alice": ""}
    looked()
    town.away = {"alice": "ben"}
    looked()
    assert [len(digests(email)) for email in (BEN, "vic@example.com")] == [1, 1]
    end(machine, run_id)


@pytest.mark.parametrize("point", ["human.notice:before", "human.notice:after"])
def test_a_fault_where_it_is_written_costs_none_and_makes_no_second(
    machine: Machine, posted: World, town: Town, point: str
) -> None:
    run_id, task = asked(machine, people=ALICE)
    failpoints.arm(f"{point}=raise@nth(1)")
    try:
        town.away = {"alice": "ben"}
        told(task)
    finally:
        failpoints.disarm()
    looked()
    assert len(digests()) == 1
    end(machine, run_id)


def test_another_absence_is_told_of_anew(machine: Machine, posted: World, town: Town) -> None:
    run_id, task = asked(machine, people=ALICE)
    town.away = {"alice": "ben"}
    told(task)
    town.away = {}
    looked()
    town.away = {"alice": "ben"}
    wait_until(lambda: listed() == [task.id, task.id])
    wait_until(lambda: [one.status for one in digests()] == ["sent", "sent"])
    end(machine, run_id)


def test_what_is_asked_from_then_on_is_told_by_itself(machine: Machine, posted: World, town: Town) -> None:
    town.away = {"alice": "ben"}
    first, task = asked(machine, people=ALICE)
    looked()
    assert digests() == []
    assert HumanMail.objects.filter(task_id=task.id, email=BEN, kind="ask").count() == 1
    end(machine, first)


def test_what_comes_free_again_meanwhile_makes_no_second_mail(machine: Machine, posted: World, town: Town) -> None:
    first, task = asked(machine, people=ALICE)
    second, taken = asked(machine, people=f"{ALICE}, {CARL}")
    api.take(workspace_id=WORKSPACE, task_id=taken.id, voter=town.as_("carl"))
    town.away = {"alice": "ben"}
    told(task)
    assert listed() == [task.id]
    api.give_back(workspace_id=WORKSPACE, task_id=taken.id, voter=town.as_("carl"))
    looked()
    assert len(digests()) == 1
    end(machine, first, second)


def test_what_a_stand_in_may_not_decide_or_is_asked_themselves_is_not_listed(
    machine: Machine, posted: World, town: Town
) -> None:
    first, _ = asked(machine, people=f"{ALICE}, {CARL}", not_requester=True, requester=BEN)
    second, _ = asked(machine, people=f"{ALICE}, {BEN}")
    third, _ = asked(machine, people="Finance")
    fourth, said = asked(machine, people=f"{ALICE}, {CARL}", rule="all")
    decide(said, "approved", town.as_("alice"))
    town.away = {"alice": "ben"}
    looked()
    assert digests() == []
    end(machine, first, second, third, fourth)


def test_where_no_mail_is_sent_there_is_none_of_this_either(machine: Machine, town: Town) -> None:
    run_id, _ = ask(machine, people=ALICE)
    town.away = {"alice": "ben"}
    looked()
    assert not HumanMail.objects.exists()
    end(machine, run_id)


def waiting(machine: Machine, town: Town, monkeypatch: pytest.MonkeyPatch, count: int) -> tuple[HumanMail, list[Any]]:
    """A mail that is not sent yet, with the questions it tells of."""
    monkeypatch.setattr(post, "_due", list)
    made = [asked(machine, people=ALICE, title=f"Question {number}") for number in range(count)]
    town.away = {"alice": "ben"}
    wait_until(lambda: len(listed()) == count)
    (row,) = digests()
    return row, made


def test_what_was_decided_before_it_goes_is_left_out_and_nothing_goes_where_nothing_is_left(
    machine: Machine, posted: World, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, made = waiting(machine, town, monkeypatch, 2)
    assert row.due_at is not None
    (first, one), (second, other) = made
    # That of the question at which the mail hangs.
    decide(one, "approved", town.as_("alice"))
    machine.finish(first)
    assert [task.pk for task in told_of(row)] == [other.id]
    letter = post._taken(row.pk, row.due_at)
    assert letter is not None
    text = letter.mail.message.get_content()
    assert "Question 1" in text
    assert "Question 0" not in text
    HumanMail.objects.filter(pk=row.pk).update(due_at=row.due_at)
    decide(other, "approved", town.as_("alice"))
    machine.finish(second)
    assert post._taken(row.pk, row.due_at) is None
    assert HumanMail.objects.get(pk=row.pk).status == "dropped"


def test_nothing_goes_to_who_stands_in_no_more(
    machine: Machine, posted: World, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, made = waiting(machine, town, monkeypatch, 1)
    assert row.due_at is not None
    town.away = {}
    assert post._taken(row.pk, row.due_at) is None
    end(machine, *(run_id for run_id, _ in made))


def test_each_question_says_that_its_stand_in_could_not_be_reached(
    machine: Machine, posted: World, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, made = waiting(machine, town, monkeypatch, 2)
    HumanMail.objects.filter(pk=row.pk).update(tries=8)
    post._note(row.pk, "Nobody lives there.")
    notes = HumanNote.objects.filter(kind="mail_failed").values_list("task_id", "to")
    assert sorted(notes) == sorted((task.id, BEN) for _, task in made)
    end(machine, *(run_id for run_id, _ in made))


def test_erasing_who_is_away_or_stands_in_takes_them_out_of_it(
    machine: Machine, posted: World, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, made = waiting(machine, town, monkeypatch, 1)
    for name in ("alice", "ben"):
        email = f"{name}@example.com"
        gone = Erased(town.ids[name], frozenset({name.capitalize()}), frozenset({email}), "Erased", f"{name}@gone")
        api.erase_person(gone)
    found = HumanMail.objects.filter(kind__in=("digest", "listed")).values_list("email", "for_name", "due_at")
    assert set(found) == {("ben@gone", "Erased", None)}
    assert row.for_name == "Alice"
    end(machine, *(run_id for run_id, _ in made))


def test_a_long_list_says_how_many_more_there_are() -> None:
    many = [mail_words.Listed(f"Question {number}", "", None, f"https://x/{number}") for number in range(53)]
    for language, words in (("en", "And 3 more."), ("de", "Und 3 weitere.")):
        text = mail_words.list_body(many, ("Alice", ""), inbox="https://x", language=language, time_zone="UTC")
        assert words in text
        assert "Question 49" in text
        assert "Question 50" not in text
    assert mail_words.list_subject("Alice", 1, "en") == "An open question while Alice is away"

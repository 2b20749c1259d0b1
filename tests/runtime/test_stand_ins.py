"""Who decides in the place of somebody who is away: what, for how long, and that a voice stays one (I13, S117)."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from runtime import api
from runtime.contracts import AlreadyDecided, NotAsked, TaskRefused, TaskView, Voter
from runtime.contracts.people import Erased
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.asking import standing
from runtime.ports import PORTS, Post
from runtime.store.dialect import database_now
from runtime.store.models import HumanMail, HumanTask, HumanVote, PendingAnswer
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, step, wait_until
from tests.runtime.test_people import LINKS, approval, asked, decide
from tests.runtime.town import Town


@pytest.fixture
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    """Alice and Carl decide; Ben stands in for Alice, who is away; Ada rules."""
    made = Town(
        roles={"alice": "reviewer", "ben": "reviewer", "carl": "reviewer", "ada": "admin", "vic": "viewer"},
        groups={"Finance": {"alice", "carl"}},
        away={"alice": "ben"},
    )
    monkeypatch.setattr(PORTS, "people", made)
    return made


def ask(machine: Machine, **config: Any) -> tuple[UUID, TaskView]:
    run_id = machine.begin(flow(LINKS, approval(**config)), {"amount": 12})
    return run_id, asked(run_id)


def count(voter: Voter, whose: Any = "me") -> int:
    return len(api.tasks(workspace_id=WORKSPACE, voter=voter, whose=whose).items)


def may(task: TaskView, voter: Voter) -> bool:
    return api.may_decide(task=api.task(workspace_id=WORKSPACE, task_id=task.id), voter=voter)


#: Minutes: about a second.
SOON = Decimal("0.02")
ALICE, BEN, CARL, VIC = (f"{name}@example.com" for name in ("alice", "ben", "carl", "vic"))
FORM: Any = {"title": "Which?", "people": ALICE, "fields": [{"name": "note", "label": "Note", "type": "text"}]}


def test_what_somebody_is_asked_by_name_is_put_before_their_stand_in_while_they_are_away(
    machine: Machine, folk: Town
) -> None:
    folk.away = {}
    run_id, task = ask(machine, people=ALICE)
    assert [count(folk.as_(name)) for name in ("alice", "ben")] == [1, 0]
    assert not may(task, folk.as_("ben"))
    folk.away = {"alice": "ben"}
    assert [count(folk.as_(name)) for name in ("alice", "ben")] == [1, 1]
    assert count(folk.as_("ben"), "stand_in") == 1
    assert count(folk.as_("ben"), "named") == 0
    absent = api.stands_in_for(task=task, voter=folk.as_("ben"))
    assert absent is not None
    assert (absent.name, absent.until) == ("Alice", "2026-12-03")
    assert api.stands_in_for(task=task, voter=folk.as_("alice")) is None, "one who is away may still decide"
    folk.away = {}
    assert [count(folk.as_(name)) for name in ("alice", "ben")] == [1, 0], "it goes back by itself"
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("ben"))
    decide(task, "approved", folk.as_("alice"))
    machine.finish(run_id)


def test_what_a_stand_in_decides_is_recorded_as_said_for_who_is_away(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people=ALICE)
    view = decide(task, "approved", folk.as_("ben"))
    assert [(vote.name, vote.for_name) for vote in view.votes] == [("Ben", "Alice")]
    with pytest.raises(AlreadyDecided, match="Ben for Alice has decided"):
        decide(task, "approved", folk.as_("alice"))
    run = machine.finish(run_id)
    assert run.status == "completed"
    answer: Any = loads_stored(HumanTask.objects.get(pk=task.id).answer or "{}")
    assert [(one["by"], one["for"]) for one in answer["decisions"]] == [("Ben", "Alice")]
    folk.away = {}
    closed = api.tasks(workspace_id=WORKSPACE, voter=folk.as_("ben"), closed=True).items
    assert [one.id for one in closed] == [task.id], "who decided it finds it again"


def test_a_form_is_answered_in_the_place_of_who_is_away(machine: Machine, folk: Town) -> None:
    form = step("ask", "people.ask@1", FORM)
    run_id = machine.begin(flow("start -> ask", form), {})
    task = asked(run_id)
    decide(task, "out", folk.as_("ben"), answers={"note": "This one."})
    answer: Any = loads_stored(HumanTask.objects.get(pk=task.id).answer or "{}")
    assert (answer["answered"]["by"], answer["answered"]["for"]) == ("Ben", "Alice")
    machine.finish(run_id)


def test_a_group_is_asked_as_it_is_and_not_the_stand_ins_of_its_members(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people="Finance")
    assert count(folk.as_("ben")) == 0
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("ben"))
    # What one of them has taken is theirs.
    api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("alice"))
    assert count(folk.as_("ben"), "stand_in") == 1
    decide(task, "approved", folk.as_("ben"))
    machine.finish(run_id)


@pytest.mark.parametrize("who", ["ben", "alice"])
def test_nobody_decides_by_standing_in_what_they_or_who_is_away_may_not(machine: Machine, folk: Town, who: str) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}", not_requester=True, requester=f"{who}@example.com")
    assert count(folk.as_("ben")) == 0
    assert not may(task, folk.as_("ben"))
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("ben"))
    decide(task, "approved", folk.as_("carl"))
    machine.finish(run_id)


def test_one_person_votes_once_though_they_stand_in_for_several(machine: Machine, folk: Town) -> None:
    folk.away = {"alice": "ben", "carl": "ben"}
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}", rule="number", number=2)
    view = decide(task, "approved", folk.as_("ben"))
    assert (view.status, [vote.for_name for vote in view.votes]) == ("open", ["Alice"])
    with pytest.raises(AlreadyDecided, match="You have said so already"):
        decide(task, "approved", folk.as_("ben"))
    with pytest.raises(AlreadyDecided, match="Ben has said so in your place"):
        decide(task, "approved", folk.as_("alice"))
    assert [count(folk.as_(name)) for name in ("alice", "ben", "carl")] == [0, 0, 1]
    assert not may(task, folk.as_("alice"))
    assert decide(task, "approved", folk.as_("carl")).status == "decided"
    machine.finish(run_id)


def test_whoever_is_asked_themselves_gives_their_own_voice_and_not_two(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {BEN}", rule="all")
    view = decide(task, "approved", folk.as_("ben"))
    assert (view.status, [vote.for_name for vote in view.votes]) == ("open", [""])
    assert may(task, folk.as_("alice")), "their voice is still their own"
    assert decide(task, "approved", folk.as_("alice")).status == "decided"
    machine.finish(run_id)


def test_a_stand_in_who_comes_to_be_asked_as_well_has_given_their_own_voice(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}", rule="all")
    decide(task, "approved", folk.as_("ben"))
    api.hand_over(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("carl"), to=VIC, reason="Vic knows this one")
    HumanTask.objects.filter(pk=task.id).update(people=f",{ALICE},{BEN},{VIC},")
    assert may(task, folk.as_("alice"))
    assert count(folk.as_("alice")) == 1
    assert decide(task, "approved", folk.as_("vic")).status == "open"
    assert decide(task, "approved", folk.as_("alice")).status == "decided"
    machine.finish(run_id)


def test_a_vote_given_in_the_place_of_somebody_counts_as_theirs_where_all_have_to_approve(
    machine: Machine, folk: Town
) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}", rule="all")
    decide(task, "approved", folk.as_("ben"))
    assert decide(task, "approved", folk.as_("carl")).status == "decided"
    machine.finish(run_id)


def test_who_has_voted_before_they_left_has_no_second_voice_by_their_stand_in(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}", rule="number", number=2)
    decide(task, "approved", folk.as_("alice"))
    assert count(folk.as_("ben")) == 0
    with pytest.raises(NotAsked):
        decide(task, "approved", folk.as_("ben"))
    decide(task, "approved", folk.as_("carl"))
    machine.finish(run_id)


def test_what_is_taken_in_the_place_of_somebody_is_theirs_when_they_are_back(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}")
    view = api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ben"))
    assert (view.claimed_name, view.claimed_for) == ("Ben", "Alice")
    with pytest.raises(AlreadyDecided) as refused:
        decide(task, "approved", folk.as_("carl"))
    assert (refused.value.code, refused.value.params) == ("taken", {"by": "Ben", "in_place_of": "Alice"})
    with pytest.raises(AlreadyDecided) as refused:
        api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("carl"))
    assert refused.value.params == {"by": "Ben", "in_place_of": "Alice"}
    with pytest.raises(NotAsked) as others:
        api.give_back(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("carl"))
    assert others.value.params == {"by": "Ben", "in_place_of": "Alice"}
    assert not api.may_take(task=view, voter=folk.as_("ben"))
    assert [count(folk.as_(name)) for name in ("alice", "ben", "carl")] == [1, 1, 0]
    view = api.give_back(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ben"))
    assert view.claimed_by is None
    api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ben"))
    folk.away = {}
    assert [count(folk.as_(name)) for name in ("alice", "ben", "carl")] == [1, 0, 0]
    decide(task, "approved", folk.as_("alice"))
    machine.finish(run_id)


def test_a_stand_in_hands_over_the_voice_of_who_is_away(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}", rule="all")
    with pytest.raises(TaskRefused) as caught:
        api.hand_over(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ben"), to=CARL, reason="No")
    assert "is asked already" in caught.value.fields["to"]
    view = api.hand_over(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ben"), to=VIC, reason="Knows it")
    assert sorted(view.people) == [CARL, VIC]
    assert [count(folk.as_(name)) for name in ("alice", "ben", "vic")] == [0, 0, 1]
    decide(task, "approved", folk.as_("vic"))
    decide(task, "approved", folk.as_("carl"))
    machine.finish(run_id)


def test_a_voice_is_in_the_list_again_where_the_stand_in_comes_into_a_group_that_is_asked(
    machine: Machine, folk: Town
) -> None:
    folk.groups["Finance"] = {"carl"}
    run_id, task = ask(machine, people=f"{ALICE}, Finance", rule="number", number=2)
    decide(task, "approved", folk.as_("ben"))
    assert [count(folk.as_("alice")), may(task, folk.as_("alice"))] == [0, False]
    folk.groups["Finance"] = {"carl", "ben"}
    assert [count(folk.as_("alice")), may(task, folk.as_("alice"))] == [1, True]
    decide(task, "approved", folk.as_("alice"))
    machine.finish(run_id)


def test_what_somebody_decided_in_the_place_of_others_is_found_under_that(machine: Machine, folk: Town) -> None:
    own, mine = ask(machine, people=BEN)
    decide(mine, "approved", folk.as_("ben"))
    run_id, task = ask(machine, people=ALICE)
    decide(task, "approved", folk.as_("ben"))
    closed = api.tasks(workspace_id=WORKSPACE, voter=folk.as_("ben"), whose="stand_in", closed=True).items
    assert [one.id for one in closed] == [task.id]
    machine.finish(own)
    machine.finish(run_id)


def test_nobody_hands_over_a_voice_that_was_given_in_their_place(machine: Machine, folk: Town) -> None:
    folk.roles["alice"] = "admin"
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}", rule="number", number=2)
    decide(task, "approved", folk.as_("ben"))
    folk.away = {}
    view = api.hand_over(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("alice"), to=VIC, reason="Knows it")
    assert sorted(view.people) == [ALICE, CARL, VIC], "as an admin they find another: their own voice is spent"
    decide(task, "approved", folk.as_("carl"))
    machine.finish(run_id)


def test_what_becomes_of_a_failure_only_a_stand_in_says_who_may_retry(machine: Machine, folk: Town) -> None:
    row = HumanTask(kind="exception", people=f",{ALICE},", spec="{}")
    voter = folk.as_("ben")
    row.id = UUID(int=1)
    assert standing(row, voter) == "stand_in"
    assert standing(row, replace(voter, may_retry=False)) is None


def test_a_decision_that_can_be_taken_back_is_asked_again_when_who_was_away_is_back(
    machine: Machine, folk: Town
) -> None:
    run_id, task = ask(machine, people=ALICE)
    ben = folk.as_("ben")
    api.decide_later(workspace_id=WORKSPACE, task_id=task.id, outcome="approved", voter=ben, within_ms=60_000)
    folk.away = {}
    PendingAnswer.objects.filter(task_id=task.id).update(due_at=database_now())
    wait_until(lambda: api.given(workspace_id=WORKSPACE, voter=ben.id)[0].pending.code == "not_asked")
    assert not HumanVote.objects.filter(task_id=task.id).exists()
    decide(task, "approved", folk.as_("alice"))
    machine.finish(run_id)


@pytest.fixture
def posted(world: World, folk: Town, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> World:
    """The installation sends mail through the practice company's server."""
    settings.PUBLIC_URL = "https://millrace.example.com"
    monkeypatch.setattr(PORTS, "post", Post("practice-company", 25, "none", "Millrace <no-reply@example.com>"))
    return world


def sent(task: TaskView, kind: str) -> dict[str, tuple[str, str]]:
    rows = HumanMail.objects.filter(task_id=task.id, kind=kind, status="sent")
    return {row.email: (row.for_name, row.for_until) for row in rows}


def text(world: World, task: TaskView, email: str) -> str:
    row = HumanMail.objects.get(task_id=task.id, email=email)
    wanted = f"<question-{row.id.hex}@example.com>"
    (found,) = [one for one in world.ask("GET", "/mails")["items"] if one["message_id"] == wanted]
    return str(found["text"])


def test_mail_goes_to_the_stand_in_as_well_and_says_for_whom(machine: Machine, posted: World, folk: Town) -> None:
    folk.languages["ben"] = "de"
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}")
    wait_until(lambda: sent(task, "ask") == {ALICE: ("", ""), CARL: ("", ""), BEN: ("Alice", "2026-12-03")})
    assert "Sie sind für Alice gefragt: abwesend bis 03.12.2026." in text(posted, task, BEN)
    assert "abwesend" not in text(posted, task, CARL)
    links = [re.findall(r"https://\S+/d/(\S+)", text(posted, task, one))[0] for one in (ALICE, BEN)]
    assert links[0] != links[1]
    found = api.link(links[1])
    assert found is not None
    assert (found.voter, found.may_decide) == (folk.as_("ben"), True)
    folk.away = {}
    again = api.link(links[1])
    assert again is not None
    assert not again.may_decide, "the link is worth no more than what its owner may on the day"
    decide(task, "approved", folk.as_("alice"))
    machine.finish(run_id)


def test_reminders_and_escalation_go_to_the_stand_ins_as_well(machine: Machine, posted: World, folk: Town) -> None:
    folk.until = None
    run_id, task = ask(machine, people=CARL, due=SOON, due_unit="minutes", escalate_to=ALICE)
    wait_until(lambda: sent(task, "escalate") == {ALICE: ("", ""), BEN: ("Alice", "")})
    assert "You are asked for Alice, who is away." in text(posted, task, BEN)
    assert count(folk.as_("ben")) == 1
    decide(task, "approved", folk.as_("ben"))
    machine.finish(run_id)


def test_a_mail_to_a_stand_in_is_dropped_when_who_was_away_is_back_before_it_goes(
    machine: Machine, posted: World, folk: Town
) -> None:
    run_id, task = ask(machine, people=ALICE)
    row = HumanMail.objects.create(
        task_id=task.id, number=500, kind="remind", email=BEN, created_at=0, for_id=folk.ids["alice"], for_name="Alice"
    )
    folk.away = {}
    HumanMail.objects.filter(pk=row.pk).update(due_at=database_now())
    wait_until(lambda: HumanMail.objects.get(pk=row.pk).status == "dropped")
    decide(task, "approved", folk.as_("alice"))
    machine.finish(run_id)


def test_whoever_may_not_decide_gets_no_mail_for_who_is_away(machine: Machine, posted: World, folk: Town) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}", not_requester=True, requester=BEN)
    wait_until(lambda: set(sent(task, "ask")) == {ALICE, CARL})
    assert not HumanMail.objects.filter(task_id=task.id, email=BEN).exists()
    decide(task, "approved", folk.as_("carl"))
    machine.finish(run_id)


def test_what_is_handed_over_to_somebody_who_is_away_is_told_to_their_stand_in(
    machine: Machine, posted: World, folk: Town
) -> None:
    run_id, task = ask(machine, people=CARL)
    api.hand_over(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("carl"), to=ALICE, reason="Yours")
    wait_until(lambda: sent(task, "hand_over") == {ALICE: ("", ""), BEN: ("Alice", "2026-12-03")})
    decide(task, "approved", folk.as_("ben"))
    machine.finish(run_id)


def test_erasing_forgets_in_whose_place_somebody_decided(machine: Machine, posted: World, folk: Town) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}", rule="number", number=2)
    wait_until(lambda: BEN in sent(task, "ask"))
    decide(task, "approved", folk.as_("ben"))
    decide(task, "approved", folk.as_("carl"))
    machine.finish(run_id)
    gone = Erased(folk.ids["alice"], frozenset({"Alice"}), frozenset({ALICE}), "Erased person", "erased@erased.invalid")
    api.erase_person(gone)
    vote = HumanVote.objects.get(task_id=task.id, voter=folk.ids["ben"])
    assert (vote.for_name, vote.for_email) == ("Erased person", "erased@erased.invalid")
    assert HumanMail.objects.get(task_id=task.id, email=BEN).for_name == "Erased person"
    assert "Alice" not in (HumanTask.objects.get(pk=task.id).answer or "")


def test_erasing_a_stand_in_forgets_what_they_had_taken_for_another(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}")
    api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ben"))
    gone = Erased(folk.ids["ben"], frozenset({"Ben"}), frozenset({BEN}), "Erased person", "erased@erased.invalid")
    api.erase_person(gone)
    view = api.task(workspace_id=WORKSPACE, task_id=task.id)
    assert (view.claimed_name, view.claimed_for) == ("Erased person", "Alice")
    decide(task, "approved", folk.as_("alice"))
    machine.finish(run_id)


def test_erasing_a_stand_in_leaves_the_names_of_others_who_are_called_so(machine: Machine, folk: Town) -> None:
    run_id, task = ask(machine, people=f"{ALICE}, {CARL}")
    api.take(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ben"))
    other = Erased(folk.ids["vic"], frozenset({"Ben"}), frozenset({VIC}), "Erased person", "erased@erased.invalid")
    api.erase_person(other)
    view = api.task(workspace_id=WORKSPACE, task_id=task.id)
    assert (view.claimed_name, view.claimed_for) == ("Ben", "Alice")
    decide(task, "approved", folk.as_("alice"))
    machine.finish(run_id)

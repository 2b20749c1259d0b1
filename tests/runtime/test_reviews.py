"""Lists that people review before anything is done with them: changed, handed over, released by another (S117)."""

from __future__ import annotations

import hashlib
import threading
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import AlreadyDecided, NotAsked, TaskRefused, TaskView, Voter
from runtime.contracts.reviews import FourEyes, NotReady, ReviewChanged, ReviewView, RowBecame, RowChange
from runtime.engine.ids import uuid7
from runtime.store.models import HumanTask, Review, ReviewChange, ReviewRow
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, statuses, step
from tests.runtime.test_people import asked

INES = Voter(uuid7(), "Ines Kaya", "ines@example.com")
OMAR = Voter(uuid7(), "Omar Diaz", "omar@example.com")
EVA = Voter(uuid7(), "Eva Novak", "eva@example.com")
LINKS = "start -> list, list:released -> each, list:rejected -> no, list:empty -> none"
ROWS: list[dict[str, Any]] = [
    {"supplier": "Brinkmann Papier", "amount": Decimal("120.50"), "currency": "EUR", "iban": "DE1"},
    {"supplier": "Ölmühle Süd", "amount": Decimal("9000"), "currency": "EUR", "iban": "DE2"},
    {"supplier": "", "amount": Decimal("10"), "currency": "CZK", "iban": "CZ3"},
]
COLUMNS = [
    {"name": "supplier", "label": "Supplier", "required": True, "editable": True},
    {"name": "amount", "label": "Amount", "type": "amount", "editable": True, "total": True},
]
RULES = [{"name": "Over the limit", "when": "{{ item.amount > 5000 }}", "level": "warning"}]


def review_step(**config: Any) -> dict[str, Any]:
    return step(
        "list",
        "people.review@1",
        {
            "title": "Payments",
            "items": "{{ trigger.rows }}",
            "columns": COLUMNS,
            "rules": RULES,
            "currency": "currency",
            **config,
        },
    )


def each() -> dict[str, Any]:
    return step("each", "flow.for_each@1", {"source": "review", "reviewed": "{{ steps.list.accepted }}"})


def document(**config: Any) -> dict[str, Any]:
    made = flow(LINKS, review_step(**config), each())
    inside = fields("pay", what="{{ item.supplier }} {{ item.amount }} {{ item.iban }}")
    made["nodes"].append({**inside, "parent": "each"})
    return made


def begin(machine: Machine, rows: list[dict[str, Any]] | None = None, **config: Any) -> tuple[UUID, TaskView]:
    given: Any = {"rows": ROWS if rows is None else rows}
    run_id = machine.begin(document(**config), given)
    return run_id, asked(run_id)


def view(task: TaskView, voter: Voter = INES) -> ReviewView:
    return api.review(workspace_id=WORKSPACE, task_id=task.id, voter=voter)


def change(task: TaskView, *changes: RowChange, voter: Voter = INES, **how: Any) -> list[RowBecame]:
    return api.change_review_rows(workspace_id=WORKSPACE, task_id=task.id, voter=voter, changes=changes, **how)


def hand_over(task: TaskView, voter: Voter = INES, comment: str = "", revision: int | None = None) -> ReviewView:
    seen = view(task).revision if revision is None else revision
    return api.hand_review_over(workspace_id=WORKSPACE, task_id=task.id, voter=voter, revision=seen, comment=comment)


def release(task: TaskView, voter: Voter = OMAR, revision: int | None = None) -> ReviewView:
    seen = view(task).revision if revision is None else revision
    return api.release_review(workspace_id=WORKSPACE, task_id=task.id, voter=voter, revision=seen, comment="Fine.")


def make_ready(task: TaskView) -> None:
    became = change(
        task,
        RowChange(2, 0, state="accepted"),
        RowChange(3, 0, state="rejected", reason="No name"),
    )
    assert [one.outcome for one in became] == ["changed", "changed"]


def test_a_list_is_mended_handed_over_released_and_worked_off(machine: Machine) -> None:
    run_id, task = begin(machine)
    assert (task.kind, task.spec["review"]) == ("review", str(view(task).id))
    seen = view(task)
    assert (seen.rows, seen.todo, seen.blocking, seen.stage) == (3, 2, 1, "review")
    rows, total = api.review_rows(workspace_id=WORKSPACE, task_id=task.id, show="todo")
    assert (total, [row.number for row in rows]) == (2, [3, 2]), "what has to be mended comes first"
    assert rows[0].problems == [{"level": "blocking", "text": "Supplier may not be empty.", "column": "supplier"}]
    assert rows[1].problems[0]["text"] == "Over the limit"
    became = change(
        task,
        RowChange(1, 0, values={"amount": "130,5"}),
        RowChange(2, 0, state="accepted"),
        RowChange(3, 0, state="rejected", reason="No name"),
        decimal=",",
    )
    assert [one.outcome for one in became] == ["changed"] * 3
    assert became[0].row is not None
    assert became[0].row.data["amount"] == Decimal("130.5")
    assert became[0].row.prepared == {"amount": Decimal("120.50")}
    euros = {one.currency: one for one in view(task).totals}["EUR"]
    assert (euros.prepared.amount, euros.accepted.amount) == (Decimal("9120.50"), Decimal("9130.50"))
    handed = hand_over(task)
    assert (handed.stage, handed.hands) == ("release", ["Ines Kaya"])
    done = release(task)
    assert done.stage == "released"
    assert machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "list").output
    assert (output["outcome"], output["accepted_count"], output["rejected_count"]) == ("released", 2, 1)
    assert output["totals"]["EUR"]["accepted"] == Decimal("9130.5")
    assert (output["reviewed"]["by"], output["released"]["by"]) == ("Ines Kaya", "Omar Diaz")
    lines = b"".join(api.review_lines(workspace_id=WORKSPACE, task_id=task.id))
    assert hashlib.sha256(lines).hexdigest() == output["sha256"] == handed.sha256
    results: Any = detail(run_id, "each").output
    assert [one["what"] for one in results["results"]] == ["Brinkmann Papier 130.5 DE1", "Ölmühle Süd 9000 DE2"]


# --- what can be changed, and by whom -----------------------------------------------------------------------------


def test_nothing_is_handed_over_while_rows_wait_for_a_decision(machine: Machine) -> None:
    _, task = begin(machine)
    with pytest.raises(NotReady) as caught:
        hand_over(task)
    assert (caught.value.code, caught.value.params["rows"]) == ("rows_open", 2)
    [became] = change(task, RowChange(3, 0, state="accepted"))
    assert (became.outcome, set(became.fields)) == ("refused", {"state"}), "it has to be mended or rejected"
    [became] = change(task, RowChange(3, 0, state="rejected"))
    assert set(became.fields) == {"reason"}


def test_what_a_cell_cannot_hold_is_said_and_changes_nothing(machine: Machine) -> None:
    _, task = begin(machine)
    became = change(
        task,
        RowChange(1, 0, values={"amount": "a lot"}),
        RowChange(2, 0, values={"iban": "DE9"}),
        RowChange(3, 0, values={"supplier": ""}),
        RowChange(99, 0, values={"supplier": "x"}),
    )
    assert [one.outcome for one in became] == ["refused"] * 4
    assert became[0].fields == {"amount": "Amount is no number."}
    assert became[1].fields == {"iban": "This cannot be changed here."}, "it is not shown, and not to be changed"
    assert view(task).revision == 0
    assert not ReviewChange.objects.exists()


def test_what_was_mended_has_to_be_looked_at_anew_where_it_is_a_problem_again(machine: Machine) -> None:
    _, task = begin(machine)
    [became] = change(task, RowChange(3, 0, values={"supplier": "Dvořák", "amount": "7000"}))
    assert became.row is not None
    assert (became.row.todo, [one["text"] for one in became.row.problems]) == (True, ["Over the limit"])
    change(task, RowChange(3, 1, state="accepted"))
    [became] = change(task, RowChange(3, 2, values={"amount": "8000"}))
    assert became.row is not None
    assert (became.row.state, became.row.todo) == ("accepted", False), "the same was said of it before"
    [became] = change(task, RowChange(3, 3, values={"supplier": "", "amount": "8000"}))
    assert became.outcome == "refused"
    [became] = change(task, RowChange(3, 3, values={"amount": "10", "supplier": "x"}), RowChange(1, 0, state=""))[:1]
    assert became.row is not None
    assert (became.row.state, became.row.todo) == ("", False)


def test_every_change_is_on_record_with_what_stood_there_before(machine: Machine) -> None:
    _, task = begin(machine)
    change(task, RowChange(1, 0, values={"amount": "99", "supplier": "Brinkmann Papier"}))
    change(task, RowChange(2, 0, state="rejected", reason="Paid in October"), voter=OMAR)
    page = api.review_changes(workspace_id=WORKSPACE, task_id=task.id)
    assert [(one.number, one.kind, one.by) for one in page.items] == [
        (2, "reject", "Omar Diaz"),
        (1, "edit", "Ines Kaya"),
    ]
    assert page.items[0].reason == "Paid in October"
    assert (page.items[1].before, page.items[1].after) == ({"amount": Decimal("120.50")}, {"amount": 99})
    assert len(api.review_changes(workspace_id=WORKSPACE, task_id=task.id, number=1).items) == 1
    [back] = change(task, RowChange(1, 1, values={"amount": "120.50"}))
    assert back.row is not None
    assert back.row.prepared == {}, "it is as it came"
    assert view(task).changed == 0


def test_of_two_who_change_a_row_at_once_one_is_told_and_the_others_rows_are_kept(machine: Machine) -> None:
    _, task = begin(machine)
    change(task, RowChange(1, 0, values={"amount": "130"}))
    became = change(task, RowChange(1, 0, values={"amount": "140"}), RowChange(2, 0, state="accepted"), voter=OMAR)
    assert [one.outcome for one in became] == ["conflict", "changed"]
    assert became[0].message == "Ines Kaya changed this row meanwhile."
    assert became[0].row is not None
    assert (became[0].row.data["amount"], became[0].row.version) == (130, 1)
    [again] = change(task, RowChange(1, 1, values={"amount": "140"}), voter=OMAR)
    assert again.outcome == "changed"


def test_a_row_may_be_changed_twice_in_one_go(machine: Machine) -> None:
    _, task = begin(machine)
    twice = (RowChange(1, 0, values={"amount": "1"}), RowChange(1, 1, values={"amount": "2"}))
    assert [one.outcome for one in change(task, *twice)] == ["changed", "changed"]
    row = ReviewRow.objects.get(review_id=view(task).id, seq=0)
    assert (row.version, ReviewChange.objects.count()) == (2, 2)


def test_of_many_who_change_the_same_row_at_the_same_moment_one_does(machine: Machine) -> None:
    _, task = begin(machine)
    outcomes: list[str] = []

    def press(number: int) -> None:
        from django.db import connections

        try:
            voter = Voter(uuid7(), f"P{number}", f"p{number}@example.com")
            outcomes.extend(
                one.outcome for one in change(task, RowChange(1, 0, values={"amount": number}), voter=voter)
            )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["changed"] + ["conflict"] * 5
    assert ReviewChange.objects.count() == 1
    row = ReviewRow.objects.get(review_id=view(task).id, seq=0)
    assert (row.version, view(task).revision) == (1, 1)


def test_only_who_is_asked_may_change_and_later_release(machine: Machine) -> None:
    run_id, task = begin(machine, people="ines@example.com", releasers="omar@example.com")
    with pytest.raises(NotAsked):
        change(task, RowChange(2, 0, state="accepted"), voter=OMAR)
    with pytest.raises(NotAsked):
        hand_over(task, OMAR)
    make_ready(task)
    hand_over(task)
    assert api.task_count(workspace_id=WORKSPACE, voter=OMAR) == 1, "it came into his inbox"
    assert api.task_count(workspace_id=WORKSPACE, voter=INES) == 0
    with pytest.raises(NotAsked):
        release(task, EVA)
    with pytest.raises(AlreadyDecided) as caught:
        change(task, RowChange(1, 0, values={"amount": "1"}), voter=OMAR)
    assert caught.value.code == "handed_over"
    release(task)
    assert machine.finish(run_id).status == "completed"


# --- control totals -----------------------------------------------------------------------------------------------


def test_totals_that_differ_need_a_word_and_may_hold_the_list(machine: Machine) -> None:
    _, task = begin(machine, expected_count=3, expected_amount={"EUR": "9120.50", "CZK": "11"})
    make_ready(task)
    seen = view(task)
    by_currency = {one.currency: one for one in seen.totals}
    assert (by_currency["EUR"].agrees, by_currency["CZK"].agrees, seen.differs) == (True, False, True)
    with pytest.raises(TaskRefused) as caught:
        hand_over(task)
    assert set(caught.value.fields) == {"comment"}
    handed = hand_over(task, comment="The bank takes a crown.")
    assert handed.handed_comment == "The bank takes a crown."

    _, task = begin(machine, expected_count=4, must_agree=True)
    make_ready(task)
    with pytest.raises(NotReady) as held:
        hand_over(task, comment="All the same")
    assert held.value.code == "totals_differ"


# --- the second person (S117) -------------------------------------------------------------------------------------


def test_whoever_had_a_hand_in_the_list_cannot_release_it_by_any_way(machine: Machine) -> None:
    run_id, task = begin(machine)
    change(task, RowChange(1, 0, values={"amount": "130"}), voter=EVA)
    make_ready(task)
    handed = hand_over(task, OMAR)
    assert handed.hands == ["Eva Novak", "Ines Kaya", "Omar Diaz"]
    for voter in (EVA, INES, OMAR):
        # Another session, another role, another group, an address written otherwise: it is the same person.
        for same in (
            voter,
            Voter(voter.id, voter.name, voter.email.upper(), (uuid7(),), "admin"),
            Voter(voter.id, voter.name, "new@example.com", (), "admin"),
        ):
            with pytest.raises(FourEyes):
                release(task, same)
            with pytest.raises(FourEyes):
                api.reject_review(workspace_id=WORKSPACE, task_id=task.id, voter=same, reason="x")
    with pytest.raises(NotAsked):
        api.take(workspace_id=WORKSPACE, task_id=task.id, voter=INES, over=True)
    with pytest.raises((TaskRefused, NotAsked)):
        api.decide(workspace_id=WORKSPACE, task_id=task.id, outcome="released", voter=INES)
    other = Voter(uuid7(), "Ada Byron", "ada@example.com")
    with pytest.raises(TaskRefused, match="another look"):
        # The way of other questions does not lead to a release, whoever takes it.
        api.decide(workspace_id=WORKSPACE, task_id=task.id, outcome="released", voter=other)
    assert HumanTask.objects.get(pk=task.id).status == "open"
    release(task, other)
    assert machine.finish(run_id).status == "completed"


def test_whoever_sent_it_back_may_release_it_later_unless_they_changed_it(machine: Machine) -> None:
    _, task = begin(machine)
    make_ready(task)
    hand_over(task)
    back = api.send_review_back(workspace_id=WORKSPACE, task_id=task.id, voter=OMAR, reason="Row 1 looks odd")
    assert (back.stage, back.sha256, back.sent_back is not None) == ("review", "", True)
    with pytest.raises(AlreadyDecided) as caught:
        release(task)
    assert caught.value.code == "not_handed_over"
    change(task, RowChange(1, 0, values={"amount": "121"}))
    hand_over(task)
    api.send_review_back(workspace_id=WORKSPACE, task_id=task.id, voter=EVA, reason="Once more")
    change(task, RowChange(1, 1, values={"amount": "122"}), voter=EVA)
    hand_over(task)
    with pytest.raises(FourEyes):
        release(task, EVA)
    assert release(task, OMAR).stage == "released"


def test_whoever_handed_it_over_may_take_it_back_and_nobody_else_with_a_hand_in_it(machine: Machine) -> None:
    _, task = begin(machine)
    change(task, RowChange(1, 0, values={"amount": "121"}), voter=EVA)
    make_ready(task)
    hand_over(task)
    with pytest.raises(FourEyes):
        api.send_review_back(workspace_id=WORKSPACE, task_id=task.id, voter=EVA, reason="x")
    with pytest.raises(TaskRefused):
        api.send_review_back(workspace_id=WORKSPACE, task_id=task.id, voter=INES, reason=" ")
    back = api.send_review_back(workspace_id=WORKSPACE, task_id=task.id, voter=INES, reason="A mistake of mine")
    assert (back.stage, back.sent_back, back.may_edit) == ("review", None, True)


def test_whoever_asks_for_it_cannot_release_it_where_the_step_says_so(machine: Machine) -> None:
    _, task = begin(machine, not_requester=True, requester="omar@example.com")
    make_ready(task)
    hand_over(task)
    with pytest.raises(FourEyes):
        release(task, OMAR)
    assert release(task, EVA).stage == "released"


def test_what_is_released_is_what_was_seen(machine: Machine) -> None:
    _, task = begin(machine)
    make_ready(task)
    seen = hand_over(task).revision
    api.send_review_back(workspace_id=WORKSPACE, task_id=task.id, voter=INES, reason="A mistake")
    change(task, RowChange(1, 0, values={"amount": "999"}))
    handed = hand_over(task).revision
    with pytest.raises(ReviewChanged):
        release(task, revision=seen)
    api.send_review_back(workspace_id=WORKSPACE, task_id=task.id, voter=INES, reason="x")
    change(task, RowChange(1, 1, values={"amount": "1"}), voter=EVA)
    with pytest.raises(ReviewChanged):
        hand_over(task, revision=handed + 1)


def test_of_many_who_release_at_once_one_does(machine: Machine) -> None:
    run_id, task = begin(machine)
    make_ready(task)
    revision = hand_over(task).revision
    results: list[str] = []

    def press(number: int) -> None:
        from django.db import connections

        try:
            release(task, Voter(uuid7(), f"P{number}", f"p{number}@example.com"), revision)
            results.append("released")
        except AlreadyDecided as error:
            results.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("released") == 1
    assert set(results) <= {"released", "already_decided", "run_ended"}
    assert machine.finish(run_id).status == "completed"


def test_the_whole_list_can_be_rejected_and_the_run_goes_its_own_way(machine: Machine) -> None:
    run_id, task = begin(machine)
    api.reject_review(workspace_id=WORKSPACE, task_id=task.id, voter=INES, reason="The wrong month")
    assert machine.finish(run_id).status == "completed"
    found = statuses(run_id)
    assert (found["no"], found["each"]) == ("succeeded", "skipped")
    output: Any = detail(run_id, "list").output
    assert (output["outcome"], output["comment"], output["rejected_count"]) == ("rejected", "The wrong month", 3)


def test_rows_that_nobody_released_cannot_be_worked_with(machine: Machine) -> None:
    _, task = begin(machine)
    given = {"review": str(view(task).id), "rows_of": "accepted"}
    stray = flow("start -> each", step("each", "flow.for_each@1", {"source": "review", "reviewed": given}))
    stray["nodes"].append({**fields("pay", what="{{ item.supplier }}"), "parent": "each"})
    run = machine.finish(machine.begin(stray, {}))
    assert run.status == "dead_lettered"
    assert "was not released" in str(detail(run.id, "each").step)


def test_a_list_without_rows_asks_nobody(machine: Machine) -> None:
    run_id = machine.begin(document(), {"rows": []})
    assert machine.finish(run_id).status == "completed"
    assert statuses(run_id)["none"] == "succeeded"
    assert Review.objects.get(run_id=run_id).rows == 0

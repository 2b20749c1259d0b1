"""Reviews of many rows, through crashes, and while roles and groups change (I13, I36, S117)."""

from __future__ import annotations

import tracemalloc
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError

from runtime import api
from runtime.contracts import AlreadyDecided, NotAsked, TaskView
from runtime.contracts.reviews import FourEyes, RowChange
from runtime.ports import PORTS
from runtime.sdk.reviews import Judge, ReviewColumn
from runtime.store import failpoints, reviews
from runtime.store.models import HumanMail, HumanNote, HumanTask, Review, ReviewChange, ReviewRow, Run
from runtime.store.reviews import Place
from tests.runtime.machine import WORKSPACE, Machine, detail, statuses, wait_until
from tests.runtime.test_people import asked
from tests.runtime.test_reviews import (
    COLUMNS,
    INES,
    OMAR,
    ROWS,
    begin,
    change,
    document,
    hand_over,
    make_ready,
    release,
    view,
)
from tests.runtime.town import Town, town

MANY = 12_000


@pytest.fixture
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = town()
    monkeypatch.setattr(PORTS, "people", made)
    return made


@pytest.fixture
def armed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_TEST_BUILD", "1")


def rows(last: int, first: int = 1) -> Any:
    """The rows with these numbers."""
    return [
        {
            "supplier": f"S-{number:05}",
            "amount": Decimal(number) / 100,
            "currency": "EUR",
            "iban": "DE1",
            "pad": "x" * 200,
        }
        for number in range(first, last + 1)
    ]


# --- many rows ----------------------------------------------------------------------------------------------------


def test_a_run_hands_on_where_the_rows_are_and_not_the_rows(machine: Machine) -> None:
    made = document()
    for node in made["nodes"]:
        if node["id"] == "each":
            node["config"] |= {"collect": False, "at_a_time": 100, "most_items": MANY}
    run_id = machine.begin(made, {"rows": rows(400)})
    task = asked(run_id)
    change(task, *(RowChange(number, 0, state="rejected", reason="Twice") for number in range(1, 101)))
    hand_over(task)
    release(task)
    assert machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "list").output
    assert (output["accepted"]["rows"], output["rejected"]["rows"]) == (300, 100)
    assert len(str(output)) < 2_000
    done: Any = detail(run_id, "each").output
    assert (done["total"], done["done"]) == (300, 300)


@pytest.mark.django_db(transaction=True)
def test_memory_is_the_same_for_twelve_thousand_rows_as_for_a_thousand() -> None:
    judge = Judge(tuple(ReviewColumn.model_validate(one) for one in COLUMNS), (), "currency")

    def peak(count: int) -> int:
        """Set down, summed, digested and read again, a page at a time: the most memory that it took."""
        place = Place(WORKSPACE, UUID(int=count), "list", 1, 1)
        tracemalloc.start()
        try:
            review = reviews.stage(place, judge, {})
            for first in range(0, count, 500):
                reviews.add(review, judge, rows(first + 500, first + 1), first)
                if first == 0:
                    # What is made once is no growth.
                    tracemalloc.reset_peak()
            assert reviews.staged(review).rows == count
            reviews.digest(review)
            Review.objects.filter(pk=review).update(stage="released")
            after = -1
            while found := reviews.released_rows(WORKSPACE, review, "accepted", after=after, most=500)[0]:
                after = found[-1][0]
            assert after == count - 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(1_000), peak(MANY)
    # The rows themselves would be twelve times as many.
    assert many < few * 1.5, (few, many)


def test_pages_of_a_long_list_are_found_by_place_search_and_what_is_to_do(machine: Machine) -> None:
    _, task = begin(machine, rows(1_200), rules=[{"name": "Odd", "when": "{{ item.amount > 11.95 }}"}])
    here: dict[str, Any] = {"workspace_id": WORKSPACE, "task_id": task.id}
    found, total = api.review_rows(**here, start=1_100, limit=50)
    assert (total, [row.number for row in found]) == (1_200, list(range(1_101, 1_151)))
    found, total = api.review_rows(**here, show="todo")
    assert (total, [row.number for row in found]) == (5, [1_196, 1_197, 1_198, 1_199, 1_200])
    found, total = api.review_rows(**here, search="s-0011")
    assert (total, found[0].number) == (10, 110)
    assert "pad" not in found[0].data, "what is not shown is not sent"
    assert api.review_rows(**here, show="rejected") == ([], 0)


# --- crashes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.usefixtures("armed")
def test_a_list_is_set_down_once_wherever_its_worker_dies(machine: Machine, side: str, nth: int) -> None:
    failpoints.arm(f"review.stage:{side}=sleep(1500)@nth({nth})")
    run_id = machine.begin(document(), {"rows": rows(600)})
    wait_until(lambda: failpoints._seen[f"review.stage:{side}"] >= nth)
    machine.crash()
    failpoints.disarm()
    machine.start()
    Run.objects.filter(pk=run_id).update(lease_expires_at=1)
    task = asked(run_id)
    review = Review.objects.get(run_id=run_id)
    assert (review.rows, review.stage, str(review.id)) == (600, "review", task.spec["review"])
    assert ReviewRow.objects.count() == 600
    assert HumanTask.objects.filter(run_id=run_id).count() == 1


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.usefixtures("armed")
def test_a_change_whose_commit_is_lost_is_made_whole_or_not_at_all(machine: Machine, side: str) -> None:
    _, task = begin(machine)
    changes = (RowChange(1, 0, values={"amount": "130"}), RowChange(2, 0, state="accepted"))
    failpoints.arm(f"review.change:{side}=raise@nth(1)")
    with pytest.raises(OperationalError):
        change(task, *changes)
    failpoints.disarm()
    made = 2 if side == "after" else 0
    assert (ReviewChange.objects.count(), view(task).revision) == (made, made // 2)
    outcomes = {one.outcome for one in change(task, *changes)}
    assert outcomes == ({"conflict"} if made else {"changed"})


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.usefixtures("armed")
def test_a_release_whose_commit_is_lost_is_one_release_or_none(machine: Machine, side: str) -> None:
    run_id, task = begin(machine)
    make_ready(task)
    revision = hand_over(task).revision
    failpoints.arm(f"human.decide:{side}=raise@nth(1)")
    with pytest.raises(OperationalError):
        release(task, revision=revision)
    failpoints.disarm()
    if side == "before":
        assert Review.objects.get(run_id=run_id).stage == "release"
        release(task, revision=revision)
    else:
        with pytest.raises(AlreadyDecided):
            release(task, revision=revision)
    assert machine.finish(run_id).status == "completed"
    assert statuses(run_id)["each"] == "succeeded"


def test_a_machine_that_dies_behind_the_release_goes_on_with_what_was_released(machine: Machine) -> None:
    run_id, task = begin(machine)
    make_ready(task)
    hand_over(task)
    machine.crash()
    release(task)
    machine.start()
    Run.objects.filter(pk=run_id).update(lease_expires_at=1)
    assert machine.finish(run_id).status == "completed"
    results: Any = detail(run_id, "each").output
    assert len(results["results"]) == 2


# --- people who come, go, and change their roles --------------------------------------------------------------------


def ready(machine: Machine, folk: Town, **config: Any) -> TaskView:
    _, task = begin(machine, **config)
    ines = folk.as_("ines")
    became = change(task, RowChange(2, 0, state="accepted"), RowChange(3, 0, state="rejected", reason="x"), voter=ines)
    assert {one.outcome for one in became} == {"changed"}
    return task


def test_whoever_is_no_releaser_any_more_when_they_press_the_button_is_refused(machine: Machine, folk: Town) -> None:
    task = ready(machine, folk, releasers="Finance")
    hand_over(task, folk.as_("ines"))
    before = folk.as_("omar")
    folk.groups["Finance"] = {"ines"}
    with pytest.raises(NotAsked):
        release(task, before)
    folk.groups["Finance"] = {"ines", "omar"}
    assert release(task, before).stage == "released"


def test_whoever_has_left_the_workspace_is_refused(machine: Machine, folk: Town) -> None:
    task = ready(machine, folk)
    hand_over(task, folk.as_("ines"))
    omar = folk.as_("omar")
    del folk.roles["omar"]
    with pytest.raises(NotAsked):
        release(task, omar)


def test_a_reviewer_who_becomes_admin_meanwhile_cannot_release_what_they_handed_over(
    machine: Machine, folk: Town
) -> None:
    task = ready(machine, folk, releasers="role:admin")
    hand_over(task, folk.as_("ines"))
    folk.roles["ines"] = "admin"
    with pytest.raises(FourEyes):
        release(task, folk.as_("ines"))
    # Nor when nobody else is left: the question is for the admins then, and she is the only one.
    del folk.roles["ada"]
    wait_until(lambda: HumanTask.objects.filter(pk=task.id, stranded_at__isnull=False).exists())
    with pytest.raises(FourEyes):
        release(task, folk.as_("ines"))
    seen = view(task, folk.as_("ines"))
    assert (seen.nobody, seen.may_release, seen.four_eyes) == (True, False, True)


def test_an_admin_cannot_hand_the_release_to_somebody_who_had_a_hand_in_the_list(machine: Machine, folk: Town) -> None:
    task = ready(machine, folk)
    hand_over(task, folk.as_("ines"))
    with pytest.raises(Exception, match="another look"):
        api.hand_over(
            workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("ada"), to="ines@example.com", reason="She knows it"
        )


def test_who_is_alone_is_told_before_they_hand_it_over(machine: Machine, folk: Town) -> None:
    task = ready(machine, folk)
    assert not view(task, folk.as_("ines")).nobody
    for name in ("omar", "ada", "vic"):
        del folk.roles[name]
    assert view(task, folk.as_("ines")).nobody


def test_those_who_are_to_release_are_written_to_and_the_reviewer_when_it_comes_back(
    machine: Machine, folk: Town
) -> None:
    task = ready(
        machine, folk, people="ines@example.com", releasers="Finance", mail="00000000-0000-4000-8000-000000000001"
    )
    hand_over(task, folk.as_("ines"))
    mails = HumanMail.objects.filter(task_id=task.id)
    assert [one.email for one in mails.filter(kind="release")] == ["omar@example.com"], "not to who handed it over"
    api.send_review_back(workspace_id=WORKSPACE, task_id=task.id, voter=folk.as_("omar"), reason="Row 1")
    assert [one.email for one in mails.filter(kind="send_back")] == ["ines@example.com"]
    kinds = HumanNote.objects.filter(task_id=task.id).order_by("at", "id").values_list("kind", flat=True)
    assert list(kinds) == ["release", "send_back"]


def test_a_list_that_is_not_released_in_time_goes_its_own_way(machine: Machine) -> None:
    run_id, task = begin(machine, ROWS, limit=1, unit="minutes")
    make_ready(task)
    revision = hand_over(task).revision
    HumanTask.objects.filter(pk=task.id).update(ends_at=1)
    with pytest.raises(AlreadyDecided):
        release(task, OMAR, revision)
    with pytest.raises(AlreadyDecided):
        change(task, RowChange(1, 0, values={"amount": "1"}), voter=INES)
    assert Run.objects.get(pk=run_id).finished_at is None

"""What a second person releases is what is done: nobody changes it behind them, nor that they are needed (S117)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import RetryRefused, RunView
from runtime.sdk import PermanentError
from runtime.sdk.reviews import Judge
from runtime.store import reviews
from runtime.store.models import HumanTask, ReviewRow
from runtime.store.reviews import Place
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, post, step
from tests.runtime.test_people import asked
from tests.runtime.test_retrying import go_on
from tests.runtime.test_reviews import LINKS, begin, document, hand_over, release, review_step, view

ROWS: list[dict[str, Any]] = [
    {"supplier": "Brinkmann", "amount": 10, "currency": "EUR", "way": ""},
    {"supplier": "Süd", "amount": 20, "currency": "EUR", "way": "/with/fail=422"},
]


def paid(machine: Machine, world: World) -> tuple[UUID, RunView]:
    """A released list of which one row could not be paid: its run, and the one of that row."""
    each = step("each", "flow.for_each@1", {
        "source": "review", "reviewed": "{{ steps.list.accepted }}", "stop": "never", "collect": False,
    })  # fmt: skip
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": "{{ item.amount }}"}
    pay = post("pay", f"{world.url}{{{{ item.way }}}}/invoices", body, retry={"attempts": 1})
    made = flow(LINKS, review_step(), each)
    made["nodes"].append({**pay, "parent": "each"})
    given: Any = {"rows": ROWS}
    run_id = machine.begin(made, given)
    task = asked(run_id)
    hand_over(task)
    release(task)
    machine.finish(run_id)
    (failed,) = api.failed_entries(workspace_id=WORKSPACE, run_id=run_id, node="each").items
    return run_id, api.run(workspace_id=WORKSPACE, run_id=failed.run_id)


def test_a_row_that_was_released_is_given_nothing_else(machine: Machine, world: World) -> None:
    run_id, failed = paid(machine, world)
    other: Any = {**ROWS[1], "way": "", "amount": 99_999}
    (became,) = api.correct_entries(workspace_id=WORKSPACE, run_id=run_id, node="each", items={1: other}, by=None)
    assert (became.outcome, "released as it is" in became.message) == ("refused", True)
    before: Any = detail(failed.id, "pay").input
    with pytest.raises(RetryRefused) as caught:
        go_on(failed.id, edits={"pay": {**before, "url": f"{world.url}/invoices", "json_body": {"amount": 99_999}}})
    assert "released as it is" in caught.value.fields["pay"]
    assert not world.invoices(str(failed.id))
    (retried,) = api.retry_each(workspace_id=WORKSPACE, run_ids=[failed.id])
    assert retried.outcome == "retried", "as it was released it may be tried again"


def test_the_rows_of_a_release_are_not_exchanged_for_others(machine: Machine) -> None:
    given = {"review": "0199a7f0-0000-7000-8000-0000000000d1", "rows_of": "accepted"}
    made = flow("start -> each", step("each", "flow.for_each@1", {"source": "review", "reviewed": given}))
    made["nodes"].append({**post("pay", "https://bank.example"), "parent": "each"})
    run = machine.finish(machine.begin(made, {}))
    before: Any = detail(run.id, "each").input
    for other in ({"reviewed": {**given, "rows_of": "rejected"}}, {"source": "file", "file": "x"}):
        with pytest.raises(RetryRefused) as caught:
            go_on(run.id, edits={"each": {**before, **other}})
        assert "these and no others" in caught.value.fields["each"]


@pytest.mark.parametrize("other", [{"four_eyes": False}, {"releasers": "ines@example.com"}])
def test_whoever_goes_on_with_a_run_cannot_say_that_no_second_person_is_needed(
    machine: Machine, other: dict[str, Any]
) -> None:
    run_id, _ = begin(machine, not_requester=True, requester="omar@example.com")
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    before: Any = detail(run_id, "list").input
    with pytest.raises(RetryRefused) as caught:
        go_on(run_id, edits={"list": {**before, **other}})
    assert "changed in the workflow" in caught.value.fields["list"]
    go_on(run_id, edits={"list": {**before, "title": "Once more"}})
    assert asked(run_id).title == "Once more"


def test_a_process_that_comes_late_does_not_take_away_the_list_that_people_look_at(machine: Machine) -> None:
    run_id, task = begin(machine)
    row = HumanTask.objects.get(pk=task.id)
    judge = Judge.again({**document()["nodes"][1]["config"], "rules": [], "columns": view(task).columns})
    with pytest.raises(PermanentError):
        reviews.stage(Place(WORKSPACE, run_id, "list", row.generation, row.attempt), judge, {})
    assert (view(task).rows, ReviewRow.objects.filter(review_id=view(task).id).count()) == (3, 3)

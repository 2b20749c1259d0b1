"""Lists that a For each reads from another system a page at a time (I7, I10, I23)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.interpreter import Driver, own_amounts, own_runs
from runtime.store.models import ItemKey, Reading, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    RETRY_SOON,
    WORKSPACE,
    Machine,
    detail,
    fields,
    flow,
    look,
    pause,
    step,
    wait_until,
)
from tests.runtime.test_own_runs import inside


def pages(world: World, query: str = "of=25&limit=10", /, **config: Any) -> dict[str, Any]:
    """A For each over the company's shipments."""
    settings = config.pop("settings", {})
    by = {"next_by": "cursor", "next_path": "paging.cursor", "list_path": "shipments"}
    made = {"source": "pages", "url": f"{world.url}/shipments?{query}", **by, **config}
    return step("each", "flow.for_each@1", made, **settings)


def read_by(world: World, before: int) -> int:
    """How often a page was asked for, since so many calls."""
    found = world.ask("GET", f"/calls?limit=1000&after={before}")["items"]
    return len([call for call in found if call["path"] == "/shipments"])


def last_call(world: World) -> int:
    """The number of the newest call in the company's ledger, which begins with the oldest."""
    seq, more = 0, True
    while more:
        found = world.ask("GET", f"/calls?limit=1000&after={seq}")["items"]
        seq = int(found[-1]["seq"]) if found else seq
        # To ask is a call too, so the ledger never comes to an end.
        more = len(found) == 1000
    return seq


def numbers(run_id: UUID) -> list[Any]:
    rows = Run.objects.filter(parent_run_id=run_id, parent_node="each").order_by("item_index")
    return [int(str(text).partition('"number":')[2].rstrip("}")) for text in rows.values_list("item", flat=True)]


BODY = fields("name", of="{{ item.number }}")


def test_what_is_heard_of_while_others_are_begun_brings_no_entry_twice(
    any_machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noted(driver: Driver, *_: object) -> None:
        own_runs.hear(driver)

    monkeypatch.setattr(own_amounts, "note", noted)
    graph = flow("start -> each", pages(world, "of=43&limit=6", at_a_time=12), *inside("each", BODY))
    run = any_machine.run(graph)
    assert run.status == "completed"
    assert numbers(run.id) == list(range(1, 44))


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ({"next_by": "cursor", "next_path": "paging.cursor"}, 3),
        ({"next_by": "url", "next_path": "paging.next"}, 3),
        ({"next_by": "link"}, 3),
        ({"next_by": "page", "page_size": 10}, 3),
        ({"next_by": "page"}, 4),
        ({"next_by": "offset", "page_size": 10, "size_name": "limit"}, 3),
    ],
    ids=["cursor", "url", "link", "page", "page-until-empty", "offset"],
)
def test_every_entry_of_every_page_has_one_run_in_the_order_of_the_pages(
    machine: Machine, world: World, by: dict[str, Any], expected: int
) -> None:
    run = machine.run(flow("start -> each", pages(world, **by), *inside("each", BODY)))
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert (output["total"], output["done"], output["pages"]) == (25, 25, expected)
    assert [one["of"] for one in output["results"]] == list(range(1, 26))
    assert numbers(run.id) == list(range(1, 26))
    assert api.orphans() == []


def test_a_page_is_asked_for_when_the_entries_at_hand_run_low_and_no_earlier(machine: Machine, world: World) -> None:
    before = last_call(world)
    graph = flow(
        "start -> each", pages(world, "of=1000&limit=10", total_path="total"), *inside("each", pause("wait", 600))
    )
    run_id = machine.begin(graph)
    wait_until(lambda: Run.objects.filter(parent_run_id=run_id).count() == 1)
    assert read_by(world, before) == 1
    assert [one.total for one in Reading.objects.filter(run_id=run_id)] == [1000]
    steps = api.snapshot(workspace_id=WORKSPACE, run_id=run_id).steps
    counts = next(one.items for one in steps if one.node == "each")
    assert counts is not None
    assert (counts.total, counts.started) == (1000, 1)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "cancelled"


def test_an_entry_that_stands_on_two_pages_is_done_once(machine: Machine, world: World) -> None:
    each = pages(world, "of=25&limit=10&shift=2", item_key="{{ item.id }}", at_a_time=5)
    run = machine.run(flow("start -> each", each, *inside("each", BODY)))
    assert run.status == "completed", run
    output: Any = detail(run.id, "each").output
    assert (output["total"], output["skipped"]) == (25, 4)
    assert numbers(run.id) == list(range(1, 26))
    assert ItemKey.objects.filter(run_id=run.id).count() == 25


def test_an_entry_that_comes_twice_fails_the_step_where_it_says_so(machine: Machine, world: World) -> None:
    each = pages(world, "of=25&limit=10&shift=2", item_key="{{ item.id }}", on_twice="fail")
    run = machine.run(flow("start -> each", each, *inside("each", BODY)))
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert run.error["code"] == "item_twice"
    assert numbers(run.id) == list(range(1, 11)), "what came until then is done"


@pytest.mark.parametrize("limit", [{"most_items": 12}, {"most_pages": 2}], ids=["items", "pages"])
def test_a_limit_says_that_there_is_more(machine: Machine, world: World, limit: dict[str, Any]) -> None:
    run = machine.run(flow("start -> each", pages(world, "of=25&limit=10", **limit), *inside("each", BODY)))
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert run.error["code"] == f"too_many_{next(iter(limit)).partition('_')[2]}"
    assert numbers(run.id) == list(range(1, 13 if "most_items" in limit else 21))


def test_a_page_that_fails_is_read_again_as_the_step_says_and_nothing_is_repeated(
    machine: Machine, world: World
) -> None:
    world.ask("POST", "/behaviour", {"path": "/shipments", "behaviour": "fail=503", "times": 2})
    each = pages(world, settings={"retry": RETRY_SOON}, at_a_time=4)
    run = machine.run(flow("start -> each", each, *inside("each", BODY)))
    assert run.status == "completed", run
    assert numbers(run.id) == list(range(1, 26))


def test_a_page_that_is_given_up_fails_the_step_and_a_retry_goes_on_behind_what_is_done(
    machine: Machine, world: World
) -> None:
    graph = flow(
        "start -> each", pages(world, settings={"retry": {"attempts": 1}}), *inside("each", pause("wait", 0.3))
    )
    run_id = machine.begin(graph)
    wait_until(lambda: Run.objects.filter(parent_run_id=run_id).count() >= 2)
    world.ask("POST", "/behaviour", {"path": "/shipments", "behaviour": "fail=503", "times": 1})
    run = machine.finish(run_id)
    assert run.status == "dead_lettered", run
    assert run.error is not None
    assert run.error["code"] == "http_503"
    done = numbers(run_id)
    assert done == list(range(1, 11))
    plan = api.retry_plan(workspace_id=WORKSPACE, run_id=run_id)
    api.retry(workspace_id=WORKSPACE, run_id=run_id, plan=plan.id)
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert numbers(run_id) == list(range(1, 26))


def test_what_is_no_list_is_said_with_where_one_is(machine: Machine, world: World) -> None:
    run = machine.run(flow("start -> each", pages(world, list_path="orders"), *inside("each", BODY)))
    assert run.error is not None
    assert run.error["code"] == "no_list"
    assert "“shipments”" in run.error["message"]


def test_a_crash_between_pages_loses_and_repeats_nothing(machine: Machine, world: World) -> None:
    each = pages(world, "of=60&limit=7", at_a_time=3)
    run_id = machine.begin(flow("start -> each", each, *inside("each", BODY)))
    for many in (5, 20, 40):
        wait_until(lambda: Run.objects.filter(parent_run_id=run_id).count() >= many)  # noqa: B023
        if look(run_id).finished_at is None:
            machine.crash()
            machine.start()
    run = machine.finish(run_id)
    assert run.status == "completed", run
    assert numbers(run_id) == list(range(1, 61))


@pytest.mark.parametrize("how", ["worker", "reloads"])
def test_pages_are_read_alike_by_one_worker_of_many_and_by_one_that_remembers_nothing(
    idle_machine: Machine, world: World, how: str
) -> None:
    if how == "worker":
        idle_machine.start("worker", sweep_seconds=0.2)
    else:
        idle_machine.start(reloads=True)
    run = idle_machine.run(flow("start -> each", pages(world, at_a_time=3), *inside("each", BODY)))
    assert run.status == "completed", run
    assert numbers(run.id) == list(range(1, 26))

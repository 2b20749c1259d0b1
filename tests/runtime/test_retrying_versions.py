"""A newer version takes over no run whose work outside it would lose (I22, I24)."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.contracts import RetryRefused
from tests.runtime.fixtures import World
from tests.runtime.machine import Machine, detail, fields, flow, get, post
from tests.runtime.test_retrying import INVOICE, ONCE, go_on, planned


@pytest.mark.parametrize("drawn", ["taken out", "drawn anew", "taken out with its undo"])
def test_a_version_that_lacks_a_step_whose_work_outside_stands_is_refused(
    machine: Machine, world: World, drawn: str
) -> None:
    def saga(first: str, second: str, undo: bool = True) -> dict[str, Any]:
        posts = {key: post(key, f"{world.url}/invoices", INVOICE) for key in ("old", "new", "back")}
        tail = post("tail", f"{world.url}{second}", INVOICE, retry=ONCE)
        links = f"start -> {first} -> tail" if first else "start -> tail"
        used = [first] * bool(first) + ["back"] * undo
        return flow(f"{links}, {first}:undo -> back" if undo else links, *[posts[key] for key in used], tail)

    with_undo = drawn == "taken out with its undo"
    workflow = machine.publish(saga("old", "/with/fail=422/invoices", undo=with_undo))
    run = machine.finish(machine.begin_again(workflow))
    machine.publish(saga("new" if drawn == "drawn anew" else "", "/invoices", undo=False), workflow)
    assert planned(run.id, version=1).missing == []
    plan = planned(run.id, version=2)
    assert (plan.missing, plan.dropped, plan.incompatible) == (["old"], [], [])
    with pytest.raises(RetryRefused) as caught:
        go_on(run.id, version=2)
    assert "what it did outside stands" in caught.value.fields["old"]
    assert len(world.invoices(str(run.id))) == 1, "nothing was sent a second time"
    before: Any = detail(run.id, "tail").input
    assert go_on(run.id, edits={"tail": {**before, "url": f"{world.url}/invoices"}}).generation == 2
    assert machine.finish(run.id).status == "completed"


def test_a_version_that_lacks_a_step_that_was_undone_is_taken(machine: Machine, world: World) -> None:
    links = "start -> old -> tail, old:undo -> back"
    posts = [post(key, f"{world.url}/invoices", INVOICE) for key in ("old", "back")]
    failing = post("tail", f"{world.url}/with/fail=422/invoices", INVOICE, retry=ONCE, on_failure="undo")
    workflow = machine.publish(flow(links, *posts, failing))
    run = machine.finish(machine.begin_again(workflow))
    assert run.status == "compensated"
    machine.publish(flow("start -> name", fields("name", of="x")), workflow)
    assert planned(run.id, version=2).missing == []
    assert go_on(run.id, version=2).generation == 2


def test_a_version_that_lacks_a_step_that_did_nothing_outside_is_taken(machine: Machine, world: World) -> None:
    tail = post("tail", f"{world.url}/with/fail=422/invoices", INVOICE, retry=ONCE)
    workflow = machine.publish(
        flow("start -> look -> sum -> tail", get("look", f"{world.url}/invoices"), fields("sum"), tail)
    )
    run = machine.finish(machine.begin_again(workflow))
    machine.publish(flow("start -> tail", post("tail", f"{world.url}/invoices", INVOICE)), workflow)
    assert (planned(run.id, version=2).missing, planned(run.id, version=2).dropped) == ([], [])
    assert go_on(run.id, version=2).generation == 2
    assert machine.finish(run.id).status == "completed"

"""So many items are tried first: the others begin when all of these went well."""

from __future__ import annotations

from typing import Any

from tests.runtime.fixtures import World
from tests.runtime.machine import Machine, fields, flow, post
from tests.runtime.test_own_runs import children, each, inside, mark_of_this_test

__all__ = ["mark_of_this_test"]


def calls(world: World, bad: str) -> list[dict[str, Any]]:
    """A call for each item; those of which `bad` holds are refused."""
    way = f"{{{{ '/with/fail=422' if {bad} else '' }}}}"
    body = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10}
    return inside("each", post("pay", f"{world.url}{way}/invoices", body, retry={"attempts": 1}))


def test_when_those_that_are_tried_first_went_well_the_others_begin(any_machine: Machine) -> None:
    listed = each(list(range(12)), try_first=3, at_a_time=10, stop="never")
    run = any_machine.run(flow("start -> each", listed, *inside("each", fields("keep"))))
    assert run.status == "completed", run
    found = children(run.id)
    assert len(found) == 12
    tried, others = found[:3], found[3:]
    assert max(child.finished_at or 0 for child in tried) <= min(child.accepted_at for child in others)


def test_where_one_of_them_fails_no_other_begins_whatever_else_is_said(machine: Machine, world: World) -> None:
    listed = each(list(range(12)), try_first=3, at_a_time=10, stop="never")
    run = machine.run(flow("start -> each", listed, *calls(world, "item == 1")))
    assert run.status == "dead_lettered"
    assert len(children(run.id)) == 3


def test_a_later_one_that_fails_counts_as_the_settings_say(machine: Machine, world: World) -> None:
    listed = each(list(range(12)), try_first=3, at_a_time=10, stop="never")
    run = machine.run(flow("start -> each", listed, *calls(world, "item == 7")))
    assert (run.status, len(children(run.id))) == ("completed", 12)


def test_a_list_that_is_shorter_is_done_as_a_whole(machine: Machine) -> None:
    run = machine.run(flow("start -> each", each([1, 2], try_first=5), *inside("each", fields("keep"))))
    assert (run.status, len(children(run.id))) == ("completed", 2)

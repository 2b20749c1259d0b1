"""Dead letters that go on with other values, many at once: each where it belongs, checked before anything goes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import JSON, EditableLetter, EditsRefused, RunEdit, RuntimeRefused
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import loads_stored
from runtime.store.models import BulkRetryItem, Replay, Run
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, flow, post, unsafe_post
from tests.runtime.test_bulk_retries import BY, bulk_items, failed, goes, until
from tests.runtime.test_dead_letters import INVOICE, failing, groups

#: Where the step's address stands in what it was given.
URL = ("url",)


def misdirected(world: World) -> dict[str, Any]:
    """A call to an address that is not there."""
    return flow("start -> pay", post("pay", f"{world.url}/invoicez", INVOICE, retry={"attempts": 1}))


def rows() -> list[EditableLetter]:
    (group,) = groups()
    return api.editable_letters(workspace_id=WORKSPACE, cause=group.cause).items


def edit(row: EditableLetter, *fields: tuple[tuple[str, ...], JSON]) -> RunEdit:
    return RunEdit(row.run.id, row.run.generation, row.node, fields)


def start(edits: list[RunEdit], **asked: Any) -> Any:
    return api.start_bulk_retry(workspace_id=WORKSPACE, edits=edits, by=BY, **asked)


def refused(*edits: RunEdit) -> dict[str, str]:
    with pytest.raises(EditsRefused) as error:
        start([*edits])
    assert not BulkRetryItem.objects.exists()
    return error.value.fields


def test_each_goes_on_with_its_own_values_and_before_and_after_are_kept(machine: Machine, world: World) -> None:
    runs = failed(machine, 3, misdirected(world))
    found = rows()
    assert [(row.run.id, row.fixed) for row in found] == [(run, None) for run in runs]
    given: Any = found[0].input
    assert given["json_body"]["customer"] == "C-200"
    right = f"{world.url}/invoices"
    edits = [edit(row, (URL, right), (("json_body", "customer"), f"C-{n}")) for n, row in enumerate(found[:2])]
    ended = until(start(edits, reason="Wrong number."), "done")
    assert (ended.total, ended.done) == (2, 2)
    assert goes(runs) == [2, 2, 1], "one that nothing was changed of stays as it is"
    assert [[one["customer"] for one in world.invoices(str(run))] for run in runs] == [["C-0"], ["C-1"], []]
    kept: Any = loads_stored(Replay.objects.get(run_id=runs[0]).edits)
    node = found[0].node
    assert (kept[node]["before"], kept[node]["after"]["url"]) == (given, right)
    assert kept[node]["after"]["json_body"] == {**given["json_body"], "customer": "C-0"}
    assert set(Replay.objects.values_list("by", flat=True)) == {f"user:{BY}"}
    assert not BulkRetryItem.objects.filter(edits__isnull=False).exists()


def test_one_goes_first_and_what_the_others_were_to_be_given_is_forgotten_with_a_stop(
    machine: Machine, world: World
) -> None:
    runs = failed(machine, 3, misdirected(world))
    bulk = start([edit(row, (URL, f"{world.url}/invoices")) for row in rows()], trial=True)
    assert until(bulk, "waiting").trial == "done"
    assert BulkRetryItem.objects.filter(edits__isnull=False).count() == 2
    api.stop_bulk_retry(workspace_id=WORKSPACE, bulk_id=bulk.id, by=BY)
    assert not BulkRetryItem.objects.filter(edits__isnull=False).exists()
    assert goes(runs) == [2, 1, 1]


def test_what_is_left_when_its_rule_stops_it_is_forgotten_too(machine: Machine, world: World) -> None:
    runs = failed(machine, 3, misdirected(world))
    bulk = start([edit(row, (URL, f"{world.url}/nowhere")) for row in rows()], stop_after=1)
    assert until(bulk, "stopped").failed == 1
    assert goes(runs) == [2, 1, 1]
    assert not BulkRetryItem.objects.filter(edits__isnull=False).exists()


def test_a_row_that_cannot_be_is_named_and_nothing_goes(machine: Machine, world: World) -> None:
    runs = failed(machine, 2, misdirected(world))
    good, bad = rows()
    said = refused(edit(good, (URL, f"{world.url}/invoices")), edit(bad, (("method",), "FETCH")))
    assert list(said) == [str(bad.run.id)]
    assert goes(runs) == [1, 1]


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("json_body", "vat"), "DE1", "no such value"),
        (("json_body",), "x", "single values"),
        (("json_body", "amount"), "much", "a number"),
        (("json_body", "customer"), 7, "a text"),
        (("json_body", "customer", "name"), "x", "no such value"),
    ],
)
def test_a_value_stays_what_it_was(
    machine: Machine, world: World, path: tuple[str, ...], value: JSON, sentence: str
) -> None:
    failed(machine, 1, misdirected(world))
    (row,) = rows()
    (said,) = refused(edit(row, (path, value))).values()
    assert sentence in said


def test_a_number_may_be_typed_as_a_text(machine: Machine, world: World) -> None:
    (run,) = failed(machine, 1, misdirected(world))
    (row,) = rows()
    until(start([edit(row, (URL, f"{world.url}/invoices"), (("json_body", "amount"), " 12.50 "))]), "done")
    kept: Any = loads_stored(Replay.objects.get(run_id=run).edits)
    assert str(kept[row.node]["after"]["json_body"]["amount"]) == "12.50"


def test_one_that_went_on_meanwhile_is_refused_before_and_in_its_turn(idle_machine: Machine) -> None:
    machine = idle_machine
    machine.start()
    first, second = failed(machine, 2)
    machine.stop()
    found = rows()
    message = (("message",), "Another one.")
    bulk = start([edit(row, message) for row in found])
    api.retry_each(workspace_id=WORKSPACE, run_ids=[first])
    machine.start()
    ended = until(bulk, "done")
    assert (ended.begun, ended.refused) == (1, 1)
    assert [one.run.id for one in bulk_items(ended) if one.outcome == "refused"] == [first]
    with pytest.raises(EditsRefused) as error:
        start([edit(row, message) for row in found])
    assert set(error.value.fields) == {str(first), str(second)}


def test_what_could_happen_twice_with_other_values_is_left_to_its_plan(machine: Machine, world: World) -> None:
    """The answer was lost: asked for something else, it would be done a second time."""
    graph = flow("start -> pay", post("pay", f"{world.url}/with/fail=503/invoices", INVOICE, retry={"attempts": 1}))
    (run,) = failed(machine, 1, graph)
    (row,) = rows()
    assert "second time" in str(row.fixed)
    assert refused(edit(row, (URL, f"{world.url}/invoices"))) == {str(run): row.fixed}


def test_one_in_doubt_shows_why_it_is_not_changed_here(machine: Machine, world: World) -> None:
    machine.run(flow("start -> pay", unsafe_post("pay", f"{world.url}/with/drop/invoices", INVOICE)))
    (row,) = rows()
    assert row.fixed == "Somebody has to look at the plan of this run first."
    assert row.input is None


def test_the_rows_come_page_by_page_and_only_ones_own(machine: Machine) -> None:
    runs = failed(machine, 3)
    (group,) = groups()
    first = api.editable_letters(workspace_id=WORKSPACE, cause=group.cause, limit=2)
    rest = api.editable_letters(workspace_id=WORKSPACE, cause=group.cause, limit=2, after=first.next_cursor)
    assert [row.run.id for row in [*first.items, *rest.items]] == runs
    assert rest.next_cursor is None
    assert api.editable_letters(workspace_id=uuid7(), cause=group.cause).items == []


def test_more_than_two_hundred_are_not_changed_at_once(machine: Machine) -> None:
    nobodys = [RunEdit(uuid7(), 1, "stop", ((("message",), "x"),)) for _ in range(201)]
    with pytest.raises(RuntimeRefused) as error:
        start(nobodys)
    assert error.value.code == "too_many"


def test_another_workspace_changes_none(machine: Machine) -> None:
    (run,) = failed(machine, 1, failing())
    (row,) = rows()
    with pytest.raises(EditsRefused):
        api.start_bulk_retry(workspace_id=uuid7(), edits=[edit(row, (("message",), "x"))], by=UUID(int=1))
    assert Run.objects.get(pk=run).generation == 1

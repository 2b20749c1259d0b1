"""In which order open questions are listed: by when they are due, then by amount; by amount; by age."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection

from runtime import api
from runtime.api.tasks import Sort
from runtime.engine.ids import uuid7
from runtime.store.models import HumanTask, HumanVote, Run
from tests.runtime.machine import WORKSPACE, Machine, flow, wait_until
from tests.runtime.rows import a_version
from tests.runtime.test_people import INES, LINKS, approval, decide

#: What each question says; a day is enough for all of them to be due at another time than those without.
SAYS = [(12, "EUR"), ("1200.50", "EUR"), (7, "CZK"), (None, ""), ("about 5", "EUR"), (12, "EUR")]


def ask(machine: Machine, amount: Any, currency: str, **config: Any) -> UUID:
    """A question about this much; its id."""
    about = {} if amount is None else {"amount": "{{ trigger.amount }}", "currency": currency}
    run_id = machine.begin(flow(LINKS, approval(**about, **config)), {"amount": amount})
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, status="open").exists())
    return HumanTask.objects.get(run_id=run_id).id


def listed(sort: Sort, limit: int = 50) -> list[UUID]:
    """All pages, one behind the other."""
    found: list[UUID] = []
    cursor: str | None = None
    while True:
        page = api.tasks(workspace_id=WORKSPACE, sort=sort, after=cursor, limit=limit)
        found += [one.id for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_questions_are_listed_in_the_order_asked_for_on_pages_of_any_length(machine: Machine, limit: int) -> None:
    few, much, czech, without, words, again = [ask(machine, *said) for said in SAYS]
    HumanTask.objects.filter(pk=without).update(due_at=1)
    by_amount = [czech, much, again, few]
    assert listed("amount", limit) == [*by_amount, words, without]
    assert listed("due", limit) == [without, *by_amount, words]
    assert listed("age", limit) == [few, much, czech, without, words, again]
    rows = {row.id: (row.worth, row.currency) for row in HumanTask.objects.all()}
    assert (rows[much], rows[words], rows[without]) == ((12_005_000, "EUR"), (None, ""), (None, ""))


def test_reading_on_goes_on_behind_a_question_that_is_decided_or_erased_meanwhile(machine: Machine) -> None:
    few, much, third = [ask(machine, amount, "EUR") for amount in (1, 3, 2)]
    page = api.tasks(workspace_id=WORKSPACE, sort="amount", limit=1)
    assert [one.id for one in page.items] == [much]
    decide(page.items[0], "approved")
    rest = api.tasks(workspace_id=WORKSPACE, sort="amount", after=page.next_cursor)
    assert [one.id for one in rest.items] == [third, few]


def test_a_question_without_an_amount_has_that_of_its_run(machine: Machine) -> None:
    graph = flow(LINKS, approval(title="Which account?"))
    field = {"name": "total", "label": "Total", "kind": "amount", "value": "{{ trigger.total }}", "currency": "EUR"}
    graph["naming"] = {"key": "", "fields": [field]}
    run_id = machine.begin(graph, {"total": "99.90"})
    wait_until(lambda: HumanTask.objects.filter(run_id=run_id, status="open").exists())
    row = HumanTask.objects.get(run_id=run_id)
    assert (row.worth, row.currency) == (999_000, "EUR")
    [shown] = api.tasks(workspace_id=WORKSPACE).items
    assert (shown.amount, shown.currency) == ("99.90", "EUR")
    # As it stands in an installation that was made before there were such columns.
    other = ask(machine, 7, "CZK")
    HumanTask.objects.update(worth=None, currency="")
    with connection.schema_editor() as editor:
        import_module("runtime.store.migrations.0043_amounts_of_questions").fill(apps, editor)
    filled = dict(HumanTask.objects.values_list("id", "worth"))
    assert filled == {row.id: 999_000, other: 70_000}


def test_what_somebody_has_answered_since_is_counted_however_long_ago_it_was_asked(machine: Machine) -> None:
    task = ask(machine, 1, "EUR")
    [view] = api.tasks(workspace_id=WORKSPACE).items
    decide(view, "approved")
    at = HumanVote.objects.get(task_id=task).at
    old = UUID(int=1 << 80)
    assert api.answered_since(workspace_id=WORKSPACE, voter_id=INES.id, since=at) == 1
    assert api.answered_since(workspace_id=WORKSPACE, voter_id=INES.id, since=at + 1) == 0
    assert api.answered_since(workspace_id=uuid7(), voter_id=INES.id, since=at) == 0
    row = HumanTask.objects.get(pk=task)
    HumanTask.objects.create(
        id=old, workspace_id=WORKSPACE, workflow_id=row.workflow_id, run_id=row.run_id, node_id="x", generation=1,
        attempt=1, kind="approval", status="decided", title="Old", spec="{}", created_at=0,
    )  # fmt: skip
    HumanVote.objects.create(task_id=old, voter=INES.id, name="Ines", at=at, outcome="approved")
    assert api.answered_since(workspace_id=WORKSPACE, voter_id=INES.id, since=at) == 2


def test_a_currency_without_a_number_is_no_amount_to_be_sorted_by(machine: Machine) -> None:
    graph = flow(LINKS, approval(title="Which account?"))
    field = {"name": "total", "label": "Total", "kind": "amount", "value": "{{ trigger.total }}", "currency": "EUR"}
    graph["naming"] = {"key": "", "fields": [field]}
    workflow = machine.publish(graph)
    made = []
    for total in ("unknown", None):
        run_id = machine.begin_again(workflow, {"total": total})
        wait_until(HumanTask.objects.filter(run_id=run_id, status="open").exists)
        made.append(HumanTask.objects.get(run_id=run_id).id)
    assert set(HumanTask.objects.values_list("worth", "currency")) == {(None, "")}
    assert listed("amount", 1) == made[::-1]


def test_filling_in_the_amounts_of_many_questions_takes_few_statements(
    machine: Machine, django_assert_max_num_queries: Any
) -> None:
    task = ask(machine, 7, "CZK")
    row = HumanTask.objects.get(pk=task)
    others = [
        HumanTask(
            id=uuid7(), workspace_id=WORKSPACE, workflow_id=row.workflow_id, run_id=row.run_id, node_id=f"n{number}",
            generation=1, attempt=1, kind="approval", status="open", title="Old", created_at=0,
            spec=f'{{"amount":{number},"currency":"CZK"}}' if number % 2 else "{}",
        )
        for number in range(400)
    ]  # fmt: skip
    HumanTask.objects.bulk_create(others)
    HumanTask.objects.update(worth=None, currency="")
    with connection.schema_editor() as editor, django_assert_max_num_queries(40):
        import_module("runtime.store.migrations.0043_amounts_of_questions").fill(apps, editor)
    filled = dict(HumanTask.objects.values_list("node_id", "worth"))
    assert (filled["n7"], filled["n399"], filled["n6"]) == (70_000, 3_990_000, None)
    assert filled[row.node_id] == 70_000


def made(pick: random.Random, run_id: UUID, number: int) -> HumanTask:
    worth = pick.choice((None, None, 1, 1, 25_000, -3, 2**62))
    return HumanTask.objects.create(
        id=uuid7(), workspace_id=WORKSPACE, workflow_id=uuid7(), run_id=run_id, node_id=f"n{number}", generation=1,
        attempt=1, kind="approval", status="open", title="T", spec='{"choices":[]}', created_at=number,
        worth=worth, currency="" if worth is None else pick.choice(("", "CZK", "EUR", "EUR")),
        due_at=pick.choice((None, None, 500, 500, 900)), stranded_at=pick.choice((None, None, None, 500, 700)),
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_every_question_is_on_one_page_in_its_place_though_others_come_while_they_are_read() -> None:
    pick = random.Random(7)
    run_id = Run.objects.create(
        workspace_id=WORKSPACE, workflow_id=uuid7(), version=a_version('{"nodes":[],"edges":[]}'),
        trigger_node="start", started_by="test", status="waiting_human", accepted_at=1,
    ).pk  # fmt: skip
    rows = {row.id: row for row in (made(pick, run_id, number) for number in range(40))}

    def amount(row: HumanTask) -> tuple[Any, ...]:
        return row.worth is None, row.currency, -(row.worth or 0), -row.id.int

    def due(row: HumanTask) -> tuple[Any, ...]:
        return row.stranded_at or row.due_at or 2**62, *amount(row)

    places: dict[Sort, Any] = {"age": lambda row: row.id.int, "amount": amount, "due": due}
    for sort, place in places.items():
        for limit in (1, 3, 7):
            before, found = set(rows), list[UUID]()
            cursor: str | None = None
            while True:
                page = api.tasks(workspace_id=WORKSPACE, sort=sort, after=cursor, limit=limit)
                found += [one.id for one in page.items]
                if (cursor := page.next_cursor) is None:
                    break
                if len(rows) < 70:
                    late = made(pick, run_id, 100 + len(rows))
                    rows[late.id] = late
            here = [rows[one] for one in found]
            assert here == sorted(here, key=place), (sort, limit)
            assert len(found) == len(set(found))
            assert set(found) >= before, (sort, limit)

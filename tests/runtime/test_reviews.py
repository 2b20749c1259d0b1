"""Lists that people review before anything is done with them: changed, handed over, released by somebody else (S117)."""

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
    run_id = machine.begin(document(**config), {"rows": ROWS if rows is None else rows})
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

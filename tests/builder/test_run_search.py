"""Runs are found by what people call them: typed, chosen, and refused in words where nobody can tell what is meant."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest

from builder.api import run_filters
from builder.workflows.run_query import QueryRefused, Term, duration_ms, parse
from builder.workflows.selectors import steps_called
from runtime.engine.ids import uuid7
from runtime.engine.naming import RESERVED, folded, units_of
from runtime.store.dialect import database_now
from runtime.store.models import DeadLetter, HumanTask, Run, RunField, Version
from tests import factories
from tests.builder.conftest import World
from tests.builder.test_people import CHOICES, question

NAMING = {
    "key": "{{ trigger.body.number }}",
    "fields": [
        {"name": "supplier", "label": "Supplier", "kind": "text", "value": "{{ trigger.body.supplier }}"},
        {"name": "total", "label": "Total", "kind": "amount", "value": "{{ trigger.body.total }}", "currency": "EUR"},
        {"name": "due", "label": "Due", "kind": "date", "value": "{{ trigger.body.due }}"},
    ],
}


def test_what_is_typed_is_read_word_by_word() -> None:
    assert parse('supplier:brink total>10000 status:failed "R-2026 0417" due>=2026-11-30') == [
        Term("supplier", ":", "brink"),
        Term("total", ">", "10000"),
        Term("status", ":", "failed"),
        Term("", ":", "R-2026 0417"),
        Term("due", ">=", "2026-11-30"),
    ]
    assert parse('workflow:"Order to cash"  R-1 ') == [Term("workflow", ":", "Order to cash"), Term("", ":", "R-1")]
    assert parse("  ") == []
    assert duration_ms("90s") == 90_000
    assert duration_ms("3d") == 3 * 86_400_000


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ('supplier:"Brink', "A quotation mark is missing"),
        ("total>", "A value is missing behind “total>”"),
        ("a " * 21, "more than 20 conditions"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(typed: str, said: str) -> None:
    with pytest.raises(QueryRefused) as refused:
        parse(typed)
    assert said in refused.value.message


def _path(path: str, query: dict[str, Any]) -> str:
    return f"{path}?{urlencode(query)}"


class Books:
    """A workspace whose runs were started with invoices."""

    def __init__(self, world: World) -> None:
        self.world = world
        graph = factories.small_graph()
        self.workflow = world.workflow("Invoices", {**graph, "naming": NAMING})
        path = f"{world.here}/workflows/{self.workflow.id}"
        answer = world.as_bo.post(f"{path}/publish", {"revision": 1, "note": "for a test"})
        assert answer.status == 201, answer.body
        self.version = Version.objects.get(workflow_id=self.workflow.id)

    def run(self, key: str, supplier: str = "", total: str = "", due: int | None = None, **fields: Any) -> UUID:
        """A run of the workflow, with its fields."""
        run_id: UUID = fields.pop("id", uuid7())
        at = 1_795_167_667_000
        values = {"status": "completed", "accepted_at": at, "finished_at": at + 1_000, "started_by": "webhook"} | fields
        Run.objects.create(
            id=run_id, workspace_id=self.world.northwind.id, workflow_id=self.workflow.id, version=self.version,
            trigger_node="start", business_key=key, **values,
        )  # fmt: skip
        for name, text, number in (
            ("key", key, None), ("supplier", supplier, None), ("total", total, units_of(total)), ("due", "", due),
        ):  # fmt: skip
            if text or number is not None:
                RunField.objects.create(
                    workspace_id=self.world.northwind.id, name=name, run_id=run_id, shown=text, folded=folded(text),
                    number=number, currency="EUR" if name == "total" else "",
                )  # fmt: skip
        return run_id

    def found(self, q: str = "", **query: Any) -> list[str]:
        """The keys of the runs that are found, in their order."""
        answer = self.world.as_vera.get(_path(f"{self.world.here}/runs", {"q": q, **query}))
        assert answer.status == 200, answer.body
        return [run["business_key"] for run in answer.body["items"]]

    def status(self, **query: Any) -> int:
        """Of the answer."""
        return int(self.world.as_vera.get(_path(f"{self.world.here}/runs", query)).status)

    def refused(self, q: str) -> str:
        answer = self.world.as_vera.get(_path(f"{self.world.here}/runs", {"q": q}))
        assert answer.status == 422, answer.body
        return str(answer.body["fields"]["q"][0])


@pytest.fixture
def books(world: World) -> Books:
    return Books(world)


def test_runs_are_found_by_any_part_of_their_key_and_by_every_field(books: Books) -> None:
    books.run("R-2026-0417", "Brinkmann Papier GmbH", "13412.80")
    books.run("R-2026-0418", "Ökö Druck", "99.5")
    books.run("S-1", "Brinkmann Papier GmbH", "10000")
    assert books.found("R-2026-0417") == ["R-2026-0417"]
    assert books.found("r-2026") == ["R-2026-0418", "R-2026-0417"]
    assert books.found("0417") == ["R-2026-0417"]
    assert books.found("supplier:brink") == ["S-1", "R-2026-0417"]
    assert books.found("supplier:ÖKÖ") == ["R-2026-0418"]
    assert books.found("brinkmann 0417") == ["R-2026-0417"]
    assert books.found('supplier="brinkmann papier gmbh" total>10000') == ["R-2026-0417"]
    assert books.found("total>=10000") == ["S-1", "R-2026-0417"]
    assert books.found("total:99.50") == ["R-2026-0418"]
    assert books.found("total>10EUR") == ["S-1", "R-2026-0418", "R-2026-0417"]
    assert books.found("total>10USD") == []
    assert books.found("key=s-1") == ["S-1"]
    assert books.found("key:-1") == ["S-1"]


def test_a_run_is_found_by_its_number(books: Books) -> None:
    run_id = books.run("R-1")
    books.run("R-2")
    assert books.found(str(run_id)) == ["R-1"]
    assert books.found(run_id.hex[-8:]) == ["R-1"]
    assert books.found(f"run:{run_id.hex[-8:]}") == ["R-1"]


def test_amounts_sort_and_page_without_losing_any(books: Books) -> None:
    totals = ["5", "10000", "5", "7.5", "0.01", "12"]
    for number, total in enumerate(totals):
        books.run(f"R-{number}", total=total)
    keys: list[str] = []
    cursor = None
    while True:
        query = {"sort": "largest:total", "limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = books.world.as_vera.get(_path(f"{books.world.here}/runs", query))
        keys += [run["business_key"] for run in answer.body["items"]]
        cursor = answer.body["next_cursor"]
        if cursor is None:
            break
    assert keys == ["R-1", "R-5", "R-3", "R-2", "R-0", "R-4"]
    assert books.found(sort="smallest:total")[0] == "R-4"


def test_runs_sort_by_how_long_they_took(books: Books) -> None:
    at = 1_795_167_667_000
    for number, took in enumerate((500, 90_000, 3_000)):
        books.run(f"R-{number}", accepted_at=at, finished_at=at + took)
    assert books.found(sort="longest") == ["R-1", "R-2", "R-0"]
    assert books.found(sort="shortest") == ["R-0", "R-2", "R-1"]
    assert books.found("longer:1m") == ["R-1"]
    assert books.found("shorter:1s") == ["R-0"]


def test_the_day_of_a_workflow_counts_as_failed_what_the_list_of_failed_runs_shows(books: Books) -> None:
    now = database_now()
    refused = '{"code":"refused","title":"Refused","message":"No."}'
    books.run("failed", status="dead_lettered", error=refused, accepted_at=now)
    books.run("undone", status="compensated", error=refused, accepted_at=now)
    books.run("cancelled", status="cancelled", accepted_at=now)
    day = books.world.as_vera.get(f"{books.world.here}/workflows/{books.workflow.id}").body["stats_24h"]
    assert (day["all"], day["failed"], day["undone"], day["done"]) == (3, 1, 1, 0)
    assert books.found(status="dead_lettered", since="24h", mode="live") == ["failed"]


def test_runs_are_found_by_how_they_stand_and_what_started_them(books: Books) -> None:
    world = books.world
    books.run("done")
    failed = books.run("failed", status="dead_lettered")
    waits = books.run("waits", status="waiting_human", finished_at=None)
    books.run("mine", started_by=f"user:{world.rosa.id}")
    books.run("test", mode="test")
    DeadLetter.objects.create(
        run_id=failed, generation=1, workspace_id=world.northwind.id, workflow_id=books.workflow.id, node_id="keep",
        cause="c1", code="period_closed", title="", message="", pattern="", at=1,
    )  # fmt: skip
    HumanTask.objects.create(
        workspace_id=world.northwind.id, workflow_id=books.workflow.id, run_id=waits, node_id="keep", generation=1,
        attempt=1, kind="approval", status="open", title="", spec="{}", people="", created_at=1,
    )  # fmt: skip
    assert books.found("status:failed") == books.found("error:period_closed") == books.found("cause:c1") == ["failed"]
    assert books.found("status:failed status:waiting") == ["waits", "failed"]
    assert books.found("asks:person") == ["waits"]
    assert books.found("stands:failed") == books.found("status:failed stands:failed") == ["failed"]
    assert books.found("stands:waiting") == []
    assert books.found("by:rosa") == books.found("by:person") == ["mine"]
    assert books.found("is:test") == books.found(mode="test") == ["test"]
    assert books.found("workflow:invoices version:1 by:webhook status:failed") == ["failed"]
    assert books.found("version:2") == []


def test_a_step_is_found_by_a_part_of_its_name_or_exactly(world: World) -> None:
    graph = factories.graph(
        ("start", "trigger.webhook@1", {}),
        ("pay", "data.edit_fields@1", {"fields": [{"name": "a", "value": "1"}]}),
        ("look", "data.edit_fields@1", {"fields": [{"name": "b", "value": "2"}]}),
        edges=["start -> pay", "pay -> look"],
    )
    for node, name in zip(graph["nodes"], ("Order", "Transfer", "Look after N_PAY"), strict=True):
        node["name"] = name
    workflow = world.workflow("Payments", graph)
    path = f"{world.here}/workflows/{workflow.id}"
    assert world.as_bo.post(f"{path}/publish", {"revision": 1, "note": "for a test"}).status == 201

    def steps(text: str, *, exactly: bool) -> list[str]:
        return steps_called(workspace_id=world.northwind.id, workflow_id=workflow.id, text=text, exactly=exactly)

    assert steps("n_pay", exactly=False) == ["n_pay", "n_look"]
    assert steps("n_pay", exactly=True) == ["n_pay"], "its id, and not a part of another's name"
    assert steps("look After n_pay", exactly=True) == ["n_look"]
    assert steps("Look", exactly=True) == []
    typed = {
        q: _path(f"{world.here}/runs", {"q": q, "workflow": str(workflow.id)}) for q in ("step=Look", "step=n_pay")
    }
    assert [world.as_vera.get(one).status for one in typed.values()] == [422, 200]


def test_no_field_is_called_like_a_word_of_the_search(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[set[str]] = []
    made = run_filters._Reading.read

    def noted(self: Any, terms: Any) -> Any:
        read.append(set(self._readers))
        return made(self, terms)

    monkeypatch.setattr(run_filters._Reading, "read", noted)
    books.found("status:failed")
    assert read[0] <= RESERVED


def test_what_cannot_be_understood_is_said_in_words(books: Books) -> None:
    assert "Did you mean “total”?" in books.refused("totl>5")
    assert "“lots” is no number" in books.refused("total>lots")
    assert "is a text" in books.refused("supplier>5")
    assert "There is no status “broken”" in books.refused("status:broken")
    assert "No workflow is called “Nothing”" in books.refused("workflow:Nothing")
    assert "Nobody here is called “mallory”" in books.refused("by:mallory")
    assert "stands:running, stands:waiting, stands:failed or stands:any" in books.refused("stands:well")
    assert "is no day" in books.refused("due>soon")
    assert "is no length of time" in books.refused("longer:soon")


def test_another_workspace_finds_nothing_of_it(books: Books) -> None:
    books.run("R-2026-0417", "Brinkmann", "1")
    world = books.world
    for q in ("R-2026", "brinkmann", "key=r-2026-0417"):
        answer = world.as_mallory.get(_path(f"{world.there}/runs", {"q": q}))
        assert answer.body["items"] == []
    assert world.as_mallory.get(f"{world.there}/runs/fields").body["items"] == []
    assert world.as_mallory.get(_path(f"{world.here}/runs", {"q": "R-2026"})).status == 404


def test_counts_stop_at_a_thousand(books: Books) -> None:
    for number in range(3):
        books.run(f"R-{number}")
    answer = books.world.as_vera.get(_path(f"{books.world.here}/runs/count", {"q": "R-"}))
    assert answer.body == {"count": 3, "more": False}


def test_the_search_knows_the_fields_of_live_workflows(books: Books) -> None:
    found = books.world.as_vera.get(f"{books.world.here}/runs/fields").body["items"]
    assert [(one["name"], one["label"], one["kind"]) for one in found] == [
        ("due", "Due", "date"), ("supplier", "Supplier", "text"), ("total", "Total", "amount"),
    ]  # fmt: skip
    books.run("R-1", "Brinkmann", "13.50")
    (run,) = books.world.as_vera.get(f"{books.world.here}/runs").body["items"]
    assert [(one["label"], one["text"], one["currency"]) for one in run["fields"]] == [
        ("Supplier", "Brinkmann", ""), ("Total", "13.50", "EUR"),
    ]  # fmt: skip


def test_many_runs_are_planned_and_begun_by_a_search(books: Books) -> None:
    world = books.world
    for number in range(3):
        books.run(f"R-{number}", status="waiting_timer", finished_at=None)
    books.run("done")
    path = f"{world.here}/dead-letters/bulk-retries"
    plan = world.as_rosa.post(f"{path}/plan", {"kind": "cancel", "search": {"q": "R-"}})
    assert plan.body == {"total": 3, "more": False, "looked_at": 3, "safe": 3, "asks": 0, "again": 0, "refused": 0}
    answer = world.as_rosa.post(path, {"kind": "cancel", "search": {"q": "R-"}, "reason": "Sent twice"})
    assert (answer.status, answer.body["kind"], answer.body["total"]) == (202, "cancel", 3)
    assert world.as_vera.post(path, {"kind": "cancel", "search": {"q": "R-"}}).status == 403
    assert world.as_rosa.post(path, {"kind": "cancel", "cause": "x"}).status == 422
    assert "no status" in str(world.as_rosa.post(path, {"kind": "cancel", "search": {"q": "status:no"}}).body["fields"])


def test_a_key_has_a_page_of_its_own(books: Books) -> None:
    first = books.run("R-1", "Brinkmann", "5", started_by=f"user:{books.world.rosa.id}")
    books.run("r-1", status="dead_lettered")
    books.run("R-12")
    found = books.world.as_vera.get(_path(f"{books.world.here}/runs/timeline", {"key": "R-1"})).body
    assert [one["kind"] for one in found["items"]] == ["started", "started", "completed", "dead_lettered"]
    assert {one["by"] for one in found["items"] if one["run"] == str(first)} == {"Rosa", ""}
    other = books.world.as_mallory.get(_path(f"{books.world.there}/runs/timeline", {"key": "R-1"})).body
    assert other["items"] == []


def test_the_page_of_a_key_says_what_people_pressed(books: Books) -> None:
    world = books.world
    run = Run.objects.get(pk=books.run("R-1", status="waiting_human", finished_at=None))
    choices = [{"id": "approved", "label": "Release it", "comment": False, "own": True}, CHOICES[1]]
    # What a text says is no name of a button.
    asked = [{"choices": choices}, {"choices": choices}, {"text": '"own":true'}]
    said = [("approved", None), ("rejected", "Too dear."), ("approved", None)]
    for attempt, (spec, (outcome, comment)) in enumerate(zip(asked, said, strict=True), 1):
        task = question(world, world.rosa.email, run=run, attempt=attempt, spec=spec)
        body = {"outcome": outcome, "comment": comment or ""}
        assert world.as_rosa.post(f"{world.here}/inbox/{task.id}/decide", body).status == 200
    found = world.as_vera.get(_path(f"{world.here}/runs/timeline", {"key": "R-1"})).body["items"]
    told = [(one["outcome"], one["called"]) for one in found if one["kind"] == "decided"]
    assert told == [("approved", "Release it"), ("rejected", None), ("approved", None)]
    assert {one["called"] for one in found if one["kind"] != "decided"} == {None}


def test_runs_are_found_by_moments_from_the_first_on_and_before_the_last(world: World) -> None:
    world.northwind.time_zone = "Europe/Berlin"
    world.northwind.save()
    books = Books(world)
    begin = 1_795_946_400_000  # 2026-11-29T10:00:00Z
    for key, at in (("before", begin - 1), ("first", begin), ("last", begin + 2_699_999), ("after", begin + 2_700_000)):
        books.run(key, id=uuid7(at), accepted_at=at)
    within = ["first", "last"]
    assert sorted(books.found(since="2026-11-29T10:00Z", until="2026-11-29T10:45Z")) == within
    assert sorted(books.found(since="2026-11-29T11:00:00.000+01:00", until="2026-11-29T10:45:00Z")) == within
    # Without its zone it is a time of the workspace, also as it is typed.
    assert sorted(books.found(since="2026-11-29T11:00", until="2026-11-29T11:45")) == within
    assert sorted(books.found(q="since:2026-11-29T11:00 until:2026-11-29T11:45")) == within
    assert len(books.found(since="2026-11-29", until="2026-11-29")) == 4
    for wrong in ("2026-11-29T10", "2026-11-29 10:00", "T10:00", "2026-11-29T10:00:00.0000000Z"):
        assert books.status(since=wrong) == 400, wrong
    assert books.status(since="2026-11-29T25:00Z") == 422
    assert books.status(q="since:2026-11-29T25:00Z") == 422

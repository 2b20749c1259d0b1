"""Files that workflows are started with, over the API: looked at, checked, remembered, and known again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from builder.workflows.models import FileLayout, FileStart, Workflow
from tests import factories
from tests.builder.conftest import World
from tests.factories import Answer

COLUMNS = [
    {"name": "invoice", "label": "Invoice", "key": True},
    {"name": "amount", "label": "Amount", "type": "amount", "required": True},
    {"name": "due", "label": "Due", "type": "date"},
]
MAY = b"No;Total;On\n1;1.234,5;03/04/2026\n2;;05/06/2026\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


@pytest.fixture
def workflow(world: World) -> Workflow:
    asks = {"fields": [{"name": "may", "label": "May", "type": "table", "columns": COLUMNS}]}
    note = ("note", "data.edit_fields@1", {"fields": [{"name": "x", "value": "1"}]})
    made = world.workflow(graph=factories.graph(("start", "trigger.manual@1", asks), note, edges=["start -> note"]))
    assert world.as_bo.post(f"{world.here}/workflows/{made.id}/publish", {"revision": 1}).status == 201
    return made


def upload(world: World, data: bytes, name: str = "May.csv") -> Any:
    answer = world.as_rosa.call(
        "POST", f"{world.here}/files?name={name}", raw=data, headers={"Content-Type": "text/csv"}
    )
    return answer.body["id"]


def look(world: World, workflow: Workflow, file: str, **more: Any) -> Any:
    body = {"file": file, "question": "may", "columns": COLUMNS, **more}
    answer = world.as_rosa.post(f"{world.here}/workflows/{workflow.id}/intake/look", body)
    assert answer.status == 200, answer.body
    return answer.body


def check(world: World, workflow: Workflow, seen: Any, **more: Any) -> Answer:
    body = {
        "file": seen["file"]["id"],
        "columns": COLUMNS,
        "format": seen["format"],
        "sources": seen["sources"],
        **more,
    }
    return world.as_rosa.post(f"{world.here}/workflows/{workflow.id}/intake/check", body)


def start(world: World, workflow: Workflow, value: Any) -> Answer:
    return world.as_rosa.post(f"{world.here}/workflows/{workflow.id}/runs", {"input": {"may": value}})


SOURCES = {"invoice": "No", "amount": "Total", "due": "On"}


def test_the_form_of_a_button_is_known_to_who_may_start_it(world: World, workflow: Workflow) -> None:
    found = world.as_rosa.get(f"{world.here}/workflows/{workflow.id}/triggers").body["items"]
    assert [one["name"] for one in found[0]["form"]["fields"][0]["columns"]] == ["invoice", "amount", "due"]


@pytest.mark.django_db(transaction=True)
def test_a_file_is_looked_at_asked_about_checked_and_started(world: World, workflow: Workflow) -> None:
    file = upload(world, MAY)
    seen = look(world, workflow, file, sources=SOURCES)
    assert seen["format"]["delimiter"] == ";"
    assert [(ask["kind"], ask["cell"], ask["readings"]) for ask in seen["asks"]] == [
        ("dates", "03/04/2026", ["2026-04-03", "2026-03-04"])
    ]
    seen = look(world, workflow, file, sources=SOURCES, format={"dates": "mdy"})
    assert (seen["asks"], seen["rows"][0]["values"]["due"]) == ([], "2026-03-04")
    assert seen["rows"][1]["misfits"] == [{"column": "amount", "code": "empty"}]
    refused = check(world, workflow, seen).body
    assert (refused["total"], refused["fitting"], refused["value"]) == (2, 1, None)
    assert refused["causes"] == [{"column": "amount", "code": "empty", "count": 1, "rows": [3], "samples": []}]
    found = check(world, workflow, seen, keep_left_out=True).body
    assert (found["left_out"]["name"], found["left_out"]["created_by"]) == ("May (left out).csv", "Rosa")
    answer = start(world, workflow, found["value"])
    assert answer.status == 202, answer.body


@pytest.mark.django_db(transaction=True)
def test_what_was_said_of_a_layout_is_remembered_for_the_next_file(world: World, workflow: Workflow) -> None:
    seen = look(world, workflow, upload(world, MAY), sources=SOURCES, format={"dates": "mdy"})
    assert seen["remembered"] is None
    assert start(world, workflow, check(world, workflow, seen, keep_left_out=True).body["value"]).status == 202
    june = look(world, workflow, upload(world, MAY.replace(b"1.234,5", b"7,5"), "June.csv"))
    assert (june["sources"], june["format"]["dates"], june["asks"]) == (SOURCES, "mdy", [])
    assert (june["remembered"]["by"], june["ran"]) == ("Rosa", [])
    # Another layout, another question and another workflow know nothing of it; what a file itself shows is worth more.
    other = look(world, workflow, upload(world, b"No;Total;On;More\n1;2,5;03/04/2026;x\n"))
    assert (other["remembered"], other["sources"].get("due")) == (None, None)
    assert look(world, workflow, upload(world, MAY), question="june")["remembered"] is None
    shown = look(world, workflow, upload(world, MAY.replace(b"05/06", b"25/06")))
    assert (shown["format"]["dates"], shown["remembered"] is not None) == ("dmy", True)
    assert FileLayout.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_file_is_known_again(world: World, workflow: Workflow) -> None:
    data = b"Invoice;Amount;Due\n1;2,5;28.11.2026\n"
    seen = look(world, workflow, upload(world, data))
    run = start(world, workflow, check(world, workflow, seen).body["value"]).body
    again = look(world, workflow, upload(world, data, "copy of May.csv"))
    assert [(one["run_id"], one["file"], one["by"]) for one in again["ran"]] == [(run["id"], "May.csv", "Rosa")]
    assert start(world, workflow, check(world, workflow, again).body["value"]).status == 202
    assert len(look(world, workflow, upload(world, data))["ran"]) == 2
    assert look(world, world.workflow(), upload(world, data))["ran"] == []


@pytest.mark.django_db(transaction=True)
def test_a_test_of_a_draft_counts_as_no_start(world: World, workflow: Workflow) -> None:
    seen = look(world, workflow, upload(world, b"Invoice;Amount;Due\n1;2,5;28.11.2026\n"))
    value = check(world, workflow, seen).body["value"]
    path = f"{world.here}/workflows/{workflow.id}/test"
    assert world.as_bo.post(path, {"input": {"may": value}}).status == 202
    assert (FileStart.objects.count(), FileLayout.objects.count()) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_what_a_program_hands_over_beside_it_does_no_harm(world: World) -> None:
    made = world.workflow(graph=factories.graph(("start", "trigger.manual@1", {})))
    assert world.as_bo.post(f"{world.here}/workflows/{made.id}/publish", {"revision": 1}).status == 201
    path = f"{world.here}/workflows/{made.id}/runs"
    some: list[dict[str, Any]] = [
        {"file": {}}, {"file": {"id": "x"}}, {"file": {"id": 1}, "columns": {"a": 1}, "format": {}},
    ]  # fmt: skip
    for given in some:
        value = {**given, "layout": "0" * 64}
        assert world.as_rosa.post(path, {"input": {"may": value, "x" * 99: value}}).status == 202
    assert (FileStart.objects.count(), FileLayout.objects.count()) == (0, 0)


def test_another_workspaces_file_is_not_there(world: World, workflow: Workflow) -> None:
    """S3: whoever names it."""
    file = upload(world, MAY)
    theirs = f"{world.there}/workflows/{workflow.id}/intake/look"
    assert world.as_mallory.post(theirs, {"file": file, "columns": COLUMNS}).status == 404
    own = f"{world.there}/workflows"
    made = world.as_mallory.post(own, {"name": "Mine"}).body["id"]
    assert world.as_mallory.post(f"{own}/{made}/intake/look", {"file": file, "columns": COLUMNS}).status == 404


@pytest.mark.parametrize(
    ("data", "body", "said"),
    [
        (b"\0\1\2", {}, "neither a CSV file nor a spreadsheet"),
        (MAY, {"columns": [{"name": "1", "label": "x"}]}, "not described as they have to be"),
        (MAY, {"format": {"encoding": "idna"}}, "not described as a file is read"),
        (MAY, {"format": {"header": 40}}, "no names of columns in row 40"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(
    world: World, workflow: Workflow, data: bytes, body: dict[str, Any], said: str
) -> None:
    sent = {"file": upload(world, data), "columns": COLUMNS, **body}
    answer = world.as_rosa.post(f"{world.here}/workflows/{workflow.id}/intake/look", sent)
    assert (answer.status, answer.code) == (422, "upload_refused"), answer.body
    assert said in answer.body["title"]

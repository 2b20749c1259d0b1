"""Versions are numbered, immutable and checked; a start keeps its address."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from runtime import api
from runtime.contracts import GraphHasProblems, NotFound, VersionView
from runtime.engine.ids import uuid7
from runtime.store.models import Trigger, Version
from tests.runtime.machine import WORKSPACE, Machine, fields, flow, step

WEBHOOK = "trigger.webhook@1"


def publish(graph: dict[str, Any], workflow_id: Any, note: str = "") -> VersionView:
    return api.publish(workspace_id=WORKSPACE, workflow_id=workflow_id, graph=graph, by=None, note=note)


def test_versions_count_from_one_and_the_newest_is_live(transactional_db: None) -> None:
    workflow_id = uuid7()
    assert api.deployment(workspace_id=WORKSPACE, workflow_id=workflow_id) is None
    first = publish(flow("start -> a"), workflow_id, "The first")
    second = publish(flow("start -> b"), workflow_id)
    assert (first.number, first.live, first.note) == (1, True, "The first")
    assert second.number == 2
    assert first.graph_sha256 != second.graph_sha256
    found = api.versions(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert [(version.number, version.live) for version in found.items] == [(2, True), (1, False)]
    assert found.next_cursor is None
    live = api.deployment(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert live is not None
    assert live.enabled
    assert live.version is not None
    assert live.version.id == second.id


def test_a_version_is_the_graph_as_it_was_published(transactional_db: None) -> None:
    workflow_id = uuid7()
    graph = flow("start -> a", fields("a", z=1, a="{{ trigger.x }}"))
    version = publish(graph, workflow_id)
    graph["nodes"][1]["config"]["fields"].clear()
    kept = api.version_graph(workspace_id=WORKSPACE, version_id=version.id)
    assert [field["name"] for field in kept["nodes"][1]["config"]["fields"]] == ["z", "a"]
    assert api.version(workspace_id=WORKSPACE, workflow_id=workflow_id, number=1).id == version.id


def test_a_graph_with_errors_is_not_published(transactional_db: None) -> None:
    workflow_id = uuid7()
    broken = flow("start -> a", step("a", "http.request@1", {}))
    with pytest.raises(GraphHasProblems) as refused:
        publish(broken, workflow_id)
    assert any(problem.node == "a" for problem in refused.value.problems)
    assert not Version.objects.filter(workflow_id=workflow_id).exists()


@pytest.mark.parametrize(
    "graph",
    [{}, {"nodes": 7}, {"nodes": [None, 3, {}], "edges": [[], {"id": 1}]}, {"nodes": [], "edges": []}, {"format": "x"}],
)
def test_a_broken_draft_is_checked_without_raising(graph: dict[str, Any]) -> None:
    report = api.check(graph=graph)
    assert not report.publishable
    assert report.problems


def test_a_check_tells_what_steps_do_and_where_they_lead() -> None:
    rules = {"match": "all", "rules": [{"left": "{{ trigger.total }}", "op": "gt", "right": 100}]}
    graph = flow("start -> big, big:yes -> a", step("big", "flow.decision@1", {"conditions": rules}))
    report = api.check(graph=graph)
    assert report.publishable
    assert report.summaries["big"]
    assert [port["id"] for port in report.ports["big"]] == ["yes", "no", "error"]


def test_a_webhook_keeps_its_address_across_versions(transactional_db: None) -> None:
    workflow_id = uuid7()
    with_hook = flow("start -> a", step("start", WEBHOOK))
    publish(with_hook, workflow_id)
    (first,) = api.triggers(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert first.path is not None
    assert len(first.path.removeprefix("/hooks/")) == 22
    publish(flow("other -> a", step("other", "trigger.manual@1")), workflow_id)
    assert [view.node_id for view in api.triggers(workspace_id=WORKSPACE, workflow_id=workflow_id)] == ["other"]
    publish(with_hook, workflow_id)
    (again,) = api.triggers(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert again.path == first.path
    assert Trigger.objects.get(workflow_id=workflow_id, node_id="start").version.number == 3


def test_publishing_at_the_same_time_gives_different_numbers(transactional_db: None) -> None:
    from django.db import connections

    workflow_id = uuid7()
    publish(flow("start -> a"), workflow_id)
    numbers: list[int] = []

    def work(name: str) -> None:
        try:
            numbers.append(publish(flow(f"start -> {name}"), workflow_id).number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(name,)) for name in "bcde"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [2, 3, 4, 5]


def test_the_first_publishes_of_one_workflow_follow_each_other_too(transactional_db: None) -> None:
    from django.db import connections

    workflow_id = uuid7()
    numbers: list[int] = []
    gate = threading.Barrier(8)

    def work(name: str) -> None:
        try:
            gate.wait()
            numbers.append(publish(flow(f"start -> {name}"), workflow_id).number)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(name,)) for name in "bcdefghi"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6, 7, 8]
    live = api.deployment(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert live is not None
    assert live.version is not None
    assert live.version.number == 8


def test_another_workspace_sees_nothing_and_changes_nothing(transactional_db: None) -> None:
    workflow_id, stranger = uuid7(), uuid7()
    version = publish(flow("start -> a"), workflow_id)
    assert api.deployment(workspace_id=stranger, workflow_id=workflow_id) is None
    assert api.versions(workspace_id=stranger, workflow_id=workflow_id).items == []
    assert api.triggers(workspace_id=stranger, workflow_id=workflow_id) == []
    with pytest.raises(NotFound):
        api.version_graph(workspace_id=stranger, version_id=version.id)
    with pytest.raises(NotFound):
        api.version(workspace_id=stranger, workflow_id=workflow_id, number=1)
    with pytest.raises(NotFound):
        api.disable(workspace_id=stranger, workflow_id=workflow_id)
    with pytest.raises(NotFound):
        api.publish(workspace_id=stranger, workflow_id=workflow_id, graph=flow("start -> b"), by=None)
    assert api.samples(workspace_id=stranger, workflow_id=workflow_id) == {}


def test_a_retired_workflow_takes_no_starts_but_its_runs_go_on(machine: Machine) -> None:
    workflow_id = machine.publish(flow("start -> a"))
    run_id = machine.begin_again(workflow_id)
    api.retire(workspace_id=WORKSPACE, workflow_id=workflow_id)
    assert machine.finish(run_id).status == "completed"
    assert api.deployment(workspace_id=WORKSPACE, workflow_id=workflow_id) is None
    assert not Trigger.objects.filter(workflow_id=workflow_id, enabled=True).exists()

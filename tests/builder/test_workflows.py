"""Workflows and drafts: saved as sent, nobody's work overwritten, only what is sound is published."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections as databases

from builder.connections import services as connections
from builder.workflows import documents, services
from builder.workflows.models import Draft, Workflow
from runtime.contracts import loads
from tests import factories
from tests.builder.conftest import World
from tests.factories import make_person, make_workspace


def save(world: World, workflow: Workflow, graph: dict[str, Any], revision: int) -> factories.Answer:
    path = f"{world.here}/workflows/{workflow.id}/draft"
    return world.as_bo.put(path, {"graph": graph}, headers={"If-Match": f'"{revision}"'})


class TestDrafts:
    def test_a_save_raises_the_revision_and_is_read_back_as_sent(self, world: World) -> None:
        workflow = world.workflow()
        graph = factories.small_graph()
        graph["nodes"][0]["position"] = {"x": 1.5, "y": -20}
        graph["nodes"][1]["config"]["fields"][0]["value"] = "Grüße, 😀"
        saved = save(world, workflow, graph, 1)
        assert saved.status == 200, saved.body
        assert saved.body["revision"] == 2
        assert saved.headers["ETag"] == '"2"'
        read = world.as_vera.get(f"{world.here}/workflows/{workflow.id}/draft")
        assert read.headers["ETag"] == '"2"'
        assert read.body["graph"] == graph
        assert read.body["updated_by"] == "Bo"

    def test_draft_save_and_check_tell_what_each_step_does_with_the_settings_it_has(self, world: World) -> None:
        workflow = world.workflow()
        graph = factories.graph(
            ("start", "trigger.webhook@1", {}),
            ("look", "http.request@1", {"method": "GET", "url": "https://erp.example/invoices"}),
            ("book", "http.request@1", {"method": "POST", "url": "https://erp.example/x", "send_key": False}),
            ("keyed", "http.request@1", {"method": "POST", "url": "https://erp.example/x"}),
            ("gone", "no.such@1", {}),
        )
        ids = {node["key"]: node["id"] for node in graph["nodes"]}
        unsafe = {"effect": "unsafe", "writes": True, "repeatable": False}
        expected = {
            ids["start"]: {"effect": "pure", "writes": False, "repeatable": True},
            ids["look"]: {"effect": "read", "writes": False, "repeatable": True},
            ids["book"]: unsafe,
            ids["keyed"]: {"effect": "keyed", "writes": True, "repeatable": True},
            ids["gone"]: unsafe,
        }
        here = f"{world.here}/workflows/{workflow.id}"
        assert save(world, workflow, graph, 1).body["effects"] == expected
        assert world.as_vera.get(f"{here}/draft").body["effects"] == expected
        assert world.as_bo.post(f"{here}/check", {"graph": graph}).body["effects"] == expected

    def test_without_if_match_nothing_is_saved(self, world: World) -> None:
        workflow = world.workflow()
        path = f"{world.here}/workflows/{workflow.id}/draft"
        answer = world.as_bo.put(path, {"graph": factories.graph()})
        assert (answer.status, answer.code) == (428, "if_match_missing")
        for header in ("*", '"x"', '"-1"', '"99999999999999999999"', '"1", "2"'):
            assert world.as_bo.put(path, {"graph": factories.graph()}, headers={"If-Match": header}).status == 400
        assert Draft.objects.get(pk=workflow.pk).revision == 1

    def test_a_stale_save_is_refused_and_says_who_was_first(self, world: World) -> None:
        workflow = world.workflow()
        assert save(world, workflow, factories.graph(), 1).status == 200
        stale = save(world, workflow, factories.small_graph(), 1)
        assert (stale.status, stale.code) == (409, "draft_is_stale")
        assert stale.body["params"]["current_revision"] == stale.body["current_revision"] == 2
        assert stale.body["params"]["updated_by"] == "Bo"
        assert world.as_bo.get(f"{world.here}/workflows/{workflow.id}/draft").body["graph"]["nodes"] == []

    @pytest.mark.parametrize(
        "change",
        [
            {"format": "something.else"},
            {"version": 2},
            {"version": True},
            {"nodes": {}},
            {"edges": None},
            {"format": None},
        ],
    )
    def test_what_is_no_graph_document_is_refused(self, world: World, change: dict[str, Any]) -> None:
        answer = save(world, world.workflow(), {**factories.small_graph(), **change}, 1)
        assert (answer.status, answer.code) == (422, "graph_refused")
        assert list(answer.body["fields"]) == [f"graph.{next(iter(change))}"]

    @pytest.mark.parametrize(
        "nodes",
        [
            [None, 1, "x", [], {}],
            [{"id": "a", "key": "a", "type": "no.such@1", "config": None, "position": "here"}],
            [{"id": "__proto__", "key": "../x", "type": "", "config": {}, "position": {"x": 0, "y": 0}}],
            [{"id": "a"}, {"id": "a"}, {"id": "A"}],
        ],
    )
    def test_a_broken_draft_is_kept_with_its_problems(self, world: World, nodes: list[Any]) -> None:
        answer = save(world, world.workflow(), {**factories.graph(), "nodes": nodes}, 1)
        assert answer.status == 200, answer.body
        assert any(problem["severity"] == "error" for problem in answer.body["problems"])

    def test_a_graph_of_more_than_four_megabytes_is_refused(self, world: World) -> None:
        graph = factories.graph(("start", "trigger.webhook@1", {"notes": "x" * 4_300_000}))
        assert save(world, world.workflow(), graph, 1).code == "graph_refused"

    def test_moving_a_step_is_no_change_of_what_runs(self) -> None:
        graph = factories.small_graph()
        moved = factories.small_graph()
        moved["nodes"][0]["position"] = {"x": 900, "y": 900}
        moved["nodes"].reverse()
        changed = factories.small_graph()
        changed["nodes"][0]["name"] = "Another"
        assert documents.digest(graph) == documents.digest(moved) != documents.digest(changed)


@pytest.mark.django_db(transaction=True)
def test_of_savers_at_one_revision_one_wins_and_nobodys_work_is_mixed() -> None:
    alice = make_person("Alice")
    workspace = make_workspace("Northwind", alice)
    workflow = services.create_workflow(workspace=workspace, by=alice, name="W")
    outcomes: list[str] = []
    gate = threading.Barrier(5)

    def saver(number: int) -> None:
        graph = factories.graph((f"start{number}", "trigger.webhook@1", {}))
        gate.wait()
        try:
            services.save_draft(workflow=workflow, graph=graph, expected=1, by=alice, now=datetime.now(UTC))
            outcomes.append(f"start{number}")
        except services.DraftIsStale:
            pass
        finally:
            databases.close_all()

    threads = [threading.Thread(target=saver, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    draft = Draft.objects.get(pk=workflow.pk)
    graph = loads(draft.graph)
    assert isinstance(graph, dict)
    assert len(outcomes) == 1
    assert [node["key"] for node in documents.nodes_of(graph)] == outcomes
    assert draft.revision == 2


class TestPublishing:
    def publish(self, world: World, workflow: Workflow, revision: int = 1, note: str = "First") -> factories.Answer:
        return world.as_bo.post(f"{world.here}/workflows/{workflow.id}/publish", {"revision": revision, "note": note})

    def test_a_sound_draft_becomes_the_live_version(self, world: World) -> None:
        workflow = world.workflow()
        path = f"{world.here}/workflows/{workflow.id}"
        assert world.as_bo.get(path).body["live"] is None
        answer = self.publish(world, workflow)
        assert answer.status == 201, answer.body
        assert (answer.body["number"], answer.body["note"], answer.body["created_by"]) == (1, "First", "Bo")
        shown = world.as_vera.get(path).body
        assert shown["live"]["version"] == 1
        assert shown["enabled"] is True
        assert shown["draft"]["changed"] is False
        save(world, workflow, factories.graph(), 1)
        assert world.as_vera.get(path).body["draft"]["changed"] is True
        assert world.as_vera.get(f"{path}/versions/1").body["graph"] == factories.small_graph()

    def test_an_unsound_draft_is_refused_with_all_its_problems(self, world: World) -> None:
        workflow = world.workflow(graph=factories.graph(("send", "no.such@1", {})))
        answer = self.publish(world, workflow)
        assert (answer.status, answer.code) == (422, "graph_has_problems")
        assert {"severity", "code", "message", "node", "edge", "field", "params"} == set(answer.body["problems"][0])
        assert world.as_bo.get(f"{world.here}/workflows/{workflow.id}").body["live"] is None

    def test_a_draft_that_moved_on_is_not_published(self, world: World) -> None:
        workflow = world.workflow()
        save(world, workflow, factories.graph(), 1)
        answer = self.publish(world, workflow, revision=1)
        assert (answer.status, answer.body["current_revision"]) == (409, 2)

    def test_an_older_version_can_be_drawn_on_again(self, world: World) -> None:
        workflow = world.workflow()
        self.publish(world, workflow)
        save(world, workflow, factories.graph(), 1)
        path = f"{world.here}/workflows/{workflow.id}"
        restored = world.as_bo.post(f"{path}/versions/1/restore", headers={"If-Match": '"2"'})
        assert restored.body["revision"] == 3
        assert world.as_bo.get(f"{path}/draft").body["graph"] == factories.small_graph()
        assert world.as_bo.post(f"{path}/versions/9/restore", headers={"If-Match": '"3"'}).status == 404

    def test_the_live_versions_starts_say_where_to_post(self, world: World) -> None:
        workflow = world.workflow()
        self.publish(world, workflow)
        (trigger,) = world.as_vera.get(f"{world.here}/workflows/{workflow.id}/triggers").body["items"]
        assert "/hooks/" in trigger["url"]
        assert trigger["url"] in trigger["curl"]

    def test_the_line_to_try_a_start_with_posts_something_that_fits(self, world: World) -> None:
        workflow = world.workflow("Greeting")
        self.publish(world, workflow)
        path = f"{world.here}/workflows/{workflow.id}/triggers"
        assert """-d '{"hello":"world"}'""" in world.as_vera.get(path).body["items"][0]["curl"]
        world.as_bo.patch(f"{world.here}/workflows/{workflow.id}", {"name": "Order to cash"})
        assert "SO-2041" in world.as_vera.get(path).body["items"][0]["curl"]

    def test_switching_needs_something_live_and_deleting_disarms(self, world: World) -> None:
        workflow = world.workflow()
        path = f"{world.here}/workflows/{workflow.id}"
        assert world.as_bo.post(f"{path}/enable").code == "not_published"
        self.publish(world, workflow)
        assert world.as_bo.post(f"{path}/disable").body["enabled"] is False
        assert world.as_bo.post(f"{path}/enable").body["enabled"] is True
        assert world.as_bo.delete(path).status == 204
        assert world.as_bo.get(path).status == 404
        assert world.as_bo.get(f"{world.here}/workflows").body["items"] == []


class TestForeignConnections:
    """S3, S4: an id of another workspace's connection opens nothing."""

    def graph(self, connection: str) -> dict[str, Any]:
        return factories.graph(
            ("start", "trigger.manual@1", {}),
            ("call", "http.request@1", {"url": "https://example.org", "connection": connection}),
            edges=["start -> call"],
        )

    def theirs(self, world: World) -> str:
        fields = {"token": "a secret token of theirs", "allowed_hosts": ["example.org"]}
        row = connections.create(
            workspace=world.southwind, by=world.mallory, kind="http_bearer", name="Theirs", fields=fields
        )
        return str(row.id)

    def test_it_cannot_be_saved_published_or_tested(self, world: World) -> None:
        workflow = world.workflow()
        foreign, unknown = self.theirs(world), "01a1fc6c-8feb-7e50-ab16-465c98787d84"
        refusals = [save(world, workflow, self.graph(named), 1) for named in (foreign, unknown)]
        assert [answer.status for answer in refusals] == [422, 422]
        assert [list(answer.body["fields"].values()) for answer in refusals] == [
            [["There is no such connection here."]]
        ] * 2
        tested = world.as_bo.post(f"{world.here}/workflows/{workflow.id}/test", {"graph": self.graph(foreign)})
        assert (tested.status, tested.code) == (422, "graph_has_problems")
        checked = world.as_bo.post(f"{world.here}/workflows/{workflow.id}/check", {"graph": self.graph(foreign)})
        assert "connection_missing" in {problem["code"] for problem in checked.body["problems"]}
        hidden = self.graph("")
        hidden["nodes"][1]["config"]["headers"] = [{"name": "X", "value": foreign}]
        assert save(world, workflow, hidden, 1).status == 422

    def test_our_own_can_be_saved_and_stays_savable_once_it_is_gone(self, world: World) -> None:
        fields = {"token": "a secret token of ours", "allowed_hosts": ["example.org"]}
        ours = connections.create(workspace=world.northwind, by=world.bo, kind="http_bearer", name="O", fields=fields)
        workflow, graph = world.workflow(), self.graph(str(ours.id))
        saved = save(world, workflow, graph, 1)
        assert saved.status == 200
        assert "connection_missing" not in {problem["code"] for problem in saved.body["problems"]}
        connections.delete(row=ours)
        again = save(world, workflow, graph, 2)
        assert again.status == 200
        assert "connection_missing" in {problem["code"] for problem in again.body["problems"]}


class TestListing:
    def test_pages_follow_each_other_without_a_gap(self, world: World) -> None:
        made = [world.workflow(f"W{number}").name for number in range(7)]
        seen: list[str] = []
        cursor = ""
        while True:
            page = world.as_vera.get(f"{world.here}/workflows?limit=3&cursor={cursor}").body
            seen += [item["name"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = page["next_cursor"]
        assert seen == list(reversed(made))

    def test_those_are_asked_for_that_other_workflows_can_run(self, world: World) -> None:
        drawn = factories.graph(
            ("called", "trigger.called@1", {}), ("stop", "flow.stop@1", {}), edges=["called -> stop"]
        )
        called = world.workflow("Check a supplier", graph=drawn)
        services.publish(workflow=world.workflow("Invoices"), by=world.bo, note="x")

        def names() -> list[str]:
            return [item["name"] for item in world.as_vera.get(f"{world.here}/workflows?start=called").body["items"]]

        assert names() == []
        services.publish(workflow=called, by=world.bo, note="x")
        assert names() == ["Check a supplier"]

    def test_words_and_standing_narrow_the_list(self, world: World) -> None:
        live, draft = world.workflow("Supplier invoices"), world.workflow("100% of _all_ orders")
        services.publish(workflow=live, by=world.bo, note="x")

        def names(query: str) -> list[str]:
            return [item["name"] for item in world.as_vera.get(f"{world.here}/workflows?{query}").body["items"]]

        assert names("q=supplier") == [live.name]
        assert names("q=100%25") == [draft.name]
        assert names("q=_all_") == [draft.name]
        assert names("status=live") == [live.name]
        assert names("status=draft") == [draft.name]
        assert names("status=disabled") == []
        assert names("q=%25%25%25") == []
        world.workflow("Öl bestellen")
        assert names("q=%C3%B6l") == names("q=%C3%96L") == ["Öl bestellen"]

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=1000000000",
            "limit=x",
            "cursor=!!!",
            "cursor=AAAA",
            "status=x",
            "owner__password__startswith=a",
            "order=name",
            "q=a&q=b",
        ],
    )
    def test_a_parameter_nobody_offered_is_400(self, world: World, query: str) -> None:
        """S75, S100."""
        assert world.as_vera.get(f"{world.here}/workflows?{query}").status == 400

    def test_a_workflow_is_summed_up_in_words(self, world: World) -> None:
        world.workflow()
        (item,) = world.as_vera.get(f"{world.here}/workflows").body["items"]
        assert item["sentence"].endswith(": Fields")

    def test_it_can_begin_as_the_example(self, world: World) -> None:
        answer = world.as_bo.post(f"{world.here}/workflows", {"name": "Mine", "from_example": "Order to cash"})
        assert answer.status == 201, answer.body
        assert answer.body["problems_count"] == 0
        assert world.as_bo.post(f"{world.here}/workflows", {"name": "Mine", "from_example": "x"}).status == 422

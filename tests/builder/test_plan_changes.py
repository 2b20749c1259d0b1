"""A plan says in which steps the live version differs from the one that the run has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.builder.conftest import World
from tests.builder.test_audit_runs import start
from tests.runtime.machine import Machine, fields, flow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    made.start()
    yield made
    made.stop(0.2)


def republish(world: World, run: str, graph: dict[str, Any]) -> None:
    workflow = world.as_bo.get(run).body["workflow"]["id"]
    here = f"{world.here}/workflows/{workflow}"
    revision = world.as_bo.get(f"{here}/draft").body["revision"]
    saved = world.as_bo.put(f"{here}/draft", {"graph": graph}, headers={"If-Match": f'"{revision}"'})
    assert saved.status == 200, saved.body
    assert world.as_bo.post(f"{here}/publish", {"revision": revision + 1}).status == 201


def test_the_steps_that_the_live_version_has_otherwise_are_named_with_their_fields(
    world: World, machine: Machine
) -> None:
    run = start(world, flow("start -> a -> b", fields("a", x="{{ 1 / trigger.by }}"), fields("b", y="1")), {"by": 0})
    assert world.as_rosa.get(f"{run}/retry-plan").body["changes"] is None
    other = fields("a", settings={"timeout_seconds": 5}, x="{{ trigger.by }}")
    republish(world, run, flow("start -> a -> c", other, fields("c", z="1")))
    for version in (1, 2):
        changes = world.as_rosa.get(f"{run}/retry-plan?version={version}").body["changes"]
        assert (changes["before"], changes["after"]) == (1, 2)
        assert changes["changed"] == [
            {"node": "a", "name": "a", "fields": ["config.fields", "settings.timeout_seconds"]}
        ]
        assert (changes["added"], changes["removed"]) == (["c"], ["b"])


def test_a_version_that_only_lies_otherwise_has_no_changed_steps(world: World, machine: Machine) -> None:
    graph = flow("start -> a", fields("a", x="{{ 1 / trigger.by }}"))
    run = start(world, graph, {"by": 0})
    moved = {**graph, "nodes": [{**node, "position": {"x": 90, "y": 90}} for node in graph["nodes"]]}
    republish(world, run, moved)
    changes = world.as_rosa.get(f"{run}/retry-plan").body["changes"]
    assert (changes["changed"], changes["added"], changes["removed"]) == ([], [], [])

"""F35, F40: a workflow is changed, switched off and deleted under its waiting runs; many branches meet at one step."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, edit, graph, invoice, wait, webhook
from tests.faults.killing import killing
from tests.faults.plant import Plant
from tests.faults.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600), figures.only_in_full]

BRANCHES = 200


def waiting(seconds: float, name: str) -> Example:
    """The text that a version gives says which one it is."""
    nodes = [
        webhook(),
        wait("pause", seconds),
        edit("which", name),
        invoice("after", customer="{{ steps.which.number }}"),
    ]
    return Example("Changed", graph(nodes, ["start -> pause", "pause -> which", "which -> after"]), {"after": 1})


def test_runs_end_by_the_version_that_they_began_with(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"s{seed:x}-"
    plant = make_plant(database)
    plant.start(waiting(8, "version 1"))
    made = plant.published["Changed"]
    count = figures.number("WAITING_RUNS", 20, 1_000)
    expected: dict[str, str] = {}
    version = 1
    with killing(plant, figures.number("EDIT_KILLS", 1, 10), chance, kinds=("web", "worker"), every=3):
        for number in range(count):
            key = f"{prefix}{number:05d}"
            plant.senders.insist(made.path, key, seconds=120)
            expected[key] = f"version {version}"
            if number % max(1, count // 5) == count // 10:
                version += 1
                publish(plant, made.workflow, waiting(8, f"version {version}").graph)
    api = plant.api
    assert api is not None
    api.call("POST", f"W/workflows/{made.workflow}/disable", {})
    api.call("DELETE", f"W/workflows/{made.workflow}")
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=120, pause=0.3)
    violations = plant.check(prefix, outage_ms=120_000)
    rows = plant.database.query(
        "SELECT e.dedupe_key, s.output FROM store_steprun s JOIN store_run r ON r.id = s.run_id"
        " JOIN store_event e ON e.id = r.event_id WHERE s.node_id = 'which'"
    )
    given = {str(row[0]): str(row[1]) for row in rows}
    wrong = [key for key, name in expected.items() if f'"{name}"' not in given[key]]
    figures.tell(
        "changed while runs wait",
        database,
        seed=f"{seed:x}",
        runs=count,
        versions=version,
        by_another_version=len(wrong),
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert wrong == []
    assert plant.complaints() == []


def publish(plant: Plant, workflow: str, changed: Any) -> None:
    """Make another version live, whoever dies meanwhile."""
    api = plant.api
    assert api is not None

    def try_it() -> bool:
        try:
            draft = api.call("GET", f"W/workflows/{workflow}/draft")
            saved = api.call(
                "PUT",
                f"W/workflows/{workflow}/draft",
                {"graph": changed},
                headers={"If-Match": f'"{draft["revision"]}"'},
            )
            api.call("POST", f"W/workflows/{workflow}/publish", {"revision": saved["revision"], "note": ""})
        except Exception:
            return False
        return True

    wait_until(try_it, "a new version is published", seconds=60, pause=0.3)


def fan(branches: int) -> Example:
    names = [f"b{number}" for number in range(branches)]
    nodes = [webhook(), *(edit(name, "{{ trigger.body.id }}") for name in names), edit("join", "x"), invoice("after")]
    edges = [f"start -> {name}" for name in names] + [f"{name} -> join" for name in names] + ["join -> after"]
    return Example("Fan", graph(nodes, edges), {"after": 1})


def test_many_branches_that_end_at_once_meet_once(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"i{seed:x}-"
    plant = make_plant(database, workers=2)
    plant.start(fan(BRANCHES))
    joins = figures.number("JOINS", 10, 500)
    with killing(plant, figures.number("JOIN_KILLS", 2, 40), chance, every=1, down=0.5) as killer:
        for number in range(joins):
            plant.senders.insist(plant.published["Fan"].path, f"{prefix}{number:05d}", seconds=120)
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=300, pause=0.3)
    violations = plant.check(prefix)
    figures.tell(
        "many branches meet",
        database,
        seed=f"{seed:x}",
        joins=joins,
        branches=BRANCHES,
        kills=killer.killed,
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert plant.complaints() == []

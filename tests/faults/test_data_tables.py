"""Runs add to a number in a data table, and processes die meanwhile: every addition counts once, and what was undone
counts not at all."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, graph, node, webhook
from tests.faults.killing import killing
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_people import bury

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

POINTS = (
    "table.change:before", "table.change:after", "step.effect:before", "step.effect:after", "step.intent:after",
    "step.result:before", "step.result:after",
)  # fmt: skip
#: What every event brings (`senders.Senders.post`).
AMOUNT = Decimal("12.50")


def adds(table: str) -> Example:
    return Example("Adds", graph([webhook(), adding(table)], ["start -> add"]), {})


def adds_and_undoes(table: str) -> Example:
    """Adds, fails, and takes back what it added."""
    fails = node("fails", "flow.fail@1", {"message": "It cannot go on"}, {"on_failure": "undo"})
    nodes = [webhook(), adding(table), node("back", "tables.put_back@1", {}), fails]
    drawn = graph(nodes, ["start -> add", "add -> fails", "add:undo -> back"])
    return Example("Undoes", drawn, {}, ends="compensated")


def adding(table: str) -> dict[str, Any]:
    config = {
        "table": table, "key": [{"name": "Customer", "value": "C-1"}], "column": "Owes",
        "amount": "{{ trigger.body.amount }}",
    }  # fmt: skip
    return node("add", "tables.add@1", config)


def made(plant: Plant) -> str:
    """Both workflows, and the table that they add to."""
    plant.start()
    assert plant.api is not None
    columns = [{"name": "Customer", "key": True}, {"name": "Owes", "type": "amount"}]
    table = str(plant.api.call("POST", "W/tables", {"name": "Customers", "columns": columns})["id"])
    plant.publish(adds(table))
    plant.publish(adds_and_undoes(table))
    return table


def owed(plant: Plant, table: str) -> Decimal:
    assert plant.api is not None
    rows = plant.api.call("GET", f"W/tables/{table}/rows")["items"]
    assert len(rows) <= 1, "one customer, one row"
    return Decimal(str(rows[0]["values"]["Owes"])) if rows else Decimal(0)


def test_what_is_added_counts_once_wherever_a_process_dies(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    plant = make_plant(database)
    table = made(plant)
    chosen = POINTS if figures.everything() else chance.sample(POINTS, 3)
    trials = [(point, name) for point in chosen for name in ("Adds", "Undoes")]
    missed = []
    for number, (point, name) in enumerate(trials):
        key = f"d{seed:x}-{number}-"
        worker = plant.of("serve" if plant.embedded else "worker")
        worker.arm(f"{point}=kill@nth(1)")
        plant.senders.insist(plant.published[name].path, key)
        missed += [] if bury(plant, worker) else [f"{name} {point}"]
        wait_until(lambda: not plant.unfinished(key), f"{point}: {key} ends [seed {seed:x}]")  # noqa: B023
        plant.disarm()
        assert plant.check(key) == [], (name, point)
    total = owed(plant, table)
    figures.tell(
        "runs add to a table, and a process dies",
        database,
        seed=f"{seed:x}",
        points=len(trials),
        died=len(trials) - len(missed),
        owed=str(total),
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert missed == []
    assert total == AMOUNT * sum(name == "Adds" for _, name in trials)
    assert plant.complaints() == []


def test_the_sum_is_exact_while_processes_die_at_random(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    prefix = f"e{seed:x}-"
    plant = make_plant(database)
    table = made(plant)
    count = figures.number("TABLE_RUNS", 60, 2_000)
    kills = figures.number("TABLE_KILLS", 3, 60)
    names = [chance.choice(("Adds", "Adds", "Undoes")) for _ in range(count)]

    def one(number: int) -> None:
        time.sleep(chance.uniform(0, 0.4))
        plant.senders.insist(plant.published[names[number]].path, f"{prefix}{number:05d}", seconds=120)

    with (
        killing(plant, kills, chance, kinds=("web", "worker"), every=2, down=1) as killer,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(one, range(count)))
        # Fewer runs than it takes to be killed so often must not end it too early.
        wait_until(lambda: killer.killed >= min(kills, 2), f"seed {seed:x}: processes died", seconds=120, pause=0.3)
    wait_until(lambda: not plant.unfinished(prefix), f"seed {seed:x}: all runs end", seconds=120, pause=0.3)
    violations = plant.check(prefix, outage_ms=600_000)
    total = owed(plant, table)
    figures.tell(
        "runs add to a table, and processes die at random",
        database,
        seed=f"{seed:x}",
        runs=count,
        kills=killer.killed,
        owed=str(total),
        violations=len(violations),
        seconds=round(time.monotonic() - began),
    )
    assert [f"{violation} [seed {seed:x}]" for violation in violations] == []
    assert total == AMOUNT * names.count("Adds")
    assert plant.complaints() == []

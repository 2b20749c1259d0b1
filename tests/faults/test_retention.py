"""A sweep of what is older than the rules dies at each of its commit points: what is kept stays, the rest goes once."""

from __future__ import annotations

import itertools
import json
import random
import secrets
import time
from typing import Any

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, accepting, graph, items, linear, wait, webhook
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_other_doors import api_of, die_at

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

DAYS = 100 * 24 * 3_600_000
RULES = {"done": 30, "failed": 30, "tests": 30, "starts": 30, "values": 20, "files": 30}
POINTS = ("retention.delete", "retention.sweep")
SIDES = ("before", "after")
#: Of each that is sent for a trial: runs of one step, and lists, of which each entry is a run of its own.
PLAIN, LISTS = 5, 2
#: Beyond every passing that a sweep of these few has.
MOST_PASSINGS = 30


def waiting() -> Example:
    """It never ends."""
    return Example("Waiting", graph([webhook(), wait("long", 1_000_000)], ["start -> long"]), {})


def held() -> Example:
    """Of it nothing is removed by a rule."""
    return Example("Held", accepting().graph, {})


class Keeping:
    """What no rule may touch, as it was before the first sweep."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.prefix = f"kept{secrets.token_hex(3)}-"
        for name, ended in (("Waiting", ""), ("Linear", "dead_lettered"), ("Held", "completed")):
            for number in range(2):
                key = f"{self.prefix}{name}-{number}-"
                plant.senders.insist(plant.published[name].path, key)
                wait_until(lambda: (plant.status(key) or ("", ""))[1].startswith(ended or "waiting"), key)  # noqa: B023
        api = api_of(plant)
        body = {"workflow": plant.published["Held"].workflow, "reason": "An auditor looks at it."}
        api.call("POST", "W/retention/holds", body)
        self.runs = [
            plant.status(f"{self.prefix}{name}-{n}-") for name in ("Waiting", "Linear", "Held") for n in (0, 1)
        ]

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """All that is on record of them, but for what time alone changes."""
        ids = ", ".join(f"'{run[0]}'" for run in self.runs if run is not None)
        query = self.plant.database.query
        told = {
            "runs": f"SELECT id, status, outcome, seq, values_removed_at FROM store_run WHERE id IN ({ids})"
            " ORDER BY id",
            "steps": "SELECT run_id, node_id, generation, status, input, output FROM store_steprun"
            f" WHERE run_id IN ({ids}) ORDER BY run_id, node_id, generation",
            "calls": "SELECT run_id, node_id, attempt, status, request, response FROM store_attempt"
            f" WHERE run_id IN ({ids}) ORDER BY run_id, node_id, attempt",
            "letters": "SELECT run_id, cause, solved_at FROM store_deadletter ORDER BY run_id",
            "timers": f"SELECT run_id, node_id FROM store_timer WHERE run_id IN ({ids}) ORDER BY run_id, node_id",
            "trail": f"SELECT run_id, count(*) FROM store_transition WHERE run_id IN ({ids}) GROUP BY run_id"
            " ORDER BY run_id",
            "events": f"SELECT id, removed_at FROM store_event WHERE run_id IN ({ids}) ORDER BY id",
            "holds": "SELECT id, lifted_at FROM store_legalhold ORDER BY id",
        }
        return {name: query(sql) for name, sql in told.items()}


def audit(plant: Plant) -> set[tuple[Any, ...]]:
    """Every row of the audit log."""
    return set(plant.database.query("SELECT chain, sequence, digest FROM audit_row"))


def sums(plant: Plant) -> list[tuple[Any, ...]]:
    """What the monitor tells of the past, to the minute."""
    return plant.database.query(
        "SELECT level, workflow_id, at, started, completed, failed, cancelled, undone, letters, received, duplicates,"
        " conflicts, took, took_whole FROM store_figure ORDER BY level, workflow_id, at"
    )


def long_ago(plant: Plant, prefix: str) -> None:
    """These are a hundred days old, with the entries of their lists; all is counted before."""
    mine = f"SELECT run_id FROM store_event WHERE {begins(prefix)}"
    shift = f"accepted_at = accepted_at - {DAYS}, finished_at = finished_at - {DAYS}"
    plant.database.change(f"UPDATE store_run SET {shift} WHERE parent_run_id IN ({mine})")
    plant.database.change(f"UPDATE store_run SET {shift} WHERE id IN ({mine})")
    plant.database.change(f"UPDATE store_event SET received_at = received_at - {DAYS} WHERE {begins(prefix)}")


def begins(prefix: str) -> str:
    return f"dedupe_key >= '{prefix}' AND dedupe_key < '{prefix}~'"


def send(plant: Plant, prefix: str) -> int:
    """Some that end well, and are old; how many of them stand by themselves."""
    for number in range(PLAIN + LISTS):
        name = "Accepting" if number < PLAIN else "Items"
        plant.senders.insist(plant.published[name].path, f"{prefix}{number}-")
    for number in range(PLAIN + LISTS):
        wait_until(lambda: plant.ended(f"{prefix}{number}-"), f"{prefix}{number} ends", seconds=60)  # noqa: B023
    wait_until(lambda: is_counted(plant), "all are counted", seconds=60)
    long_ago(plant, prefix)
    return PLAIN + LISTS


def is_counted(plant: Plant) -> bool:
    """Each counts for its workflow, and once for all of them; two runs never end."""
    ((events,),) = plant.database.query("SELECT count(*) FROM store_event")
    sums = "SELECT SUM(received), SUM(completed) + SUM(failed) FROM store_figure WHERE level = 60"
    ((received, ended),) = plant.database.query(sums)
    return received is not None and (int(received), int(ended)) == (2 * events, 2 * (events - 2))


def last(plant: Plant) -> tuple[Any, ...]:
    """When the sweep began and ended, and what the last that ended came to."""
    ((began, ended, asked, told),) = plant.database.query(
        "SELECT began_at, ended_at, asked_at, last FROM store_retention"
    )
    return began, ended, asked, json.loads(told)


def is_over(plant: Plant) -> bool:
    _, ended, asked, _ = last(plant)
    return asked is None and ended is not None


def test_a_sweep_that_dies_anywhere_removes_what_it_should_once_and_nothing_else(
    some_database: str, make_plant: MakePlant
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    plant = make_plant(some_database)
    plant.start(accepting(), held(), waiting(), items(), linear(respond="immediately", second="fail=422"))
    api, kept = api_of(plant), Keeping(plant)
    long_ago(plant, kept.prefix)
    api.call("PUT", "W/retention", {"days": RULES, "revision": 0})
    died: dict[str, int] = {}
    pairs = [*itertools.product(POINTS, SIDES)]
    nths = {pair: range(1, MOST_PASSINGS) if figures.everything() else (chance.randint(1, 3),) for pair in pairs}
    for point, side in pairs:
        for nth in nths[point, side]:
            if not one_death(plant, kept, f"{point}:{side}", nth, f"s{seed:x}-{point[-6:]}-{side}-{nth}-"):
                break
            died[f"{point}:{side}"] = nth
    figures.tell(
        "a sweep killed",
        some_database,
        seed=f"{seed:x}",
        died=died,
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert len(died) == len(pairs)
    assert plant.complaints() == []


def one_death(plant: Plant, kept: Keeping, point: str, nth: int, prefix: str) -> bool:
    """Whoever sweeps dies at this passing of the point; another one brings the sweep to its end."""
    wait_until(lambda: is_over(plant), "the sweep before is over", seconds=60)
    count = send(plant, prefix)
    before, told, log = kept.rows(), sums(plant), audit(plant)
    swept = plant.database.query("SELECT count(*) FROM audit_row WHERE verb = 'retention.swept'")[0][0]
    child = plant.of("serve" if plant.embedded else "ticker")
    child.arm(f"{point}=kill@nth({nth})")
    try:
        api_of(plant).call("POST", "W/retention/sweep")
    except Exception:
        # In one process it may die of what was asked before it answers.
        assert plant.embedded
    deadline = time.monotonic() + 120
    while not (died := child.is_dead(0.05)) and not is_over(plant) and time.monotonic() < deadline:
        pass
    died = died or not child.disarm()
    if died:
        plant.buried(child)
        assert kept.rows() == before, f"{point}, {nth}: what is kept is as it was at the death"
        assert log <= audit(plant), f"{point}, {nth}: nothing on record is lost at the death"
        plant.revive(child)
    wait_until(lambda: is_over(plant), f"{point}, {nth}: the sweep comes to its end", seconds=60)
    assert kept.rows() == before, f"{point}, {nth}: what is kept is as it was"
    assert log <= audit(plant), f"{point}, {nth}: nothing on record is lost"
    assert sums(plant) == told, f"{point}, {nth}: the monitor tells the same"
    removed = last(plant)[3]["removed"]
    assert removed == {"done": count, "starts": count}, f"{point}, {nth}: counted once"
    query = plant.database.query
    assert query(f"SELECT count(*) FROM store_event WHERE {begins(prefix)} AND removed_at IS NULL") == [(0,)]
    orphans = "SELECT count(*) FROM store_{} WHERE run_id NOT IN (SELECT id FROM store_run)"
    for table in ("steprun", "attempt", "transition", "timer", "deadletter", "response", "runfield", "runtag"):
        assert query(orphans.format(table)) == [(0,)], f"{point}, {nth}: nothing of what went is left in {table}"
    assert query("SELECT count(*) FROM store_run") == [(len(kept.runs),)]
    after = query("SELECT count(*) FROM audit_row WHERE verb = 'retention.swept'")[0][0]
    assert after == swept + 1, f"{point}, {nth}: put on record once"
    return died


@pytest.mark.parametrize("side", SIDES)
def test_a_kill_while_rules_or_holds_change_leaves_the_old_or_the_new_whole(
    side: str, some_database: str, make_plant: MakePlant
) -> None:
    plant = make_plant(some_database)
    plant.start(accepting())
    door = plant.of(plant.kinds[0])
    die_at(plant, door, f"retention.change:{side}", "PUT", "W/retention", {"days": {"done": 30}, "revision": 0})
    rows = plant.database.query("SELECT rules, revision FROM store_retention")
    assert [(json.loads(rules), revision) for rules, revision in rows] in (
        ([({"done": 30}, 1)],) if side == "after" else ([], [({}, 0)])
    )
    body = {"workflow": plant.published["Accepting"].workflow, "reason": "An auditor looks at it."}
    die_at(plant, plant.of(plant.kinds[0]), f"retention.hold:{side}", "POST", "W/retention/holds", body)
    assert plant.database.query("SELECT count(*) FROM store_legalhold") == [(int(side == "after"),)]
    verbs = plant.database.query("SELECT verb FROM audit_row ORDER BY sequence")
    assert [verb for (verb,) in verbs if verb in ("retention.changed", "retention.hold_set")] == (
        ["retention.changed", "retention.hold_set"] if side == "after" else []
    )
    assert plant.complaints() == []

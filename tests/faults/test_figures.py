"""The process that adds up figures dies around its commit: nothing counts twice, and nothing is missed (I45)."""

from __future__ import annotations

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import accepting
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_other_doors import dying_ticker

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300), figures.only_in_full]

_SUMS = """SELECT SUM(started), SUM(completed), SUM(failed), SUM(received), SUM(duplicates) + SUM(conflicts)
    FROM store_figure WHERE level = ? AND workflow_id {} (SELECT workflow_id FROM store_deployment)"""
#: What the rows themselves say.
_ROWS = """SELECT (SELECT COUNT(*) FROM store_run WHERE status <> 'accepted'),
    (SELECT COUNT(*) FROM store_run WHERE status = 'completed'),
    (SELECT COUNT(*) FROM store_run WHERE status = 'dead_lettered'),
    (SELECT COUNT(*) FROM store_event), (SELECT COUNT(*) FROM store_delivery)"""


def told(plant: Plant, level: int, of: str) -> tuple[int, ...]:
    (row,) = plant.database.query(_SUMS.format(of), (level,))
    return tuple(int(value or 0) for value in row)


def test_a_kill_around_the_commit_of_figures_counts_nothing_twice_and_misses_nothing(
    database: str, make_plant: MakePlant
) -> None:
    plant = make_plant(database)
    plant.start(accepting())
    path = plant.published["Accepting"].path
    sent = 0
    for number, side in enumerate(("before", "after", "before", "after")):
        with dying_ticker(plant, f"figures.roll:{side}=kill@nth(1)"):
            for _ in range(12):
                # In one process it dies of the first while others are on their way.
                plant.senders.start(path, f"f-{database}-{sent}")
                sent += 1
        for again in range(number * 12, sent):
            plant.senders.insist(path, f"f-{database}-{again}")
    expected = sent, sent, 0
    wait_until(lambda: told(plant, 60, "IN")[:3] == expected, "all runs are counted", seconds=90)
    wait_until(
        lambda: told(plant, 60, "IN") == plant.database.query(_ROWS)[0], "all deliveries are counted", seconds=30
    )
    rows = tuple(plant.database.query(_ROWS)[0])
    for level in (60, 3_600, 86_400, 604_800):
        assert told(plant, level, "IN") == rows, "of each workflow"
        assert told(plant, level, "NOT IN") == rows, "of all together"
    assert plant.complaints() == []

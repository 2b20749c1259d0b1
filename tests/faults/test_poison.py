"""F30: a step that kills its process each time is set aside after a few tries, and everybody else's runs go on."""

from __future__ import annotations

import json
import time

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import accepting, unrepeatable
from tests.faults.processes import HarnessFailed, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

MOST_DEATHS = 6


def test_a_step_that_kills_its_worker_is_set_aside_and_named(some_database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(some_database)
    # Only this workflow passes the point that kills.
    plant.start(accepting(), unrepeatable())
    # Before its intent is durable nothing is in doubt, so that it is tried again.
    point = "step.intent:before"
    key = f"o{seed:x}-"
    worker = plant.of("serve" if plant.embedded else "worker")
    worker.arm(f"{point}=kill")
    plant.senders.start(plant.published["Unrepeatable"].path, key)
    deaths = 0
    while deaths <= MOST_DEATHS:
        if not worker.is_dead(8):
            break
        deaths += 1
        plant.buried(worker)
        plant.database.let_leases_run_out(f"{worker.kind}-{worker.pid}-%")
        if plant.embedded and key not in plant.senders.acked:
            # The door died with it: the sender comes again.
            worker = plant.revive(worker)
            worker.arm(f"{point}=kill")
            plant.senders.insist(plant.published["Unrepeatable"].path, key)
            continue
        worker = plant.spawn(worker.kind, f"{point}=kill")
        if not plant.ready(worker) and not worker.is_dead():
            raise HarnessFailed(worker.tail())
    wait_until(lambda: (plant.status(key) or ("", ""))[1] == "parked", "it is set aside", seconds=90)
    (row,) = plant.database.export(key).runs
    error = json.loads(row.error or "{}")
    after = f"{key}others"
    plant.senders.insist(plant.published["Accepting"].path, after)
    wait_until(lambda: plant.ended(after), "other runs go on")
    figures.tell(
        "a step that kills",
        some_database,
        seed=f"{seed:x}",
        deaths=deaths,
        calls=len(plant.company.calls(prefix=key)),
        seconds=round(time.monotonic() - began),
    )
    assert error["code"] == "worker_dies_here"
    assert deaths <= MOST_DEATHS
    assert plant.company.calls(prefix=key) == []
    assert plant.complaints() == []

"""F41 of lists: people review one and another releases it, and the process dies at each point on the way; each accepted
row is worked off once, and no rejected one is."""

from __future__ import annotations

import random
import time
from typing import Any

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import of_items, reviewed
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_people import bury, joined, wait_for_task
from tests.product import Api, ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: Of whoever sets the list down; of whoever changes it and hands it over, at the door; and of the release.
STAGING = ("review.stage:before", "review.stage:after", "human.create:before", "human.create:after")
CHANGING = ("review.change:before", "review.change:after")
RELEASING = ("human.decide:before", "human.decide:after")


def test_a_list_is_released_once_and_worked_off_once_wherever_a_process_dies(
    database: str, make_plant: MakePlant
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(database)
    plant.start(reviewed())
    omar = colleague(plant)
    points = [*STAGING, *CHANGING, *RELEASING]
    if not figures.everything():
        chance = random.Random(seed)
        points = [chance.choice(STAGING), chance.choice(CHANGING), chance.choice(RELEASING)]
    died = 0
    for number, point in enumerate(points):
        key = f"w{seed:x}-{number}-"
        worker, door = plant.of("serve" if plant.embedded else "worker"), plant.of(plant.kinds[0])
        if point in STAGING:
            worker.arm(f"{point}=kill@nth(1)")
        plant.senders.insist(plant.published["Reviewed"].path, key)
        if point in STAGING:
            died += bury(plant, worker)
        task = wait_for_task(plant, key)
        if point in CHANGING:
            door.arm(f"{point}=kill@nth(1)")
        assert plant.api is not None
        rejecting = {"changes": [{"number": 2, "version": 0, "state": "rejected", "reason": "x"}]}
        insist(plant.api, task, "rows", rejecting)
        if point in CHANGING:
            died += bury(plant, door)
            # Whoever got no answer does it once more; of a change that was made they are told.
            insist(plant.api, task, "rows", rejecting)
        insist(plant.api, task, "hand-over", {"revision": 1})
        if point in RELEASING:
            door.arm(f"{point}=kill@nth(1)")
        insist(omar, task, "release", {"revision": 2})
        if point in RELEASING:
            died += bury(plant, door)
            insist(omar, task, "release", {"revision": 2})
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends [seed {seed:x}]")  # noqa: B023
        plant.disarm()
        assert plant.check(key) == [], point
        orders = [call.order for call in plant.company.calls() if call.applied]
        assert sorted(of_items(orders, key)) == ["make.1", "make.3"], point
        stored = plant.database.query("SELECT count(*) FROM store_review WHERE stage = 'released'")
        assert stored[0][0] == number + 1, point
        rows = plant.database.query("SELECT count(*) FROM store_reviewrow")
        assert rows[0][0] == 3 * (number + 1), point
    omar.close()
    figures.tell(
        "a list is reviewed and released, and a process dies",
        database,
        seed=f"{seed:x}",
        points=len(points),
        died=died,
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert died == len(points)
    assert plant.complaints() == []


def colleague(plant: Plant) -> Api:
    """Somebody else, signed in."""
    joined(plant)
    api = Api(f"http://127.0.0.1:{plant.port}")
    api.call("POST", "/session", {"email": "ines@example.com", "password": "a careful reviewer 53"})
    api.read_session()
    return api


def insist(api: Api, task: str, way: str, body: dict[str, Any]) -> None:
    """Say it; whoever gets no answer, or is told that it was done, leaves it at that."""
    try:
        api.call("POST", f"W/inbox/{task}/review/{way}", body)
    except httpx2.HTTPError:
        return
    except ProductFailed as refused:
        if ": 409 " not in str(refused):
            raise

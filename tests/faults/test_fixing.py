"""F14: a failed step is mended in the inbox, and a process dies on the way: it stays open, or the run goes on so."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, linear
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_people import bury, stored
from tests.product import ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: At the door; of whoever advances the run to its end; and of whoever ticks.
MENDING = ("human.decide:before", "human.decide:after")
ENDING = ("run.dead_letter:before", "run.dead_letter:after")
GOING_ON = ("run.replay:before", "run.replay:after")


def asking() -> Example:
    """The second call is refused for good, and people are asked."""
    example = linear(respond="immediately", second="fail=422", name="Mended")
    next(one for one in example.graph["nodes"] if one["id"] == "second")["settings"] = {"on_failure": "person"}
    return example


def test_what_is_mended_goes_on_once_wherever_a_process_dies(some_database: str, make_plant: MakePlant) -> None:
    seed = figures.seed()
    plant = make_plant(some_database)
    plant.start(asking())
    died = 0
    points = (*MENDING, *ENDING, *GOING_ON)
    for number, point in enumerate(points):
        key = f"m{seed:x}-{number}-"
        plant.senders.insist(plant.published["Mended"].path, key)
        task = open_failure(plant)
        if point in MENDING:
            dies = plant.of(plant.kinds[0])
        else:
            dies = plant.of("serve" if plant.embedded else "worker" if point in ENDING else "ticker")
        dies.arm(f"{point}=kill@nth(1)")
        mend(plant, task)
        died += bury(plant, dies)
        # Whoever got no answer presses once more.
        mend(plant, task)
        asked = "SELECT run_id FROM store_humantask WHERE id = ?"
        run = stored(plant, str(plant.database.query(asked, (stored(plant, task),))[0][0]))
        where = "SELECT generation, status FROM store_run WHERE id = ?"
        wait_until(
            lambda: plant.database.query(where, (run,)) == [(2, "completed")],  # noqa: B023
            f"{point}: {key} is done [seed {seed:x}]",
        )
        plant.disarm()
        calls = plant.company.calls(prefix=key)
        assert [sum(one.applied for one in calls if one.step == step) for step in ("first", "second")] == [1, 1], point
        noted = "SELECT status, count(*) FROM store_bulkretryitem WHERE run_id = ? GROUP BY status"
        wait_until(lambda: plant.database.query(noted, (run,)) == [("done", 1)], f"{point}: it is told")  # noqa: B023
    figures.tell("a failure is mended", some_database, seed=f"{seed:x}", points=len(points), died=died, violations=0)
    assert died == len(points)
    assert plant.complaints() == []


def open_failure(plant: Plant) -> str:
    """The one question that is open."""
    found: list[str] = []

    def look() -> bool:
        assert plant.api is not None
        try:
            found[:] = [str(one["id"]) for one in plant.api.call("GET", "W/inbox?who=anybody")["items"]]
        except (httpx2.HTTPError, ProductFailed):
            return False
        return len(found) == 1

    wait_until(look, "a failure is in the inbox", seconds=90)
    return found[0]


def mend(plant: Plant, task: str) -> None:
    """Without the behaviour that is refused; whether or not there is an answer, or it is mended already."""
    assert plant.api is not None
    try:
        fix: dict[str, Any] = plant.api.call("GET", f"W/inbox/{task}/fix")
        if not fix["ended"]:
            plant.api.call("POST", f"W/inbox/{task}/fix", {"settings": {**fix["input"], "headers": []}})
    except httpx2.HTTPError:
        return
    except ProductFailed as refused:
        if ": 409 " not in str(refused):
            raise

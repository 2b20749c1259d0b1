"""F41: a person can take back what they said, and processes die where it is kept, taken back and takes effect."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import approval
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_people import bury, stored, wait_for_task
from tests.product import ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: At the door.
GIVING = ("human.pend:before", "human.pend:after")
TAKING_BACK = ("human.unpend:before", "human.unpend:after")
#: Of whoever ticks.
TAKING_EFFECT = ("human.decide:before", "human.decide:after")
REFUSING = ("human.refuse:before", "human.refuse:after")


def test_what_can_be_taken_back_takes_effect_once_wherever_a_process_dies(database: str, make_plant: MakePlant) -> None:
    seed = figures.seed()
    plant = make_plant(database)
    plant.start(approval())
    died = 0
    points = (*GIVING, *TAKING_BACK, *TAKING_EFFECT, *REFUSING)
    for number, point in enumerate(points):
        key = f"u{seed:x}-{number}-"
        plant.senders.insist(plant.published["Approval"].path, key)
        task = wait_for_task(plant, key)
        door, ticker = plant.of(plant.kinds[0]), plant.of("serve" if plant.embedded else "ticker")
        dies = door if point in (*GIVING, *TAKING_BACK) else ticker
        if point in GIVING:
            dies.arm(f"{point}=kill@nth(1)")
            say(plant, task, "decide", {"outcome": "approved", "undo": True})
            died += bury(plant, dies)
            # Whoever got no answer presses once more.
            say(plant, task, "decide", {"outcome": "approved", "undo": True})
        else:
            say(plant, task, "decide", {"outcome": "approved", "undo": True})
            dies.arm(f"{point}=kill@nth(1)")
        if point in TAKING_BACK:
            say(plant, task, "take-back", {})
            died += bury(plant, dies)
            say(plant, task, "take-back", {})
            assert kept(plant, task) == [], point
            say(plant, task, "decide", {"outcome": "approved", "undo": True})
        if point in REFUSING:
            # Nobody needs the answer any more when it would take effect.
            cancel(plant, task)
        if point in (*TAKING_EFFECT, *REFUSING):
            wait_until(lambda: dies.is_dead(), f"{point}: the ticker dies [seed {seed:x}]")  # noqa: B023
            died += bury(plant, dies)
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends [seed {seed:x}]")  # noqa: B023
        plant.disarm()
        wrong = plant.check(key)
        if point in REFUSING:
            # It ends by being cancelled, as it should.
            wrong = [one for one in wrong if one.rule != "END"]
        assert wrong == [], point
        votes = plant.database.query("SELECT count(*) FROM store_humanvote WHERE task_id = ?", (stored(plant, task),))
        if point in REFUSING:
            wait_until(lambda: kept(plant, task) == [("run_ended",)], f"{point}: it is refused")  # noqa: B023
            assert votes[0][0] == 0, point
        else:
            assert votes[0][0] == 1, point
            assert kept(plant, task) == [], point
    figures.tell(
        "a decision can be taken back, and a process dies",
        database,
        seed=f"{seed:x}",
        points=len(points),
        died=died,
        violations=0,
    )
    assert died == len(points)
    assert plant.complaints() == []


def say(plant: Plant, task: str, what: str, body: dict[str, Any]) -> None:
    """Whether or not there is an answer."""
    assert plant.api is not None
    try:
        plant.api.call("POST", f"W/inbox/{task}/{what}", body)
    except httpx2.HTTPError:
        return
    except ProductFailed as refused:
        if ": 409 " not in str(refused):
            raise


def cancel(plant: Plant, task: str) -> None:
    assert plant.api is not None
    run = plant.api.call("GET", f"W/inbox/{task}")["run"]["id"]
    plant.api.call("POST", f"W/runs/{run}/cancel", {"reason": "Not needed any more."})


def kept(plant: Plant, task: str) -> list[tuple[Any, ...]]:
    """Why what was said and has not taken effect could not: of each."""
    rows = plant.database.query(
        "SELECT refused_code FROM store_pendinganswer WHERE task_id = ?", (stored(plant, task),)
    )
    return [tuple(row) for row in rows]

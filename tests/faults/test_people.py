"""F41: a person decides, and the process dies at each point on the way; and of many who decide at once one counts."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import approval
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.product import Api, ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: Points on the way to the question, of whoever advances the run; of the answer, at the door; and behind it.
ASKING = ("human.create:before", "human.create:after")
DECIDING = ("human.decide:before", "human.decide:after")
GOING_ON = (
    "run.claim:before", "run.claim:after", "step.intent:before", "step.intent:after", "step.result:before",
    "step.result:after", "run.finish:before", "run.finish:after",
)  # fmt: skip
#: When the time is over.
LATE = ("human.late:before", "human.late:after")
#: When somebody has left who was asked.
LEAVING = ("human.recount:before", "human.recount:after")
_AT_ONCE = 6


def test_a_decision_counts_once_wherever_a_process_dies(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    plant = make_plant(database)
    plant.start(approval(), approval(minutes=0.03))
    points = [*ASKING, *DECIDING, *GOING_ON]
    if not figures.everything():
        points = [chance.choice(ASKING), *DECIDING, chance.choice(GOING_ON)]
    died = 0
    for number, point in enumerate(points):
        key = f"h{seed:x}-{number}-"
        worker = plant.of("serve" if plant.embedded else "worker")
        if point in ASKING:
            worker.arm(f"{point}=kill@nth(1)")
        plant.senders.insist(plant.published["Approval"].path, key)
        if point in ASKING:
            died += bury(plant, worker)
        task = wait_for_task(plant, key)
        if point not in ASKING:
            child = plant.of(plant.kinds[0]) if point in DECIDING else worker
            child.arm(f"{point}=kill@nth(1)")
            decide(plant, task)
            died += bury(plant, child)
        # Whoever got no answer presses once more.
        decide(plant, task)
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends [seed {seed:x}]")  # noqa: B023
        plant.disarm()
        assert plant.check(key) == [], point
        votes = plant.database.query("SELECT count(*) FROM store_humanvote WHERE task_id = ?", (stored(plant, task),))
        assert votes[0][0] == 1, point
    died += too_late(plant, f"h{seed:x}-late-")
    points += LATE
    at_once(plant, f"h{seed:x}-many-")
    figures.tell(
        "a person decides, and a process dies",
        database,
        seed=f"{seed:x}",
        points=len(points),
        died=died,
        at_once=_AT_ONCE,
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert died == len(points)
    assert plant.complaints() == []


def too_late(plant: Plant, prefix: str) -> int:
    """Nobody answers in time, and the process dies while it says so: the run goes on without an answer."""
    died = 0
    for number, point in enumerate(LATE):
        key = f"{prefix}{number}-"
        worker = plant.of("serve" if plant.embedded else "worker")
        worker.arm(f"{point}=kill@nth(1)")
        plant.senders.insist(plant.published["Too late"].path, key)
        died += bury(plant, worker)
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends")  # noqa: B023
        plant.disarm()
        assert plant.check(key) == [], point
        found = plant.database.query("SELECT status FROM store_humantask WHERE title = ?", (key,))
        assert [row[0] for row in found] == ["late"], point
    return died


def test_who_leaves_is_waited_for_no_longer_wherever_a_process_dies(database: str, make_plant: MakePlant) -> None:
    seed = figures.seed()
    plant = make_plant(database)
    plant.start()
    assert plant.api is not None
    plant.api.call("POST", "W/groups", {"name": "Cashiers", "members": [joined(plant), *members(plant)]})
    plant.publish(approval(all_of="Cashiers"))
    died = 0
    for number, point in enumerate(LEAVING):
        group = next(one for one in plant.api.call("GET", "W/groups")["items"] if one["name"] == "Cashiers")
        if number:
            everybody = {"members": [one["member"] for one in plant.api.call("GET", "W/people")["people"]]}
            plant.api.call("PATCH", f"W/groups/{group['id']}", everybody)
        key = f"l{seed:x}-{number}-"
        plant.senders.insist(plant.published["Approval by all"].path, key)
        task = wait_for_task(plant, key)
        assert decide(plant, task)
        ticker = plant.of("serve" if plant.embedded else "ticker")
        ticker.arm(f"{point}=kill@nth(1)")
        leave(plant, group["id"])
        died += bury(plant, ticker)
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends [seed {seed:x}]")  # noqa: B023
        plant.disarm()
        assert plant.check(key) == [], point
        notes = plant.database.query("SELECT kind FROM store_humannote WHERE task_id = ?", (stored(plant, task),))
        assert [row[0] for row in notes] == ["recount"], point
    figures.tell(
        "somebody leaves who was asked", database, seed=f"{seed:x}", points=len(LEAVING), died=died, violations=0
    )
    assert died == len(LEAVING)
    assert plant.complaints() == []


def joined(plant: Plant) -> str:
    """The member that a colleague became."""
    assert plant.api is not None
    link = plant.api.call("POST", "W/members", {"email": "ines@example.com", "role": "reviewer"})["link"]
    colleague = Api(f"http://127.0.0.1:{plant.port}")
    body = {"token": link.split("token=")[1], "name": "Ines Kaya", "password": "a careful reviewer 53"}
    colleague.call("POST", "/invitations/accept", body)
    colleague.close()
    [ines] = [one for one in plant.api.call("GET", "W/people")["people"] if one["name"] == "Ines Kaya"]
    return str(ines["member"])


def members(plant: Plant) -> list[str]:
    """Who else there is."""
    assert plant.api is not None
    return [one["member"] for one in plant.api.call("GET", "W/people")["people"] if one["name"] != "Ines Kaya"]


def leave(plant: Plant, group: str) -> None:
    """The colleague is in the group no more; whoever gets no answer says so again."""
    assert plant.api is not None
    try:
        plant.api.call("PATCH", f"W/groups/{group}", {"members": members(plant)})
    except httpx2.HTTPError:
        return


def at_once(plant: Plant, key: str) -> None:
    """The same person presses twice, and others at the same moment: one decision."""
    plant.senders.insist(plant.published["Approval"].path, key)
    task = wait_for_task(plant, key)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = list(pool.map(lambda _: decide(plant, task), range(_AT_ONCE)))
    assert outcomes.count(True) == 1, outcomes
    wait_until(lambda: plant.ended(key), f"{key} ends")
    assert plant.check(key) == []


def bury(plant: Plant, child: Any, *, seconds: float = 60) -> bool:
    """Start it again once it has died of its point; False where it does not come to that within this time."""
    if not child.is_dead(seconds) and child.disarm():
        return False
    plant.buried(child)
    plant.revive(child)
    return True


def wait_for_task(plant: Plant, key: str) -> str:
    """The id of the open question of this event's run."""
    found: list[str] = []

    def look() -> bool:
        assert plant.api is not None
        try:
            items = plant.api.call("GET", "W/inbox?who=anybody&limit=100")["items"]
        except (httpx2.HTTPError, ProductFailed):
            return False
        found.extend(str(item["id"]) for item in items if item["title"] == key)
        return bool(found)

    wait_until(look, f"a question of {key}", seconds=90)
    return found[-1]


def decide(plant: Plant, task: str) -> bool:
    """Approve; whether it was said to have counted."""
    assert plant.api is not None
    try:
        plant.api.call("POST", f"W/inbox/{task}/decide", {"outcome": "approved"})
    except httpx2.HTTPError:
        return False
    except ProductFailed as refused:
        if ": 409 " not in str(refused):
            raise
        return False
    return True


def stored(plant: Plant, task: str) -> str:
    """The id as the database has it."""
    return task.replace("-", "") if plant.embedded else task

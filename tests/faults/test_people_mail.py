"""Mail about questions, and taking them, with SIGKILL at each point: nobody is forgotten, nothing is told under two
names, and the run waits for its answer all the while."""

from __future__ import annotations

import random
import time
from functools import partial

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import approval
from tests.faults.outboxes import POST, all_sent, came_twice, points
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_people import bury, decide, stored, wait_for_task

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: Of whoever carries out what is due of questions; of whoever sends; at the door.
TELLING = ("human.notice:before", "human.notice:after")
SENDING = points("mail")
TAKING = ("human.assign:before", "human.assign:after")
_OF_TASK = "FROM store_humanmail AS m JOIN store_humantask AS t ON t.id = m.task_id WHERE t.title = ?"


def test_a_mail_goes_out_wherever_a_process_dies(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(database, environment=POST)
    plant.start(approval())
    chosen = [*TELLING, *SENDING]
    if not figures.everything():
        # Sent and not yet noted: the only place where somebody may get a mail twice.
        chosen = [random.Random(seed).choice(TELLING), *SENDING[2:5]]
    died = twice = 0
    for number, point in enumerate(chosen):
        key = f"m{seed:x}-{number}-"
        process = plant.of("serve" if plant.embedded else "ticker" if point in TELLING else "worker")
        process.arm(f"{point}=kill@nth(1)")
        plant.senders.insist(plant.published["Approval"].path, key)
        died += bury(plant, process)
        task = wait_for_task(plant, key)
        told = partial(all_sent, plant, "store_humanmail", _OF_TASK, key)
        wait_until(told, f"{point}: the mail of {key} [seed {seed:x}]", seconds=60)
        twice += came_twice(plant, point, subject=f"Please decide: {key}")
        assert decide(plant, task)
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends")  # noqa: B023
        plant.disarm()
        assert plant.check(key) == [], point
    figures.tell(
        "a mail is sent, and a process dies",
        database,
        seed=f"{seed:x}",
        points=len(chosen),
        died=died,
        sent_twice_under_one_name=twice,
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert died == len(chosen)
    assert plant.complaints() == []


def test_a_question_is_taken_once_wherever_the_door_dies(database: str, make_plant: MakePlant) -> None:
    seed = figures.seed()
    plant = make_plant(database)
    plant.start(approval())
    for number, point in enumerate(TAKING):
        key = f"t{seed:x}-{number}-"
        plant.senders.insist(plant.published["Approval"].path, key)
        task = wait_for_task(plant, key)
        door = plant.of(plant.kinds[0])
        door.arm(f"{point}=kill@nth(1)")
        take(plant, task)
        assert bury(plant, door)
        take(plant, task)
        notes = plant.database.query("SELECT kind FROM store_humannote WHERE task_id = ?", (stored(plant, task),))
        assert [row[0] for row in notes] == ["take"], point
        assert decide(plant, task)
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends")  # noqa: B023
        assert plant.check(key) == [], point
    assert plant.complaints() == []


def take(plant: Plant, task: str) -> None:
    """Take it; whoever gets no answer asks again."""
    assert plant.api is not None
    try:
        plant.api.call("POST", f"W/inbox/{task}/take", {})
    except httpx2.HTTPError:
        return

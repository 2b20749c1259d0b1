"""Mail about questions, and taking them, with SIGKILL at each point: nobody is forgotten, nothing is told under two
names, and the run waits for its answer all the while."""

from __future__ import annotations

import random
import sqlite3
import time
from typing import Any

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import approval
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_people import bury, decide, stored, wait_for_task

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: Of whoever carries out what is due of questions; of whoever sends; at the door.
TELLING = ("human.notice:before", "human.notice:after")
SENDING = ("mail.claim:before", "mail.claim:after", "mail.send:before", "mail.send:after", "mail.sent:before",
           "mail.sent:after")  # fmt: skip
TAKING = ("human.assign:before", "human.assign:after")
_POST = {"MAIL_URL": "smtp://practice-company:25?tls=none", "MAIL_FROM": "Millrace <no-reply@example.com>"}


def test_a_mail_goes_out_wherever_a_process_dies(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(database, environment=_POST)
    plant.start(approval())
    points = [*TELLING, *SENDING]
    if not figures.everything():
        # Sent and not yet noted: the only place where somebody may get a mail twice.
        points = [random.Random(seed).choice(TELLING), *SENDING[2:5]]
    died = twice = 0
    for number, point in enumerate(points):
        key = f"m{seed:x}-{number}-"
        process = plant.of("serve" if plant.embedded else "ticker" if point in TELLING else "worker")
        process.arm(f"{point}=kill@nth(1)")
        plant.senders.insist(plant.published["Approval"].path, key)
        died += bury(plant, process)
        task = wait_for_task(plant, key)
        wait_until(lambda: sent(plant, key), f"{point}: the mail of {key} [seed {seed:x}]", seconds=60)  # noqa: B023
        deliveries = delivered(plant, key)
        assert len(deliveries) == 1, f"{point}: one mail has one name: {deliveries}"
        assert 1 <= deliveries[0] <= (2 if point in ("mail.send:after", "mail.sent:before") else 1), point
        twice += deliveries[0] == 2
        assert decide(plant, task)
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends")  # noqa: B023
        plant.disarm()
        assert plant.check(key) == [], point
    figures.tell(
        "a mail is sent, and a process dies",
        database,
        seed=f"{seed:x}",
        points=len(points),
        died=died,
        sent_twice_under_one_name=twice,
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert died == len(points)
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


def sent(plant: Plant, title: str) -> bool:
    """Whether everybody was told. A try that nobody ended is due again at once, in place of waiting a minute."""
    rows = plant.database.query(
        "SELECT m.status FROM store_humanmail m JOIN store_humantask t ON t.id = m.task_id WHERE t.title = ?", (title,)
    )
    if rows and all(row[0] == "sent" for row in rows):
        return True
    plant.database.change("UPDATE store_humanmail SET due_at = 1 WHERE due_at IS NOT NULL AND tries > 0")
    return False


def delivered(plant: Plant, title: str) -> list[int]:
    """How often the company got each mail about this, by Message-ID."""
    path = plant.directory / "data" / "practice" / "practice.sqlite3"
    books: Any = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = books.execute("SELECT deliveries FROM mails WHERE subject = ?", (f"Please decide: {title}",)).fetchall()
    finally:
        books.close()
    return [int(row[0]) for row in rows]

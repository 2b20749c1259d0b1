"""Waits for events and links, and a process that dies at each point on the way: what was said to have come moves the
run on, once; what was not may be sent again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import nothing_comes, signals, telling
from tests.faults.plant import Plant
from tests.faults.processes import Child, wait_until
from tests.faults.test_people import bury
from tests.product import ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

Trial = Callable[[Plant, str, str], bool]

#: Of whoever advances the run: when it begins to wait, and when an event has come before that.
WAITING = ("wait.begin:before", "wait.begin:after")
EARLY = ("event.match:before", "event.match:after")
#: Of whoever sends the event: by the API, or as a step of another run.
SENDING = ("event.send:before", "event.send:after", "event.match:before", "event.match:after")
#: At the door, when the link is used.
USING = ("wait.resume:before", "wait.resume:after", "ingress.respond:before", "ingress.respond:after")
#: When the time is over.
LATE = ("wait.late:before", "wait.late:after")


def test_a_signal_counts_once_wherever_a_process_dies(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    plant = make_plant(database)
    plant.start(signals(), signals(seconds=4, name="Early"), nothing_comes(), telling())
    ways: list[tuple[tuple[str, ...], Trial]] = [
        (WAITING, begins), (EARLY, came_before), (SENDING, sent), (SENDING, told), (USING, used), (LATE, too_late),
    ]  # fmt: skip
    trials: list[tuple[str, Trial]] = []
    for points, way in ways:
        chosen = points if figures.everything() else chance.sample(points, 1)
        trials += [(point, way) for point in chosen]
    missed: list[str] = []
    for number, (point, trial) in enumerate(trials):
        key = f"s{seed:x}-{number}-"
        reached = trial(plant, key, point)
        missed += [] if reached else [f"{trial.__name__} {point}"]
        wait_until(lambda: not plant.unfinished(key), f"{point}: {key} ends [seed {seed:x}]")  # noqa: B023
        plant.disarm()
        assert plant.check(key) == [], (trial.__name__, point)
    statuses = plant.database.query("SELECT status, count(*) FROM store_signalwait GROUP BY status")
    left = plant.database.query("SELECT count(*) FROM store_signal WHERE NOT settled")
    figures.tell(
        "a signal comes, and a process dies",
        database,
        seed=f"{seed:x}",
        points=len(trials),
        died=len(trials) - len(missed),
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert missed == []
    assert {row[0]: row[1] for row in statuses}.keys() <= {"resumed", "late"}
    assert left[0][0] == 0
    assert plant.complaints() == []


def begins(plant: Plant, key: str, point: str) -> bool:
    """The run begins to wait."""
    worker = worker_of(plant)
    worker.arm(f"{point}=kill@nth(1)")
    plant.senders.insist(plant.published["Signals"].path, key)
    died = bury(plant, worker)
    wait_for(plant, key, "paid")
    send(plant, key)
    use(plant, key)
    return died


def came_before(plant: Plant, key: str, point: str) -> bool:
    """The event is there when the run begins to wait, and so is the use of its link."""
    plant.senders.insist(plant.published["Early"].path, key)
    send(plant, key)
    use(plant, key, waits=False)
    worker = worker_of(plant)
    worker.arm(f"{point}=kill@nth(1)")
    return bury(plant, worker)


def sent(plant: Plant, key: str, point: str) -> bool:
    """A program sends the event."""
    plant.senders.insist(plant.published["Signals"].path, key)
    wait_for(plant, key, "paid")
    door = plant.of(plant.kinds[0])
    door.arm(f"{point}=kill@nth(1)")
    send(plant, key, insists=False)
    died = bury(plant, door)
    send(plant, key)  # whoever got no answer sends it again
    assert plant.database.query("SELECT count(*) FROM store_signal WHERE kind = 'event' AND key = ?", (key,))[0][0] == 1
    use(plant, key)
    return died


def told(plant: Plant, key: str, point: str) -> bool:
    """A step of another run sends the event."""
    plant.senders.insist(plant.published["Signals"].path, key)
    wait_for(plant, key, "paid")
    worker = worker_of(plant)
    worker.arm(f"{point}=kill@nth(1)")
    plant.senders.insist(plant.published["Telling"].path, f"{key}!")
    died = bury(plant, worker)
    use(plant, key)
    assert plant.database.query("SELECT count(*) FROM store_signal WHERE kind = 'event' AND key = ?", (key,))[0][0] == 1
    return died


def used(plant: Plant, key: str, point: str) -> bool:
    """Somebody uses the link."""
    plant.senders.insist(plant.published["Signals"].path, key)
    send(plant, key)
    wait_for(plant, key, "confirmed")
    address = link(plant, key)
    door = plant.of(plant.kinds[0])
    door.arm(f"{point}=kill@nth(1)")
    knock(address)
    died = bury(plant, door)
    use(plant, key, address=address)
    return died


def too_late(plant: Plant, key: str, point: str) -> bool:
    """Nothing comes in time."""
    worker = worker_of(plant)
    worker.arm(f"{point}=kill@nth(1)")
    plant.senders.insist(plant.published["Nothing comes"].path, key)
    return bury(plant, worker)


def worker_of(plant: Plant) -> Child:
    return plant.of("serve" if plant.embedded else "worker")


def wait_for(plant: Plant, key: str, node: str) -> None:
    """Until the run of this event waits at this step."""

    def waits() -> bool:
        rows = plant.database.query(
            "SELECT w.status FROM store_signalwait w JOIN store_run r ON r.id = w.run_id"
            " JOIN store_event e ON e.id = r.event_id WHERE e.dedupe_key = ? AND w.node_id = ?",
            (key, node),
        )
        return [row[0] for row in rows] == ["open"]

    wait_until(waits, f"{key} waits at {node}", seconds=90)


def send(plant: Plant, key: str, *, insists: bool = True) -> None:
    """Send the event by the API, again where no answer came."""
    assert plant.api is not None
    body = {"name": "paid", "key": key, "data": "C-100"}
    while True:
        try:
            plant.api.call("POST", "W/sent-events", body, headers={"Idempotency-Key": key})
            return
        except (httpx2.HTTPError, ProductFailed) as error:
            if isinstance(error, ProductFailed) and ": 503 " not in str(error):
                raise
            if not insists:
                return


def link(plant: Plant, key: str) -> str:
    """The address of the step that waits for its link."""
    assert plant.api is not None
    found = plant.status(key)
    assert found is not None
    return str(plant.api.call("GET", f"W/runs/{found[0]}/waits/confirmed/link")["url"])


def use(plant: Plant, key: str, *, waits: bool = True, address: str = "") -> None:
    """Use the link, again where no answer came; it has to be said that it counts."""
    if waits and not address:
        wait_for(plant, key, "confirmed")
    address = address or link(plant, key)
    deadline = time.monotonic() + 120
    while (status := knock(address)) not in (200, 202):
        assert status in (0, 503), status
        assert time.monotonic() < deadline, f"{key}: the link is not answered"


def knock(address: str) -> int:
    """One use of the link; 0 where nothing came back."""
    try:
        return httpx2.post(address, json="C-100", timeout=20).status_code
    except httpx2.HTTPError:
        return 0

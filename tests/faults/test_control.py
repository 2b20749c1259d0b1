"""A run is paused and resumed, a workflow held and drained, and a process dies at each point on the way (I41, I42)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import accepting, approval
from tests.faults.plant import Plant
from tests.faults.processes import Child, wait_until
from tests.faults.test_people import bury, decide, wait_for_task
from tests.product import ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

_SIDES = ("before", "after")
#: Said at the door.
DOOR_RUN = tuple(f"run.{what}:{side}" for what in ("pause", "resume") for side in _SIDES)
DOOR_HOLD = tuple(f"hold.{what}:{side}" for what in ("begin", "change") for side in _SIDES)
#: Done by whoever ticks.
TICKER = tuple(f"hold.{what}:{side}" for what in ("gather", "drain", "end") for side in _SIDES)
_HELD = 4


def test_nothing_is_lost_or_done_twice_around_a_pause(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    plant = make_plant(database)
    plant.start(approval(), accepting())
    points = [*DOOR_RUN, *DOOR_HOLD, *TICKER]
    if not figures.everything():
        # One side of each.
        points = [chance.choice(sides) for sides in zip(points[::2], points[1::2], strict=True)]
    died = 0
    for number, point in enumerate(points):
        key = f"c{seed:x}-{number}-"
        if point in DOOR_RUN:
            died += pause_and_resume(plant, key, point)
        else:
            died += hold_and_drain(plant, key, point, at_once=chance.choice((1, 2)))
        plant.disarm()
        assert plant.check(key) == [], f"{point} [seed {seed:x}]"
    figures.tell(
        "a run and a workflow are paused, and a process dies",
        database,
        seed=f"{seed:x}",
        points=len(points),
        died=died,
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert died == len(points)
    assert plant.complaints() == []


def pause_and_resume(plant: Plant, key: str, point: str) -> int:
    """Decided while it is paused, the run goes on only when it is resumed."""
    plant.senders.insist(plant.published["Approval"].path, key)
    task = wait_for_task(plant, key)
    found = plant.status(key)
    assert found is not None
    path = f"W/runs/{dashed(found[0])}"
    died = 0
    if point.startswith("run.pause"):
        died += arm(plant, door(plant), point, lambda: say(plant, f"{path}/pause"))
    say(plant, f"{path}/pause")
    decide(plant, task)
    assert not plant.ended(key)
    if point.startswith("run.resume"):
        died += arm(plant, door(plant), point, lambda: say(plant, f"{path}/resume"))
    say(plant, f"{path}/resume")
    wait_until(lambda: plant.ended(key), f"{point}: {key} ends")
    return died


def hold_and_drain(plant: Plant, prefix: str, point: str, *, at_once: int) -> int:
    """What comes while it is held waits, and goes in its order."""
    made = plant.published["Accepting"]
    path = f"W/workflows/{made.workflow}"
    died = 0
    if point.startswith("hold.begin"):
        died += arm(plant, door(plant), point, lambda: say(plant, f"{path}/hold", {}))
    say(plant, f"{path}/hold", {})
    keys = [f"{prefix}{number}-" for number in range(_HELD)]
    for key in keys:
        plant.senders.insist(made.path, key)
    assert not any(plant.ended(key) for key in keys)
    ticker = plant.of("serve" if plant.embedded else "ticker")
    if point.startswith("hold.gather"):
        ticker.arm(f"{point}=kill@nth(1)")
        stray(plant, keys[0])
        died += bury(plant, ticker)
        wait_until(lambda: is_held(plant, keys[0]), f"{point}: {keys[0]} is held again")
    if point.startswith(("hold.drain", "hold.end")):
        ticker.arm(f"{point}=kill@nth(1)")
    slowly = {"at_once": at_once}
    if point.startswith("hold.change"):
        died += arm(plant, door(plant), point, lambda: say(plant, f"{path}/let-go", slowly))
    say(plant, f"{path}/let-go", slowly)
    if point.startswith(("hold.drain", "hold.end")):
        died += bury(plant, ticker)
    for key in keys:
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends")  # noqa: B023
    wait_until(lambda: plant.database.query("SELECT count(*) FROM store_hold") == [(0,)], f"{point}: accepts as always")
    if at_once == 1:
        rows = plant.database.query(
            "SELECT e.dedupe_key FROM store_run r JOIN store_event e ON e.id = r.event_id"
            " WHERE e.dedupe_key >= ? AND e.dedupe_key < ? || '~' ORDER BY (SELECT MIN(t.at) FROM store_transition t"
            " WHERE t.run_id = r.id AND t.status <> 'accepted'), r.id",
            (prefix, prefix),
        )
        assert [row[0] for row in rows] == keys, point
    return died


def door(plant: Plant) -> Child:
    return plant.of(plant.kinds[0])


def arm(plant: Plant, child: Child, point: str, act: Callable[[], Any]) -> bool:
    """Have this process die there while somebody asks for it."""
    child.arm(f"{point}=kill@nth(1)")
    act()
    return bury(plant, child)


def say(plant: Plant, path: str, body: dict[str, Any] | None = None) -> None:
    """Ask for it; whoever got no answer asks again, and hears that it is so already."""
    assert plant.api is not None
    try:
        plant.api.call("POST", path, {} if path.endswith("/pause") else body)
    except httpx2.HTTPError:
        return
    except ProductFailed as refused:
        if ": 409 " not in str(refused):
            raise


def stray(plant: Plant, key: str) -> None:
    """As if a door had stored it without knowing of the hold."""
    plant.database.change(
        "UPDATE store_run SET held = NULL, wake_at = 1, min_engine = min_engine - 1000000 WHERE event_id IN"
        f" (SELECT id FROM store_event WHERE dedupe_key = '{key}')"
    )


def is_held(plant: Plant, key: str) -> bool:
    rows = plant.database.query(
        "SELECT r.held FROM store_run r JOIN store_event e ON e.id = r.event_id WHERE e.dedupe_key = ?", (key,)
    )
    return bool(rows) and rows[0][0] == 1


def dashed(run_id: str) -> str:
    """The id as the API has it."""
    plain = run_id.replace("-", "")
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))

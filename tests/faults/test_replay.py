"""F14: a dead letter is gone on with, and the process dies at each point on the way."""

from __future__ import annotations

import random
import time
from typing import Any

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import linear
from tests.faults.plant import Plant
from tests.faults.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: Points that the process at the door passes, and those of whoever advances the run.
AT_THE_DOOR = ("run.replay:before", "run.replay:after")
ON_THE_WAY = (
    "run.claim:before", "run.claim:after", "step.intent:before", "step.intent:after", "step.effect:before",
    "step.effect:after", "step.result:before", "step.result:after", "run.finish:before", "run.finish:after",
)  # fmt: skip


def test_a_retried_dead_letter_keeps_what_was_done_wherever_a_process_dies(
    database: str, make_plant: MakePlant
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    plant = make_plant(database)
    plant.start(linear(respond="immediately", second="fail=422"))
    points = list(AT_THE_DOOR + ON_THE_WAY)
    if not figures.everything():
        points = [*AT_THE_DOOR, *chance.sample(ON_THE_WAY, 3)]
    died = 0
    for number, point in enumerate(points):
        key = f"y{seed:x}-{number}-"
        plant.senders.insist(plant.published["Linear"].path, key)
        wait_until(lambda: status(plant, key) == "dead_lettered", f"{key} is refused")  # noqa: B023
        run_id = plant.status(key)[0]  # type: ignore[index]
        kind = plant.kinds[0] if point in AT_THE_DOOR or plant.embedded else "worker"
        child = plant.of(kind)
        child.arm(f"{point}=kill@nth(1)")
        pressed = press(plant, run_id)
        if child.is_dead(10):
            died += 1
            plant.buried(child)
            plant.revive(child)
        if point == "run.replay:before":
            assert not pressed
            assert status(plant, key) == "dead_lettered", f"{point}: nothing was committed"
        if status(plant, key) == "dead_lettered":
            assert press(plant, run_id), f"{point}: pressed again"
        wait_until(lambda: status(plant, key) == "completed", f"{point}: {key} ends [seed {seed:x}]")  # noqa: B023
        plant.disarm()
        calls = plant.company.calls(prefix=key)
        assert [call.applied for call in calls if call.step == "first"] == [True], f"{point}: what was done was kept"
        assert sum(call.applied for call in calls if call.step == "second") == 1, f"{point}: done once"
        keys = {call.key for call in calls if call.step == "second"}
        assert len(keys) == 2, f"{point}: the refused key, and one for the next go"
        goes = plant.database.query(
            "SELECT count(*) FROM store_replay g JOIN store_run r ON r.id = g.run_id"
            " JOIN store_event e ON e.id = r.event_id WHERE e.dedupe_key = ?",
            (key,),
        )
        assert goes[0][0] == 1, f"{point}: one generation"
    figures.tell(
        "a dead letter retried, and killed",
        database,
        seed=f"{seed:x}",
        points=len(points),
        died=died,
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert died == len(points)
    assert plant.complaints() == []


def status(plant: Plant, key: str) -> str | None:
    found = plant.status(key)
    return None if found is None else found[1]


def press(plant: Plant, run_id: str) -> bool:
    """Retry with the second call mended; False where nobody answered."""
    assert plant.api is not None
    try:
        plan = plant.api.call("GET", f"W/runs/{run_id}/retry-plan")
        (second,) = (step for step in plan["steps"] if step["key"] == "second")
        assert [step["fate"] for step in plan["steps"] if step["key"] == "first"] == ["kept"]
        mended: dict[str, Any] = {**second["input"], "headers": []}
        plant.api.call("POST", f"W/runs/{run_id}/retry", {"plan": plan["id"], "edits": {second["node"]: mended}})
    except httpx2.HTTPError:
        return False
    return True

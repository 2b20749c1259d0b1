"""Runs that a run has begun for its items: a process is killed at each point on the way, there and back again."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import items, items_failing, items_filed, items_paged, items_undone, of_items
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_people import bury
from tests.faults.trials import BY_THE_CLOCK, Range, Shot
from tests.product import ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

#: Points that only runs of runs pass.
FORTH = ("child.start", "child.result", "child.knock")
PAGES = ("bulk.page",)
ENDS = ("bulk.item",)
BACK = ("child.undo",)
OWN = ("child.", *PAGES, *ENDS)
CONTROL = ("child.reopen", "child.cancel")


def test_each_item_is_done_once_and_undone_in_reverse_wherever_a_process_dies(
    database: str, make_plant: MakePlant
) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    plant = make_plant(database)
    there, back, failing, paged, filed = items(), items_undone(), items_failing(), items_paged(), items_filed()
    plant.start(there, back, failing, paged, filed, replace(items(slow=1_500), name="Items slow"))
    trials = Range(plant, seed)
    shots = [shot for example in (there, back, paged, filed) for shot in trials.shots(example, starts=False)]
    shots = [shot for shot in shots if shot.point.split(":")[0] not in BY_THE_CLOCK]
    reached = {shot.point for shot in shots if shot.point.startswith(OWN)}
    # A knock need not be committed where whoever is knocked at looks on: embedded, that is nearly always so.
    always = [point for point in (*FORTH, *PAGES, *ENDS, *BACK) if point != "child.knock"]
    assert {f"{name}:{side}" for name in always for side in ("before", "after")} <= reached
    chosen = shots if figures.everything() else sample(shots, chance)
    for shot in chosen:
        trials.shoot(shot)
    orders = [call.order for call in plant.company.calls() if call.applied]
    for trial in trials.trials:
        done = of_items(orders, trial.key)
        if trial.shot.example == there.name:
            assert Counter(done) == {f"make.{number}": 1 for number in range(4)}, (trial.shot, done)
        elif trial.shot.example in (paged.name, filed.name):
            assert Counter(done) == {f"make.{number}": 1 for number in range(1, 8)}, (trial.shot, done)
        else:
            assert done == ["make.0", "make.1", "make.2", "unmake.2", "unmake.1", "unmake.0"], (trial.shot, done)
    died = sum(trial.reached for trial in trials.trials) + reopened(plant, seed) + cancelled(plant, seed)
    figures.tell(
        "runs of a run killed at every point",
        database,
        seed=f"{seed:x}",
        points=len(reached) + 2 * len(CONTROL),
        trials=len(trials.trials) + 2 * len(CONTROL),
        died=died,
        violations=len(trials.violations()),
        seconds=round(time.monotonic() - began),
    )
    assert trials.violations() == []
    assert {shot.point for shot in chosen} & reached <= trials.covered(), trials.not_reached()
    open_children = "SELECT count(*) FROM store_run WHERE parent_run_id IS NOT NULL AND finished_at IS NULL"
    assert plant.database.query(open_children, ())[0][0] == 0
    assert plant.complaints() == []


def sample(shots: list[Shot], chance: random.Random) -> list[Shot]:
    """Each point of runs of runs once, and two others: where it is passed first, for how often differs from run to run
    (several items that end together are followed by others together)."""
    shots = [shot for shot in shots if shot.nth == 1 or shot.point.startswith(PAGES)]
    own = sorted({shot.point for shot in shots if shot.point.startswith(OWN)})
    chosen = [chance.choice([shot for shot in shots if shot.point == point]) for point in chance.sample(own, 4)]
    chosen += [shot for shot in shots if shot.point.startswith(PAGES) and shot.nth == 2]
    return list(dict.fromkeys(chosen)) + chance.sample([shot for shot in shots if shot.point not in own], 2)


def reopened(plant: Plant, seed: int) -> int:
    """The run is retried, and the process dies while the item that failed is gone on with."""
    died = 0
    for side in ("before", "after"):
        key = f"r{seed:x}-{side}-"
        plant.senders.insist(plant.published["Items failing"].path, key)
        wait_until(lambda: plant.ended(key), f"{key} fails")  # noqa: B023
        run_id = run_of(plant, key)
        worker = plant.of("serve" if plant.embedded else "worker")
        worker.arm(f"child.reopen:{side}=kill@nth(1)")
        assert plant.api is not None
        plan = plant.api.call("GET", f"W/runs/{run_id}/retry-plan")
        ask(plant, f"W/runs/{run_id}/retry", {"plan": plan["id"]})
        died += bury(plant, worker)
        wait_until(lambda: plant.status(key)[1] == "completed", f"{key} goes on", seconds=90)  # type: ignore[index]  # noqa: B023
        orders = [call.order for call in plant.company.calls() if call.applied]
        assert of_items(orders, key) == ["make.0", "make.1", "make.2"], (side, of_items(orders, key))
    return died


def cancelled(plant: Plant, seed: int) -> int:
    """The run is cancelled while its items are at work, and the process dies while it tells them."""
    died = 0
    for side in ("before", "after"):
        key = f"c{seed:x}-{side}-"
        worker = plant.of("serve" if plant.embedded else "worker")
        worker.arm(f"child.cancel:{side}=kill@nth(1)")
        plant.senders.insist(plant.published["Items slow"].path, key)
        under_way = "SELECT count(*) FROM store_run WHERE parent_run_id = ? AND finished_at IS NULL"
        run_id = run_of(plant, key)
        stored = run_id.replace("-", "") if plant.embedded else run_id
        wait_until(lambda: plant.database.query(under_way, (stored,))[0][0] > 0, f"items of {key}")  # noqa: B023
        ask(plant, f"W/runs/{run_id}/cancel", {})
        died += bury(plant, worker)
        wait_until(lambda: plant.ended(key), f"{key} ends", seconds=90)  # noqa: B023
        assert plant.status(key)[1] == "cancelled"  # type: ignore[index]
    return died


def run_of(plant: Plant, key: str) -> str:
    rows = plant.database.query("SELECT run_id FROM store_event WHERE dedupe_key = ?", (key,))
    text = str(rows[0][0]).replace("-", "")
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def ask(plant: Plant, path: str, body: dict[str, str]) -> None:
    """Ask for it; that the process dies meanwhile is what this is about."""
    assert plant.api is not None
    try:
        plant.api.call("POST", path, body)
    except (httpx2.HTTPError, ProductFailed):
        return

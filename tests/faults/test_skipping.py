"""F41: a person leaves an item of a list out, and a process dies on the way: it is so once, and the list goes on."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, graph, invoice, node, of_items, webhook
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_fixing import open_failure
from tests.faults.test_own_runs import run_of
from tests.faults.test_people import bury, stored
from tests.product import ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: At the door; and of whoever goes on with the item, and with the run around it, to its manifest.
DECIDING = ("human.decide:before", "human.decide:after")
GOING_ON = (
    "run.claim:before", "run.claim:after", "bulk.item:before", "bulk.item:after", "bulk.manifest_write:before",
    "bulk.manifest_write:after", "bulk.manifest_commit:before", "bulk.manifest_commit:after", "child.result:before",
    "child.result:after",
)  # fmt: skip
WHY = "A double."


def listing() -> Example:
    """Two calls an item; of the second item the second one is refused for good, and people are asked. Then a last
    call."""
    lines = [f"{{{{ trigger.body.id }}}}.{number}" for number in range(3)]
    each = node("each", "flow.for_each@1", {"items": lines, "manifest": True, "label": "{{ item }}"})
    calls = []
    for key, behaviour in (("make", ""), ("send", '{{ when(index == 1, "fail=422", "slow=0") }}')):
        call = invoice(key, behaviour=behaviour)
        call["config"]["json_body"] = {**call["config"]["json_body"], "order": f"item:{{{{ item }}}}/{key}"}
        calls.append({**call, "parent": "each"})
    calls[1]["settings"] = {"on_failure": "person"}
    edges = ["start -> each", "each -> last", "make -> send"]
    return Example("Skipping", graph([webhook(), each, *calls, invoice("last")], edges), {"last": 1})


def test_an_item_is_left_out_once_wherever_a_process_dies(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    chance = random.Random(seed)
    plant = make_plant(database)
    plant.start(listing())
    points = (*DECIDING, *GOING_ON) if figures.everything() else (*DECIDING, *chance.sample(GOING_ON, 2))
    died = 0
    for number, point in enumerate(points):
        key = f"k{seed:x}-{number}-"
        plant.senders.insist(plant.published["Skipping"].path, key)
        task = open_failure(plant)
        dies = plant.of(plant.kinds[0]) if point in DECIDING else plant.of("serve" if plant.embedded else "worker")
        dies.arm(f"{point}=kill@nth(1)")
        skip(plant, task)
        died += bury(plant, dies)
        # Whoever got no answer presses once more.
        skip(plant, task)
        wait_until(lambda: plant.ended(key), f"{point}: {key} ends [seed {seed:x}]")  # noqa: B023
        plant.disarm()
        assert plant.check(key) == [], point
        orders = [call.order for call in plant.company.calls() if call.applied]
        assert Counter(of_items(orders, key)) == dict.fromkeys(("make.0", "send.0", "make.1", "make.2", "send.2"), 1)
        votes = plant.database.query("SELECT count(*) FROM store_humanvote WHERE task_id = ?", (stored(plant, task),))
        assert votes[0][0] == 1, point
        added_up(plant, key, point)
    figures.tell(
        "an item is left out, and a process dies",
        database,
        seed=f"{seed:x}",
        points=len(points),
        died=died,
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert died == len(points)
    assert plant.complaints() == []


def added_up(plant: Plant, key: str, point: str) -> None:
    """The list's result, its rows and its manifest say the same."""
    assert plant.api is not None
    run = run_of(plant, key)
    batch: dict[str, Any] = plant.api.call("GET", f"W/runs/{run}/batches/each")
    assert (batch["total"], batch["done"], batch["failed"], batch["left_out"]) == (3, 2, 0, 1), point
    assert batch["sealed"], f"{point}: the manifest is of the list as it ended"
    output = plant.api.call("GET", f"W/runs/{run}/steps/each")["output"]
    assert (output["total"], output["done"], output["left_out"]) == (3, 2, 1), point
    [named] = output["left_out_items"]
    assert (named["number"], named["key"], named["reason"]) == (2, f"{key}.1", WHY), point
    rows = "SELECT count(*) FROM store_file WHERE run_id = ? AND mime = 'application/vnd.millrace.manifest'"
    assert plant.database.query(rows, (stored(plant, run),))[0][0] == 1, point


def skip(plant: Plant, task: str) -> None:
    """Leave the item out; whether or not there is an answer, or it was said already."""
    assert plant.api is not None
    try:
        plant.api.call("POST", f"W/inbox/{task}/decide", {"outcome": "skip", "comment": WHY})
    except httpx2.HTTPError:
        return
    except ProductFailed as refused:
        if ": 409 " not in str(refused):
            raise

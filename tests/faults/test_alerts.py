"""Whoever watches and sends dies around each commit and call: each alert is one, its message goes out, and under one
name (I46)."""

from __future__ import annotations

import random
import time
from functools import partial

import httpx2
import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, graph, node, webhook
from tests.faults.outboxes import POST, all_sent, came_twice, points
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_people import bury, stored

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

POINTS = ("alert.change:before", "alert.change:after", *points("alert"))


def test_an_alert_is_one_and_goes_out_wherever_a_process_dies(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(database, environment=POST)
    refuses = node("refuse", "flow.fail@1", {"message": "This supplier is not known."})
    plant.start(Example("Failing", graph([webhook(), refuses], ["start -> refuse"]), {}, ends="dead_lettered"))
    assert plant.api is not None
    plant.senders.insist(plant.published["Failing"].path, f"a{seed:x}")
    failed = "SELECT COUNT(*) FROM store_figure WHERE level = 60 AND failed > 0"
    wait_until(lambda: plant.database.query(failed)[0][0] > 0, "the failure is counted", seconds=60)
    channel = plant.api.call("POST", "W/alerts/channels", {"name": "Ops", "people": ["role:admin"]})["id"]
    chosen = list(POINTS)
    if not figures.everything():
        chosen = [random.Random(seed).choice(POINTS[:4]), random.Random(seed).choice(POINTS[4:])]
    died = twice = 0
    for point in chosen:
        process = plant.of("serve" if plant.embedded else "ticker")
        process.arm(f"{point}=kill@nth(1)")
        rule = make_rule(plant, channel)
        # Whoever is next leads only when the lease of the dead one is over, and then looks every five seconds; what
        # waits for others so that they go together waits for minutes.
        for _ in range(30):
            if process.is_dead(2):
                break
            plant.database.change(f"UPDATE store_alertmessage SET due_at = 1 WHERE due_at > {soon()}")
        died += bury(plant, process)
        plant.disarm()
        told = partial(all_sent, plant, "store_alertmessage", _OF_RULE, stored(plant, rule))
        wait_until(told, f"{point}: the alert goes out [seed {seed:x}]", seconds=90)
        ((bundle,),) = plant.database.query(f"SELECT m.bundle {_OF_RULE}", (stored(plant, rule),))
        twice += came_twice(plant, point, message_id=f"%{str(bundle).replace('-', '')}%")
        episodes = "SELECT COUNT(*) FROM store_alertepisode WHERE rule_id = ?"
        assert plant.database.query(episodes, (stored(plant, rule),)) == [(1,)], point
    figures.tell(
        "an alert begins, and a process dies",
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


_OF_RULE = """FROM store_alertmessage AS m JOIN store_alertepisode AS e ON e.id = m.episode_id
    WHERE e.rule_id = ? AND m.kind = 'alert'"""


def soon() -> int:
    """What is due behind this is not under way: ms."""
    return round(time.time() * 1000) + 100_000


def make_rule(plant: Plant, channel: str) -> str:
    """A rule that alerts as soon as somebody looks; made once, though who makes it may die."""
    assert plant.api is not None
    body = {"kind": "failed_runs", "channels": [channel], "limit": 0, "minutes": 1440, "urgent": True}
    try:
        return str(plant.api.call("POST", "W/alerts/rules", body)["id"])
    except httpx2.HTTPError:
        ((made,),) = plant.database.query("SELECT id FROM store_alertrule ORDER BY id DESC LIMIT 1")
        return str(made)

"""F6: nobody knows whether a call without a key was made. People are asked; nothing is sent before they say so."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, edit, graph, invoice, webhook
from tests.faults.plant import Plant
from tests.faults.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: Where the process dies, and whether the call was made.
POINTS = {"step.effect:before": 0, "step.effect:after": 1}
#: What people say, how many calls more that makes, and how the run ends.
DECISIONS = {"send_again": (1, "completed"), "happened": (0, "completed"), "give_up": (0, "dead_lettered")}


def asks_people() -> Example:
    once = invoice("once", key=False)
    once["settings"]["on_failure"] = "person"
    edges = ["start -> once", "once -> after"]
    # A second try is what people may ask for.
    return Example("Asks", graph([webhook(), once, edit("after", "x")], edges), {"once": 2}, may_end_in_doubt=True)


def test_what_is_in_doubt_is_put_before_people_and_done_as_they_say(some_database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(some_database)
    plant.start(asks_people())
    trials = [(point, said) for point in POINTS for said in DECISIONS]
    rounds = figures.number("DOUBTS", 1, 50)
    waited: list[float] = []
    for number, (point, said) in enumerate(trials * rounds):
        key = f"q{seed:x}-{number}-"
        worker = plant.of("serve" if plant.embedded else "worker")
        worker.arm(f"{point}=kill@nth(1)")
        plant.senders.start(plant.published["Asks"].path, key)
        assert worker.is_dead(90)
        at = time.monotonic()
        plant.buried(worker)
        plant.revive(worker)
        plant.senders.insist(plant.published["Asks"].path, key)
        task = question(plant, key)
        waited.append(time.monotonic() - at)
        assert len(plant.company.calls(prefix=key)) == POINTS[point], f"{point}: sent before anybody said so"
        assert plant.api is not None
        more, end = DECISIONS[said]
        answer: dict[str, Any] = {"outcome": said}
        if said == "happened":
            answer["output"] = {"status": 201, "body": {"id": "by hand"}}
        plant.api.call("POST", f"W/inbox/{task}/decide", answer)
        wait_until(lambda: plant.ended(key), f"{point}, {said}: it ends")  # noqa: B023
        assert (plant.status(key) or ("", ""))[1] == end, f"{point}, {said}"
        assert len(plant.company.calls(prefix=key)) == POINTS[point] + more, f"{point}, {said}"
        # Done a second time because a person said so: that is what UNEXPL and HUMANDUP look for.
        rules = {"DUPHON", "REPEAT", "MISSING"} if (point, said) != ("step.effect:before", "send_again") else set()
        assert [str(one) for one in plant.check(key, ends=None) if one.rule not in rules] == [], f"{point}, {said}"
    figures.tell(
        "in doubt, and people are asked",
        some_database,
        seed=f"{seed:x}",
        trials=len(trials) * rounds,
        asked_after_p50=figures.quantile(waited, 0.5),
        asked_after_most=figures.quantile(waited, 1.0),
        sent_unasked=0,
        seconds=round(time.monotonic() - began),
    )
    assert plant.complaints() == []


def question(plant: Plant, key: str) -> str:
    """The open question of this event's run."""
    found: list[str] = []

    def look() -> bool:
        rows = plant.database.query(
            "SELECT t.id FROM store_humantask t JOIN store_run r ON r.id = t.run_id JOIN store_event e"
            " ON e.id = r.event_id WHERE e.dedupe_key = ? AND t.status = 'open'",
            (key,),
        )
        found.extend(str(row[0]) for row in rows)
        return bool(found)

    wait_until(look, f"a question of {key}", seconds=90)
    return found[-1]

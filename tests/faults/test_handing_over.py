"""What hangs on a member is handed over, and the process dies at each commit on the way: each thing goes once, with one
row of the record, and the same again does the rest."""

from __future__ import annotations

import itertools
import random
import time
from typing import Any

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, approval
from tests.faults.outboxes import POST
from tests.faults.plant import Plant
from tests.faults.test_other_doors import api_of, ask_again, die_at
from tests.faults.test_people import stored, wait_for_task
from tests.product import Api

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]

#: What a request passes that hands all of it over and takes the member out: with four of the builder's own things, the
#: sum of them and the end; with the place in a channel; with the two questions.
PASSINGS = {"deed.keep": 6, "alert.rule": 1, "human.assign": 2}
#: How often each stands in the record when it is done once.
ROWS = {
    "workflow.handed_over": 1,
    "connection.handed_over": 1,
    "group.changed": 1,
    "alert_channel.changed": 1,
    "run_view.handed_over": 1,
    "task.handed_over": 2,
    "member.handed_over": 1,
    "member.removed": 1,
}
SECRET = "a careful builder 53"


def test_what_is_handed_over_goes_once_wherever_the_process_dies(database: str, make_plant: MakePlant) -> None:
    began = time.monotonic()
    seed = figures.seed()
    plant = make_plant(database, environment=POST)
    plant.start()
    points = [
        (f"{point}:{side}", nth)
        for (point, most), side in itertools.product(PASSINGS.items(), ("before", "after"))
        for nth in range(1, most + 1)
    ]
    if not figures.everything():
        points = random.Random(seed).sample(points, 3)
    for number, (point, nth) in enumerate(points):
        where = f"{point}, {nth} [seed {seed:x}]"
        one = Leaving(plant, f"g{seed:x}-{number}")
        path = f"W/members/{one.member}/handover"
        body = {"to": one.heir, "reason": "Ines leaves us.", "remove": True}
        die_at(plant, plant.of(plant.kinds[0]), point, "POST", path, body, nth=nth, key=one.name)
        again = ask_again(plant, "POST", path, body, one.name)
        assert again == {"done": 7, "left": False, "refused": [], "removed": True}, where
        assert one.owners() == {"Alice"}, where
        assert one.answering() == [("Alice",), ("Alice",)], where
        assert recorded(plant) == {verb: times * (number + 1) for verb, times in ROWS.items()}, where
    figures.tell(
        "a member's things are handed over, and the process dies",
        database,
        seed=f"{seed:x}",
        points=len(points),
        violations=0,
        seconds=round(time.monotonic() - began),
    )
    assert plant.complaints() == []


class Leaving:
    """A member on whom one thing of each kind hangs, and two questions."""

    def __init__(self, plant: Plant, name: str) -> None:
        self.plant, self.name = plant, name
        self.email = f"{name}@example.com"
        api = api_of(plant)
        link = api.call("POST", "W/members", {"email": self.email, "role": "builder"})["link"]
        mine = Api(f"http://127.0.0.1:{plant.port}")
        mine.call("POST", "/invitations/accept", {"token": link.split("token=")[1], "name": name, "password": SECRET})
        mine.read_session()
        people = {one["name"]: one["member"] for one in api.call("GET", "W/people")["people"]}
        self.member, self.heir = people[name], people["Alice"]
        mine.call("POST", "W/workflows", {"name": name})
        fields = {"token": "a long enough secret", "base_url": "https://bank.example"}
        mine.call("POST", "W/connections", {"kind": "http_bearer", "name": name, "fields": fields})
        mine.call("POST", "W/runs/views", {"name": name, "search": {"q": "late"}, "shared": True})
        mine.close()
        api.call("POST", "W/groups", {"name": name, "members": [self.member]})
        api.call("POST", "W/alerts/channels", {"name": name, "people": [self.email]})
        asks = approval()
        plant.publish(Example(f"{name} asks", asked(asks, self.email), asks.effects, skipped=asks.skipped))
        self.tasks = []
        for number in range(2):
            plant.senders.insist(plant.published[f"{name} asks"].path, f"{name}-{number}-")
            self.tasks.append(wait_for_task(plant, f"{name}-{number}-"))

    def owners(self) -> set[str]:
        """Whose all of it is."""
        found = set()
        for table in ("workflows_workflow", "connections_connection", "workflows_savedview"):
            sql = f"SELECT u.name FROM {table} t JOIN accounts_user u ON u.id = t.owner_id WHERE t.name = ?"
            rows = self.plant.database.query(sql, (self.name,))
            assert len(rows) == 1, table
            found.add(rows[0][0])
        return found

    def answering(self) -> list[tuple[str]]:
        """Who sees to the questions."""
        query = self.plant.database.query
        sql = "SELECT claimed_name FROM store_humantask WHERE id = ?"
        return [query(sql, (stored(self.plant, task),))[0] for task in self.tasks]


def asked(example: Example, email: str) -> dict[str, Any]:
    """The same question, to one person."""
    nodes = [
        {**one, "config": {**one["config"], "people": email}} if one["id"] == "ask" else one
        for one in example.graph["nodes"]
    ]
    return {**example.graph, "nodes": nodes}


def recorded(plant: Plant) -> dict[str, int]:
    """How often each of these deeds is on record."""
    verbs = ", ".join(f"'{verb}'" for verb in ROWS)
    rows = plant.database.query(f"SELECT verb, count(*) FROM audit_row WHERE verb IN ({verbs}) GROUP BY verb")
    return {verb: int(count) for verb, count in rows}

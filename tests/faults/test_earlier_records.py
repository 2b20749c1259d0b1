"""F36: what an older release has left on the disk goes on under this one, and nothing is done twice."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import of_items
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.records import FOLDER, RUNS, asked, dashed, unpack
from tests.product import Api, Published

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

RECORDS = sorted(FOLDER.glob("*.tar.gz"))
#: What each run still has to call, beside what it had called: keys of its own, told apart as `of_items` does.
LEFT = {
    "timer": ["last"],
    "question": ["yes"],
    "paused": ["yes"],
    "event": ["second", "third"],
    # Refused once more by a company that has never heard of it, then taken.
    "failed": ["make.1", "make.1", "make.2"],
    # The one that it was at is sent once more, under its key.
    "undoing": ["undo_fourth", "undo_third", "undo_second", "undo_first", "undo_first"],
    "items": ["make.1", "make.2", "make.3", "make.4", "make.5", "last"],
    "call": ["first", "second"],
    "doubt": [],
}
ENDS = {key: "compensated" if key == "undoing" else "completed" for key in RUNS}


@pytest.mark.parametrize("archive", RECORDS, ids=lambda path: path.name.partition(".")[0])
def test_what_an_older_release_has_left_goes_on(archive: Path, tmp_path: Path, make_plant: MakePlant) -> None:
    began = time.monotonic()
    data = unpack(archive, tmp_path / "record")
    plant = make_plant("sqlite", data=data)
    before = plant.company.last()
    plant.ready(plant.spawn("serve"))
    plant.api = Api(f"http://127.0.0.1:{plant.port}")
    plant.api.sign_in()
    people_decide(plant)
    for key, end in ENDS.items():
        wait_until(lambda: (plant.status(key) or ("", ""))[1] == end, f"{key} is {end}", seconds=90)  # noqa: B023
    assert {key: calls(plant, key, before) for key in RUNS} == LEFT
    assert plant.api.call("GET", "W/runs?limit=100")["items"]
    assert plant.complaints() == []
    figures.tell("records of an older release", "sqlite", record=archive.name, seconds=round(time.monotonic() - began))


def test_there_is_a_record() -> None:
    assert RECORDS


def people_decide(plant: Plant) -> None:
    """Everything that somebody has to say or do."""
    decide(plant, "question", {"outcome": "approved"})
    said: dict[str, Any] = {"outcome": "happened", "output": {"status": 201, "body": {"id": "by hand"}}}
    decide(plant, "doubt", said)
    call(plant, "POST", f"W/runs/{run_of(plant, 'paused')}/resume")
    decide(plant, "paused", {"outcome": "approved"})
    workflows = call(plant, "GET", "W/workflows?limit=100")["items"]
    workflow = next(str(found["id"]) for found in workflows if found["name"] == "Telling")
    url = call(plant, "GET", f"W/workflows/{workflow}/triggers")["items"][0]["url"]
    plant.published["Telling"] = Published(workflow, "/hooks/" + url.split("/hooks/", 1)[1])
    plant.senders.insist(plant.published["Telling"].path, "event!")
    address = f"W/runs/{run_of(plant, 'event')}/waits"
    wait_until(lambda: any(one["node"] == "confirmed" for one in call(plant, "GET", address)["items"]), "it waits")
    call(plant, "POST", f"{address}/confirmed/resume", {"data": "C-100"})
    for _ in range(2):
        retry(plant, "failed")


def decide(plant: Plant, key: str, answer: dict[str, Any]) -> None:
    """Answer the question of this run."""
    found: list[str] = []

    def look() -> bool:
        items = call(plant, "GET", "W/inbox?who=anybody&limit=100")["items"]
        found[:] = [name] if (name := asked(items, key) or of_run(items, run_of(plant, key))) else []
        return bool(found)

    wait_until(look, f"a question of {key}", seconds=90)
    call(plant, "POST", f"W/inbox/{found[0]}/decide", answer)


def of_run(items: list[dict[str, Any]], run_id: str) -> str:
    """The open question of that run; empty where there is none yet."""
    return next((str(item["id"]) for item in items if item["run"]["id"] == run_id), "")


def retry(plant: Plant, key: str) -> None:
    """Go on with a run that has failed, by its plan; wait until it has ended again."""
    run_id = run_of(plant, key)
    wait_until(lambda: plant.ended(key), f"{key} has ended", seconds=90)
    plan = call(plant, "GET", f"W/runs/{run_id}/retry-plan")
    call(plant, "POST", f"W/runs/{run_id}/retry", {"plan": plan["id"]})


def run_of(plant: Plant, key: str) -> str:
    """The id of the run of this event, as the API has it."""
    found = plant.status(key)
    assert found is not None
    return dashed(found[0])


def calls(plant: Plant, key: str, after: int) -> list[str]:
    """The calls of a run since then."""
    inner = of_items([one.order for one in plant.company.calls(after=after, prefix=f"item:{key}.")], key)
    return inner + [one.step for one in plant.company.calls(after=after, prefix=f"{key}/")]


def call(plant: Plant, method: str, path: str, body: object = None) -> Any:
    assert plant.api is not None
    return plant.api.call(method, path, body)

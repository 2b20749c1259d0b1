"""Dead letters are gone on with in bulk, and a process dies at its commit points: each goes once. So does what somebody
says about a group of them."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.faults.conftest import MakePlant
from tests.faults.examples import linear
from tests.faults.plant import Plant
from tests.faults.processes import wait_until
from tests.faults.test_other_doors import api_of, ask_again, die_at

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]
SIDES = ("before", "after")
BULK = "W/dead-letters/bulk-retries"
COUNT = 6


def refused(plant: Plant) -> tuple[str, str]:
    """Runs whose second call was refused for good: their cause, and what their keys begin with."""
    # The company is the same for all tests.
    prefix = f"bulk{secrets.token_hex(4)}-"
    for number in range(COUNT):
        plant.senders.insist(plant.published["Linear"].path, f"{prefix}{number}-")
    api = api_of(plant)
    wait_until(lambda: api.call("GET", "W/dead-letters")["count"] == COUNT, "all are refused", seconds=60)
    (group,) = api.call("GET", "W/dead-letters")["items"]
    cause: str = group["cause"]
    return cause, prefix


def ended(plant: Plant, prefix: str) -> dict[str, Any]:
    """The bulk retry at its end; each letter went once, and what was done before was kept."""
    api = api_of(plant)
    wait_until(lambda: not api.call("GET", BULK)["items"][0]["open"], "all were gone on with", seconds=90)
    (bulk,) = api.call("GET", BULK)["items"]
    found: dict[str, Any] = bulk
    query = plant.database.query
    assert query("SELECT generation, count(*) FROM store_run GROUP BY generation") == [(2, COUNT)]
    assert query("SELECT count(*) FROM store_replay") == [(COUNT,)]
    assert query("SELECT status, count(*) FROM store_bulkretryitem GROUP BY status") == [("failed", COUNT)]
    calls = plant.company.calls(prefix=prefix)
    assert sum(call.applied for call in calls if call.step == "first") == COUNT
    assert (found["total"], found["begun"], found["failed"], found["left"]) == (COUNT, COUNT, COUNT, 0)
    assert plant.complaints() == []
    return found


@pytest.mark.parametrize("side", SIDES)
def test_a_kill_while_a_bulk_retry_is_started_makes_the_whole_of_it_or_nothing(
    side: str, some_database: str, make_plant: MakePlant
) -> None:
    plant = make_plant(some_database)
    plant.start(linear(respond="immediately", second="fail=422"))
    cause, prefix = refused(plant)
    body = {"cause": cause}
    die_at(plant, plant.of(plant.kinds[0]), f"deadletter.bulk:{side}", "POST", BULK, body)
    made = api_of(plant).call("GET", BULK)["items"]
    assert [one["total"] for one in made] == ([] if side == "before" else [COUNT])
    if side == "before":
        api_of(plant).call("POST", BULK, body)
    assert ended(plant, prefix)["status"] == "done"


@pytest.mark.parametrize("point", ["deadletter.bulk", "run.replay"])
@pytest.mark.parametrize("side", SIDES)
def test_a_kill_while_letters_are_gone_on_with_loses_none_and_begins_none_twice(
    side: str, point: str, some_database: str, make_plant: MakePlant
) -> None:
    plant = make_plant(some_database)
    plant.start(linear(respond="immediately", second="fail=422"))
    cause, prefix = refused(plant)
    kind = "serve" if plant.embedded else "ticker"
    ticker = plant.of(kind)
    # At the fourth: at the door it passes once, where the same process does all.
    ticker.arm(f"{point}:{side}=kill@nth(4)")
    api_of(plant).call("POST", BULK, {"cause": cause, "per_minute": 600})
    assert ticker.is_dead(90), f"it did not die at {point}"
    plant.buried(ticker)
    plant.revive(ticker)
    assert ended(plant, prefix)["status"] == "done"


@pytest.mark.parametrize("side", SIDES)
def test_a_kill_while_somebody_says_something_of_a_group_leaves_it_said_once_or_not_at_all(
    side: str, some_database: str, make_plant: MakePlant
) -> None:
    plant = make_plant(some_database)
    plant.start(linear(respond="immediately", second="fail=422"))
    cause, _ = refused(plant)
    said = "SELECT revision, note, muted_at, muted_until FROM store_lettergroup"
    note = {"note": "The bank knows.", "ticket": "https://tickets.example/7", "revision": 0}
    was = (0, "", None, None)
    for way, verb, body in (("note", "noted", note), ("mute", "muted", {"days": 7}), ("unmute", "unmuted", {})):
        path, method = f"W/dead-letters/{cause}/{way}", "PUT" if way == "note" else "POST"
        die_at(plant, plant.of(plant.kinds[0]), f"deadletter.group:{side}", method, path, body, key=way)
        rows = plant.database.query(said)
        on_record = f"SELECT count(*) FROM audit_row WHERE verb = 'letter_group.{verb}'"
        assert plant.database.query(on_record) == [(int(side == "after"),)], way
        if side == "before":
            assert rows in ([], [was]), way
        again = ask_again(plant, method, path, body, way)
        if side == "after":
            assert plant.database.query(said) == rows, f"{way}: as it was said the first time"
        ((revision, written, muted_at, muted_until),) = plant.database.query(said)
        assert (revision, written, muted_at is not None) == (1, note["note"], way == "mute"), way
        assert (again["revision"], again["note"], again["muted"]) == (1, note["note"], way == "mute"), way
        assert muted_at is None or muted_until - muted_at == 7 * 86_400_000
        assert plant.database.query(on_record) == [(1,)], way
        was = (revision, written, muted_at, muted_until)
    assert plant.complaints() == []

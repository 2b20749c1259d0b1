"""Kills at the commit points that no webhook passes: publishing, cancelling, a schedule's tick."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults import figures
from tests.faults.conftest import MakePlant
from tests.faults.examples import Example, accepting, edit, graph, invoice, node, wait, webhook
from tests.faults.plant import Plant
from tests.faults.processes import Child, wait_until
from tests.product import Api, ProductFailed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300), figures.only_in_full]

SIDES = ("before", "after")


def die_at(
    plant: Plant, child: Child, point: str, method: str, path: str, body: object, *, nth: int = 1, key: str = ""
) -> None:
    """Ask by the API for what passes the point; no answer comes, and the process is started again. `key`: under which
    it is asked for."""
    assert plant.api is not None
    child.arm(f"{point}=kill@nth({nth})")
    with pytest.raises(Exception, match=r"disconnected|closed|reset|EOF|Broken pipe"):
        plant.api.call(method, path, body, headers={"Idempotency-Key": key} if key else None)
    assert child.is_dead(90), f"it did not die at {point}"
    plant.buried(child)
    plant.revive(child)


def ask_again(plant: Plant, method: str, path: str, body: object, key: str) -> Any:
    """The same under the same key, as if the minute were over in which whoever died might still be at work."""
    died = (datetime.now(UTC) - timedelta(minutes=2)).isoformat(sep=" ")
    died = died.removesuffix("+00:00") if plant.embedded else died
    plant.database.change(f"UPDATE workflows_answered SET created_at = '{died}' WHERE status = 0")
    found = [api_of(plant).call(method, path, body, headers={"Idempotency-Key": key}) for _ in range(2)]
    assert found[0] == found[1], "and once more: that is the answer from now on"
    return found[0]


@contextmanager
def dying_ticker(plant: Plant, failpoint: str, *, seconds: float = 90) -> Iterator[None]:
    """Whoever ticks dies of what the block brings about, and is started again."""
    ticker = plant.of("serve" if plant.embedded else "ticker")
    ticker.arm(failpoint)
    yield
    assert ticker.is_dead(seconds), f"it did not die at {failpoint}"
    plant.buried(ticker)
    plant.revive(ticker)


def each_has_its_run(plant: Plant, count: int, ended: str) -> None:
    """So many runs come to be as `ended` says, one for each instant and in the order of these."""
    wait_until(
        lambda: plant.database.query(f"SELECT count(*) FROM store_run WHERE {ended}") == [(count,)],
        "every time has its run",
        seconds=60,
    )
    found = plant.database.query(
        "SELECT e.dedupe_key FROM store_run AS r JOIN store_event AS e ON e.id = r.event_id ORDER BY r.id"
    )
    assert [row[0] for row in found] == sorted({row[0] for row in found})


def api_of(plant: Plant) -> Api:
    assert plant.api is not None
    return plant.api


def test_a_kill_while_publishing_leaves_the_old_version_or_the_new_one_whole(
    database: str, make_plant: MakePlant
) -> None:
    plant = make_plant(database)
    plant.start(accepting())
    api, made = api_of(plant), plant.published["Accepting"]
    number = 1
    for point, side in itertools.product(("version.publish", "deployment.change"), SIDES):
        door = plant.of(plant.kinds[0])
        draft = api.call("GET", f"W/workflows/{made.workflow}/draft")
        edited = {**draft["graph"], "annotations": [note(f"{point}:{side}")]}
        saved = api.call(
            "PUT",
            f"W/workflows/{made.workflow}/draft",
            {"graph": edited},
            headers={"If-Match": f'"{draft["revision"]}"'},
        )
        if point == "version.publish":
            body = {"revision": saved["revision"], "note": side}
            die_at(plant, door, f"{point}:{side}", "POST", f"W/workflows/{made.workflow}/publish", body)
        else:
            die_at(plant, door, f"{point}:{side}", "POST", f"W/workflows/{made.workflow}/disable", {})
            api.call("POST", f"W/workflows/{made.workflow}/enable", {})
        versions = sorted(one["number"] for one in api.call("GET", f"W/workflows/{made.workflow}/versions")["items"])
        number += point == "version.publish" and side == "after"
        assert versions == list(range(1, number + 1)), f"{point}:{side}"
        # It takes events, by the version that is live, and can be published again.
        key = f"v-{database}-{point}-{side}"
        assert plant.senders.insist(made.path, key).status == 202
        wait_until(lambda: plant.ended(key), "the run ends")  # noqa: B023
        assert plant.shown(made.workflow)[plant.status(key)[0]]["version"] == number  # type: ignore[index]
        if point == "version.publish" and side == "before":
            body = {"revision": saved["revision"], "note": "again"}
            api.call("POST", f"W/workflows/{made.workflow}/publish", body)
            number += 1
        assert plant.check(key) == []
    assert plant.complaints() == []


def note(text: str) -> dict[str, Any]:
    return {
        "id": "note", "text": text, "position": {"x": 0, "y": 0}, "size": {"width": 100, "height": 60}, "tint": "wait"
    }  # fmt: skip


@pytest.mark.parametrize("side", SIDES)
def test_a_kill_while_cancelling_leaves_the_run_going_or_cancelled(
    side: str, database: str, make_plant: MakePlant
) -> None:
    nodes = [webhook(), wait("pause", 600), invoice("never")]
    plant = make_plant(database)
    plant.start(Example("Waiting", graph(nodes, ["start -> pause", "pause -> never"]), {"never": 1}))
    key = f"c-{database}-{side}"
    plant.senders.insist(plant.published["Waiting"].path, key)
    wait_until(lambda: (plant.status(key) or ("", ""))[1] == "waiting_timer", "the run waits")
    run = (plant.status(key) or ("", ""))[0]
    die_at(plant, plant.of(plant.kinds[0]), f"run.cancel:{side}", "POST", f"W/runs/{run}/cancel", {})
    if side == "before":
        assert (plant.status(key) or ("", ""))[1] == "waiting_timer"
        api_of(plant).call("POST", f"W/runs/{run}/cancel", {})
    wait_until(lambda: plant.ended(key), "the run is cancelled")
    assert (plant.status(key) or ("", ""))[1] == "cancelled"
    with pytest.raises(ProductFailed, match="409"):
        api_of(plant).call("POST", f"W/runs/{run}/cancel", {})
    assert plant.company.calls(prefix=key) == []
    assert plant.check(key, ends="cancelled") == []
    assert plant.complaints() == []


@pytest.mark.parametrize("point", ["schedule.look", "schedule.tick"])
@pytest.mark.parametrize("side", SIDES)
def test_a_kill_at_a_tick_starts_one_run_for_the_instant(
    side: str, point: str, database: str, make_plant: MakePlant
) -> None:
    start = node("start", "trigger.schedule@1", {"repeat": "every", "every": 1, "unit": "days", "at": "09:00"})
    plant = make_plant(database)
    plant.start(Example("Ticking", graph([start, edit("keep", "{{ run.id }}")], ["start -> keep"]), {}))
    with dying_ticker(plant, f"{point}:{side}=kill@nth(1)", seconds=90):
        plant.database.change("UPDATE store_trigger SET next_fire_at = next_fire_at - 86400000")
    wait_until(
        lambda: plant.database.query("SELECT count(*) FROM store_run WHERE finished_at IS NOT NULL") == [(1,)],
        "the tick's run ends",
    )
    # The next instant is set, a day on, and nothing comes in between.
    wait_until(
        lambda: (
            plant.database.query("SELECT count(*) FROM store_trigger WHERE next_fire_at > ?", (now_ms(),)) == [(1,)]
        ),
        "the next instant is set",
    )
    assert plant.database.query("SELECT count(*) FROM store_event") == [(1,)]
    assert plant.database.query("SELECT count(*) FROM store_run") == [(1,)]
    assert plant.complaints() == []


def now_ms() -> int:
    """Now, in milliseconds."""
    return int(time.time() * 1000)


@pytest.mark.parametrize("point", ["schedule.backfill", "schedule.release"])
@pytest.mark.parametrize("side", SIDES)
def test_a_kill_while_past_times_are_started_starts_each_once(
    side: str, point: str, database: str, make_plant: MakePlant
) -> None:
    start = node("start", "trigger.schedule@1", {"repeat": "every", "every": 1, "unit": "days", "at": "09:00"})
    plant = make_plant(database)
    plant.start(Example("Catching up", graph([start, edit("keep", "{{ run.id }}")], ["start -> keep"]), {}))
    api, made = api_of(plant), plant.published["Catching up"]
    path = f"W/workflows/{made.workflow}/backfills"
    (trigger,) = api.call("GET", f"W/workflows/{made.workflow}/triggers")["items"]
    body = {"trigger": trigger["id"], "begin": "2026-06-01", "end": "2026-06-05"}
    if point == "schedule.backfill":
        die_at(plant, plant.of(plant.kinds[0]), f"{point}:{side}", "POST", path, body)
        # All of it, or nothing.
        plan = api.call("POST", f"{path}/plan", body)
        assert plan["starts"] == (5 if side == "before" else 0)
        assert len(api.call("GET", path)["items"]) == (side == "after")
        if side == "before":
            api.call("POST", path, body)
    else:
        # The third of five, which go one after another.
        with dying_ticker(plant, f"{point}:{side}=kill@nth(3)"):
            api.call("POST", path, body)
    each_has_its_run(plant, 5, "finished_at IS NOT NULL")
    assert plant.database.query("SELECT count(*) FROM store_event") == [(5,)]
    assert plant.complaints() == []


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("side", SIDES)
def test_a_kill_while_runs_are_tagged_is_gone_on_with_by_whoever_asks_again(
    side: str, nth: int, database: str, make_plant: MakePlant
) -> None:
    plant = make_plant(database)
    plant.start(accepting())
    # With ten words each, a hundred go together.
    keys = [f"t-{database}-{side}-{nth}-{number}" for number in range(110)]
    for key in keys:
        plant.senders.insist(plant.published["Accepting"].path, key)
    wait_until(lambda: all(plant.ended(key) for key in keys), "the runs are done")
    runs = [(plant.status(key) or ("", ""))[0] for key in keys]
    words = [f"word {number}" for number in range(5)]
    body = {"runs": [str(run) for run in runs], "add": words, "remove": [f"old {word}" for word in words]}
    die_at(plant, plant.of(plant.kinds[0]), f"run.tag:{side}", "POST", "W/runs/tags", body, nth=nth, key="all")
    tagged = {("before", 1): 0, ("after", 1): 100, ("before", 2): 100, ("after", 2): 110}[side, nth]
    verb = "SELECT count(*) FROM audit_row WHERE verb = 'runs.tagged'"
    assert plant.database.query("SELECT count(*) FROM store_runtag") == [(5 * tagged,)]
    assert plant.database.query(verb) == [(int(tagged > 0),)], "with the first of them, and not before"
    again = ask_again(plant, "POST", "W/runs/tags", body, "all")
    assert again == {"found": 110, "changed": 110, "full": 0, "more": False}
    assert plant.database.query("SELECT count(*) FROM store_runtag") == [(550,)]
    assert plant.database.query(verb) == [(1,)]
    assert [found for key in keys for found in plant.check(key)] == []
    assert plant.complaints() == []


@pytest.mark.parametrize("side", SIDES)
def test_a_kill_while_a_start_is_left_out_leaves_it_out_or_does_not(
    side: str, database: str, make_plant: MakePlant
) -> None:
    start = node("start", "trigger.schedule@1", {"repeat": "every", "every": 1, "unit": "days", "at": "09:00"})
    plant = make_plant(database)
    plant.start(Example("Left out", graph([start, edit("keep", "{{ run.id }}")], ["start -> keep"]), {}))
    api = api_of(plant)
    (one,) = api.call("GET", "W/schedules")["items"]
    path, body = f"W/schedules/{one['id']}/skip", {"instant": one["next"][0]["instant"]}
    die_at(plant, plant.of(plant.kinds[0]), f"schedule.change:{side}", "POST", path, body)
    (after,) = api.call("GET", "W/schedules")["items"]
    assert after["next"][0]["fate"] == ("start" if side == "before" else "skip")
    # Either way it can be said again, and is.
    assert api.call("POST", path, body)["next"][0]["fate"] == "skip"
    assert plant.complaints() == []


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("overlap", ["skip", "queue", "cancel"])
def test_a_kill_while_missed_starts_are_made_up_for_starts_each_once_and_in_order(
    overlap: str, side: str, database: str, make_plant: MakePlant
) -> None:
    config = {"repeat": "every", "every": 1, "unit": "days", "at": "09:00", "missed": "all", "overlap": overlap}
    start = node("start", "trigger.schedule@1", config)
    plant = make_plant(database)
    plant.start(Example("Made up for", graph([start, edit("keep", "{{ run.id }}")], ["start -> keep"]), {}))
    # The third of four, which go one after another.
    with dying_ticker(plant, f"schedule.release:{side}=kill@nth(3)"):
        plant.database.change("UPDATE store_trigger SET next_fire_at = next_fire_at - 4 * 86400000")
    each_has_its_run(plant, 4, "status = 'completed'")
    assert plant.database.query("SELECT count(*) FROM store_event WHERE verdict = 'accepted'") == [(4,)]
    assert plant.complaints() == []

"""Figures count each row exactly once, agree with a recount of all rows, and stay when the rows are gone."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from django.db import connection

from runtime import api
from runtime.contracts.figures import Figures
from runtime.store import failpoints
from runtime.store.dialect import open_link
from runtime.store.failpoints import FailpointReached
from runtime.store.figure_rows import remove_old
from runtime.store.figures import counted, follow_transactions, roll
from runtime.store.models import Event, Figure, FigureMark
from runtime.store.sketch import Sketch
from tests.runtime.past import MINUTE, Past, forget
from tests.runtime.recount import Recount, quantile, recount
from tests.runtime.rows import WORKSPACE, now_ms

pytestmark = pytest.mark.usefixtures("transactional_db")

HOURS = 60 * MINUTE
COUNTS = ("started", "completed", "failed", "cancelled", "undone", "received", "duplicates", "conflicts", "letters")


@pytest.fixture(autouse=True)
def nothing_left(whole_trails: None) -> object:
    """The made-up runs have no whole trails: they are gone before those are looked at."""
    yield
    forget()


def roll_all(*, portion: int = 5_000, patience: float = 30) -> int:
    """Until nothing is left, also what waits for the transactions of others to end; in how many commits."""
    rounds, deadline = 1, time.monotonic() + patience
    while roll(portion=portion) or (_uncounted() and time.monotonic() < deadline):
        rounds += 1
    return rounds


def _uncounted() -> bool:
    tables = ("store_transition", "store_event", "store_delivery", "store_deadletter", "store_attempt")
    some = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE stamp >= (SELECT upto FROM store_figuremark))" for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 WHERE {some}")
        return cursor.fetchone() is not None


def seen(hours: int, *, people: bool = False, workflow: object = None) -> Figures:
    end = now_ms()
    return api.figures(
        workspace_id=WORKSPACE,
        begin=end - hours * HOURS,
        end=end,
        people=people,
        workflow_id=workflow,  # type: ignore[arg-type]
    )


def assert_alike(figures: Figures, by_hand: dict[str, Recount], *, people: bool) -> None:
    """Every count is equal, every percentile within one per cent (and the half millisecond of rounding)."""
    pairs = [(figures.happened, figures.took, by_hand["all"])]
    pairs += [(one.happened, one.took, by_hand[one.workflow_id.hex]) for one in figures.workflows]
    assert len(pairs) == len(by_hand)
    for happened, took, other in pairs:
        assert {name: getattr(happened, name) for name in COUNTS} == {name: other.counts[name] for name in COUNTS}
        durations = other.durations if people else other.without_people
        assert took.count == len(durations)
        for share, told in ((0.5, took.p50), (0.95, took.p95), (0.99, took.p99)):
            exact = quantile(durations, share)
            assert told is not None
            assert abs(told - exact) <= 0.01 * exact + 0.5
    for name in COUNTS:
        assert sum(getattr(point.happened, name) for point in figures.points) == getattr(figures.happened, name)


@pytest.mark.parametrize("hours", [6, 30, 24 * 20])
def test_figures_are_what_a_recount_of_all_rows_finds_and_stay_when_the_rows_are_gone(hours: int) -> None:
    past, now = Past(), now_ms()
    past.happen(700, since=now - (hours - 1) * HOURS, until=now - 5 * MINUTE)
    assert roll_all(portion=100) > 3 or connection.vendor == "sqlite"
    before = {people: seen(hours, people=people) for people in (False, True)}
    for people, figures in before.items():
        assert_alike(figures, recount(figures.begin, figures.end), people=people)
    assert before[False].took.p95 != before[True].took.p95, "people were waited for"
    assert min(before[False].happened.duplicates, before[False].happened.undone, before[False].happened.letters) > 0

    forget()
    assert roll_all() == 1
    for people, figures in before.items():
        after = seen(hours, people=people)
        if (after.begin, after.end) == (figures.begin, figures.end):
            assert (after.happened, after.took, after.points) == (figures.happened, figures.took, figures.points)
            assert after.workflows == figures.workflows


def test_a_range_of_one_workflow_tells_of_that_one_alone() -> None:
    past, now = Past(workflows=3), now_ms()
    past.happen(200, since=now - 3 * HOURS, until=now - 5 * MINUTE)
    roll_all()
    chosen = past.versions[1].workflow_id
    figures = seen(4, workflow=chosen)
    by_hand = recount(figures.begin, figures.end)[chosen.hex]
    assert {name: getattr(figures.happened, name) for name in COUNTS} == {n: by_hand.counts[n] for n in COUNTS}
    assert [one.workflow_id for one in figures.workflows] == [chosen]
    assert sum(figures.workflows[0].trend) == figures.happened.ended


def test_the_last_hours_of_the_clock_say_what_began_and_failed_in_each() -> None:
    past, now = Past(), now_ms()
    past.happen(300, since=now - 30 * HOURS, until=now - 1)
    roll_all()
    hours = api.hours(workspace_id=WORKSPACE)
    assert len(hours) == 24
    assert all(one.end - one.begin == HOURS and one.begin % HOURS == 0 for one in hours)
    assert [one.begin for one in hours[1:]] == [one.end for one in hours[:-1]]
    assert hours[-1].begin <= now < hours[-1].end + HOURS, "the last one is under way"
    for one in hours:
        counts = recount(one.begin, one.end)["all"].counts
        assert (one.started, one.failed) == (counts["started"], counts["failed"])
    assert min(sum(one.started for one in hours), sum(one.failed for one in hours)) > 0
    assert {(one.started, one.failed) for one in api.hours(workspace_id=uuid4())} == {(0, 0)}


def test_the_range_before_is_told_beside_it() -> None:
    past, now = Past(), now_ms()
    past.happen(150, since=now - 11 * HOURS, until=now - 7 * HOURS)
    past.happen(80, since=now - 5 * HOURS, until=now - 5 * MINUTE)
    roll_all()
    figures = seen(6)
    before = recount(figures.before_begin, figures.begin)["all"]
    # As much of it as has passed of this one; nothing happened in the last minutes of either.
    assert {name: getattr(figures.before, name) for name in COUNTS} == {name: before.counts[name] for name in COUNTS}
    assert figures.took_before.count == len(before.durations)


@pytest.mark.parametrize("side", ["before", "after"])
def test_whatever_dies_around_the_commit_nothing_counts_twice_and_nothing_is_missed(side: str) -> None:
    past, now = Past(), now_ms()
    since = now - 5 * HOURS
    for _ in range(4):
        past.happen(60, since=since, until=now - 5 * MINUTE)
        failpoints.arm(f"figures.roll:{side}=raise@nth(1)")
        with pytest.raises(FailpointReached):
            roll_all(portion=20)
        failpoints.disarm()
    roll_all(portion=20)
    roll_all()
    figures = seen(6)
    assert_alike(figures, recount(figures.begin, figures.end), people=False)


def test_a_commit_that_comes_late_is_counted_once_it_comes() -> None:
    """Two writers at once, as PostgreSQL has them: the one that began first commits last."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    past, now = Past(workflows=1), now_ms()
    slow = open_link()
    slow.begin()
    run_id = past._accept(slow, past.versions[0], now - 2 * HOURS)
    past._go(slow, past.versions[0], run_id, now - 2 * HOURS, now)
    past.happen(30, since=now - 3 * HOURS, until=now - 5 * MINUTE)
    # What came meanwhile may wait for the one that is open.
    roll_all(patience=0)
    slow.commit()
    slow.close()
    past.happen(5, since=now - 3 * HOURS, until=now - 5 * MINUTE)
    roll_all()
    figures = seen(4)
    assert Event.objects.count() == 36
    assert_alike(figures, recount(figures.begin, figures.end), people=False)


def test_what_is_not_counted_yet_is_not_to_be_removed() -> None:
    past, now = Past(), now_ms()
    past.happen(40, since=now - 3 * HOURS, until=now - 5 * MINUTE)
    assert Event.objects.filter(counted()).count() == 0
    roll_all()
    assert Event.objects.filter(counted()).count() == 40
    past.happen(3, since=now - 3 * HOURS, until=now - 5 * MINUTE)
    assert Event.objects.filter(counted()).count() == 40


def test_an_idle_system_writes_nothing() -> None:
    Past().happen(10, since=now_ms() - HOURS, until=now_ms())
    roll_all()
    mark = FigureMark.objects.get()
    failpoints.arm("figures.roll:before=raise")
    assert not roll()
    assert FigureMark.objects.get() == mark


def test_a_backup_restored_into_another_server_counts_on() -> None:
    """Whose transactions have lower numbers than the stamps that came with the backup."""
    past, now = Past(), now_ms()
    past.happen(40, since=now - 3 * HOURS, until=now - 5 * MINUTE)
    roll_all()
    if connection.vendor == "postgresql":
        far = 10_000_000
        FigureMark.objects.update(upto=far)
        Event.objects.update(stamp=far - 1)
    follow_transactions()
    past.happen(25, since=now - 3 * HOURS, until=now - 5 * MINUTE)
    roll_all()
    figures = seen(4)
    assert_alike(figures, recount(figures.begin, figures.end), people=False)


def test_sketches_are_within_one_per_cent_and_merge_exactly() -> None:
    one, other, both = Sketch(), Sketch(), Sketch()
    values = [round(1.07**power) for power in range(350)] + [0, 1, 2, 3]
    for number, value in enumerate(values):
        (one if number % 2 else other).add(value)
        both.add(value)
    one.merge(Sketch(other.text()))
    assert one.counts == both.counts
    for share in (0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 1.0):
        exact = quantile(values, share)
        (told,) = both.quantiles([share])
        assert told is not None
        assert abs(told - exact) <= 0.01 * exact + 0.5
    assert Sketch().quantiles([0.5]) == [None]
    assert both.at_most(10**30) == len(values)


def test_minutes_of_long_ago_are_told_by_their_hours() -> None:
    past, now = Past(), now_ms()
    long_ago = now - 100 * 24 * HOURS
    past.happen(120, since=long_ago, until=long_ago + 40 * HOURS)
    roll_all()
    assert remove_old() > 0
    assert not Figure.objects.filter(level=60, at__lt=now - HOURS).exists()
    figures = api.figures(workspace_id=WORKSPACE, begin=long_ago - HOURS, end=long_ago + 80 * HOURS)
    by_hand = recount(figures.begin, figures.end)["all"]
    assert {name: getattr(figures.happened, name) for name in COUNTS if name != "letters"} == {
        name: by_hand.counts[name] for name in COUNTS if name != "letters"
    }
    assert figures.took.count == len(by_hand.durations)

"""How often a rule would have told in the last seven days, by the figures of that time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from runtime import api
from runtime.contracts.alerts import AlertPast, AlertRuleDraft, Arrival
from runtime.store import alert_past
from runtime.store.figure_models import WHOLE
from runtime.store.figure_rows import HOUR, MINUTE
from runtime.store.models import Figure, StandingFigure, SystemFigure
from runtime.store.sketch import Sketch
from tests.runtime.rows import WORKFLOW, WORKSPACE

pytestmark = pytest.mark.django_db

#: Wednesday, 25 November 2026, 12:00 UTC.
NOW = 1_795_608_000_000
DAY_MS, MINUTE_MS = 86_400_000, 60_000
RULE = AlertRuleDraft(kind="failed_runs", channels=(), limit=2, minutes=10)


def count(ago_ms: int, **counts: int) -> None:
    """So much, in the minute and the hour so long ago, of one workflow and of all."""
    for level in (MINUTE, HOUR):
        for whose in (WORKFLOW, WHOLE):
            at = (NOW - ago_ms) // (level * 1000) * level * 1000
            row, _ = Figure.objects.get_or_create(workspace_id=WORKSPACE, level=level, workflow_id=whose, at=at)
            Figure.objects.filter(pk=row.pk).update(**{name: getattr(row, name) + one for name, one in counts.items()})


def past(rule: AlertRuleDraft = RULE, **more: Any) -> AlertPast:
    found = alert_past.past(WORKSPACE, replace(rule, **more), NOW)
    assert found is not None
    return found


def test_it_is_told_once_for_each_time_that_it_begins_by_day() -> None:
    for ago in (3 * DAY_MS, 3 * DAY_MS - 2 * MINUTE_MS, 3 * DAY_MS - 60 * MINUTE_MS, DAY_MS):
        count(ago, failed=3)
    assert past() == AlertPast(
        ("2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24", "2026-11-25"),
        (0, 0, 0, 2, 0, 1, 0),
    )


def test_what_adds_up_within_the_time_that_is_looked_at_counts_together() -> None:
    for minutes in (0, 4, 9):
        count(DAY_MS + minutes * MINUTE_MS, failed=1)
    assert past().counts == (0, 0, 0, 0, 0, 1, 0)
    assert past(minutes=5).counts == (0,) * 7
    assert past(limit=3).counts == (0,) * 7


def test_long_times_are_told_from_hours() -> None:
    for hours in (0, 2, 4):
        count(2 * DAY_MS + hours * 3_600_000, failed=1)
    Figure.objects.filter(level=MINUTE).delete()
    assert past(minutes=360).counts == (0, 0, 0, 0, 1, 0, 0)


def test_a_rate_of_few_says_nothing() -> None:
    count(DAY_MS, failed=4, completed=4)
    assert past(kind="failure_rate", limit=10, least=9).counts == (0,) * 7
    assert past(kind="failure_rate", limit=10, least=8).counts == (0, 0, 0, 0, 0, 1, 0)
    count(2 * DAY_MS, duplicates=1, conflicts=1, received=8)
    assert past(kind="duplicate_rate", limit=19).counts == (0, 0, 0, 0, 1, 0, 0)
    assert past(kind="duplicate_rate", limit=21).counts == (0,) * 7


def test_times_are_told_from_sketches_and_those_gone_by_no_longer_count() -> None:
    slow, fast = Sketch(), Sketch()
    slow.add(90_000, 20)
    fast.add(1_000, 400)
    for ago, sketch in ((DAY_MS, slow), (DAY_MS - 30 * MINUTE_MS, fast), (DAY_MS - 60 * MINUTE_MS, slow)):
        at = (NOW - ago) // MINUTE_MS * MINUTE_MS
        Figure.objects.create(workspace_id=WORKSPACE, level=MINUTE, workflow_id=WHOLE, at=at, took=sketch.text())
    assert past(kind="p95", limit=60).counts == (0, 0, 0, 0, 0, 2, 0)
    assert past(kind="p95", limit=60, least=21).counts == (0,) * 7, "of few nothing is said"
    assert past(kind="p95", limit=91).counts == (0,) * 7


def test_connections_and_the_queue_have_figures_of_their_own() -> None:
    mine, other = uuid4(), uuid4()
    for whose, errors in ((mine, 3), (other, 9)):
        at = NOW - DAY_MS
        SystemFigure.objects.create(workspace_id=WORKSPACE, level=MINUTE, at=at, system=whose.hex, errors=errors)
    assert past(kind="connection_errors", limit=5, connection_id=mine).counts == (0,) * 7
    assert past(kind="connection_errors", limit=5).counts == (0, 0, 0, 0, 0, 1, 0)
    for minutes in (0, 1, 9):
        at = NOW - 2 * DAY_MS + minutes * MINUTE_MS
        StandingFigure.objects.create(workspace_id=WORKSPACE, level=MINUTE, at=at, queue=1, oldest_ms=61_000)
    assert past(kind="queue_age", limit=60).counts == (0, 0, 0, 0, 2, 0, 0), "two minutes on end are one"


def test_what_had_not_come_by_then_is_missed_on_the_days_that_count() -> None:
    rule = replace(RULE, kind="arrival", workflow_id=WORKFLOW, arrival=Arrival("09:00", "mon_fri"))
    count(3 * 3_600_000 + DAY_MS + MINUTE_MS, received=1)
    count(DAY_MS * 2, received=1)
    # Tuesday 08:59 it came, Monday only at noon, today not at all; at the weekend nothing is expected.
    assert past(rule).counts == (1, 1, 0, 0, 1, 0, 1)


def test_what_was_so_when_the_first_day_began_counts_for_it() -> None:
    count(6 * DAY_MS + 12 * 3_600_000 + MINUTE_MS, failed=3)
    assert past().counts == (1, 0, 0, 0, 0, 0, 0)


def test_other_workflows_and_other_workspaces_are_not_told_of() -> None:
    count(DAY_MS, failed=3)
    assert past(workflow_id=uuid4()).counts == (0,) * 7
    assert alert_past.past(uuid4(), RULE, NOW) == AlertPast(past().days, (0,) * 7)


@pytest.mark.parametrize("kind", ["stuck_runs", "no_workers"])
def test_of_what_no_figures_are_kept_nothing_is_said(kind: Any) -> None:
    assert api.alert_past(workspace_id=WORKSPACE, draft=replace(RULE, kind=kind)) is None

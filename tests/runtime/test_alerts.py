"""Rules are told by figures, each change once (I46); what should have come is missed once a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts.alerts import AlertRuleDraft, Arrival, QuietHours
from runtime.contracts.refusals import NotFound, RuntimeRefused
from runtime.ports import PORTS
from runtime.store import alert_measures as measures
from runtime.store import alerts, failpoints
from runtime.store.failpoints import FailpointReached
from runtime.store.models import AlertEpisode, AlertMessage, AlertRule, Event, Process, StandingFigure, SystemFigure
from runtime.store.sketch import Sketch
from tests.runtime import alerting
from tests.runtime.alerting import channel, happen, is_active, messages, rule, watch
from tests.runtime.rows import WORKFLOW, WORKSPACE, a_webhook, now_ms
from tests.runtime.town import Town, town

pytestmark = pytest.mark.usefixtures("transactional_db")

BERLIN = "Europe/Berlin"
MINUTE = 60_000


@pytest.fixture(autouse=True)
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = town()
    monkeypatch.setattr(PORTS, "people", made)
    monkeypatch.setattr(PORTS, "names", alerting.Called())
    return made


def ended_by() -> list[str | None]:
    return list(AlertEpisode.objects.order_by("id").values_list("ended_by", flat=True))


def test_a_rule_tells_once_when_it_begins_and_once_when_it_is_over() -> None:
    made, looking = rule(workflow_id=WORKFLOW, least=10), watch()
    happen(completed=95, failed=5)
    assert looking.look() == 0, "five per cent are not over five"
    happen(failed=1)
    assert [looking.look() for _ in range(3)] == [1, 0, 0]
    happen(failed=20)
    assert watch().look() == 0, "another process does not begin it again"
    assert is_active(made)
    alerting.forget_figures()
    assert [looking.look() for _ in range(3)] == [1, 0, 0]
    assert not is_active(made)
    assert [(one.kind, one.target) for one in messages()] == [
        ("alert", "ines@example.com"), ("recovered", "ines@example.com"),
    ]  # fmt: skip
    assert ended_by() == ["recovered"]


def test_a_rate_of_few_runs_says_nothing() -> None:
    rule(workflow_id=WORKFLOW, least=10)
    happen(failed=9)
    assert watch().look() == 0
    happen(failed=1)
    assert watch().look() == 1


def test_what_happened_before_the_time_that_is_looked_at_does_not_count() -> None:
    rule("failed_runs", workflow_id=WORKFLOW, limit=0, minutes=10)
    happen(failed=3, ago_ms=12 * MINUTE)
    assert watch().look() == 0
    happen(failed=1, ago_ms=8 * MINUTE)
    assert watch().look() == 1


def test_another_workflow_is_not_told_of_and_all_of_them_are_together() -> None:
    other = alerting.an_id()
    one, whole = rule("failed_runs", limit=2, workflow_id=WORKFLOW), rule("failed_runs", channel("All"), limit=2)
    happen(failed=3, workflow_id=other)
    assert watch().look() == 1
    assert [is_active(one), is_active(whole)] == [False, True]


def test_up_and_down_around_the_limit_is_one_alert() -> None:
    made, looking = rule("failed_runs", limit=0), watch(calm_ms=10 * MINUTE)
    happen(failed=1)
    assert looking.look() == 1
    alerting.forget_figures()
    assert looking.look() == 0
    happen(failed=1)
    assert looking.look() == 0
    assert is_active(made)
    assert len(messages()) == 1


def sums(**more: Any) -> tuple[float | None, bool]:
    draft = AlertRuleDraft(**{"channels": (), "limit": 0, "least": 1, **more})
    found = measures.measure(WORKSPACE, draft, now_ms(), since=now_ms() - 3_600_000)
    return found.value, found.over


def test_each_kind_is_measured_by_what_the_monitor_shows() -> None:
    happen(received=90, duplicates=6, conflicts=4, letters=2, completed=1)
    assert sums(kind="duplicate_rate", limit=9.9) == (10.0, True)
    assert sums(kind="dead_letters", limit=1) == (2.0, True)
    erp = alerting.an_id()
    for level in (60, 3_600):
        SystemFigure.objects.create(
            workspace_id=WORKSPACE, level=level, at=now_ms() - now_ms() % (level * 1000), system=erp.hex, errors=4
        )
    assert sums(kind="connection_errors", connection_id=erp, limit=3) == (4.0, True)
    assert sums(kind="connection_errors", connection_id=alerting.an_id()) == (0.0, False)
    assert sums(kind="connection_errors", minutes=24 * 60) == (4.0, True)
    assert sums(kind="queue_age", limit=60) == (0.0, False)
    minute = now_ms() - now_ms() % MINUTE
    StandingFigure.objects.create(workspace_id=WORKSPACE, level=60, at=minute, queue=3, oldest_ms=61_000)
    assert sums(kind="queue_age", limit=60) == (61.0, True)
    assert sums(kind="stuck_runs") == (0.0, False)


def test_the_95th_of_a_hundred_is_told_from_the_sketch() -> None:
    sketch = Sketch()
    for seconds in range(1, 101):
        sketch.add(seconds * 1000)
    happen(completed=100)
    from runtime.store.models import Figure

    Figure.objects.filter(workflow_id=WORKFLOW).update(took=sketch.text())
    value, over = sums(kind="p95", workflow_id=WORKFLOW, limit=90)
    assert value == pytest.approx(95, rel=0.02)
    assert over
    assert sums(kind="p95", workflow_id=WORKFLOW, limit=99, least=100)[1] is False
    assert sums(kind="p95", workflow_id=WORKFLOW, least=101) == (None, False)


def a_process(kind: str, *, seen_ago_ms: int = 0, stopped: bool = False) -> None:
    seen = now_ms() - seen_ago_ms
    Process.objects.create(
        boot_id=f"{kind}-{alerting.an_id()}", kind=kind, host="h", pid=1, engine=1, started_at=seen - 1, seen_at=seen,
        stopped_at=seen if stopped else None,
    )  # fmt: skip


def test_that_no_worker_is_alive_is_said_when_it_has_been_so_for_long_enough() -> None:
    a_process("ticker")
    a_process("worker", seen_ago_ms=4 * MINUTE, stopped=True)
    assert sums(kind="no_workers", minutes=5) == (0.0, False)
    assert sums(kind="no_workers", minutes=3) == (0.0, True)
    made = rule("no_workers", minutes=3)
    assert watch(grace_ms=MINUTE).look() == 0, "where everything starts at once, workers may come last"
    assert watch().look() == 1
    a_process("worker")
    assert sums(kind="no_workers", minutes=3) == (1.0, False)
    assert watch().look() == 1
    assert not is_active(made)


def test_a_death_before_the_commit_tells_nobody_and_one_behind_it_forgets_nobody() -> None:
    made = rule("failed_runs", limit=0)
    happen(failed=1)
    failpoints.arm("alert.change:before=raise@nth(1)")
    with pytest.raises(FailpointReached):
        watch().look()
    assert (is_active(made), messages()) == (False, [])
    failpoints.arm("alert.change:after=raise@nth(1)")
    with pytest.raises(FailpointReached):
        watch().look()
    failpoints.disarm()
    assert watch().look() == 0
    assert (is_active(made), len(messages())) == (True, 1)


def test_a_rule_that_is_changed_or_switched_off_begins_anew() -> None:
    made = rule("failed_runs", limit=0, workflow_id=WORKFLOW)
    happen(failed=1)
    watch().look()
    draft = api.alert_rule(workspace_id=WORKSPACE, rule_id=made).draft

    def change(**more: Any) -> None:
        known: dict[str, Any] = {name: getattr(draft, name) for name in draft.__slots__}
        api.change_alert_rule(workspace_id=WORKSPACE, rule_id=made, draft=AlertRuleDraft(**{**known, **more}))

    change(urgent=True)
    assert is_active(made), "whom it tells and when changes nothing of what is watched"
    change(limit=5.0)
    assert not is_active(made)
    change(limit=0.0)
    assert watch().look() == 1
    change(enabled=False)
    assert watch().look() == 0
    assert ended_by() == ["changed", "off"]
    api.remove_alert_rule(workspace_id=WORKSPACE, rule_id=made)
    assert len(api.alert_episodes(workspace_id=WORKSPACE)) == 2, "what came of it stays"


def test_a_channel_is_known_by_one_name_and_kept_while_a_rule_has_no_other() -> None:
    ops, finance = channel("Ops"), channel("Finance")
    with pytest.raises(RuntimeRefused, match="has this name"):
        channel("Ops")
    made = rule("failed_runs", ops, finance)
    api.remove_alert_channel(workspace_id=WORKSPACE, channel_id=ops)
    assert api.alert_rule(workspace_id=WORKSPACE, rule_id=made).draft.channels == (finance,)
    with pytest.raises(RuntimeRefused, match="alone"):
        api.remove_alert_channel(workspace_id=WORKSPACE, channel_id=finance)
    with pytest.raises(NotFound):
        rule("failed_runs", ops)
    with pytest.raises(NotFound):
        api.alert_rule(workspace_id=alerting.an_id(), rule_id=made)


def test_a_rule_that_cannot_be_looked_at_holds_up_no_other() -> None:
    ops = channel()
    odd, made = rule("failed_runs", ops, limit=0), rule("failed_runs", ops, limit=0)
    AlertRule.objects.filter(pk=odd).update(kind="arrival", arrival='{"by": "when it suits"}')
    happen(failed=1)
    assert watch().look() == 1
    assert is_active(made)


def test_a_workspace_whose_counts_cannot_be_read_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    made = rule("failed_runs", limit=0)
    odd = api.add_alert_rule(
        workspace_id=alerting.an_id(), draft=AlertRuleDraft(kind="failed_runs", channels=(), limit=0), by=None
    )
    # A workspace's place among the others is that of its first rule.
    AlertRule.objects.filter(pk=odd).update(id=UUID(int=1))
    read = measures.counts

    def counts(workspace_id: UUID, *more: Any) -> Any:
        if workspace_id != WORKSPACE:
            raise ValueError("No such figure.")
        return read(workspace_id, *more)

    monkeypatch.setattr(measures, "counts", counts)
    happen(failed=1)
    assert watch().look() == 1
    assert is_active(made)


# --- what should have come --------------------------------------------------------------------------------------------


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def expected(now: str, **more: Any) -> str | None:
    found = measures.expected(WORKSPACE, Arrival(**{"by": "09:00", **more}), BERLIN, at(now))
    return None if found is None else datetime.fromtimestamp(found / 1000, UTC).isoformat()


@pytest.mark.parametrize(
    ("now", "more", "last"),
    [
        ("2026-11-27T08:00:00+00:00", {}, "2026-11-27T08:00:00+00:00"),
        ("2026-11-27T07:59:59+00:00", {}, "2026-11-26T08:00:00+00:00"),
        ("2026-11-29T12:00:00+00:00", {}, "2026-11-27T08:00:00+00:00"),
        ("2026-11-29T12:00:00+00:00", {"days": "every"}, "2026-11-29T08:00:00+00:00"),
        ("2026-11-29T12:00:00+00:00", {"days": "tue"}, "2026-11-24T08:00:00+00:00"),
        # Summer time: the same clock, another hour of the world.
        ("2026-07-01T12:00:00+00:00", {}, "2026-07-01T07:00:00+00:00"),
        # The third of October is a holiday in Germany, and a Saturday; the first of May is one, and a Friday.
        ("2026-05-01T12:00:00+00:00", {"country": "DE"}, "2026-04-30T07:00:00+00:00"),
        ("2026-05-01T12:00:00+00:00", {}, "2026-05-01T07:00:00+00:00"),
        ("2026-12-24T12:00:00+00:00", {"free": ("12-24",)}, "2026-12-23T08:00:00+00:00"),
    ],
)
def test_what_is_expected_follows_the_calendar_and_the_clock_of_the_place(
    now: str, more: dict[str, Any], last: str
) -> None:
    assert expected(now, **more) == last


def an_hour_ago() -> str:
    """A clock of today that has passed, in UTC; early in the day midnight."""
    now = datetime.now(UTC)
    return max(now - timedelta(hours=1), now.replace(hour=0, minute=0)).strftime("%H:%M")


def arrival(workflow_id: UUID, **more: Any) -> UUID:
    wanted = Arrival(by=an_hour_ago(), days="every")
    made = rule("arrival", arrival=wanted, workflow_id=workflow_id, time_zone="UTC", **more)
    AlertRule.objects.filter(pk=made).update(changed_at=now_ms() - 3 * 86_400_000)
    return made


def test_that_nothing_came_is_told_once_and_that_it_came_after_all() -> None:
    trigger = a_webhook()
    made, looking = arrival(trigger.workflow_id), watch()
    assert [looking.look() for _ in range(3)] == [1, 0, 0]
    assert is_active(made)
    happen(received=1, workflow_id=trigger.workflow_id)
    assert [looking.look() for _ in range(3)] == [1, 0, 0]
    assert [one.kind for one in messages()] == ["alert", "recovered"]


def test_what_has_come_is_not_missed_though_the_figures_do_not_know_it_yet() -> None:
    trigger = a_webhook()
    made = arrival(trigger.workflow_id)
    Event.objects.create(
        workspace_id=WORKSPACE, workflow_id=trigger.workflow_id, trigger_id=trigger.id, source="webhook",
        received_at=now_ms(), body=b"", body_sha256="0" * 64, verdict="accepted",
    )  # fmt: skip
    assert watch().look() == 0
    assert not is_active(made)
    assert AlertRule.objects.get(pk=made).judged_at > 0, "that moment is judged"


def test_a_rule_that_is_new_does_not_ask_for_what_was_due_before_it() -> None:
    made = arrival(a_webhook().workflow_id)
    AlertRule.objects.filter(pk=made).update(changed_at=now_ms())
    assert watch().look() == 0


def test_what_does_not_come_the_next_day_either_is_another_alert() -> None:
    trigger = a_webhook()
    made = arrival(trigger.workflow_id)
    watch().look()
    AlertRule.objects.filter(pk=made).update(judged_at=now_ms() - 86_400_000)
    assert watch().look() == 1
    assert ended_by() == ["again", None]
    assert [one.kind for one in messages()] == ["alert", "alert"]


def test_a_workflow_that_never_went_live_is_not_waited_for() -> None:
    arrival(alerting.an_id())
    assert watch().look() == 0


# --- when it goes out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-27T21:59:00+01:00", "2026-11-27T21:59:00+01:00"),
        ("2026-11-26T22:00:00+01:00", "2026-11-27T07:00:00+01:00"),
        ("2026-11-27T06:59:00+01:00", "2026-11-27T07:00:00+01:00"),
        # From Friday night over the weekend until Monday morning.
        ("2026-11-27T23:00:00+01:00", "2026-11-30T07:00:00+01:00"),
        ("2026-11-28T12:00:00+01:00", "2026-11-30T07:00:00+01:00"),
    ],
)
def test_quiet_hours_end_where_the_clock_of_the_place_says(now: str, until: str) -> None:
    quiet = QuietHours("22:00", "07:00", weekends=True)
    assert alerts.loud(quiet, BERLIN, at(now)) == at(until)


def test_in_quiet_hours_only_what_is_urgent_goes_out() -> None:
    # Quiet all day long, but for a minute that has just passed.
    now = datetime.now(UTC)
    quiet = QuietHours(now.strftime("%H:%M"), (now - timedelta(minutes=1)).strftime("%H:%M"))
    night = channel("Night", quiet=quiet)
    rule("failed_runs", night, limit=0)
    rule("failed_runs", night, limit=0, urgent=True)
    happen(failed=1)
    assert watch().look() == 2
    held, urgent = (one.due_at - one.created_at for one in messages() if one.due_at is not None)
    assert held > 3_600_000
    assert urgent == alerts.GATHER_MS


def test_what_follows_soon_is_gathered_into_one_slot() -> None:
    ops = channel()
    for _ in range(4):
        rule("failed_runs", ops, limit=0)
    happen(failed=1)
    assert watch().look() == 4
    (first,) = {one.due_at for one in messages()}
    assert first is not None
    assert first <= now_ms() + alerts.GATHER_MS, "what happens at one moment is one message"
    AlertMessage.objects.update(slot_at=now_ms() - 10_000)
    for _ in range(2):
        rule("failed_runs", ops, limit=0)
        assert watch().look() == 1
    (later,) = {one.slot_at for one in messages()[4:]}
    assert later == messages()[0].slot_at + alerts.DIGEST_MS
    AlertMessage.objects.update(slot_at=now_ms() - alerts.DIGEST_MS - 10_000)
    rule("failed_runs", ops, limit=0)
    watch().look()
    assert messages()[-1].slot_at <= now_ms() + alerts.GATHER_MS, "a storm that is over holds nothing up"


def test_whoever_is_in_two_channels_is_told_once_by_the_one_that_may_write_first() -> None:
    now = datetime.now(UTC)
    quiet = QuietHours(now.strftime("%H:%M"), (now - timedelta(minutes=1)).strftime("%H:%M"))
    rule("failed_runs", channel("Night", quiet=quiet), channel("Day"), limit=0)
    happen(failed=1)
    assert watch().look() == 1
    (one,) = messages()
    assert one.due_at == one.created_at + alerts.GATHER_MS

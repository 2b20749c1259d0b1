"""Groups of dead letters that nobody is told of for now: they come and are counted, and no alert goes by them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runtime import api
from runtime.contracts.alerts import AlertKind, AlertMeasure, AlertRuleDraft
from runtime.engine.ids import uuid7
from runtime.ports import PORTS, Post
from runtime.store import alert_measures, alerts
from runtime.store.letter_groups import Asked, muted_letters
from runtime.store.models import DeadLetter, Figure, LetterGroup
from runtime.worker import alert_words
from tests.runtime import alerting
from tests.runtime.alerting import channel, deliver, is_active, messages, rule, watch
from tests.runtime.machine import WORKSPACE, Machine, flow, step
from tests.runtime.rows import now_ms
from tests.runtime.test_figures import roll_all
from tests.runtime.test_own_runs import each, inside
from tests.runtime.town import town


@pytest.fixture(autouse=True)
def folk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PORTS, "people", town())
    monkeypatch.setattr(PORTS, "names", alerting.Called())
    monkeypatch.setattr(PORTS, "post", Post("mail.example.com", 25, "none", "Millrace <no-reply@example.com>"))
    monkeypatch.setattr(alerts, "GATHER_MS", 0)


def failing(machine: Machine, message: str) -> UUID:
    return machine.publish(flow("start -> stop", step("stop", "flow.fail@1", {"message": message})))


def fail(machine: Machine, workflow: UUID, count: int = 1) -> str:
    """So many runs of it fail; their cause."""
    for _ in range(count):
        machine.finish(machine.begin_again(workflow, {}))
    roll_all()
    return DeadLetter.objects.filter(workflow_id=workflow).values_list("cause", flat=True)[0]


def measured(kind: str, **more: Any) -> AlertMeasure:
    draft = AlertRuleDraft(**{"kind": kind, "channels": (), "limit": 0, "least": 1, "minutes": 30, **more})
    return alert_measures.measure(WORKSPACE, draft, now_ms())


def mute(cause: str, days: Any = None) -> None:
    api.mute_letters(workspace_id=WORKSPACE, cause=cause, days=days, by=uuid7())


def test_alerts_do_not_count_the_letters_of_a_muted_group_and_figures_do(machine: Machine) -> None:
    noisy, other = fail(machine, failing(machine, "Noisy."), 3), fail(machine, failing(machine, "Other."))
    assert measured("dead_letters") == AlertMeasure(4.0, True)
    mute(noisy)
    assert measured("dead_letters") == AlertMeasure(1.0, True, muted=3)
    assert measured("failed_runs") == AlertMeasure(1.0, True, muted=3)
    assert measured("failure_rate") == AlertMeasure(100.0, True, 1, 1, 3)
    mute(other, 7)
    assert measured("dead_letters") == AlertMeasure(0.0, False, muted=4)
    assert measured("failure_rate") == AlertMeasure(None, False, 0, 0, 4), "a rate of nothing is none"
    assert sum(Figure.objects.filter(level=60).values_list("letters", flat=True)) == 2 * 4, (
        "of its workflow, and of all"
    )
    assert api.dead_letter_count(workspace_id=WORKSPACE) == 4
    assert {group.cause for group in api.dead_letter_groups(workspace_id=WORKSPACE)} == {noisy, other}


def test_of_one_workflow_only_its_own_muted_letters_are_left_out(machine: Machine) -> None:
    noisy = fail(machine, failing(machine, "Noisy."), 2)
    fail(machine, failing(machine, "Other."))
    workflows = {one.cause: one.workflow_id for one in api.dead_letter_groups(workspace_id=WORKSPACE)}
    mute(noisy)
    assert measured("dead_letters", workflow_id=workflows.pop(noisy)) == AlertMeasure(0.0, False, muted=2)
    (other,) = workflows.values()
    assert measured("dead_letters", workflow_id=other) == AlertMeasure(1.0, True)


def test_nobody_is_told_while_it_is_muted_and_somebody_is_when_it_is_not(machine: Machine) -> None:
    fails = failing(machine, "Noisy.")
    noisy = fail(machine, fails)
    mute(noisy, 1)
    made, looking = rule("dead_letters", limit=0, minutes=30), watch()
    fail(machine, fails, 2)
    assert looking.look() == 0
    assert messages() == []
    api.unmute_letters(workspace_id=WORKSPACE, cause=noisy)
    assert looking.look() == 1
    assert is_active(made)


def test_a_mute_that_is_over_is_one_no_more(machine: Machine) -> None:
    noisy = fail(machine, failing(machine, "Noisy."))
    mute(noisy, 1)
    assert measured("dead_letters").muted == 1
    assert api.muted_groups(workspace_id=WORKSPACE) == {noisy}
    LetterGroup.objects.update(muted_until=now_ms() - 1)
    assert measured("dead_letters") == AlertMeasure(1.0, True)
    assert api.muted_groups(workspace_id=WORKSPACE) == frozenset()


def test_a_message_says_how_many_were_left_out(machine: Machine) -> None:
    noisy = fail(machine, failing(machine, "Noisy."), 3)
    fail(machine, failing(machine, "Other."))
    mute(noisy)
    rule("dead_letters", limit=0, minutes=30)
    assert watch().look() == 1
    doors = alerting.Doors()
    deliver(doors)
    (mail,) = doors.mails
    text = mail.get_content() if not mail.is_multipart() else str(mail.get_body(("plain",)))
    assert "1 new dead letters in 30 minutes (limit 0); 3 more of muted groups not counted" in " ".join(text.split())
    facts: Any = {
        "rule": {"kind": "dead_letters", "limit": 0, "minutes": 30},
        "measure": {"value": 1, "muted": 3},
        "at": 0,
    }
    assert "; 3 weitere aus stummen Gruppen nicht gezählt" in alert_words.line("alert", facts, "de", "UTC")
    facts["measure"].pop("muted")
    assert "stummen" not in alert_words.line("alert", facts, "de", "UTC"), "as it was written before there was this"


def test_an_item_of_a_list_is_a_letter_and_no_failed_run(machine: Machine) -> None:
    stops = step("stop", "flow.fail@1", {"message": "No."})
    machine.finish(machine.begin(flow("start -> each", each([1, 2]), *inside("each", stops))))
    roll_all()
    letters = DeadLetter.objects.values_list("cause", flat=True)
    before = measured("failed_runs")
    for cause in set(letters.filter(run__parent_run_id__isnull=False)):
        mute(cause)
    assert measured("dead_letters").muted == letters.filter(run__parent_run_id__isnull=False).count()
    assert measured("failed_runs") == before


def test_a_letter_that_is_not_in_the_figures_yet_is_not_taken_off_them(machine: Machine) -> None:
    fails = failing(machine, "Noisy.")
    mute(fail(machine, fails))
    fail(machine, failing(machine, "Other."), 2)
    machine.finish(machine.begin_again(fails, {}))
    assert measured("dead_letters") == AlertMeasure(2.0, True, muted=1)


def test_the_muted_letters_of_all_rules_are_counted_by_one_query(machine: Machine) -> None:
    noisy, other = fail(machine, failing(machine, "Noisy."), 3), fail(machine, failing(machine, "Other."))
    workflows = {one.cause: one.workflow_id for one in api.dead_letter_groups(workspace_id=WORKSPACE)}
    mute(noisy)
    cases: list[tuple[AlertKind, dict[str, Any]]] = [
        ("dead_letters", {}), ("failed_runs", {}), ("failure_rate", {"least": 1}),
        ("dead_letters", {"workflow_id": workflows[noisy]}), ("dead_letters", {"workflow_id": workflows[other]}),
        ("failed_runs", {"minutes": 600}), ("queue_age", {}),
    ]  # fmt: skip
    for number, (kind, more) in enumerate(cases):
        rule(kind, channel(f"Channel {number}"), limit=99, **{"minutes": 30, **more})
    looking = watch()
    with CaptureQueriesContext(connection) as asked:
        looking.look()
    counted = [one["sql"] for one in asked if DeadLetter._meta.db_table in one["sql"] and "COUNT" in one["sql"]]
    assert len(counted) == 1, counted
    with CaptureQueriesContext(connection) as asked:
        rules = api.alert_rules(workspace_id=WORKSPACE)
    assert len([one for one in asked if DeadLetter._meta.db_table in one["sql"]]) == 1
    assert [one.measure.muted for one in rules] == [3, 3, 3, 3, 0, 3, 0]
    assert [one.measure.value for one in rules[:6]] == [1.0, 1.0, 100.0, 0.0, 1.0, 1.0]


def test_letters_of_before_the_time_that_a_rule_looks_at_are_left_out_by_none(machine: Machine) -> None:
    noisy = fail(machine, failing(machine, "Noisy."), 2)
    mute(noisy)
    DeadLetter.objects.filter(cause=noisy).update(at=now_ms() - 3 * 3_600_000)
    asked = {minutes: Asked(now_ms() - minutes * 60_000) for minutes in (30, 600)}
    found = muted_letters(WORKSPACE, asked.values(), now_ms())
    assert {minutes: found[one] for minutes, one in asked.items()} == {30: 0, 600: 2}

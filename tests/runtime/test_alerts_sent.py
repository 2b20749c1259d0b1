"""Alerts go out by mail and to chats: at least once, under one name, many as one, and without their secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from runtime import api
from runtime.ports import PORTS, Post
from runtime.store import alerts, failpoints
from runtime.store.failpoints import FailpointReached
from runtime.store.models import AlertMessage
from tests.runtime import alerting
from tests.runtime.alerting import Doors, OneHook, channel, deliver, due_now, happen, messages, rule, watch
from tests.runtime.rows import WORKFLOW, WORKSPACE
from tests.runtime.town import Town, town

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(autouse=True)
def folk(monkeypatch: pytest.MonkeyPatch) -> Town:
    made = town()
    monkeypatch.setattr(PORTS, "people", made)
    monkeypatch.setattr(PORTS, "names", alerting.Called())
    monkeypatch.setattr(alerts, "GATHER_MS", 0)
    monkeypatch.setattr(PORTS, "public_url", "https://millrace.example.com")
    monkeypatch.setattr(PORTS, "post", Post("mail.example.com", 25, "none", "Millrace <no-reply@example.com>"))
    return made


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> OneHook:
    made = OneHook()
    monkeypatch.setattr(PORTS, "vault", made)
    return made


def fail(**more: Any) -> None:
    happen(completed=63, failed=9)
    assert watch().look() >= 1


def test_people_get_a_mail_in_their_language(folk: Town) -> None:
    folk.languages["omar"] = "de"
    rule("failure_rate", channel("Finance", "Finance"), workflow_id=WORKFLOW)
    fail()
    doors = Doors()
    deliver(doors)
    english, german = sorted(doors.mails, key=lambda one: str(one["To"]))
    assert english["Subject"] == ("Alert: Supplier invoices: 12.5 % of runs failed (9 of 72 in 10 minutes; limit 5 %)")
    assert german["Subject"].startswith("Alarm: Supplier invoices: 12,5 % der Läufe sind gescheitert (9 von 72")
    text = english.get_content()
    assert "https://millrace.example.com/monitor/alerts?tab=history" in text
    assert "“Northwind”" in text
    assert {one.status for one in messages()} == {"sent"}
    assert deliver(doors) == 0


def test_a_storm_is_one_message_at_once_and_one_for_all_that_follows() -> None:
    ops = channel()
    for limit in range(40):
        rule("failed_runs", ops, limit=limit / 10)
    fail()
    doors = Doors()
    deliver(doors, rounds=3)
    (mail,) = doors.mails
    assert mail["Subject"] == "40 alerts · Northwind"
    text = mail.get_content()
    assert text.count("9 failed runs") == 30
    assert "and 10 more, which stand on the page" in text
    for _ in range(3):
        rule("failed_runs", ops, limit=0)
        assert watch().look() == 1
    assert deliver(doors) == 0, "they wait for each other"
    due_now()
    deliver(doors, rounds=3)
    assert [one["Subject"] for one in doors.mails[1:]] == ["3 alerts · Northwind"]


def test_a_death_between_sending_and_noting_sends_the_same_again_under_the_same_name(hook: OneHook) -> None:
    rule("failed_runs", channel("Both", "ines@example.com", hook=True), limit=0)
    fail()
    doors = Doors()
    failpoints.arm("alert.sent:before=raise")
    for _ in range(2):
        with pytest.raises((FailpointReached, Exception), match="failpoint"):
            deliver(doors)
        due_now()
    failpoints.disarm()
    deliver(doors)
    assert len(doors.mails) >= 2
    assert len({one["Message-ID"] for one in doors.mails}) == 1
    assert len(doors.posts) >= 2
    assert len({headers["Idempotency-Key"] for _, headers, _ in doors.posts}) == 1
    assert {one.status for one in messages()} == {"sent"}


def test_what_cannot_go_out_is_tried_again_later_and_given_up_in_the_end() -> None:
    rule("failed_runs", channel(), limit=0)
    fail()
    doors = Doors(broken=True)
    for tries in range(1, 9):
        deliver(doors)
        (row,) = messages()
        assert (row.tries, row.error) == (tries, "The mail server cannot be reached.")
        if tries < 8:
            assert row.due_at is not None
            assert row.due_at > row.created_at + 20_000
        due_now()
    assert row.status == "failed"
    (episode,) = api.alert_episodes(workspace_id=WORKSPACE)
    assert [(one.status, one.error) for one in episode.messages] == [("failed", "The mail server cannot be reached.")]


def test_whoever_has_left_is_not_written_to(folk: Town) -> None:
    rule("failed_runs", channel(), limit=0)
    fail()
    del folk.roles["ines"]
    doors = Doors()
    deliver(doors)
    assert doors.mails == []
    assert [one.status for one in messages()] == ["dropped"]


def test_a_chat_gets_words_it_cannot_mistake_and_its_address_is_told_to_nobody(hook: OneHook) -> None:
    rule("failure_rate", channel("Chat", hook=True), workflow_id=WORKFLOW)
    fail()
    doors = Doors(status=404)
    deliver(doors)
    ((url, headers, body),) = doors.posts
    assert url == "https://hooks.slack.com/services/T0/B0/secret"
    assert headers["Content-Type"] == "application/json"
    said = json.loads(body)["text"]
    assert said.startswith("*Alert: Supplier invoices: 12.5 % of runs failed")
    (row,) = messages()
    assert (row.status, row.error) == ("waiting", "It answered with status 404.")
    kept = json.dumps(list(AlertMessage.objects.values()), default=str)
    assert "secret" not in kept
    assert "xoxb" not in kept


def test_an_address_of_ones_own_gets_json_that_is_signed(hook: OneHook) -> None:
    hook.address, hook.more = "https://ops.example.com/in", {"signing_secret": "shared words"}
    rule("failed_runs", channel("Own", hook=True), limit=8, workflow_id=WORKFLOW)
    fail()
    doors = Doors()
    deliver(doors)
    ((_, headers, body),) = doors.posts
    told = json.loads(body)
    assert told["type"] == "millrace.alerts"
    (alert,) = told["alerts"]
    assert (alert["event"], alert["kind"], alert["limit"]) == ("alert", "failed_runs", 8)
    assert alert["measure"]["value"] == 9
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mine = base64.b64encode(hmac.new(b"shared words", content, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{mine}"


def test_a_test_goes_out_at_once_and_says_how_it_went() -> None:
    made = channel()
    assert api.try_alert_channel(workspace_id=WORKSPACE, channel_id=made) == 1
    doors = Doors(broken=True)
    deliver(doors)
    last = api.alert_channel(workspace_id=WORKSPACE, channel_id=made).last
    assert last is not None
    assert (last.kind, last.status, last.error) == ("test", "failed", "The mail server cannot be reached.")
    doors.broken = False
    api.try_alert_channel(workspace_id=WORKSPACE, channel_id=made)
    deliver(doors)
    (mail,) = doors.mails
    assert mail["Subject"] == "Test: Millrace can reach you here"
    rule("failed_runs", made, limit=0)
    fail()
    assert messages("alert")[0].due_at == messages("alert")[0].created_at, "a test is no alert that others wait for"


def test_without_a_mail_server_the_page_says_why_nothing_went_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = channel()
    monkeypatch.setattr(PORTS, "post", None)
    api.try_alert_channel(workspace_id=WORKSPACE, channel_id=made)
    deliver(Doors())
    last = api.alert_channel(workspace_id=WORKSPACE, channel_id=made).last
    assert last is not None
    assert (last.status, last.error) == ("failed", "This installation has no mail server.")

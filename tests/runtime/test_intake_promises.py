"""What the door accepts can run, and what the form shows is what the door does."""

from __future__ import annotations

import hmac
import json
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from runtime import api
from runtime.catalog import CATALOG
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.intake.knocks import Pace
from runtime.intake.reading import BODY_LIMIT
from runtime.store.models import Event, Run, Trigger
from runtime.store.writer import Writer
from tests.runtime.door import Knocker, Reply, at_the_door, knock
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, step
from tests.runtime.rows import a_webhook
from tests.runtime.test_intake_door import SECRET, SmallVault, vault

pytestmark = pytest.mark.usefixtures("both_ways")

__all__ = ["vault"]


def published(**config: Any) -> Trigger:
    """A webhook as a person publishes it, with only these settings stored."""
    workflow_id = UUID("01890a5d-ac96-774b-bcce-b302099a9001")
    document = flow("start -> a", step("start", "trigger.webhook@1", config))
    api.publish(workspace_id=WORKSPACE, workflow_id=workflow_id, graph=document, by=None)
    return Trigger.objects.get(workflow_id=workflow_id)


def older(trigger: Trigger, **config: Any) -> Trigger:
    """The same row as an earlier build wrote it: with nothing filled in."""
    Trigger.objects.filter(pk=trigger.pk).update(config=dumps(config))
    return trigger


class TestStartValues:
    """What is left out stands at the step type's start values, for the form, the sentence and the door alike."""

    @pytest.mark.parametrize("filled", [True, False], ids=["published now", "published earlier"])
    def test_a_secret_header_is_looked_for_where_the_form_says(
        self, writer: Writer, vault: SmallVault, filled: bool
    ) -> None:
        config = {"auth": "header", "secret_connection": str(vault.id)}
        trigger = published(**config)
        slug = (trigger if filled else older(trigger, **config)).slug
        assert knock(writer, slug, headers={"X-Webhook-Token": SECRET}).status == 202
        assert knock(writer, slug, headers={"Authorization": SECRET}).status == 404

    @pytest.mark.parametrize("filled", [True, False], ids=["published now", "published earlier"])
    def test_deliveries_signed_as_by_github_are_let_in_where_the_form_says_github(
        self, writer: Writer, vault: SmallVault, filled: bool
    ) -> None:
        config = {"auth": "hmac", "secret_connection": str(vault.id)}
        trigger = published(**config)
        slug = (trigger if filled else older(trigger, **config)).slug
        signature = "sha256=" + hmac.new(SECRET.encode(), b"{}", "sha256").hexdigest()
        assert knock(writer, slug, headers={"X-Hub-Signature-256": signature}).status == 202

    @pytest.mark.parametrize("filled", [True, False], ids=["published now", "published earlier"])
    def test_repeats_are_recognised_by_the_header_that_the_form_shows(self, writer: Writer, filled: bool) -> None:
        trigger = published(dedupe="header")
        slug = (trigger if filled else older(trigger, dedupe="header")).slug
        replies = [knock(writer, slug, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        assert [reply.status for reply in replies] == [202, 200]

    def test_a_published_start_keeps_its_settings_whole(self, transactional_db: None) -> None:
        node_type = CATALOG.get("trigger.webhook@1")
        assert node_type is not None
        trigger = published(methods=["PUT"])
        assert loads_stored(trigger.config) == {**node_type.start_config, "methods": ["PUT"]}
        older(trigger, methods=["PUT"])
        (view,) = api.triggers(workspace_id=WORKSPACE, workflow_id=trigger.workflow_id)
        assert view.config == {**node_type.start_config, "methods": ["PUT"]}


BAD_QUERIES = [b"b=%00", b"a%00=1", b"x=1&" + b"n" * 1025 + b"=1", quote("é" * 513).encode() + b"=1"]


class TestQueryAndHeaders:
    """A run makes data of them, so what data cannot hold is refused like a body, on every database alike."""

    @pytest.mark.parametrize("query", BAD_QUERIES, ids=["nul", "nul in a name", "long name", "long escaped name"])
    @pytest.mark.parametrize("kept", ["refuse", "keep"])
    def test_a_query_that_cannot_become_data_is_refused_and_written_down(
        self, writer: Writer, query: bytes, kept: str
    ) -> None:
        a_webhook(on_unparsable=kept)
        reply = knock(writer, query=query)
        assert (reply.status, reply.json["code"]) == (400, "query_unreadable")
        event = Event.objects.get()
        assert (reply.json["event"], event.verdict) == (str(event.id), "rejected")
        assert (event.reason, event.query) == ("The query cannot be read.", query.decode())
        assert Run.objects.count() == 0

    def test_a_header_whose_name_is_too_long_for_data_is_refused_and_written_down(self, writer: Writer) -> None:
        a_webhook()
        reply = knock(writer, headers={"x" * 1025: "1"})
        assert (reply.status, reply.json["code"]) == (400, "headers_unreadable")
        assert Event.objects.get().verdict == "rejected"
        assert Run.objects.count() == 0

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (b"a=1&a=2&b=", {"a": ["1", "2"], "b": ""}),
            (b"a=%ED%A0%80&b=%ff", {"a": "���", "b": "�"}),
            (b"n" * 1024 + b"=%20", {"n" * 1024: " "}),
            (b"a=\xe4", {"a": "ä"}),
        ],
        ids=["plain", "not utf-8", "longest name", "raw bytes"],
    )
    def test_a_query_that_is_accepted_becomes_data(
        self, machine: Machine, query: bytes, expected: dict[str, Any]
    ) -> None:
        reply = at_machine(machine, query=query, headers={"X-Odd": "\xff\x7f", "content-type": "application/json"})
        assert reply.status == 202, reply.body
        run = machine.finish(UUID(reply.json["run"]))
        assert run.status == "completed", run.error
        output: Any = detail(run.id, "start").output
        assert output["query"] == expected
        assert output["headers"]["x-odd"] == "\xff\x7f"


def at_machine(machine: Machine, body: bytes = b"{}", **named: Any) -> Reply:
    """Knock at a published webhook of a machine that runs."""
    slug = published().slug
    assert machine.runtime is not None
    assert machine.runtime.writer is not None
    return knock(machine.runtime.writer, slug, body, **named)


class TestLargeEvents:
    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/json", b'"' + b"a" * (BODY_LIMIT - 2) + b'"'),
            ("text/plain", b'"' * BODY_LIMIT),
        ],
        ids=["json", "text that grows when written as json"],
    )
    def test_an_event_of_exactly_the_limit_runs_to_its_end(
        self, machine: Machine, content_type: str, body: bytes
    ) -> None:
        headers = {"content-type": content_type, "x-note": "n" * 8000}
        reply = at_machine(machine, body, headers=headers, query=b"q=" + b"1" * 8000)
        assert reply.status == 202, reply.body
        run = machine.finish(UUID(reply.json["run"]))
        assert run.status == "completed", run.error
        output: Any = detail(run.id, "start").output
        assert len(output["body"]) == len(json.loads(body)) if content_type == "application/json" else BODY_LIMIT


class TestPace:
    def test_more_deliveries_than_a_webhook_takes_in_a_minute_are_asked_to_come_later(self, writer: Writer) -> None:
        a_webhook(per_minute=3)
        a_webhook("others")

        async def visit(knocker: Knocker) -> tuple[list[Reply], Reply]:
            return [await knocker() for _ in range(5)], await knocker("others")

        replies, other = at_the_door(writer, visit)
        assert [reply.status for reply in replies] == [202, 202, 202, 429, 429]
        assert 1 <= int(replies[3].header("retry-after") or "") <= 20
        assert other.status == 202
        assert Run.objects.count() == 4
        assert set(Event.objects.filter(verdict="rejected").values_list("reason", flat=True)) == {
            "More than 3 deliveries came in a minute."
        }

    def test_strangers_do_not_use_up_what_the_sender_may_send(self, writer: Writer, vault: SmallVault) -> None:
        a_webhook(per_minute=2, auth="header", secret_connection=str(vault.id))

        async def visit(knocker: Knocker) -> list[int]:
            strangers = [(await knocker(headers={"X-Webhook-Token": "guess"})).status for _ in range(5)]
            return strangers + [(await knocker(headers={"X-Webhook-Token": SECRET})).status for _ in range(3)]

        assert at_the_door(writer, visit) == [404] * 5 + [202, 202, 429]

    def test_the_pace_comes_back_evenly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 100.0
        monkeypatch.setattr("runtime.intake.knocks.time.monotonic", lambda: now)
        pace, webhook = Pace(), UUID(int=1)
        assert [pace.wait(webhook, 60) for _ in range(61)] == [0.0] * 60 + [1.0]
        now += 0.5
        assert pace.wait(webhook, 60) == 0.5
        now += 0.5
        assert pace.wait(webhook, 60) == 0.0

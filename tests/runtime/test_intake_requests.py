"""Each request at the webhook door has an id, which its answer and the lines of the log about it share."""

from __future__ import annotations

import io
import json
import logging
from typing import Any
from uuid import UUID

import pytest

from runtime.contracts import StoreUnavailable
from runtime.intake.app import Intake
from runtime.store.models import Event
from runtime.store.records import Accepted, ResponseWrite
from runtime.store.writer import Writer
from tests.runtime import test_intake_answers
from tests.runtime.door import Knocker, Reply, at_the_door, knock
from tests.runtime.rows import a_webhook
from tests.runtime.test_traces import logged

pytestmark = pytest.mark.usefixtures("both_ways")

FAULT = "The webhook door met a fault that it does not know."


def lines(said: io.StringIO, event: str) -> list[dict[str, Any]]:
    """What was said of this, as pairs of names and values."""
    found = [json.loads(line) for line in said.getvalue().splitlines()]
    return [line for line in found if line["event"].startswith(event)]


def ids(*replies: Reply) -> list[str]:
    """The ids of these answers; one each."""
    found = [[value for name, value in reply.headers if name == "x-request-id"] for reply in replies]
    assert all(len(one) == 1 for one in found)
    return [one[0] for one in found]


def test_whatever_is_answered_has_an_id_of_its_own(writer: Writer) -> None:
    a_webhook()

    async def visit(knocker: Knocker) -> list[Reply]:
        return [
            await knocker(),
            await knocker(body=b"{"),
            await knocker("nowhere"),
            await knocker(method="DELETE"),
            await knocker(headers={"content-type": "application/json", "x-many": "x" * 70_000}),
            await knocker("status/nonsense", b"", method="GET"),
            await knocker("resume/nonsense"),
        ]

    replies = at_the_door(writer, visit)
    assert [reply.status for reply in replies] == [202, 400, 404, 405, 431, 404, 404]
    found = ids(*replies)
    assert len({UUID(one) for one in found}) == len(found)
    assert {UUID(one).version for one in found} == {7}


def test_what_a_sender_calls_its_request_is_kept_with_the_event_and_is_not_its_id(writer: Writer) -> None:
    a_webhook()
    theirs = "0199c8f2-a1b4-7c3e-8d5f-6a7b8c9d0e1f"
    reply = knock(writer, headers={"X-Request-ID": theirs})
    assert ids(reply) != [theirs]
    assert dict(json.loads(Event.objects.get().headers))["x-request-id"] == theirs


def test_the_id_that_a_workflow_gives_its_answer_stays(writer: Writer) -> None:
    response = ResponseWrite(200, json.dumps([["X-Request-ID", "order-1"]]), b"")
    reply = test_intake_answers.TestWaiting().answered(
        writer, respond="respond_step", status="running", response=response
    )
    assert ids(reply) == ["order-1"]


def test_a_line_about_a_request_names_it(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    a_webhook()

    async def broken(*_: object) -> None:
        raise ValueError("nobody foresaw this")

    def broken_at_once(*_: object) -> None:
        raise ValueError("nobody foresaw this")

    monkeypatch.setattr(writer, "accept", broken)
    monkeypatch.setattr(writer, "accept_told", broken_at_once)
    with logged() as said:
        reply = knock(writer)
    assert reply.status == 503
    (line,) = lines(said, FAULT)
    assert [line["request_id"]] == ids(reply)
    assert "run_id" not in line


def test_a_line_about_a_run_that_has_begun_names_both(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    a_webhook(respond="when_finished")
    begun: list[Accepted] = []

    async def broken(_intake: Intake, _door: object, accepted: Accepted, _base: str) -> None:
        begun.append(accepted)
        raise ValueError("nobody foresaw this")

    monkeypatch.setattr(Intake, "_held", broken)
    with logged() as said:
        reply = knock(writer)
    (line,) = lines(said, FAULT)
    assert ([line["request_id"]], line["run_id"]) == (ids(reply), str(begun[0].run_id))


def test_what_is_said_from_another_thread_names_the_request_too(writer: Writer) -> None:
    a_webhook(auth="header", header_name="X-Token", secret_connection="")

    async def visit(knocker: Knocker) -> Reply:
        # The first way in looks the address up.
        knocker.short = False
        return await knocker()

    with logged() as said:
        reply = at_the_door(writer, visit)
    (line,) = lines(said, "Webhook ")
    assert [line["request_id"]] == ids(reply)


def test_a_refused_knock_that_could_not_be_written_down_is_told_of_with_its_id(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_webhook(auth="header", header_name="X-Token", secret_connection="")

    async def away(*_: object) -> None:
        raise StoreUnavailable("The database is away.")

    monkeypatch.setattr(writer, "accept", away)
    with logged() as said:
        reply = knock(writer)
    assert reply.status == 404
    (line,) = lines(said, "A refused knock")
    assert [line["request_id"]] == ids(reply)


def test_each_answer_has_a_line_where_somebody_wants_it_and_none_else(
    writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    slug = a_webhook("a-secret-address").slug

    async def visit(knocker: Knocker) -> list[Reply]:
        return [await knocker(str(slug)), await knocker("nowhere"), await knocker(str(slug))]

    with logged() as said:
        at_the_door(writer, visit)
    assert lines(said, "A webhook was answered") == []
    with logged() as said:
        caplog.set_level(logging.DEBUG, logger="millrace.intake")
        replies = at_the_door(writer, visit)
    found = lines(said, "A webhook was answered")
    assert [line["request_id"] for line in found] == ids(*replies)
    assert [line.get("run_id") for line in found] == [replies[0].json["run"], None, replies[2].json["run"]]
    assert "a-secret-address" not in said.getvalue()


def test_what_comes_behind_a_request_is_not_about_it(writer: Writer) -> None:
    a_webhook()

    async def visit(knocker: Knocker) -> Reply:
        reply = await knocker()
        logging.getLogger("millrace.test").warning("Said by somebody else.")
        return reply

    with logged() as said:
        at_the_door(writer, visit)
    (line,) = lines(said, "Said by somebody else.")
    assert {"request_id", "run_id"}.isdisjoint(line)

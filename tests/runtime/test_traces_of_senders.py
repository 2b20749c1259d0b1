"""Whose trace a webhook is part of: the sender's, where they have proved who they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import pytest

from builder.config.traces import web
from runtime import ports
from runtime.intake.answers import Answer
from runtime.intake.app import Intake
from runtime.store.writer import Writer
from runtime.traces import TRACING
from tests.collector import Collector, Told
from tests.runtime.door import Knocker, Reply, at_the_door
from tests.runtime.rows import a_webhook
from tests.runtime.test_intake_door import SECRET, SmallVault, signed
from tests.runtime.test_traces import PARENT, telling

pytestmark = pytest.mark.usefixtures("both_ways")

#: As OpenTelemetry counts kinds of spans.
SERVER = 2
_, SENDER, SPAN, _ = PARENT.split("-")


class Followed:
    """A door of which somebody is told, as the application has it."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._doors = intake._doors

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        await web.follow(self._intake, scope, receive, send)

    def at_once(self, scope: MutableMapping[str, Any], body: bytes, tell: Callable[[Answer], None]) -> bool:
        return self._intake.at_once(scope, body, web.telling(scope, tell))


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Somebody follows what this process does."""
    with Collector() as found:
        TRACING.tracer = tracer = telling(found)
        yield found
        TRACING.tracer = None
        tracer.close()


@pytest.fixture
def vault() -> Iterator[SmallVault]:
    before = ports.PORTS.vault
    vault = SmallVault(SECRET)
    ports.configure(vault=vault)
    yield vault
    ports.configure(vault=before)


def sent(
    writer: Writer, collector: Collector, headers: dict[str, str], *, slug: str = "orders", method: str = "POST"
) -> tuple[Reply, Told]:
    """What a sender was answered who names a trace, and what was told of it."""

    async def visit(knocker: Knocker) -> Reply:
        knocker.intake = Followed(knocker.intake)  # type: ignore[assignment]
        return await knocker(slug, headers={"traceparent": PARENT, **headers}, method=method)

    reply = at_the_door(writer, visit)
    spans = collector.wait(lambda spans: any(one.kind == SERVER for one in spans))
    (span,) = (one for one in spans if one.kind == SERVER)
    return reply, span


def is_theirs(span: Told) -> bool:
    """Whether it is part of the sender's trace; else of one of its own."""
    if span.trace != SENDER:
        assert span.parent == ""
        return False
    assert span.parent == SPAN
    return True


@pytest.mark.parametrize("way", ["hmac", "header"])
def test_a_sender_that_proves_itself_says_which_trace_a_delivery_belongs_to(
    writer: Writer, collector: Collector, vault: SmallVault, way: str
) -> None:
    by_delivery: dict[str, Any] = {"auth": way, "hmac_preset": "github", "header_name": "X-Token"}
    a_webhook(**by_delivery, secret_connection=str(vault.id))
    reply, span = sent(writer, collector, signed(b"{}") if way == "hmac" else {"x-token": SECRET})
    assert reply.status == 202
    assert is_theirs(span)
    assert span.facts["millrace.run.id"] == reply.json["run"]
    assert span.facts["millrace.request.id"] == reply.header("x-request-id")


def test_a_sender_that_has_proved_itself_is_known_also_where_it_is_refused(
    writer: Writer, collector: Collector, vault: SmallVault
) -> None:
    a_webhook(auth="header", header_name="X-Token", secret_connection=str(vault.id))
    reply, span = sent(writer, collector, {"x-token": SECRET}, method="DELETE")
    assert reply.status == 405
    assert is_theirs(span)


@pytest.mark.parametrize(("slug", "headers"), [("orders", {"x-token": "wrong"}), ("orders", {}), ("nowhere", {})])
def test_a_stranger_has_no_say_in_the_trace(
    writer: Writer, collector: Collector, vault: SmallVault, slug: str, headers: dict[str, str]
) -> None:
    a_webhook(auth="header", header_name="X-Token", secret_connection=str(vault.id))
    reply, span = sent(writer, collector, headers, slug=slug)
    assert reply.status == 404
    assert not is_theirs(span)


def test_whoever_need_not_prove_anything_has_proved_nothing(writer: Writer, collector: Collector) -> None:
    a_webhook()
    reply, span = sent(writer, collector, {"content-type": "application/json"})
    assert reply.status == 202
    assert not is_theirs(span)
    assert span.facts["millrace.run.id"] == reply.json["run"]


@pytest.mark.parametrize("slug", ["status/0199c8f2-a1b4-7c3e-8d5f-6a7b8c9d0e1f", "resume/what-was-guessed"])
def test_who_asks_how_a_run_is_or_guesses_a_link_has_proved_nothing(
    writer: Writer, collector: Collector, slug: str
) -> None:
    reply, span = sent(writer, collector, {}, slug=slug, method="POST")
    assert reply.status in (404, 405)
    assert not is_theirs(span)

"""The links of runs that wait for a signal: `/hooks/resume/…` (I1, I2; security S16)."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import StoreUnavailable
from runtime.engine.ids import uuid7
from runtime.intake import resuming
from runtime.store.models import Run, Signal, SignalWait
from tests.runtime.door import Knocker, Reply, at_the_door
from tests.runtime.machine import WORKSPACE, Machine, detail, flow
from tests.runtime.test_signals import LINKS, for_link, waiting

BROWSER = {"accept": "text/html,application/xhtml+xml", "accept-language": "de-DE,de;q=0.9"}
JSON_BODY = {"content-type": "application/json"}


def begun(machine: Machine, **config: Any) -> tuple[UUID, str]:
    """A run that waits, and its address below `/hooks/`."""
    run_id = machine.begin(flow(LINKS, for_link(**config)), {"order": "PO-7"})
    waiting(run_id)
    return run_id, link(run_id)


def link(run_id: UUID) -> str:
    return api.resume_link(workspace_id=WORKSPACE, run_id=run_id, node_id="wait").removeprefix("/hooks/")


def visit(machine: Machine, visitor: Callable[[Knocker], Coroutine[Any, Any, Any]], **settings: Any) -> Any:
    assert machine.runtime is not None
    assert machine.runtime.writer is not None
    return at_the_door(machine.runtime.writer, visitor, **settings)


def knock(machine: Machine, *arguments: Any, **named: Any) -> Reply:
    found: Reply = visit(machine, lambda knocker: knocker(*arguments, **named))
    return found


def test_a_post_moves_the_run_on_with_its_body(machine: Machine) -> None:
    run_id, address = begun(machine)
    reply = knock(machine, address, b'{"parcel": 12, "price": 1.10}')
    assert reply.status == 202
    assert reply.json["run"] == str(run_id)
    assert reply.json["resumed_at"].endswith("Z")
    assert SignalWait.objects.get(run_id=run_id).status == "resumed", "committed before the answer"
    machine.finish(run_id)
    output: Any = detail(run_id, "wait").output
    assert json.dumps(output["data"], default=str) == '{"parcel": 12, "price": "1.10"}'


def test_a_second_post_is_told_what_the_first_did(machine: Machine) -> None:
    run_id, address = begun(machine)
    first = knock(machine, address, b'{"ok": true}')
    again = knock(machine, address, b'{ "ok" : true }')
    assert again.status == 200
    assert again.json == {**first.json, "duplicate": True}
    other = knock(machine, address, b'{"ok": false}')
    assert (other.status, other.json["code"]) == (409, "already_used")
    machine.finish(run_id)
    assert knock(machine, address, b'{"ok": true}').status == 200, "also when the run is over"
    assert Signal.objects.count() == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [BROWSER, {"accept": "*/*"}, {}])
def test_whoever_only_looks_moves_nothing_on(machine: Machine, method: str, headers: dict[str, str]) -> None:
    run_id, address = begun(machine)
    reply = knock(machine, address, b"", method=method, headers=headers)
    assert reply.status == (200 if headers is BROWSER else 405)
    assert SignalWait.objects.get(run_id=run_id).status == "open"
    assert Run.objects.get(pk=run_id).wake_at is None


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_only_a_post_counts(machine: Machine, method: str) -> None:
    run_id, address = begun(machine)
    assert knock(machine, address, b"{}", method=method).status == 405
    assert SignalWait.objects.get(run_id=run_id).status == "open"


def test_people_get_a_page_with_a_button_and_are_told_what_it_did(machine: Machine) -> None:
    run_id, address = begun(machine, title="<b>Delivery</b> of {{ trigger.order }}")
    page = knock(machine, address, b"", method="GET", headers=BROWSER)
    text = page.body.decode()
    assert "&lt;b&gt;Delivery&lt;/b&gt; of PO-7" in text
    assert "<b>" not in text
    assert '<form method="post"><button type="submit">Bestätigen</button></form>' in text
    assert page.header("referrer-policy") == "no-referrer"
    assert page.header("cache-control") == "no-store"
    policy = page.header("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    pressed = {**BROWSER, "accept-language": "en", "content-type": "application/x-www-form-urlencoded"}
    done = knock(machine, address, b"", headers=pressed)
    assert done.status == 202
    assert b"Thank you. It goes on." in done.body
    machine.finish(run_id)
    again = knock(machine, address, b"", method="GET", headers=BROWSER)
    assert "schon bestätigt" in again.body.decode()
    assert b"<form" not in again.body


def test_a_link_that_is_not_exactly_right_is_none(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, address = begun(machine)
    _, run, node, generation, secret = address.split("/")
    wrong = [
        f"resume/{run}/{node}/{generation}/{'0' * 40}",
        f"resume/{run}/{node}/2/{secret}",
        f"resume/{run}/start/{generation}/{secret}",
        f"resume/{uuid7()}/{node}/{generation}/{secret}",
        f"resume/{run}/{node}/{generation}/{secret[:-1]}",
        f"resume/{run}/{node}/{generation}/{secret.upper()}",
        f"resume/{run}/{node}/{generation}/",
        f"resume/{run}",
        "resume/",
        f"resume/{run}/{node}/{generation}/{secret}/more",
        f"resume/{run.replace('-', '')}/{node}/{generation}/{secret}",
        "resume/" + "a" * 60_000,
    ]

    async def all_of_them(knocker: Knocker) -> list[Reply]:
        await knocker(address, b"", method="HEAD")  # whoever comes first asks for the installation's secret
        with monkeypatch.context() as patch:
            patch.setattr(resuming.Resuming, "_ask", None)  # a wrong link asks the database nothing
            return [await knocker(text) for text in wrong]

    replies: list[Reply] = visit(machine, all_of_them)
    assert {reply.status for reply in replies} == {404}
    assert len({reply.body for reply in replies}) == 1
    assert SignalWait.objects.get(run_id=run_id).status == "open"
    page = knock(machine, wrong[0], b"", method="GET", headers=BROWSER)
    assert page.status == 404
    assert b"<form" not in page.body


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", JSON_BODY, 400),
        (b'{"a":1,"a":2}', JSON_BODY, 400),
        (b'{"a": 1e999999}', JSON_BODY, 400),
        (b"[" * 100_000, JSON_BODY, 400),
        (b"{}", {"content-type": "application/json", "content-encoding": "gzip"}, 400),
    ],
)
def test_a_body_that_is_no_data_moves_nothing_on(
    machine: Machine, body: bytes, headers: dict[str, str], status: int
) -> None:
    run_id, address = begun(machine)
    assert knock(machine, address, body, headers=headers).status == status
    assert SignalWait.objects.get(run_id=run_id).status == "open"
    assert knock(machine, address, b'{"ok": true}').status == 202
    machine.finish(run_id)


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(machine: Machine) -> None:
    run_id, address = begun(machine)
    reply: Reply = visit(machine, lambda knocker: knocker(address, b'"' + b"x" * 2000 + b'"'), body_limit=1000)
    assert reply.status == 413
    assert SignalWait.objects.get(run_id=run_id).status == "open"


def test_one_that_comes_too_late_or_is_not_needed_is_told_so(machine: Machine) -> None:
    run_id, address = begun(machine)
    SignalWait.objects.filter(run_id=run_id).update(due_at=1)
    late = knock(machine, address)
    assert (late.status, late.json["code"]) == (410, "too_late")
    assert "has gone on without" not in late.body.decode(), "it may be paused"
    SignalWait.objects.filter(run_id=run_id).update(due_at=None)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    machine.finish(run_id)
    ended = knock(machine, address)
    assert (ended.status, ended.json["code"]) == (410, "run_ended")
    page = knock(machine, address, b"", method="GET", headers=BROWSER)
    assert page.status == 410
    assert b"<form" not in page.body


def test_a_link_is_not_used_faster_than_people_and_systems_do(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address = begun(machine)
    monkeypatch.setattr(resuming, "_PER_MINUTE", 2)

    async def hammer(knocker: Knocker) -> list[int]:
        return [(await knocker(address, b"{}")).status for _ in range(3)]

    found: list[int] = visit(machine, hammer)
    assert found == [202, 200, 429]


def test_without_the_database_nothing_is_said_to_have_happened(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, address = begun(machine)

    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(resuming, "_use", away)
    reply = knock(machine, address, b'{"ok": true}')
    assert reply.status == 503
    assert reply.header("retry-after")
    assert SignalWait.objects.get(run_id=run_id).status == "open"

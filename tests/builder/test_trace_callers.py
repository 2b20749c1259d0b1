"""Whose trace a request of the API is part of: what a caller says of it counts once it is known who they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from builder.accounts.models import Role
from builder.accounts.rights import Scope
from builder.config.asgi import Application
from runtime.traces import TRACING
from tests.builder.test_application import Heard, application, ask, pages
from tests.collector import Collector, Told
from tests.factories import browser_of, join, make_person, make_token, make_workspace
from tests.runtime.test_traces import PARENT, telling

__all__ = ["application", "pages"]

#: As OpenTelemetry counts kinds of spans.
SERVER = 2
_, SENDER, SPAN, _ = PARENT.split("-")
LIST = "GET /api/v1/workspaces/<uuid:workspace_id>/workflows"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Somebody follows what this process does."""
    with Collector() as found:
        TRACING.tracer = tracer = telling(found)
        yield found
        TRACING.tracer = None
        tracer.close()


@pytest.fixture
def town(transactional_db: None) -> dict[str, Any]:
    alice, rosa, mallory = (make_person(name) for name in ("Alice", "Rosa", "Mallory"))
    northwind = make_workspace("Northwind", alice)
    make_workspace("Southwind", mallory)
    join(northwind, rosa, Role.REVIEWER)
    token = make_token(northwind, alice, (Scope.READ,))[1]
    cookies = {
        one.name: "; ".join(f"{name}={morsel.value}" for name, morsel in browser_of(one).client.cookies.items())
        for one in (alice, rosa, mallory)
    }
    return {"list": f"/api/v1/workspaces/{northwind.id}/workflows", "token": token, "cookies": cookies}


def asked(collector: Collector, application: Application, path: str, **how: Any) -> tuple[Heard, Told]:
    """What was answered to a caller who names a trace, and what was told of it."""
    headers = {"traceparent": PARENT, **how.pop("headers", {})}
    heard = ask(application, path, headers=headers, **how)
    spans = collector.wait(lambda spans: any(one.kind == SERVER for one in spans))
    (span,) = (one for one in spans if one.kind == SERVER)
    return heard, span


def is_theirs(span: Told) -> bool:
    """Whether it is part of the caller's trace; else of one of its own."""
    if span.trace != SENDER:
        assert span.parent == ""
        return False
    assert span.parent == SPAN
    return True


@pytest.mark.parametrize("name", ["Alice", "Rosa", "Mallory"])
def test_whoever_is_signed_in_says_which_trace_a_request_belongs_to_also_where_it_is_refused(
    collector: Collector, application: Application, town: dict[str, Any], name: str
) -> None:
    heard, span = asked(collector, application, town["list"], headers={"Cookie": town["cookies"][name]})
    assert heard.status == (404 if name == "Mallory" else 200)
    assert is_theirs(span)
    assert (span.name, span.facts["http.response.status_code"]) == (LIST, heard.status)
    assert span.facts["millrace.request.id"] == heard.headers["x-request-id"]


def test_whoever_has_a_token_says_which_trace_a_request_belongs_to(
    collector: Collector, application: Application, town: dict[str, Any]
) -> None:
    heard, span = asked(collector, application, town["list"], headers={"Authorization": f"Bearer {town['token']}"})
    assert heard.status == 200
    assert is_theirs(span)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("list", {}, 401),
        ("list", {"Authorization": "Bearer mlr_nothing"}, 401),
        ("list", {"Cookie": "millrace_session=nothing"}, 401),
        ("/api/v1/session", {}, 200),
        ("/api/v1/nowhere", {}, 404),
        ("/d/nothing", {}, 404),
    ],
)
def test_what_a_stranger_says_of_a_trace_is_passed_over(
    collector: Collector,
    application: Application,
    town: dict[str, Any],
    path: str,
    headers: dict[str, str],
    status: int,
) -> None:
    heard, span = asked(collector, application, town.get(path, path), headers=headers)
    assert heard.status == status
    assert not is_theirs(span)
    assert span.facts["http.response.status_code"] == status


def test_a_page_of_somebody_else_that_uses_a_session_is_a_stranger(
    collector: Collector, application: Application, town: dict[str, Any]
) -> None:
    sent = {"Cookie": town["cookies"]["Alice"], "Origin": "https://evil.example", "Content-Type": "application/json"}
    heard, span = asked(collector, application, town["list"], method="POST", headers=sent, parts=(b"{}",))
    assert (heard.status, heard.code) == (403, "csrf")
    assert not is_theirs(span)


def test_what_is_told_of_a_request_before_it_is_known_who_asks_is_part_of_no_others_trace(
    collector: Collector, application: Application
) -> None:
    heard, span = asked(collector, application, "/api/v1/session", method="POST", parts=[b"x" * 1024 * 1024] * 7)
    assert heard.status == 413
    assert not is_theirs(span)

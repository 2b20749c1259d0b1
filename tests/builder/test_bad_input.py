"""Bad input gets a documented answer, the same on both databases, and never a 500 (S68 to S74, S76)."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.db import DataError, IntegrityError
from django.test import Client

from builder.workflows.models import Workflow
from tests import factories
from tests.builder.conftest import World
from tests.factories import Caller

NOT_JSON: list[bytes] = [
    b"{",
    b"[1,]",
    b"{'a': 1}",
    b"NaN",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": -Infinity}',
    b'{"a": 1e400}',
    b'{"a": 01}',
    b'{"a": "\\u0000"}',
    b'{"a": "\x00"}',
    b'{"a": "\\ud800"}',
    b'{"a": "\\udc00\\ud800"}',
    b'{"\\ud800": 1}',
    b'{"a": "\xff"}',
    b'{"a": "\xc0\xaf"}',
    b'{"a": "\xed\xa0\x80"}',
    b"\xef\xbb\xbf{}",
    '{"a": 1}'.encode("utf-16"),
    '{"a": 1}'.encode("utf-32"),
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    b'{"a": ' + b"9" * 5_000 + b"}",
    b'{"a": ' + b"9" * 4_300 + b"}",
    b'{"a": 9223372036854775808}',
    b'{"a": 0.' + b"1" * 5_000 + b"}",
    b'{"a": 1, "a": 2}',
    b'{"' + b"k" * 1_100_000 + b'": 1}',
    b'{"a": "line\nbreak"}',
    b'{"a": tru}',
    b'{"a": 1} trailing',
    b"[" * 65 + b"]" * 65,
]


@pytest.mark.parametrize("raw", NOT_JSON, ids=lambda raw: repr(raw[:24]))
def test_what_is_not_json_of_the_profile_is_refused_with_a_reason(world: World, raw: bytes) -> None:
    answer = world.as_bo.call("POST", f"{world.here}/workflows", raw=raw)
    assert answer.status == 400, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["title"] == "The body is not JSON that can be read."
    assert answer.body["request_id"]
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"1", b"null", b"true", b"-0", b"1.5"])
def test_json_that_is_no_object_is_refused(world: World, raw: bytes) -> None:
    answer = world.as_bo.call("POST", f"{world.here}/workflows", raw=raw)
    assert (answer.status, answer.code) == (400, "not_an_object")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/json; charset=unicode_escape",
        "application/json; charset=zlib",
        "application/json; charset=bogus",
        "application/json; charset=utf-8; charset=utf-16",
        "application/xml",
        "",
        "application/json+x",
    ],
)
def test_only_json_in_utf_8_is_read(world: World, kind: str) -> None:
    answer = world.as_bo.call("POST", f"{world.here}/workflows", raw=b'{"name":"x"}', headers={"Content-Type": kind})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=UTF-8", "APPLICATION/JSON", 'application/json;charset="utf-8"']
)
def test_ways_to_say_json_are_understood(world: World, kind: str) -> None:
    answer = world.as_bo.call("POST", f"{world.here}/workflows", raw=b'{"name":"x"}', headers={"Content-Type": kind})
    assert answer.status == 201


def test_a_compressed_body_is_refused(world: World) -> None:
    answer = world.as_bo.call("POST", f"{world.here}/workflows", raw=b"x", headers={"Content-Encoding": "gzip"})
    assert answer.status == 415


def test_a_body_above_the_limit_is_413(world: World) -> None:
    raw = b'{"name":"' + b"x" * (5 * 1024 * 1024) + b'"}'
    assert world.as_bo.call("POST", f"{world.here}/workflows", raw=raw).status == 413


NAUGHTY = [
    "undefined",
    "null",
    "<script>alert(1)</script>",
    "'; DROP TABLE workflows_workflow; --",
    "{{ 7 * 7 }}",
    "${jndi:ldap://x}",
    "‮reversed",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "😀👩‍👩‍👧‍👦🏳️‍🌈",
    "ﷺ" * 50,
    "\u200b\u200e\ufeffx",
    "tab\tand\nbreak",
    "%s%s%n",
    "../../etc/passwd",
    "__proto__",
    "١٢٣",
    "\x7f\x01",
    "a" * 200,
    "🏴" * 200,
]


@pytest.mark.parametrize("text", NAUGHTY, ids=lambda text: ascii(text[:12]))
def test_naughty_strings_are_kept_and_shown_as_they_are(world: World, text: str) -> None:
    """S73."""
    made = world.as_bo.post(f"{world.here}/workflows", {"name": text, "description": text})
    assert made.status == 201, made.body
    assert made.body["name"] == text.strip()
    graph = factories.small_graph()
    graph["nodes"][0]["name"] = text
    path = f"{world.here}/workflows/{made.body['id']}"
    assert world.as_bo.put(f"{path}/draft", {"graph": graph}, headers={"If-Match": '"1"'}).status == 200
    assert world.as_bo.get(f"{path}/draft").body["graph"]["nodes"][0]["name"] == text
    assert world.as_bo.get(f"{world.here}/workflows", headers={}).status == 200


@pytest.mark.parametrize(
    "number", ["0.1", "1e2", "-0.0", "9007199254740993", "9223372036854775807", "-9223372036854775808", "1.10", "1E-7"]
)
def test_numbers_come_back_as_exact_as_they_went(world: World, number: str) -> None:
    """S69, S70."""
    workflow = world.workflow()
    graph = json.dumps(factories.small_graph()).replace('"Good morning"', number)
    path = f"{world.here}/workflows/{workflow.id}/draft"
    raw = f'{{"graph": {graph}}}'.encode()
    saved = world.as_bo.call("PUT", path, raw=raw, headers={"If-Match": '"1"'})
    if number == "-9223372036854775808":
        assert saved.status in (200, 400)
        return
    assert saved.status == 200, saved.body
    from decimal import Decimal

    read = json.loads(world.as_bo.get(path).raw, parse_float=Decimal)
    assert Decimal(read["graph"]["nodes"][1]["config"]["fields"][0]["value"]) == Decimal(number)


PATHS = [
    "/workspaces/x",
    "/workspaces/00000000-0000-0000-0000-000000000000",
    "/workspaces/../../etc/passwd",
    "/workspaces/%00",
    "/nope",
    "/session/",
    "//session",
    "/workflows/1e9",
]


@pytest.mark.parametrize("path", PATHS)
def test_an_address_that_is_none_is_a_404_problem(world: World, path: str) -> None:
    answer = world.as_bo.get(path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) >= {"type", "title", "status", "code", "request_id", "params", "detail"}


def test_a_version_number_beyond_every_database_is_404(world: World) -> None:
    path = f"{world.here}/workflows/{world.workflow().id}/versions"
    for number in ("999999999", "9999999999", "9" * 400, "-1", "1.0"):
        assert world.as_bo.get(f"{path}/{number}").status == 404


def test_run_queries_that_make_no_sense_are_400_and_never_500(world: World) -> None:
    for query in ("status=x", "workflow=x", "cursor=%FF", "cursor=AAAA", "limit=-1", "mode=x"):
        assert world.as_vera.get(f"{world.here}/runs?{query}").status == 400, query
    for query in ("q=%25", "q='%20OR%201=1", "status=completed,cancelled", "status=completed&status=cancelled"):
        assert world.as_vera.get(f"{world.here}/runs?{query}").status == 200, query


@pytest.mark.parametrize("kind", [[], {}, [[]], {"a": []}, None, 5, True])
def test_a_step_type_of_any_shape_is_kept_as_a_problem_of_the_draft(world: World, kind: Any) -> None:
    graph = factories.small_graph()
    graph["nodes"][0]["type"] = kind
    made = world.as_bo.post(f"{world.here}/workflows", {"name": "Odd", "graph": graph})
    assert (made.status, made.body["problems_count"] > 0) == (201, True)
    path = f"{world.here}/workflows/{made.body['id']}"
    saved = world.as_bo.put(f"{path}/draft", {"graph": graph}, headers={"If-Match": '"1"'})
    assert saved.status == 200, saved.body
    assert world.as_bo.post(f"{path}/test", {"graph": graph}).status == 422


@pytest.mark.parametrize(
    "config",
    [
        {"repeat": "weekdays", "weekdays": 5},
        {"repeat": "weekdays", "weekdays": [[]]},
        {"repeat": "monthly", "day": "9" * 5_000},
        {"repeat": "every", "unit": "minutes", "starts_on": "0001-01-01", "timezone": "Asia/Tokyo"},
        {"repeat": "every", "unit": "hours", "starts_on": "9999-12-31", "timezone": "Pacific/Niue"},
        {"repeat": "every", "every": 1.5},
        {"repeat": [], "at": {}},
        {"no such field": 1},
    ],
    ids=lambda config: str(config)[:60],
)
def test_a_schedule_that_makes_no_sense_is_previewed_with_a_reason(world: World, config: dict[str, Any]) -> None:
    answer = world.as_bo.post(f"{world.here}/schedules/preview", {"config": config})
    assert answer.status == 200, answer.body
    assert len(answer.body["fires"]) == 0 or config.get("starts_on") == "9999-12-31"
    assert answer.body["notes"] or answer.body["fires"]


@pytest.mark.parametrize("key", ["a\0b", "\0" * 32, "é" * 32, "x" * 5_000, "'; --", "a b"])
def test_a_session_cookie_that_is_none_of_ours_is_nobodys(db: None, key: str) -> None:
    client = Client()
    client.cookies["millrace_session"] = key
    raw = {"HTTP_COOKIE": f"millrace_session={key}"}
    for path, status in (("/api/v1/session", 200), ("/api/v1/me", 401)):
        assert client.get(path, **raw).status_code == status  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [(DataError("numeric field overflow"), 422, "cannot_be_kept"), (IntegrityError("twice"), 409, "conflict")],
    ids=["data", "integrity"],
)
def test_what_a_database_refuses_is_a_problem_in_words(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int, code: str
) -> None:
    from builder.workflows import selectors

    def refused(**_arguments: Any) -> None:
        raise fault

    monkeypatch.setattr(selectors, "listing", refused)
    answer = world.as_bo.get(f"{world.here}/workflows")
    assert (answer.status, answer.code) == (status, code)
    assert str(fault) not in answer.raw.decode()


def test_a_fault_inside_is_a_problem_without_a_trace(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from builder.workflows import selectors

    def broken(**_arguments: Any) -> None:
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(selectors, "listing", broken)
    with caplog.at_level(logging.ERROR):
        answer = world.as_bo.get(f"{world.here}/workflows")
    assert (answer.status, answer.code) == (500, "server_error")
    assert b"secret reason" not in answer.raw
    assert "the secret reason" in caplog.text


def test_a_database_that_is_away_is_503(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from builder.workflows import selectors
    from runtime.contracts import StoreUnavailable

    def away(**_arguments: Any) -> None:
        raise StoreUnavailable("no route")

    monkeypatch.setattr(selectors, "listing", away)
    answer = world.as_bo.get(f"{world.here}/workflows")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


def test_every_answer_carries_the_security_headers(world: World) -> None:
    """S92."""
    for answer in (world.as_bo.get("/me"), Caller(client=Client()).get("/nope"), world.as_bo.get("/docs")):
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Request-ID"]
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Access-Control-Allow-Origin" not in headers


def test_foreign_origins_get_no_cors(world: World) -> None:
    """S13."""
    for origin in ("null", "https://app.example.evil.com", "http://testserver.evil.com"):
        assert "Access-Control-Allow-Origin" not in world.as_bo.get("/me", headers={"Origin": origin}).headers


def test_the_docs_page_fetches_nothing_from_elsewhere() -> None:
    page = Client().get("/api/v1/docs").content.decode()
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert "/api/v1/workspaces/{workspace_id}/runs" in page


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_parameter_where_none_is_read_is_a_bad_address_as_everywhere(world: World, method: str) -> None:
    path = f"{world.here}/groups" if method == "POST" else f"{world.here}/groups/01890a5d-ac96-774b-bcce-b302099a8057"
    answer = world.as_alice.call(method, f"{path}?surprise=1", {"name": "Finance"} if method != "DELETE" else None)
    assert (answer.status, answer.code) == (400, "invalid_parameters")

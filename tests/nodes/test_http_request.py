# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.engine.jsonprofile import dumps, loads
from runtime.sdk import EffectClass, PermanentError, Result, RetryableError
from runtime.sdk.testing import KnownConnection, StepTestContext, run_step
from runtime.worker.egress import Egress
from tests.nodes.servers import HOST, HttpServer, answer, drip, hang_up

NODE = CATALOG.get("http.request@1")
assert NODE is not None


async def call(doors: Egress, config: dict[str, Any], data: Any = None, **connections: KnownConnection) -> Result:
    assert NODE is not None
    outcome = await run_step(NODE, config, data=data, context=StepTestContext(doors=doors, connections=connections))
    assert isinstance(outcome, Result)
    return outcome


async def test_the_key_is_the_same_on_every_try_and_can_be_switched_off(server: HttpServer, doors: Egress) -> None:
    server.answers["/x"] = answer(204)
    for _ in range(2):
        await call(
            doors, {"method": "POST", "url": server.url("/x"), "body_type": "json", "json_body": {"b": 1, "a": 2}}
        )
    await call(doors, {"method": "POST", "url": server.url("/x"), "send_key": False})
    await call(doors, {"method": "GET", "url": server.url("/x")})
    keys = [seen.headers.get("Idempotency-Key") for seen in server.seen]
    assert keys == ["OJXGK3LFNZXW4", "OJXGK3LFNZXW4", None, None]
    assert server.seen[0].body == server.seen[1].body


@pytest.mark.parametrize(
    ("config", "effect"),
    [
        ({"method": "GET"}, EffectClass.READ),
        ({"method": "HEAD"}, EffectClass.READ),
        ({"method": "POST"}, EffectClass.KEYED),
        ({"method": "POST", "send_key": False}, EffectClass.UNSAFE),
        ({"method": "PATCH", "send_key": False}, EffectClass.UNSAFE),
        ({"method": "PUT", "send_key": False}, EffectClass.NATURAL),
        ({"method": "DELETE", "send_key": False}, EffectClass.NATURAL),
        ({}, EffectClass.READ),
    ],
)
def test_the_effect_class_follows_method_and_key(config: dict[str, Any], effect: EffectClass) -> None:
    assert NODE is not None
    assert NODE.effect_of(config) is effect


async def test_query_headers_form_and_raw_bodies_arrive_as_written(server: HttpServer, doors: Egress) -> None:
    server.answers["/f"] = answer(200, b"ok", "text/plain")
    await call(
        doors,
        {
            "method": "POST",
            "url": server.url("/f?first=1"),
            "query": [{"name": "q", "value": "{{ trigger.q }}"}],
            "headers": [{"name": "X-Total", "value": "{{ trigger.total }}"}],
            "body_type": "form",
            "form": [{"name": "name", "value": "{{ trigger.q }}"}, {"name": "ok", "value": True}],
        },
        {"trigger": {"q": "a&b=c ü", "total": Decimal("1.50")}},
    )
    seen = server.seen[0]
    assert seen.path == "/f?first=1&q=a%26b%3Dc+%C3%BC"
    assert seen.headers["X-Total"] == "1.50"
    assert seen.body == b"name=a%26b%3Dc+%C3%BC&ok=true"
    await call(
        doors,
        {"method": "PUT", "url": server.url("/f"), "body_type": "raw", "raw_body": "<a/>", "content_type": "text/xml"},
    )
    assert (server.seen[1].body, server.seen[1].headers["Content-Type"]) == (b"<a/>", "text/xml")


@pytest.mark.parametrize(
    ("kind", "fields", "header", "value"),
    [
        ("http_basic", {"username": "ann", "password": "s3cret-pw"}, "Authorization", "Basic YW5uOnMzY3JldC1wdw=="),
        ("http_bearer", {"token": "tok-12345"}, "Authorization", "Bearer tok-12345"),
        ("http_header", {"name": "X-Key", "value": "key-12345"}, "X-Key", "key-12345"),
    ],
)
async def test_a_connection_signs_in_and_leaves_no_trace_in_the_record(
    server: HttpServer, doors: Egress, kind: str, fields: dict[str, Any], header: str, value: str
) -> None:
    secret = fields.get("password") or fields.get("token") or fields["value"]
    server.answers["/me"] = answer(200, dumps({"echo": secret, "auth": value}).encode(), X_Echo=secret)
    here = KnownConnection(kind, {**fields, "allowed_hosts": [HOST]})
    result = await call(doors, {"url": server.url("/me"), "connection": "c"}, c=here)
    assert server.seen[0].headers[header] == value
    for record in (result.request, result.response):
        assert secret not in dumps(record)
        assert value not in dumps(record)


async def test_a_key_in_the_address_is_sent_and_masked(server: HttpServer, doors: Egress) -> None:
    server.answers["/me"] = answer(401, b'{"message": "bad key q-secret-1"}')
    connection = KnownConnection(
        "http_query", {"name": "api_key", "value": "q-secret-1", "base_url": "http://practice-company/me"}
    )
    with pytest.raises(PermanentError) as error:
        await call(doors, {"url": server.url("/me"), "connection": "c"}, c=connection)
    assert server.seen[0].path == "/me?api_key=q-secret-1"
    assert "q-secret-1" not in dumps(
        [error.value.request, error.value.response, error.value.message, error.value.detail]
    )
    assert error.value.title == "Sign-in refused"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"allowed_hosts": ["api.example.com"]},
        {"allowed_hosts": [" "]},
        {"allowed_hosts": ["*.practice-company"]},
        {"base_url": "https://api.example.com/me"},
        {"allowed_hosts": ["api.example.com"], "base_url": "http://practice-company/"},
    ],
)
async def test_a_connection_stays_with_its_hosts(server: HttpServer, doors: Egress, fields: dict[str, Any]) -> None:
    connection = KnownConnection("http_bearer", {"token": "tok-12345", **fields})
    with pytest.raises(PermanentError) as error:
        await call(doors, {"url": server.url("/me"), "connection": "c"}, c=connection)
    assert error.value.code == "host_not_allowed"
    assert server.seen == []


@pytest.mark.parametrize(
    ("status", "headers", "retryable", "after"),
    [
        (429, {"Retry_After": "7"}, True, 7.0),
        (503, {"Retry_After": "Fri, 20 Nov 2026 09:42:07 GMT", "Date": "Fri, 20 Nov 2026 09:41:07 GMT"}, True, None),
        (503, {"Retry_After": "soon"}, True, None),
        (503, {"Retry_After": "999999999"}, True, 86400.0),
        (408, {}, True, None),
        (425, {}, True, None),
        (500, {}, True, None),
        (400, {}, False, None),
        (401, {}, False, None),
        (404, {}, False, None),
        (409, {}, False, None),
        (422, {}, False, None),
        (304, {}, False, None),
    ],
)
async def test_the_status_decides_whether_to_try_again(
    server: HttpServer, doors: Egress, status: int, headers: dict[str, str], retryable: bool, after: float | None
) -> None:
    server.answers["/x"] = answer(
        status, b'{"error": {"message": "Stock is empty"}}' if status != 304 else b"", **headers
    )
    with pytest.raises(RetryableError if retryable else PermanentError) as error:
        await call(doors, {"method": "POST", "url": server.url("/x")})
    failure = error.value
    assert failure.http_status == status
    assert f"practice-company answered with status {status}" in failure.message
    assert status == 304 or "“Stock is empty”" in failure.message
    if after is not None:
        assert failure.retry_after_seconds == after
    assert failure.maybe_applied is (status >= 500 or status == 408)


async def test_success_codes_are_the_builders_choice(server: HttpServer, doors: Egress) -> None:
    server.answers["/gone"] = answer(404, b'{"message": "No"}')
    result = await call(doors, {"url": server.url("/gone"), "success_codes": "2xx, 404"})
    assert result.output["status"] == 404  # type: ignore[index,call-overload]
    server.answers["/ok"] = answer(200, b"{}")
    with pytest.raises(PermanentError):
        await call(doors, {"url": server.url("/ok"), "success_codes": "201"})


@pytest.mark.parametrize(
    ("body", "content_type", "mode", "expected"),
    [
        (b'{"a": 1.50}', "application/json; charset=utf-8", "auto", {"a": Decimal("1.50")}),
        (b'{"a": 1}', "application/problem+json", "auto", {"a": 1}),
        (b'{"a": 1}', "text/plain", "auto", '{"a": 1}'),
        (b'{"a": 1}', "text/plain", "json", {"a": 1}),
        (b'{"a": 1}', "application/json", "text", '{"a": 1}'),
        (b"gr\xfc\xdfe", "text/plain; charset=iso-8859-1", "auto", "grüße"),
        (b"\xff\x00x", "application/octet-stream", "auto", "\ufffd\ufffdx"),
        (b'{"a": NaN}', "application/json", "auto", '{"a": NaN}'),
        (b"", "application/json", "auto", None),
        (b'\xef\xbb\xbf{"a": 1}', "application/json", "auto", {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', "text/plain", "json", {"a": 1}),
        ("\ufeffgrüße".encode(), "text/plain", "auto", "grüße"),
        ('{"a": "grüße"}'.encode("latin-1"), "application/json; charset=iso-8859-1", "auto", {"a": "grüße"}),
        ('{"a": "5 €"}'.encode("cp1252"), "application/json; charset=windows-1252", "auto", {"a": "5 €"}),
        ('{"a": "ü"}'.encode("utf-16"), "application/json", "auto", {"a": "ü"}),
        ('{"a": "ü"}'.encode("utf-16-le"), "application/json; charset=utf-16le", "auto", {"a": "ü"}),
        ('{"a": "ü"}'.encode("latin-1"), "application/json", "auto", '{"a": "\ufffd"}'),
        (b'{"a": 1}', "application/json; charset=unicode_escape", "auto", {"a": 1}),
    ],
)
async def test_the_answer_is_read_as_what_it_is(
    server: HttpServer, doors: Egress, body: bytes, content_type: str, mode: str, expected: Any
) -> None:
    server.answers["/x"] = answer(200, body, content_type)
    result = await call(doors, {"url": server.url("/x"), "response": mode})
    assert result.output["body"] == expected  # type: ignore[index,call-overload]


async def test_an_answer_that_must_be_data_and_is_not_fails_and_may_have_been_applied(
    server: HttpServer, doors: Egress
) -> None:
    server.answers["/x"] = answer(200, b"<html>", "text/html")
    with pytest.raises(PermanentError) as error:
        await call(doors, {"method": "POST", "url": server.url("/x"), "response": "json"})
    assert error.value.code == "answer_not_json"
    assert error.value.maybe_applied


async def test_a_lost_answer_to_a_write_may_have_been_applied(server: HttpServer, doors: Egress) -> None:
    server.answers["/x"] = hang_up
    with pytest.raises(RetryableError) as error:
        await call(doors, {"method": "POST", "url": server.url("/x")})
    assert error.value.maybe_applied
    with pytest.raises(RetryableError) as error:
        await call(doors, {"method": "GET", "url": server.url("/x")})
    assert not error.value.maybe_applied


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"url": "ftp://example.com/"}, "address"),
        ({"url": "example.com"}, "address"),
        ({"url": "{{ trigger.url }}"}, "address"),
        ({"url": "http://practice-company/", "headers": [{"name": "X-A", "value": "{{ trigger.evil }}"}]}, "header"),
        ({"url": "http://practice-company/", "headers": [{"name": "Host", "value": "x"}]}, "header"),
        ({"url": "http://practice-company/", "headers": [{"name": "Bad Name", "value": "x"}]}, "header"),
        (
            {
                "url": "http://practice-company/",
                "method": "POST",
                "body_type": "json",
                "json_body": "{{ trigger.evil }}",
            },
            "body",
        ),
        ({"url": "http://practice-company/{{ trigger.nothing }}"}, "formula"),
    ],
)
async def test_what_cannot_be_sent_is_refused_before_anything_leaves(
    server: HttpServer, doors: Egress, config: dict[str, Any], code: str
) -> None:
    with pytest.raises(PermanentError) as error:
        await call(doors, config, {"trigger": {"url": "file:///etc/passwd", "evil": "a\r\nX-Injected: 1"}})
    assert error.value.code == code
    assert server.seen == []


EVIL = 'x","role":"admin","n":"'


@pytest.mark.parametrize(
    ("body", "data", "sent"),
    [
        ('{"name":"{{ trigger.v }}","role":"user"}', EVIL, {"name": EVIL, "role": "user"}),
        ('{"name":"Dear {{ trigger.v }}!","role":"user"}', EVIL, {"name": f"Dear {EVIL}!", "role": "user"}),
        ('{"name": {{ trigger.v }}, "role": "user"}', EVIL, {"name": EVIL, "role": "user"}),
        ('{"name": {{ trigger.v }}}', {"a": [1]}, {"name": {"a": [1]}}),
        ('{"name": "{{ trigger.v }}"}', Decimal("1.50"), {"name": Decimal("1.50")}),
        ('{"name": "{{ upper("a") }}", "n": [{{ trigger.v }}, 2]}', 1, {"name": "A", "n": [1, 2]}),
        ('{"a\\"b": "c\\\\", "n": {{ trigger.v }}}', 1, {'a"b': "c\\", "n": 1}),
        ("[1, 2.50]", None, [1, Decimal("2.50")]),
        ('"Hello {{ trigger.v }}"', "Ann", "Hello Ann"),
        ("{{ trigger.v }}", {"a": 1}, {"a": 1}),
        ("{{ trigger.v }}", [1], [1]),
        ("{{ parse_json(trigger.v) }}", '{"a": 1}', {"a": 1}),
        ("{{ trigger.v }}", None, None),
        ({"name": "{{ trigger.v }}"}, EVIL, {"name": EVIL}),
    ],
)
async def test_data_in_a_body_stays_data_whatever_it_holds(
    server: HttpServer, doors: Egress, body: Any, data: Any, sent: Any
) -> None:
    assert NODE is not None
    server.answers["/x"] = answer(204)
    config = {"method": "POST", "url": server.url("/x"), "body_type": "json", "json_body": body}
    assert NODE.problems(config) == []
    await call(doors, config, {"trigger": {"v": data}})
    assert loads(server.seen[0].body) == sent


@pytest.mark.parametrize("value", ['{"role": "admin"}', "plain", "", '"x", "role": "admin"'])
async def test_a_formula_that_gives_text_is_no_document(server: HttpServer, doors: Egress, value: str) -> None:
    config = {"method": "POST", "url": server.url("/x"), "body_type": "json", "json_body": "{{ trigger.v }}"}
    with pytest.raises(PermanentError, match="parse_json") as error:
        await call(doors, config, {"trigger": {"v": value}})
    assert error.value.code == "body"
    assert server.seen == []


@pytest.mark.parametrize(
    "body",
    ['{"a": ', '{"a": {{ trigger.v }}', '{"{{ trigger.v }}": 1}', '{"a": {{ trigger.v }}{{ trigger.v }}}', "{'a': 1}"],
)
async def test_a_body_that_is_no_json_is_said_before_it_is_published(
    server: HttpServer, doors: Egress, body: str
) -> None:
    assert NODE is not None
    config = {"method": "POST", "url": server.url("/x"), "body_type": "json", "json_body": body}
    assert [problem[:2] for problem in NODE.problems(config)] == [("json_body", "invalid")]
    with pytest.raises(PermanentError):
        await call(doors, config, {"trigger": {"v": 1}})
    assert server.seen == []


def test_the_formulas_of_a_body_written_as_text_are_known() -> None:
    assert NODE is not None
    text = '{"a": "{{ trigger.body.x }}", "b": {{ steps.invoice.total }}}'
    found = NODE.references({"method": "POST", "body_type": "json", "json_body": text})
    assert [path for path, _reference in found] == ["json_body.a", "json_body.b"]


async def test_the_steps_own_time_is_the_only_one(server: HttpServer, doors: Egress) -> None:
    assert NODE is not None
    server.answers["/slow"] = drip
    context = StepTestContext(doors=doors, timeout_seconds=0.3)
    with pytest.raises(RetryableError) as error:
        await run_step(NODE, {"url": server.url("/slow"), "total_seconds": 600}, context=context)
    assert error.value.message == "practice-company did not answer completely within 0.3 seconds."
    hints = NODE.config_schema["properties"]["total_seconds"]["x-ui"]
    assert hints["showIf"] == {"method": []}


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({"headers": [{"name": "Authorization", "value": "Bearer abc"}]}, [("headers[0].value", "secret_in_settings")]),
        ({"headers": [{"name": "X-Api-Key", "value": "abc"}]}, [("headers[0].value", "secret_in_settings")]),
        ({"headers": [{"name": "Authorization", "value": "{{ vars.token }}"}]}, []),
        ({"headers": [{"name": "Accept", "value": "text/csv"}, {"name": "Idempotency-Key", "value": "7"}]}, []),
        ({"query": [{"name": "api_key", "value": "abc"}, {"name": "page", "value": 2}]}, [("query[0].value", "secret_in_settings")]),
        ({"url": "https://x.example/a?page=1&api_key=abc#top"}, [("url", "secret_in_settings")]),
        ({"url": "https://x.example/a?key={{ trigger.k }}&sort=key"}, []),
        ({"url": "https://{{ trigger.host }}/a", "connection": "c"}, [("url", "formula_in_host")]),
        ({"url": "{{ trigger.url }}", "connection": "c"}, [("url", "formula_in_host")]),
        ({"url": "https://{{ trigger.host }}/a"}, []),
        ({"url": "https://x.example/{{ trigger.path }}", "connection": "c"}, []),
        ({"url": 7, "headers": "x", "query": [None, {"name": 1}]}, []),
    ],
)  # fmt: skip
def test_what_is_unwise_is_said_and_does_not_stop_a_publish(
    config: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert NODE is not None
    assert [warning[:2] for warning in NODE.warnings(config)] == found
    assert "secret_in_settings" not in [code for _path, code, _message in NODE.problems(config)]

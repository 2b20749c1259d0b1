from __future__ import annotations

from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.sdk import EventView, PermanentError, Words
from runtime.sdk.bodies import parse_request_body
from runtime.sdk.testing import StepTestContext, run_step


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        ("application/json", b'{"a": 1}', {"a": 1}),
        ("Application/JSON; charset=UTF-8", b"[1]", [1]),
        ("application/vnd.x+json", b"1", 1),
        ("application/x-www-form-urlencoded", b"a=1&b=x+y&a=2&c=", {"a": ["1", "2"], "b": "x y", "c": ""}),
        ("text/plain", b'{"a": 1}', '{"a": 1}'),
        ("application/xml", b"<a/>", "<a/>"),
        ("", b'{"a": 1}', {"a": 1}),
        ("", b"hello", "hello"),
        ("application/json", b"", None),
    ],
)
def test_bodies_are_read_by_what_they_say_they_are(content_type: str, body: bytes, expected: Any) -> None:
    assert parse_request_body(content_type, body) == expected


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{"),
        ("application/json; charset=utf-7", b"{}"),
        ("application/json; charset=utf-16", b"{}"),
        ("text/plain; charset=zlib", b"x"),
        ("application/octet-stream", b"\xff\xfe"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(1001))),
        ("application/x-www-form-urlencoded", b"a=%ff"),
        ("text/plain", b"a\x00b"),
    ],
)
async def test_bodies_that_cannot_be_read_fail_or_are_left_out(content_type: str, body: bytes) -> None:
    node = CATALOG.get("trigger.webhook@1")
    assert node is not None
    event = EventView(source="webhook", received_at=0, method="POST", content_type=content_type, body=body)
    with pytest.raises(PermanentError, match="body") as error:
        await run_step(node, {}, context=StepTestContext(event=event))
    assert error.value.code == "unparsable"
    outcome: Any = await run_step(node, {"on_unparsable": "keep"}, context=StepTestContext(event=event))
    assert outcome.output["body"] is None
    assert outcome.output["parse_error"]


async def test_secret_headers_do_not_reach_the_data() -> None:
    node = CATALOG.get("trigger.webhook@1")
    assert node is not None
    headers = {"authorization": "Bearer s3cret", "x-hub-signature-256": "sha256=ab", "x-plain": "kept"}
    event = EventView(source="webhook", received_at=0, headers=headers, query=(("a", "1"), ("a", "2")))
    outcome: Any = await run_step(node, {}, context=StepTestContext(event=event))
    assert outcome.output["headers"] == {"authorization": "•••", "x-hub-signature-256": "•••", "x-plain": "kept"}
    assert outcome.output["query"] == {"a": ["1", "2"]}


async def test_a_business_key_is_worked_out_on_request_only() -> None:
    node = CATALOG.get("trigger.webhook@1")
    assert node is not None
    prepared = node.prepare({"business_key": "{{ trigger.body.id }}"})
    assert prepared.resolve({}).business_key == "{{ trigger.body.id }}"
    assert prepared.deferred("business_key", {"trigger": {"body": {"id": "SO-1"}}}) == "SO-1"


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "POST from anyone with the address"),
        ({"methods": ["GET", "OPTIONS"]}, "GET, OPTIONS from anyone with the address"),
        ({"any_method": True}, "Any method from anyone with the address"),
        ({"any_method": True, "methods": [], "auth": "hmac"}, "Any method, signed (GitHub)"),
    ],
)
def test_the_card_says_which_requests_start_a_run(config: dict[str, Any], sentence: str) -> None:
    node = CATALOG.get("trigger.webhook@1")
    assert node is not None
    assert node.summarise(config, Words()) == sentence


def test_methods_are_not_asked_for_where_every_method_is_taken() -> None:
    node = CATALOG.get("trigger.webhook@1")
    assert node is not None
    fields = node.config_schema["properties"]
    assert fields["methods"]["x-ui"]["showIf"] == {"any_method": [False]}
    assert [option["value"] for option in fields["methods"]["x-ui"]["options"]].count("OPTIONS") == 1


@pytest.mark.parametrize(
    "place", ["order.id", "$.items[0].id", "{{ trigger.body.order.id }}", 'order["id"]', "Order number"]
)
def test_a_place_with_the_key_may_be_written_as_people_write_it(place: str) -> None:
    node = CATALOG.get("trigger.webhook@1")
    assert node is not None
    assert node.problems({"dedupe": "path", "dedupe_path": place}) == []


@pytest.mark.parametrize("place", ["{{ upper(trigger.body.id) }}", "order..id", "items[", "items[x]", "a | b", "$"])
def test_a_place_that_nobody_can_read_is_refused_before_it_recognises_nothing(place: str) -> None:
    node = CATALOG.get("trigger.webhook@1")
    assert node is not None
    assert [path for path, _code, _message in node.problems({"dedupe": "path", "dedupe_path": place})] == [
        "dedupe_path"
    ]

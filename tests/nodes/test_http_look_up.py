"""The HTTP step is asked whether it happened: what the other system is asked, and what its answer means."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.engine.check import check
from runtime.sdk import EffectClass, StepFailure
from runtime.sdk.probes import DidNotHappen, Happened, Patience, Verdict, working_out
from runtime.sdk.testing import KnownConnection, StepTestContext
from runtime.worker.egress import Egress
from tests.nodes.servers import HOST, HttpServer, answer, hang_up

NODE = CATALOG.get("http.request@1")
assert NODE is not None
assert NODE.probe is not None
PROBE = NODE.probe
KEY = StepTestContext.idempotency_key
DATA = {"trigger": {"body": {"id": "SO-1"}}, "steps": {}, "run": {"id": "r"}, "vars": {}, "error": None}


def looked_up(server: HttpServer, at: str = "/things?key={{ look_up.key }}", **more: Any) -> dict[str, Any]:
    return {
        "method": "POST",
        "url": server.url("/things"),
        "in_doubt": "look_up",
        "look_up_url": server.url(at),
        **more,
    }


async def look(doors: Egress, config: dict[str, Any], **connections: KnownConnection) -> Verdict:
    assert NODE is not None
    prepared = NODE.prepare(config)
    resolved: Any = prepared.resolve(DATA)
    context = StepTestContext(doors=doors, connections=connections)
    return await PROBE.look(resolved, None, context, working_out(DATA, context.idempotency_key))


def codes(config: dict[str, Any]) -> list[tuple[str, str]]:
    assert NODE is not None
    return [(field, code) for field, code, _message in NODE.problems(config)]


def test_a_step_that_can_be_looked_up_is_of_the_class_queryable(server: HttpServer) -> None:
    assert NODE is not None
    assert NODE.effect_of(looked_up(server)) is EffectClass.QUERYABLE
    assert NODE.effect_of(looked_up(server, send_key=False)) is EffectClass.QUERYABLE
    assert NODE.effect_of(looked_up(server, method="GET")) is EffectClass.READ
    assert NODE.prepare(looked_up(server)).effect is EffectClass.QUERYABLE


async def test_it_asks_with_get_by_the_key_signed_in_as_the_step(server: HttpServer, doors: Egress) -> None:
    server.answers["/things"] = answer(200, b'{"id": "T-1"}', "application/json")
    connection = KnownConnection("http_bearer", {"token": "tok-12345", "allowed_hosts": [HOST]})
    found = await look(doors, looked_up(server, connection="c", headers=[{"name": "X-A", "value": "b"}]), c=connection)
    (seen,) = server.seen
    assert (seen.method, seen.path, seen.body) == ("GET", f"/things?key={KEY}", b"")
    assert seen.headers["Authorization"] == "Bearer tok-12345"
    assert "X-A" not in seen.headers
    assert "Idempotency-Key" not in seen.headers, "a look-up changes nothing"
    assert isinstance(found, Happened)
    assert found.result.output["body"] == {"id": "T-1"}  # type: ignore[call-overload, index]


async def test_the_address_may_use_whatever_the_step_knows(server: HttpServer, doors: Egress) -> None:
    server.answers["/things"] = answer(404)
    assert isinstance(await look(doors, looked_up(server, "/things?r={{ trigger.body.id }}")), DidNotHappen)
    assert server.seen[0].path == "/things?r=SO-1"


@pytest.mark.parametrize(
    ("status", "more", "happened"),
    [
        (200, {}, True),
        (404, {}, False),
        (410, {"look_up_missing": "404, 410"}, False),
        (201, {}, False),  # the rule asks for 200
    ],
)
async def test_the_status_decides(
    server: HttpServer, doors: Egress, status: int, more: dict[str, Any], happened: bool
) -> None:
    server.answers["/things"] = answer(status, b"{}", "application/json")
    assert isinstance(await look(doors, looked_up(server, **more)), Happened) is happened


@pytest.mark.parametrize(("body", "happened"), [(b'{"items": [{"id": "T-7"}]}', True), (b'{"items": []}', False)])
async def test_a_list_with_nothing_in_it_is_not_found(
    server: HttpServer, doors: Egress, body: bytes, happened: bool
) -> None:
    server.answers["/things"] = answer(200, body, "application/json")
    rule = {"left": "{{ look_up.body.items }}", "op": "is_not_empty", "type": "list"}
    config = looked_up(
        server, look_up_found={"match": "all", "rules": [rule]}, look_up_output="{{ look_up.body.items[0] }}"
    )
    found = await look(doors, config)
    if happened:
        assert isinstance(found, Happened)
        assert found.result.output["body"] == {"id": "T-7"}  # type: ignore[call-overload, index]
    else:
        assert isinstance(found, DidNotHappen)


@pytest.mark.parametrize(("status", "again"), [(500, True), (503, True), (429, True), (401, False), (302, False)])
async def test_any_other_answer_cannot_tell(server: HttpServer, doors: Egress, status: int, again: bool) -> None:
    server.answers["/things"] = answer(status)
    with pytest.raises(StepFailure) as failure:
        await look(doors, looked_up(server))
    assert failure.value.retryable is again
    assert str(status) in failure.value.message
    assert failure.value.response is not None, "the record says what was answered"


async def test_no_answer_cannot_tell(server: HttpServer, doors: Egress) -> None:
    server.answers["/things"] = hang_up
    with pytest.raises(StepFailure) as failure:
        await look(doors, looked_up(server))
    assert failure.value.retryable
    assert not failure.value.maybe_applied


async def test_a_rule_that_cannot_be_decided_cannot_tell(server: HttpServer, doors: Egress) -> None:
    server.answers["/things"] = answer(200, b"no JSON", "text/plain")
    rule = {"left": "{{ look_up.body.total }}", "op": "gt", "right": "3", "type": "number"}
    with pytest.raises(StepFailure):
        await look(doors, looked_up(server, look_up_found={"match": "all", "rules": [rule]}))


def test_what_is_missing_or_wrong_is_said_in_plain_words(server: HttpServer) -> None:
    assert NODE is not None
    assert ("look_up_url", "required") in codes({**looked_up(server), "look_up_url": ""})
    assert ("look_up_url", "address") in codes({**looked_up(server), "look_up_url": "ftp://x/{{ look_up.key }}"})
    assert ("look_up_url", "address") in codes({**looked_up(server), "look_up_url": "https://a:b@x/{{ look_up.key }}"})
    assert ("look_up_missing", "invalid") in codes(looked_up(server, look_up_missing="soon"))
    assert ("look_up_found.rules[0].op", "conditions") in codes(
        looked_up(server, look_up_found={"match": "all", "rules": [{"left": "{{ look_up.status }}", "op": "?"}]})
    )
    assert codes(looked_up(server)) == []
    assert codes({"method": "GET", "url": "https://x.example", "in_doubt": "look_up"}) == [], "a GET needs none"


def test_what_is_unwise_is_said_too(server: HttpServer) -> None:
    assert NODE is not None
    warned = [code for _field, code, _message in NODE.warnings(looked_up(server, "/things"))]
    assert warned == ["look_up_same"]
    assert [code for _f, code, _m in NODE.warnings(looked_up(server, send_key=False))] == ["look_up_key"]
    assert NODE.warnings(looked_up(server)) == []


def test_the_answer_of_the_look_up_is_known_only_there(server: HttpServer) -> None:
    node = {
        "id": "a",
        "key": "a",
        "name": "Pay",
        "type": "http.request@1",
        "position": {"x": 0, "y": 0},
        "settings": {},
    }
    start = {**node, "id": "s", "key": "s", "name": "Start", "type": "trigger.manual@1", "config": {}}
    edge = {"id": "e", "source": "s", "sourceHandle": "out", "target": "a", "targetHandle": "in"}
    config = looked_up(server, body_type="json", json_body={"x": "{{ look_up.key }}"})
    drawn = {
        "format": "millrace.workflow", "version": 1, "annotations": [], "edges": [edge],
        "nodes": [start, {**node, "config": config}],
    }  # fmt: skip
    found = [(one.code, one.field) for one in check(drawn, CATALOG) if one.severity == "error"]
    assert found == [("reference.no_look_up", "json_body.x")]


def test_each_pause_is_twice_as_long_and_none_is_endless() -> None:
    patience = Patience(5, 2.0)
    assert [patience.seconds(before) for before in range(4)] == [2.0, 4.0, 8.0, 16.0]
    assert patience.seconds(19) == 300.0
    assert Patience(3, 600.0).seconds(1) == 600.0

"""S76 in small: whatever a body, a query or an id holds, no route answers 500, and every refusal is a problem."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.db import connection

from builder.workflows import drills
from runtime import api as runtime_api
from runtime.catalog import CATALOG
from runtime.contracts import NotStartable
from tests.builder.conftest import World
from tests.builder.route_table import ROUTES, Row
from tests.builder.test_routes import Things, ids, path_of, things

__all__ = ["things"]

TEXTS = [
    "",
    " ",
    "a",
    "é",
    "😀",
    "x" * 300,
    "{{ trigger.body }}",
    "{{",
    "{% for %}",
    "1",
    "true",
    "../",
    "\u202e",
    "\\",
    "'",
    "0001-01-01",
    "9999-12-31",
    "23:59",
    "9" * 5_000,
]
NUMBERS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63) + 1, 0.5, -0.0, 1e-9]
NAMES = [
    "graph",
    "nodes",
    "edges",
    "id",
    "key",
    "type",
    "config",
    "settings",
    "name",
    "format",
    "version",
    "__proto__",
    "",
]


def anything(dice: random.Random, depth: int = 0) -> Any:
    """Some JSON."""
    kind = dice.randrange(9 if depth < 4 else 6)
    match kind:
        case 0:
            return None
        case 1:
            return dice.choice([True, False])
        case 2:
            return dice.choice(NUMBERS)
        case 3 | 4 | 5:
            return dice.choice(TEXTS)
        case 6:
            return [anything(dice, depth + 1) for _ in range(dice.randrange(4))]
        case _:
            return {dice.choice([*NAMES, *TEXTS[:4]]): anything(dice, depth + 1) for _ in range(dice.randrange(4))}


def bent(dice: random.Random, body: Any) -> Any:
    """The body with one thing in it replaced, removed or added."""
    if isinstance(body, dict) and body and dice.random() < 0.7:
        name = dice.choice(list(body))
        changed = {**body, name: bent(dice, body[name])}
        return changed if dice.random() < 0.85 else {key: value for key, value in body.items() if key != name}
    if isinstance(body, list) and body and dice.random() < 0.7:
        index = dice.randrange(len(body))
        return [*body[:index], bent(dice, body[index]), *body[index + 1 :]]
    return anything(dice)


BODIES: dict[str, Any] = {
    "graph": {
        "format": "millrace.workflow",
        "version": 1,
        "nodes": [
            {
                "id": "a",
                "key": "start",
                "name": "Start",
                "type": "trigger.webhook@1",
                "config": {"methods": ["POST"], "auth": "none"},
                "position": {"x": 0, "y": 0},
                "settings": {"retry": {"attempts": 3}, "on_failure": "stop", "timeout_seconds": 30},
            },
            {
                "id": "b",
                "key": "check",
                "name": "Check",
                "type": "flow.decision@1",
                "config": {
                    "conditions": {"match": "all", "rules": [{"left": "{{ trigger.body.n }}", "op": "gt", "right": 1}]}
                },
                "position": {"x": 0, "y": 100},
                "settings": {},
            },
        ],
        "edges": [{"id": "e", "source": "a", "sourceHandle": "out", "target": "b", "targetHandle": "in"}],
        "annotations": [],
    },
}
SPECS: dict[str, dict[str, Any]] = {spec["type"]: spec for spec in CATALOG.specs()}


def a_setting(dice: random.Random, schema: dict[str, Any]) -> Any:
    """A value for one setting: mostly one that its schema offers, at its bounds or of its type, else anything."""
    fitting = [schema[name] for name in ("default", "const", "minimum", "maximum") if name in schema]
    fitting += schema.get("enum", [])
    match schema.get("type"):
        case "string":
            fitting += TEXTS
        case "integer" | "number":
            fitting += NUMBERS
        case "array":
            fitting += [[a_setting(dice, schema.get("items", {})) for _ in range(dice.randrange(3))]]
    return dice.choice(fitting) if fitting and dice.random() < 0.8 else anything(dice)


def settings_of(dice: random.Random, kind: str, *, fields: int = 2) -> dict[str, Any]:
    """Settings of a step type: one of its examples, or what it starts with, some of its real fields set anew."""
    spec = SPECS[kind]
    properties = spec["config_schema"]["properties"]
    config = dict(dice.choice([spec["defaults"], *(example["config"] for example in spec["examples"])]))
    for name in dice.sample(sorted(properties), min(len(properties), fields)):
        config[name] = a_setting(dice, properties[name])
    return config if dice.random() < 0.6 else bent(dice, config)


def ours(number: int) -> bool:
    """Whether the database of this session is sent the n-th of them: the two take turns, four at a time."""
    return number // 4 % 2 == (connection.vendor == "postgresql")


def not_started(**_arguments: Any) -> None:
    raise NotStartable("Nothing runs in this test.")


def body_of(row: Row) -> Any:
    """A good body of this row, to be bent."""
    body = dict(row.body or {})
    if "graph" in body or row.route.endswith("/workflows"):
        body["graph"] = BODIES["graph"]
    if row.route.endswith("schedules/preview"):
        body["config"] = dict(SPECS["trigger.schedule@1"]["defaults"])
    if row.route.endswith("expressions/preview"):
        body = {"template": "{{ trigger.total + 1 }} EUR", "context": {"trigger": {"total": 1}}}
    if row.route.endswith("/connections"):
        body = {"kind": "smtp", "name": "Mail", "fields": {"host": "mail.example", "from_address": "a@b.example"}}
    return body


@pytest.mark.parametrize("row", [row for row in ROUTES if row.method != "GET"], ids=ids)
def test_no_body_gives_a_500(world: World, things: Things, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    # No writer runs here, and what is asked is how far a body gets, not whether it runs.
    monkeypatch.setattr(runtime_api, "start_test", not_started)
    # A drill goes on in a thread, which would outlive this test and its database.
    monkeypatch.setattr(drills, "_carry_out", lambda *_: None)
    dice = random.Random(f"{row.method} {row.route}")
    path = path_of(row, world, things)
    good = body_of(row)
    caller = world.as_nobody if row.route in ("session", "setup", "invitations/accept") else world.as_alice
    headers = {"If-Match": '"1"'} if row.route.endswith(("/draft", "/restore")) else {}
    for number in range(20):
        body = bent(dice, good) if number % 4 else anything(dice)
        if not ours(number):
            continue
        answer = caller.call(row.method, path, body, headers=headers)
        assert answer.status < 500, (body, answer.body)
        if answer.status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json", body
            assert answer.body["request_id"]
            assert answer.body["title"]


@pytest.mark.parametrize("row", [row for row in ROUTES if row.method == "GET"], ids=ids)
def test_no_query_gives_a_500(world: World, things: Things, row: Row) -> None:
    dice = random.Random(row.route)
    path = path_of(row, world, things)
    names = [
        "q",
        "status",
        "limit",
        "cursor",
        "workflow",
        "mode",
        "after",
        "verdict",
        "token",
        "page",
        "order",
        "x[$ne]",
    ]
    for number in range(25):
        pairs = [(dice.choice(names), str(anything(dice, 9))) for _ in range(dice.randrange(4))]
        if not ours(number):
            continue
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
        answer = world.as_alice.get(f"{path}?{query}")
        assert answer.status < 500, (query, answer.body)


@pytest.mark.parametrize("node", ["x" * 3000, "😀", "%25", "'; --", "a%2Fb", "__proto__", " "])
def test_no_node_id_gives_a_500(world: World, node: str) -> None:
    path = f"{world.here}/runs/01a1fc6c-8feb-7e50-ab16-465c98787d84/steps/{quote(node, safe='%')}"
    assert world.as_vera.get(path).status == 404


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_no_settings_of_a_step_give_a_500(world: World, kind: str) -> None:
    dice = random.Random(kind)
    path = f"{world.here}/workflows/{world.workflow().id}"
    for number in range(20):
        config = settings_of(dice, kind)
        if not ours(number):
            continue
        node = {**BODIES["graph"]["nodes"][0], "type": kind, "config": config}
        graph = {**BODIES["graph"], "nodes": [node, BODIES["graph"]["nodes"][1]]}
        answer = world.as_bo.post(f"{path}/check", {"graph": graph})
        assert answer.status in (200, 400), (config, answer.body)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("repeat", SPECS["trigger.schedule@1"]["config_schema"]["properties"]["repeat"]["enum"])
def test_no_setting_of_a_schedule_breaks_its_preview(repeat: str, zone: str) -> None:
    properties = SPECS["trigger.schedule@1"]["config_schema"]["properties"]
    values: list[Any] = [*TEXTS, *NUMBERS, None, True, [], {}, [[]], [5], ["mon"], {"mon": 1}]
    for unit in properties["unit"]["enum"] if repeat == "every" else ["hours"]:
        for name in properties:
            for value in values:
                config = {"repeat": repeat, "unit": unit, "timezone": zone, name: value}
                found = runtime_api.schedule_preview(
                    workspace_id=UUID(int=7), config=config, after=1_795_000_000_000, count=2
                )
                assert found.fires or found.notes, config


@pytest.mark.parametrize("kind", [None, True, 5, 0.5, [], {}, [[]], {"a": 1}, "", "trigger.webhook", "x" * 300])
def test_a_step_type_that_is_none_gives_no_500(world: World, kind: Any) -> None:
    graph = {**BODIES["graph"], "nodes": [{**node, "type": kind} for node in BODIES["graph"]["nodes"]]}
    made = world.as_bo.post(f"{world.here}/workflows", {"name": "Odd", "graph": graph})
    assert made.status == 201, made.body
    path = f"{world.here}/workflows/{made.body['id']}"
    for answer, status in (
        (world.as_bo.post(f"{path}/check", {"graph": graph}), 200),
        (world.as_bo.put(f"{path}/draft", {"graph": graph}, headers={"If-Match": '"1"'}), 200),
        (world.as_bo.get(f"{path}/draft"), 200),
        (world.as_bo.post(f"{path}/publish", {"revision": 2}), 422),
        (world.as_bo.get(f"{world.here}/connections"), 200),
    ):
        assert answer.status == status, answer.body

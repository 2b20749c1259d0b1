"""The document, its schema, its graph, its hash."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from runtime.engine.graph import (
    GRAPH_SCHEMA,
    GraphRefused,
    RetryPolicy,
    Settings,
    canonical,
    digest,
    parse,
    sorted_topologically,
)
from runtime.engine.jsonprofile import loads
from runtime.engine.shape import structural_problems
from tests.engine.drawing import document, graph
from tests.engine.test_check import broken_documents

VALIDATOR = jsonschema.Draft202012Validator(GRAPH_SCHEMA)

#: Problems that no schema can see.
BEYOND_THE_SCHEMA = {
    "node.duplicate_id",
    "node.duplicate_key",
    "edge.duplicate_id",
    "edge.dangling",
    "edge.self_loop",
    "graph.cycle",
}


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(GRAPH_SCHEMA)


def test_a_drawn_document_fits_the_schema() -> None:
    VALIDATOR.validate(document("start -> a, a:error -> b", a={"retry": {"attempts": 2, "total_seconds": None}}))


@settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=broken_documents())
def test_the_check_and_the_schema_accept_the_same_documents(drawn: object) -> None:
    if has_what_json_lacks(drawn):
        return
    codes = {problem.code for problem in structural_problems(drawn)} - BEYOND_THE_SCHEMA
    assert (not codes) == VALIDATOR.is_valid(drawn), codes


def has_what_json_lacks(value: Any) -> bool:
    """NaN and infinity, which a schema takes for numbers; and line ends, which Python's `$` overlooks."""
    text = json.dumps(value)
    return "NaN" in text or "Infinity" in text or "\\n" in text


def test_defaults_are_filled_in() -> None:
    drawn = {
        "format": "millrace.workflow",
        "version": 1,
        "nodes": [{"id": "n1", "key": "start", "type": "trigger.manual@1"}, {"id": "n2", "key": "b", "type": "x.y@1"}],
        "edges": [{"id": "e1", "source": "n1", "target": "n2"}],
    }
    made = parse(drawn)
    assert made.by_id["n1"].settings == Settings()
    assert made.by_id["n1"].settings.retry == RetryPolicy(3, "exponential", 1, 2, 300, 0.2, 900)
    assert made.by_id["n1"].name == "start"
    assert (made.edges[0].source_handle, made.edges[0].target_handle) == ("out", "in")


def test_half_a_retry_policy_is_completed() -> None:
    made = graph("start", start={"retry": {"strategy": "fixed", "first_seconds": 5}})
    assert made.by_id["start"].settings.retry == RetryPolicy(strategy="fixed", first_seconds=5)


def test_exact_decimals_become_plain_numbers_in_settings_and_stay_exact_in_config() -> None:
    text = json.dumps(document("start", start={"timeout_seconds": 2.5})).replace(
        '"config": {}', '"config": {"a": 0.10}'
    )
    read: Any = loads(text)
    made = parse(read)
    assert made.by_id["start"].settings.timeout_seconds == 2.5
    assert made.by_id["start"].config["a"] == Decimal("0.10")


def test_a_graph_knows_its_neighbours_and_its_order() -> None:
    made = graph("start -> if, if:yes -> a, if:no -> b, a -> end, b -> end")
    assert made.order == ("start", "if", "a", "b", "end")
    assert [edge.source for edge in made.incoming["end"]] == ["a", "b"]
    assert [edge.target for edge in made.outgoing["if"]] == ["a", "b"]
    assert [node.id for node in made.triggers] == ["start"]
    assert made.roots == ("start",)
    assert made.by_key["a"].id == "a"


def test_sources_come_before_targets_in_the_order() -> None:
    assert sorted_topologically("dcba", [("a", "b"), ("b", "c"), ("c", "d")]) == ("a", "b", "c", "d")
    assert sorted_topologically("abc", [("b", "c"), ("c", "b")]) == ("a",)


def test_a_refused_graph_says_everything_that_is_wrong_with_it() -> None:
    drawn = document("start -> a, a -> start")
    drawn["format"] = "other"
    with pytest.raises(GraphRefused) as refused:
        parse(drawn)
    assert [problem.code for problem in refused.value.problems] == ["document.format", "graph.cycle"]
    assert "goes round in a circle" in str(refused.value)


def test_the_hash_does_not_depend_on_the_order_of_our_own_fields() -> None:
    drawn = document("start -> a", a={"retry": {"attempts": 2, "jitter": 0}})
    turned = turned_round(drawn)
    assert list(turned) != list(drawn)
    assert canonical(turned) == canonical(drawn)
    assert digest(turned) == digest(drawn)
    assert len(digest(drawn)) == 64


def test_the_hash_depends_on_the_order_of_what_the_user_wrote() -> None:
    first, second = document("start"), document("start")
    first["nodes"][0]["config"] = {"body": {"a": 1, "b": 2}}
    second["nodes"][0]["config"] = {"body": {"b": 2, "a": 1}}
    assert digest(first) != digest(second)
    assert '"body":{"b":2,"a":1}' in canonical(second)


def test_the_canonical_text_is_the_document() -> None:
    drawn = document("start -> a")
    drawn["nodes"][0]["ui"] = {"collapsed": True}
    assert loads(canonical(drawn)) == drawn
    assert canonical(loads(canonical(drawn))) == canonical(drawn)  # type: ignore[arg-type]


def turned_round(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: turned_round(value[name]) for name in reversed(value)}
    return [turned_round(item) for item in value] if isinstance(value, list) else value

"""The examples that come with Millrace are whole."""

from __future__ import annotations

import pytest

from builder.practice.example import EXAMPLES, ORDER_TO_CASH, PAYMENT_RUN, Example, find
from runtime.catalog import CATALOG
from runtime.contracts import dumps
from runtime.engine.check import check

MAIL = "0197f2c0-0000-7000-8000-000000000001"
each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.slug)


@each
def test_an_example_has_no_problem_once_its_mail_connection_is_known(example: Example) -> None:
    found = check(example.graph(MAIL), CATALOG)
    assert [(problem.severity, problem.node, problem.message) for problem in found] == []


@each
def test_every_step_of_an_example_says_what_it_does(example: Example) -> None:
    summaries = CATALOG.summaries(example.graph("x"))
    assert {node["id"] for node in example.graph()["nodes"]} == {node for node, said in summaries.items() if said}


@each
def test_an_example_is_found_by_its_name_and_by_its_slug(example: Example) -> None:
    assert find(example.name) is find(example.slug) is example
    assert find("Cash to order") is None


@each
def test_the_sample_of_an_example_can_be_posted(example: Example) -> None:
    assert dumps(example.sample)


@each
def test_no_card_of_an_example_lies_on_another(example: Example) -> None:
    # What stands inside a step has places of its own, from that step's corner.
    places = [(node.get("parent"), *node["position"].values()) for node in example.graph()["nodes"]]
    for inside, x, y in places:
        near = [(a, b) for other, a, b in places if other == inside and abs(a - x) < 300 and abs(b - y) < 100]
        assert near == [(x, y)]


def test_the_sample_order_adds_up() -> None:
    order = ORDER_TO_CASH.sample
    assert sum(line["quantity"] * line["price"] for line in order["lines"]) == pytest.approx(order["total"])


@pytest.mark.parametrize("handle", ["yes", "no"])
def test_both_answers_of_the_decision_lead_somewhere(handle: str) -> None:
    assert [edge for edge in ORDER_TO_CASH.graph()["edges"] if edge["sourceHandle"] == handle]


def test_each_undo_step_stands_to_the_right_of_its_action() -> None:
    graph = PAYMENT_RUN.graph()
    at = {node["id"]: node["position"] for node in graph["nodes"]}
    links = [edge for edge in graph["edges"] if edge["sourceHandle"] == "undo"]
    assert [(edge["source"], edge["target"]) for edge in links] == [
        ("invoice", "void"),
        ("payment", "refund"),
        ("delivery", "cancel"),
    ]
    for edge in links:
        assert at[edge["target"]] == {"x": at[edge["source"]]["x"] + 360, "y": at[edge["source"]]["y"]}

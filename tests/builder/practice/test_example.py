"""The example that everybody meets first is whole."""

from __future__ import annotations

import pytest

from builder.practice import example
from runtime.catalog import CATALOG
from runtime.contracts import dumps
from runtime.engine.check import check


def test_the_example_has_no_problem_once_its_mail_connection_is_known() -> None:
    found = check(example.graph("0197f2c0-0000-7000-8000-000000000001"), CATALOG)
    assert [(problem.severity, problem.node, problem.message) for problem in found] == []


def test_every_step_of_the_example_says_what_it_does() -> None:
    summaries = CATALOG.summaries(example.graph("x"))
    assert {node["id"] for node in example.graph()["nodes"]} == {node for node, said in summaries.items() if said}


def test_the_sample_order_adds_up() -> None:
    order = example.sample_order()
    assert sum(line["quantity"] * line["price"] for line in order["lines"]) == pytest.approx(order["total"])
    assert dumps(order)


@pytest.mark.parametrize("handle", ["yes", "no"])
def test_both_answers_of_the_decision_lead_somewhere(handle: str) -> None:
    assert [edge for edge in example.graph()["edges"] if edge["sourceHandle"] == handle]

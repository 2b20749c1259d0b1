# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from runtime.engine.conditions import OPERATORS, ConditionError, describe_group, evaluate_group, problems
from tests.generated import ROOT
from tests.nodes.steps import rule

NOW = datetime(2026, 11, 20, 9, 41, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entry", "holds"),
    [
        (rule("abc", "eq", "abc"), True),
        (rule(10, "eq", "10", "number"), True),
        (rule("10.0", "eq", 10, "number"), True),
        (rule("abc", "ne", "abc"), False),
        (rule(Decimal("13412.80"), "gt", "10000.00"), True),
        (rule(5, "lte", 5), True),
        (rule(5, "between", [1, 5]), True),
        (rule("2026-11-20", "between", ["2026-11-01", "2026-11-30"], "date"), True),
        (rule("2026-11-20T23:00:00Z", "before", "2026-11-21"), True),
        (rule("2026-11-20T10:00:00+02:00", "after", "2026-11-20T07:59:00Z"), True),
        (rule("2026-11-20T10:00:00Z", "eq", "2026-11-20", "date"), True),
        (rule("INV-1042", "contains", "10"), True),
        (rule(["a", "b"], "contains", "b"), True),
        (rule("INV-1042", "not_contains", "X"), True),
        (rule("INV-1042", "starts_with", "INV"), True),
        (rule("scan.pdf", "ends_with", ".pdf"), True),
        (rule("DE", "in", "AT, DE, CH"), True),
        (rule("DE", "not_in", ["AT", "CH"]), True),
        (rule(True, "is_true"), True),
        (rule("no", "is_false"), True),
        (rule(None, "is_empty"), True),
        (rule([], "is_not_empty"), False),
        (rule(0, "is_empty"), False),
        (rule("INV-1042", "not_starts_with", "SO"), True),
        (rule("scan.pdf", "not_ends_with", ".pdf"), False),
        (rule("Müller AG", "eq_any_case", "MÜLLER ag"), True),
        (rule("Müller AG", "contains_any_case", "ag"), True),
        (rule("INV-1042", "matches", "INV-????"), True),
        (rule("INV-1042", "matches", "INV-?"), False),
        (rule("2026-11-20T23:00:00Z", "same_day", "2026-11-20"), True),
        (rule("2026-11-13", "in_last_days", 7), True),
        (rule("2026-11-12", "in_last_days", "7"), False),
        (rule("2026-11-20T09:41:08Z", "in_last_days", 7), False),
        (rule("2026-11-20", "in_last_days", 0), True),
        (rule("2026-11-27", "in_next_days", 7), True),
        (rule("2026-11-19", "in_next_days", 7), False),
        (rule([1, 2], "length_is", 2), True),
        (rule([], "length_at_least", "1"), False),
        (rule([1, 2], "length_at_most", 2), True),
        (rule("100.00", "eq", 100), True),
        (rule(100, "eq", "100.00"), True),
        (rule(Decimal("100.00"), "ne", "100"), False),
        (rule("100.00", "eq", "100"), False),
        (rule("100", "in", [100, 200]), True),
        (rule(Decimal("7.00"), "in", "5, 7,"), True),
        (rule(8, "not_in", "5, 7, "), True),
        (rule([Decimal("100.00"), "a"], "contains", 100), True),
        (rule([7], "contains", "7"), True),
        (rule(["a", 5], "contains", "b"), False),
        (rule(None, "eq", "paid"), False),
        (rule(None, "ne", 5), True),
        (rule(None, "eq", ""), True),
    ],
)
def test_a_rule_says_what_it_says(entry: dict[str, Any], holds: bool) -> None:
    assert evaluate_group({"match": "all", "rules": [entry]}, NOW) is holds
    assert evaluate_group({"match": "any", "rules": [entry]}, NOW) is holds


@pytest.mark.parametrize(
    "entry",
    [
        rule("abc", "gt", 5), rule(True, "gt", 0), rule(None, "lt", 5), rule("soon", "before", "2026-11-20"), rule("maybe", "is_true"),
        rule([1], "eq", "a", "text"), rule({"a": 1}, "starts_with", "a"), rule(5, "between", 7), rule(5, "sounds_like", 5),
        rule("abc", "eq", 100), rule(100, "eq", "abc"), rule("", "eq", 100), rule(True, "eq", 1), rule(1, "eq", True), rule({"a": 1}, "eq", "a"),
        rule([1], "eq", "1"), rule(["1"], "ne", 1), rule(5, "in", "AT, DE"), rule("DE", "in", [5]), rule(["a"], "contains", 5),
        rule("soon", "in_last_days", 7), rule("2026-11-20", "in_last_days", "x"), rule("2026-11-20", "in_next_days", -1), rule("2026-11-20", "in_next_days", 10**9),
        rule("abc", "length_is", 3), rule([1], "length_is", "x"), rule([1], "matches", "*"), rule("a" * 1_100_000, "matches", "*a" * 400 + "b"),
        rule("abc", "contains", "a", "list"), rule(["a"], "contains", "a", "text"), rule(["a"], "in", ["a"]),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_an_error_and_not_a_no(entry: dict[str, Any]) -> None:
    with pytest.raises(ConditionError) as error:
        evaluate_group({"rules": [entry]}, NOW)
    assert error.value.path.startswith("rules[0]")


def test_a_misfit_is_told_in_words_that_fit_the_question() -> None:
    for entry, words in (
        (rule(None, "between", [1, 5]), "compares numbers, but here is empty"),
        (rule("abc", "between", [1, 5]), "compares numbers, but here is text “abc”"),
        (rule("abc", "between", ["2026-11-01", "2026-11-30"]), "compares dates"),
        (rule(["a"], "contains", 5), "it starts with text “a”"),
    ):
        with pytest.raises(ConditionError, match=words):
            evaluate_group({"rules": [entry]})


def test_groups_nest_three_deep_and_no_deeper() -> None:
    yes, no = rule(1, "eq", 1), rule(1, "eq", 2)
    assert evaluate_group(
        {"match": "any", "rules": [no, {"match": "all", "rules": [yes, {"match": "any", "rules": [no, yes]}]}]}
    )
    deep: dict[str, Any] = {"rules": [yes]}
    for _ in range(3):
        deep = {"rules": [deep]}
    assert problems(deep)
    with pytest.raises(ConditionError):
        evaluate_group(deep)


def test_groups_are_described_as_people_speak() -> None:
    group = {
        "match": "all",
        "rules": [
            rule("{{ steps.invoice.total }}", "gt", "10000.00", "number"),
            {
                "match": "any",
                "rules": [rule("{{ trigger.body.kind }}", "eq", "new"), rule("{{ trigger.body.kind }}", "is_empty")],
            },
        ],
    }
    assert (
        describe_group(group)
        == "Invoice › Total is more than 10,000.00 and (Trigger › Kind is new or Trigger › Kind is empty)"
    )
    assert problems(group) == []


def test_every_operator_reads_as_a_sentence_and_is_offered_by_the_editor() -> None:
    shown = (ROOT / "frontend" / "src" / "inspector" / "conditions.ts").read_text()
    offered = {
        kind: set(re.findall(r'"(\w+)"', list_))
        for kind, list_ in re.findall(r"^  (\w+): \[(.*?)\],$", shown, re.M | re.S)
    }
    for language in ("en", "de"):
        labels = json.loads((ROOT / "frontend" / "src" / "i18n" / language / "inspector.json").read_text())["op"]
        assert set(labels) == set(OPERATORS)
    for name, operator in OPERATORS.items():
        right = [1, 2] if operator.sides == 3 else 7
        assert describe_group({"rules": [rule("{{ trigger.x }}", name, right)]}).startswith(
            f"Trigger › X {operator.words}"
        )
        for kind in operator.types:
            assert name in offered[kind] or (kind, name) in {("bool", "eq"), ("bool", "ne")}
    assert (
        describe_group({"rules": [rule("{{ trigger.due }}", "in_last_days", 7)]})
        == "Trigger › Due is in the last 7 days"
    )
    assert (
        describe_group({"rules": [rule("{{ trigger.l }}", "length_is", "1000")]})
        == "Trigger › L has exactly 1,000 entries"
    )

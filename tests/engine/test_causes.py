"""Failures that are alike are found to be so, and others are kept apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.engine.causes import cause, pattern
from tests.engine.drawing import failure


@pytest.mark.parametrize(
    ("message", "without"),
    [
        ("Invoice R-2026-0417 of 12.50 EUR is closed since 2026-11-01.", "Invoice … of … EUR is closed since …."),
        ("http://erp.example/invoices/4711/lines answered 422", "http://erp.example/invoices/…/lines answered …"),
        ("Nobody is called a.b@example.org", "Nobody is called …"),
        ("Id 0193a0e1-2222-7333-8444-555566667777 is gone", "Id … is gone"),
        ("The period is closed.", "The period is closed."),
        (
            "“Value”: “number” cannot read a number from text “x”.",
            "“Value”: “number” cannot read a number from text ….",
        ),
        (
            "Number 2 (x): A is bad; Number 5 (y): A is bad; Number 7 (z): B is bad",
            "Number …: A is bad; Number …: B is bad",
        ),
        ("", ""),
    ],
)
def test_what_differs_from_run_to_run_is_taken_out_of_a_message(message: str, without: str) -> None:
    assert pattern(message) == without


def test_a_cause_is_the_step_the_error_and_the_message_without_what_differs() -> None:
    error = replace(failure(), message="Invoice 17 is closed.")
    assert cause(error, "pay") == cause(replace(error, message="Invoice 4711 is closed."), "pay")
    others = [
        cause(replace(error, message="Invoice 17 is unknown."), "pay"),
        cause(replace(error, code="http.404"), "pay"),
        cause(replace(error, http_status=422), "pay"),
        cause(error, "book"),
        cause(error, "pay", scope="another workflow"),
    ]
    assert len({cause(error, "pay"), *others}) == 6


def test_ten_thousand_failures_of_twelve_causes_form_twelve_groups() -> None:
    kinds = [replace(failure(), code=f"http.{number}", message="Order {} of {} is refused.") for number in range(12)]
    found = {
        cause(replace(kinds[number % 12], message=kinds[0].message.format(number, f"C-{number * 7}")), "pay")
        for number in range(10_000)
    }
    assert len(found) == 12


def test_a_long_message_with_nothing_but_numbers_is_dealt_with_at_once() -> None:
    assert len(pattern("1-" * 1_000_000)) <= 300
    assert len(pattern("a1" * 1_000_000)) <= 300

"""The company's bank: a statement that does not quite fit, open invoices, and receipts that are booked once."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from builder.practice.bank import CSV
from tests.builder.practice.conftest import Company

BODY = {"line": "B-1", "amount": 12.5, "currency": "EUR", "invoices": ["R-1", "R-2"], "difference": -0.02}


def table(company: Company, path: str, delimiter: str) -> list[dict[str, str]]:
    answer = company.client.get(path)
    assert answer.headers["content-type"] == CSV
    return list(csv.DictReader(io.StringIO(answer.text), delimiter=delimiter))


def test_the_statement_pays_the_open_items_but_for_what_life_does(company: Company) -> None:
    items = {one["invoice"]: Decimal(one["open"]) for one in table(company, "/open-items?month=2026-11&of=200", ",")}
    lines = table(company, "/bank-statement?month=2026-11&of=200", ";")
    paid = [Decimal(one["Amount"].replace(".", "").replace(",", ".")) for one in lines]
    assert (len(items), len(lines), len({one["Line"] for one in lines})) == (200, 198, 198)
    assert [one["Line"] for one in lines] == sorted(one["Line"] for one in lines)
    named = [one for line in lines for one in line["Reference"].split(", ") if one]
    assert set(items) - set(named) == {"R-2026-11-00041", "R-2026-11-00141"}
    assert sorted(one for one in set(named) if named.count(one) == 2) == ["R-2026-11-00059", "R-2026-11-00159"]
    assert sum(len(line["Reference"].split(", ")) == 3 for line in lines) == 2
    off = [
        amount - sum(items[one] for one in line["Reference"].split(", "))
        for line, amount in zip(lines, paid, strict=True)
        if line["Reference"]
    ]
    assert sorted(set(off)) == [-10, Decimal("-0.02"), 0]
    assert any("." in line["Amount"] for line in lines)
    assert {one["Currency"] for one in lines} == {"EUR", "GBP"}


@pytest.mark.parametrize("path", ["/bank-statement", "/open-items"])
def test_the_same_question_has_the_same_answer_and_a_month_that_is_none_is_refused(company: Company, path: str) -> None:
    assert (
        company.client.get(f"{path}?month=2026-11&of=300").text
        == company.client.get(f"{path}?month=2026-11&of=300").text
    )
    assert company.get(f"{path}?month=November")["error"] == "bad_month"
    assert company.client.get(f"{path}?month=2026-11&of=90000").text.count("\n") > 11_000
    assert company.client.get(f"{path}?month=2026-11&of=0").text.count("\n") == 1


def test_a_receipt_is_booked_once_and_makes_its_invoices_paid(company: Company) -> None:
    first, again = (company.post("/receipts", BODY, key="k") for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert company.get("/receipts")["total"] == 1
    other = company.post("/receipts", {**BODY, "line": "B-2"}, key="other")
    assert (other.status_code, other.json()["error"]) == (409, "already_paid")
    assert company.get("/receipts")["total"] == 1


def test_a_receipt_that_is_cancelled_opens_its_invoices_again(company: Company) -> None:
    invoice = "R-2026-11-00001"
    path = "/open-items?month=2026-11&of=3"
    company.post("/receipts", {**BODY, "invoices": [invoice], "reference": "run-1"}, key="a")
    assert invoice not in company.client.get(path).text
    assert company.post("/receipts/run-1/cancel", {"reason": "wrong"}, key="b").status_code == 200
    assert invoice in company.client.get(path).text
    assert company.post("/receipts/run-1/cancel", {}, key="c").status_code == 409
    assert company.post("/receipts/RC-9/cancel", {}, key="d").status_code == 404
    assert company.post("/receipts", {**BODY, "invoices": [invoice], "reference": "run-1"}, key="e").status_code == 201


@pytest.mark.parametrize(
    "change", [{"line": ""}, {"amount": "x"}, {"invoices": "R-1"}, {"invoices": [1]}, {"difference": 0.001}]
)
def test_what_is_no_receipt_is_refused(company: Company, change: dict[str, object]) -> None:
    assert company.post("/receipts", {**BODY, **change}, key="x").status_code == 422

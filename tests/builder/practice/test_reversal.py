"""What the practice company did, it can take back, once, and its figures stay right."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.builder.practice.conftest import Company

INVOICE = {"order": "A-1", "customer": "C-200", "amount": 120.50, "currency": "EUR", "reference": "run-1"}
DELIVERY = {"order": "A-1", "sku": "ROBE-L", "quantity": 15, "reference": "run-1"}

#: The tables as the first version of Millrace made them, with a paid and an open invoice.
EARLIER_BOOKS = """
CREATE TABLE invoices (
  id TEXT PRIMARY KEY, order_number TEXT NOT NULL, customer TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL,
  status TEXT NOT NULL, created_ms INTEGER NOT NULL);
CREATE TABLE payments (
  id TEXT PRIMARY KEY, invoice TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL, method TEXT NOT NULL,
  created_ms INTEGER NOT NULL);
INSERT INTO invoices VALUES ('INV-1001', 'A-1', 'C-200', '120.50', 'EUR', 'paid', 1);
INSERT INTO invoices VALUES ('INV-1002', 'A-2', 'C-200', '30.00', 'EUR', 'open', 2);
INSERT INTO payments VALUES ('PAY-5001', 'INV-1001', '120.50', 'EUR', 'card', 3);
"""


def paid(company: Company, **more: Any) -> tuple[str, str]:
    """An invoice and its payment: their numbers."""
    invoice = company.post("/invoices", {**INVOICE, **more}).json()["id"]
    taken = company.post("/payments", {"invoice": invoice, "amount": 120.50, "reference": "run-1"})
    return invoice, taken.json()["id"]


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.json()["message"]
    return answer.status_code, answer.json()["error"]


def outstanding(company: Company) -> float:
    found: float = company.get("/customers/C-200/credit")["outstanding"]
    return found


def test_an_open_invoice_is_made_void_and_owed_no_more(company: Company) -> None:
    invoice = company.post("/invoices", INVOICE).json()["id"]
    assert outstanding(company) == 120.50
    voided = company.post(f"/invoices/{invoice}/void", {"reason": "a mistake"})
    assert voided.status_code == 200
    assert (voided.json()["id"], voided.json()["status"], voided.json()["reason"]) == (invoice, "void", "a mistake")
    assert outstanding(company) == 0
    kept = company.get(f"/invoices/{invoice}")
    assert (kept["status"], kept["voided_at"]) == ("void", voided.json()["voided_at"])


def test_a_paid_invoice_is_made_void_only_after_its_payment_was_given_back(company: Company) -> None:
    invoice, payment = paid(company)
    assert refusal(company.post(f"/invoices/{invoice}/void", {})) == (409, "refund_first")
    refund = company.post(f"/payments/{payment}/refunds", {})
    assert (refund.status_code, refund.json()["amount"], refund.json()["invoice_status"]) == (201, 120.50, "open")
    assert outstanding(company) == 120.50
    assert company.client.post(f"/invoices/{invoice}/void").status_code == 200
    assert outstanding(company) == 0
    assert company.get(f"/payments/{payment}")["status"] == "refunded"
    assert company.get(f"/refunds/{refund.json()['id']}")["payment"] == payment


def test_nothing_is_taken_back_twice(company: Company) -> None:
    invoice, payment = paid(company)
    delivery = company.post("/deliveries", DELIVERY).json()["id"]
    for path, code in (
        (f"/payments/{payment}/refunds", "already_refunded"),
        (f"/invoices/{invoice}/void", "already_void"),
        (f"/deliveries/{delivery}/cancel", "already_cancelled"),
    ):
        assert company.post(path, {}).status_code < 300
        assert refusal(company.post(path, {})) == (409, code)
    assert len(company.get("/refunds")["items"]) == 1


def test_taking_back_with_a_key_is_answered_once_more_and_not_done_once_more(company: Company) -> None:
    _invoice, payment = paid(company)
    with pytest.raises(httpx2.TransportError):
        company.post(f"/payments/{payment}/refunds", {}, key="k", behaviour="drop*1")
    again = company.post(f"/payments/{payment}/refunds", {}, key="k", behaviour="drop*1")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert len(company.get("/refunds")["items"]) == 1


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/invoices/INV-9/void", "no_such_invoice"),
        ("/payments/PAY-9/refunds", "no_such_payment"),
        ("/deliveries/DEL-9/cancel", "no_such_delivery"),
    ],
)
def test_what_is_not_known_cannot_be_taken_back(path: str, code: str, company: Company) -> None:
    assert refusal(company.post(path, {})) == (404, code)


def test_whoever_never_got_the_answer_takes_back_by_their_own_reference(company: Company) -> None:
    with pytest.raises(httpx2.TransportError):
        company.post("/invoices", INVOICE, behaviour="drop")
    assert company.post("/invoices/run-1/void", {}).json()["id"] == "INV-1001"
    assert refusal(company.post("/invoices/run-1/void", {})) == (409, "already_void")


def test_a_reference_stands_for_one_thing_until_that_was_taken_back(company: Company) -> None:
    invoice, payment = paid(company)
    delivery = company.post("/deliveries", DELIVERY).json()["id"]
    assert refusal(company.post("/invoices", INVOICE)) == (409, "reference_used")
    assert refusal(company.post("/deliveries", DELIVERY)) == (409, "reference_used")
    pay = {"invoice": invoice, "amount": 120.50, "reference": "run-1"}
    assert refusal(company.post("/payments", pay)) == (409, "reference_used")
    assert company.post("/payments/run-1/refunds", {}).json()["payment"] == payment
    assert company.post("/payments", pay).json()["id"] != payment
    assert company.post("/deliveries/run-1/cancel", {}).json()["id"] == delivery
    assert company.post("/deliveries", DELIVERY).status_code == 201
    assert company.post("/deliveries/run-1/cancel", {}).json()["id"] != delivery


def test_one_of_two_payments_is_given_back_and_the_invoice_is_paid(company: Company) -> None:
    invoice, _payment = paid(company)
    second = company.post("/payments", {"invoice": invoice, "amount": 120.50}).json()
    assert second["invoice_status"] == "overpaid"
    assert company.post(f"/payments/{second['id']}/refunds", {}).json()["invoice_status"] == "paid"
    assert outstanding(company) == 0


def test_nothing_is_paid_on_a_void_invoice(company: Company) -> None:
    invoice = company.post("/invoices", INVOICE).json()["id"]
    company.post(f"/invoices/{invoice}/void", {})
    answer = company.post("/payments", {"invoice": invoice, "amount": 120.50})
    assert refusal(answer) == (409, "invoice_void")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"quantity": 61}, 422, "not_enough_stock"),
        ({"sku": "SOAP-6", "quantity": 1}, 422, "not_enough_stock"),
        ({"sku": "TENT"}, 404, "no_such_product"),
        ({"quantity": 0}, 422, "bad_quantity"),
        ({"quantity": 1.5}, 422, "bad_quantity"),
        ({"quantity": True}, 422, "bad_quantity"),
        ({"quantity": "15"}, 422, "bad_quantity"),
        ({"reference": 7}, 422, "missing"),
    ],
)
def test_a_delivery_that_cannot_be_is_refused_in_words(
    change: dict[str, Any], status: int, code: str, company: Company
) -> None:
    assert refusal(company.post("/deliveries", {**DELIVERY, **change})) == (status, code)
    assert company.get("/deliveries")["items"] == []


def test_the_same_order_can_be_delivered_any_number_of_times(company: Company) -> None:
    orders = [{**DELIVERY, "quantity": 60.0, "reference": f"run-{number}"} for number in range(3)]
    assert [company.post("/deliveries", order).status_code for order in orders] == [201, 201, 201]


def test_a_refund_can_be_told_to_be_slow_or_to_fail_without_the_payments(company: Company) -> None:
    company.post("/behaviour", {"path": "/payments/", "method": "POST", "behaviour": "fail=503", "times": 1})
    _invoice, payment = paid(company)
    assert company.post(f"/payments/{payment}/refunds", {}).status_code == 503
    assert company.post(f"/payments/{payment}/refunds", {}).status_code == 201


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"reason": 7}'])
def test_a_bad_body_takes_nothing_back(body: bytes, company: Company) -> None:
    invoice = company.post("/invoices", INVOICE).json()["id"]
    assert company.client.post(f"/invoices/{invoice}/void", content=body).status_code in (400, 422)
    assert company.get(f"/invoices/{invoice}")["status"] == "open"


def test_the_books_show_what_was_taken_back(company: Company) -> None:
    invoice, payment = paid(company, order="<b>A-1</b>")
    company.post("/deliveries", DELIVERY)
    company.post("/deliveries/run-1/cancel", {})
    company.post(f"/payments/{payment}/refunds", {"reason": "<i>no longer wanted</i>"})
    company.post(f"/invoices/{invoice}/void", {})
    page = company.client.get("/").text
    for shown in ("void", "refunded", "cancelled", "REF-7001", "&lt;i&gt;no longer wanted&lt;/i&gt;", "Bathrobe"):
        assert shown in page


def test_books_of_an_earlier_version_are_kept_and_can_be_taken_back_too(
    tmp_path: Path, open_company: Callable[[], Company]
) -> None:
    books = sqlite3.connect(tmp_path / "practice.sqlite3")
    books.executescript(EARLIER_BOOKS)
    books.close()
    for _opened in range(2):
        company = open_company()
        assert [item["status"] for item in company.get("/invoices")["items"]] == ["open", "paid"]
        assert [item["status"] for item in company.get("/payments")["items"]] == ["taken"]
        assert Decimal(str(outstanding(company))) == 30
        company.client.close()
        company.process.kill()
        company.process.wait(60)
    company = open_company()
    assert company.post("/payments/PAY-5001/refunds", {}).status_code == 201
    assert company.post("/invoices/INV-1001/void", {}).status_code == 200
    assert company.post("/invoices", {**INVOICE, "order": "A-3"}).json()["id"] == "INV-1003"

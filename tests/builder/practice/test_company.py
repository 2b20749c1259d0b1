"""The practice company keeps the promises that the examples and the fault tests rest on."""

from __future__ import annotations

import smtplib
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage

import httpx2
import pytest

from builder.practice import behaviour
from tests.builder.practice.conftest import Company

INVOICE = {"order": "A-1", "customer": "C-200", "amount": 120.50, "currency": "EUR"}


def test_a_repeated_key_gets_the_first_answer_and_is_not_applied_again(company: Company) -> None:
    first = company.post("/invoices", INVOICE, key="k-1")
    again = company.post("/invoices", INVOICE, key="k-1")

    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(company.get("/invoices")["items"]) == 1


def test_a_key_used_for_another_body_is_refused(company: Company) -> None:
    company.post("/invoices", INVOICE, key="k-1")
    other = company.post("/invoices", {**INVOICE, "amount": 1}, key="k-1")
    assert other.status_code == 422
    assert other.json()["error"] == "key_reused"


def test_without_a_key_or_told_to_ignore_it_each_call_is_applied(company: Company) -> None:
    company.post("/invoices", INVOICE)
    company.post("/invoices", INVOICE)
    company.post("/invoices", INVOICE, key="k", behaviour="ignore")
    company.post("/invoices", INVOICE, key="k", behaviour="ignore")
    assert len(company.get("/invoices")["items"]) == 4


def test_every_call_is_in_the_ledger_with_its_key_body_and_whether_it_was_applied(company: Company) -> None:
    company.post("/invoices", INVOICE, key="k-1")
    company.post("/invoices", INVOICE, key="k-1")
    company.post("/invoices", {"order": ""}, key="k-2")

    calls = [call for call in company.get("/calls")["items"] if call["method"] == "POST"]
    assert [(call["key"], call["applied"], call["replayed"], call["status"]) for call in calls] == [
        ("k-1", True, False, 201),
        ("k-1", False, True, 201),
        ("k-2", False, False, 422),
    ]
    assert calls[0]["body_sha256"] == calls[1]["body_sha256"] != calls[2]["body_sha256"]
    summary = company.get("/calls/summary")
    assert summary["keys"][0] == {
        "key": "k-1", "path": "/invoices", "calls": 2, "applied": 1, "replayed": 1, "bodies": 1,
    }  # fmt: skip


def test_the_ledger_is_asked_by_key_and_by_path_however_much_stands_before(company: Company) -> None:
    company.post("/invoices", INVOICE, key="k-1")
    company.post("/invoices", INVOICE, key="k-2", behaviour="slow=1")
    company.get("/invoices/by-key/k-1")
    assert [call["key"] for call in company.get("/calls?key=k-2&limit=1")["items"]] == ["k-2"]
    assert [call["method"] for call in company.get("/calls?path=/invoices/by-key/k-1&limit=1")["items"]] == ["GET"]
    assert [call["key"] for call in company.get("/calls?path=/invoices")["items"]] == ["k-1", "k-2"]


def test_what_was_answered_survives_a_kill(open_company: Callable[[], Company]) -> None:
    company = open_company()
    first = company.post("/invoices", INVOICE, key="k-1").json()
    company.process.kill()
    company.process.wait(60)

    again = open_company().post("/invoices", INVOICE, key="k-1")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first


def test_drop_applies_and_leaves_the_caller_without_an_answer(company: Company) -> None:
    with pytest.raises(httpx2.TransportError):
        company.post("/invoices", INVOICE, key="k-1", behaviour="drop*1")
    assert len(company.get("/invoices")["items"]) == 1
    second = company.post("/invoices", INVOICE, key="k-1", behaviour="drop*1")
    assert second.headers["idempotent-replayed"] == "true"


def test_reset_cuts_the_connection_before_anything_is_applied(company: Company) -> None:
    with pytest.raises(httpx2.TransportError):
        company.post("/with/reset/invoices", INVOICE)
    assert company.get("/invoices")["items"] == []


def test_fail_refuses_the_first_calls_of_a_key_only(company: Company) -> None:
    statuses = [company.post("/with/fail=503*2/invoices", INVOICE, key="k-1").status_code for _ in range(3)]
    assert statuses == [503, 503, 201]
    assert company.post("/with/fail=503*2/invoices", INVOICE, key="k-2").status_code == 503


def test_limit_says_when_to_come_back(company: Company) -> None:
    refused = company.post("/invoices", INVOICE, behaviour="limit=7*1")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")


def test_hang_applies_and_never_answers(company: Company) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        company.client.post("/with/hang/invoices", json=INVOICE, timeout=0.5)
    assert len(company.get("/invoices")["items"]) == 1


def test_slow_answers_after_its_time(company: Company) -> None:
    began = time.monotonic()
    assert company.post("/invoices", INVOICE, behaviour="slow=300").status_code == 201
    assert time.monotonic() - began >= 0.3


def test_a_standing_order_holds_for_its_number_of_calls(company: Company) -> None:
    company.post("/behaviour", {"path": "/invoices", "method": "POST", "behaviour": "fail=500", "times": 2})
    assert [company.post("/invoices", INVOICE).status_code for _ in range(3)] == [500, 500, 201]
    assert company.client.request("DELETE", "/behaviour").json() == {"forgotten": 1}


def test_a_standing_order_goes_before_what_the_call_asks_for(company: Company) -> None:
    company.post("/behaviour", {"path": "/invoices", "method": "POST", "behaviour": "slow=300", "times": 1})
    began = time.monotonic()
    assert company.post("/invoices", INVOICE, behaviour="slow=1").status_code == 201
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("text", ["fly", "fail", "fail=200", "drop=3", "slow", "slow=9999999"])
def test_words_that_are_no_behaviour_are_refused(text: str, company: Company) -> None:
    with pytest.raises(behaviour.BehaviourRefused):
        behaviour.parse(text)
    assert company.post("/invoices", INVOICE, behaviour=text).status_code == 400


def test_an_order_becomes_an_invoice_and_a_payment_to_the_cent(company: Company) -> None:
    assert company.get("/customers/C-200/credit?amount=120.50")["approved"] is True
    assert company.get("/customers/C-400/credit?amount=1")["approved"] is False
    invoice = company.post("/invoices", INVOICE).json()
    assert (invoice["amount"], invoice["status"], invoice["email"]) == (120.50, "open", "accounts@brightwater.example")
    assert company.get("/customers/C-200/credit?amount=1")["outstanding"] == 120.50
    assert company.post("/payments", {"invoice": invoice["id"], "amount": 120.49}).status_code == 422
    payment = company.post("/payments", {"invoice": invoice["id"], "amount": 120.50}).json()
    assert payment["invoice_status"] == "paid"
    assert company.get(f"/invoices/{invoice['id']}")["status"] == "paid"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"amount": NaN}', b'{"amount": "1e999999"}', b"\xff", b'{"a":1}'])
def test_a_bad_body_is_refused_with_words(body: bytes, company: Company) -> None:
    answer = company.client.post("/invoices", content=body)
    assert answer.status_code in (400, 422)
    assert answer.json()["message"]


def test_a_mail_is_filed_once_however_often_it_comes(company: Company) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "millrace@example.org",
        "accounts@brightwater.example",
        "Rechnung über 5 €",
    )
    mail["Message-ID"] = "<one@millrace>"
    mail.set_content("Your invoice.\n.\nA line that begins with a dot was above.\n")
    for _ in range(2):
        with smtplib.SMTP("127.0.0.1", company.smtp_port, timeout=5) as connection:
            connection.send_message(mail)

    (filed,) = company.get("/mails")["items"]
    assert filed["deliveries"] == 2
    assert filed["subject"] == "Rechnung über 5 €"
    assert filed["recipients"] == "accounts@brightwater.example"
    assert "\n.\n" in filed["text"].replace("\r\n", "\n")


def test_the_books_are_a_page_without_scripts_and_show_values_as_text(company: Company) -> None:
    company.post("/invoices", {**INVOICE, "order": "<script>alert(1)</script>"})
    page = company.client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "&lt;script&gt;" in page.text
    assert "<script" not in page.text


def test_many_callers_at_once_are_all_written_down(company: Company) -> None:
    def call(name: int) -> None:
        with httpx2.Client(base_url=company.client.base_url, trust_env=False) as client:
            for number in range(20):
                client.post("/invoices", json=INVOICE, headers={"Idempotency-Key": f"{name}-{number}"})

    threads = [threading.Thread(target=call, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    summary = company.get("/calls/summary")
    assert summary["applied"] == 160
    assert {entry["applied"] for entry in summary["keys"]} == {1}

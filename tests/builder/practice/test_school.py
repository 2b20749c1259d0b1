"""The company's students are many, all different and always the same, and its ledger keeps a row once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest

from builder.practice.students import student
from tests.builder.practice.conftest import Company

ROW = {"account": "S-00001", "amount": 120.50, "currency": "EUR", "sha256": "ab" * 32}


def all_of(company: Company, path: str) -> list[list[dict[str, Any]]]:
    """The students of each page, from one page to the next."""
    pages = []
    following: str | None = path
    while following is not None:
        answer = company.get(following)
        pages.append(answer["students"])
        following = answer["next"]
    return pages


def test_there_are_twelve_thousand_students_five_hundred_on_a_page(company: Company) -> None:
    first = company.get("/students?month=2026-11")
    assert (first["total"], len(first["students"])) == (12_000, 500)
    last = company.get("/students?month=2026-11&page=24")
    assert (last["students"][-1]["account"], last["next"]) == ("S-12000", None)


def test_each_page_says_where_the_next_one_is_and_fewer_can_be_asked_for(company: Company) -> None:
    pages = all_of(company, "/students?month=2026-02&of=1100")
    assert [len(page) for page in pages] == [500, 500, 100]
    accounts = [one["account"] for page in pages for one in page]
    assert accounts == [f"S-{number:05}" for number in range(1, 1101)]
    assert [len(page) for page in all_of(company, "/students?of=500")] == [500]
    assert {one["date"] for page in pages for one in page} == {"2026-02-28"}


def test_the_same_question_has_the_same_answer(company: Company) -> None:
    assert company.get("/students?month=2026-11&of=40") == company.get("/students?month=2026-11&of=40")


def test_no_two_of_twelve_thousand_students_are_alike() -> None:
    everybody = [student(number, "2026-11") for number in range(1, 12_001)]
    assert len({(one["name"], one["street"]) for one in everybody}) == 12_000
    assert max(len(list(same)) for _, same in groupby(sorted(str(one["amount"]) for one in everybody))) < 30
    names = "".join(str(one["name"]) for one in everybody[:500])
    assert {"\u0391" <= letter <= "\u03c9" for letter in names} == {True, False}
    assert {"ř", "ž", "ů"} <= set(names)


def test_the_entries_of_a_student_are_of_the_month_and_add_up_to_more_than_nothing() -> None:
    for number in range(1, 2_001):
        one: Any = student(number, "2026-02")
        dates = [entry["date"] for entry in one["entries"]]
        assert dates == sorted(dates)
        assert (dates[0], dates[-1]) == ("2026-02-01", "2026-02-28")
        charged = sum((entry["charge"] or Decimal(0) for entry in one["entries"]), Decimal(0))
        paid = sum((entry["payment"] or Decimal(0) for entry in one["entries"]), Decimal(0))
        assert one["amount"] == charged - paid > 0
        assert len(one["entries"]) == 30


@pytest.mark.parametrize("month", ["November", "2026-13", "11-2026", "1999-01"])
def test_what_is_no_month_is_refused_with_an_example(company: Company, month: str) -> None:
    answer = company.client.get("/students", params={"month": month})
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_month")
    assert "such as 2026-11" in answer.json()["message"]


def test_a_row_is_posted_once_for_each_key_and_outlives_a_restart(open_company: Callable[[], Company]) -> None:
    company = open_company()
    first, again = (company.post("/ledger", ROW, key="k-1") for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert (first.json()["id"], first.json()["amount"]) == ("L-1", 120.5)
    company.post("/ledger", ROW, key="k-2")
    company.process.kill()
    company.process.wait(60)
    found = open_company().get("/ledger")
    assert (found["total"], [row["id"] for row in found["items"]]) == (2, ["L-2", "L-1"])
    assert found["items"][0].items() >= ROW.items()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sha256": "short"}, "bad_sha256"),
        ({"sha256": None}, "bad_sha256"),
        ({"amount": "much"}, "bad_amount"),
        ({"account": ""}, "missing"),
        ({"currency": "euro"}, "bad_currency"),
    ],
)
def test_what_is_no_row_is_refused(company: Company, change: dict[str, Any], code: str) -> None:
    answer = company.post("/ledger", {**ROW, **change}, key="k-1")
    assert (answer.status_code, answer.json()["error"]) == (422, code)
    assert company.get("/ledger")["total"] == 0


def test_a_refused_first_try_is_posted_by_the_second(company: Company) -> None:
    tries = [company.post("/ledger", ROW, key="k-1", behaviour="fail=422*1").status_code for _ in range(3)]
    assert tries == [422, 201, 201]
    assert company.get("/ledger")["total"] == 1


def test_the_books_say_how_many_rows_the_ledger_has(company: Company) -> None:
    for number in range(60):
        company.post("/ledger", {**ROW, "account": f"S-{number:05}"}, key=f"k-{number}")
    page = company.client.get("/").text
    ledger = page.partition("<h2>Ledger</h2>")[2].partition("<h2>")[0]
    assert "60 in all, the newest 50 of them here." in ledger
    assert ledger.count("<tr>") == 51
    assert "S-00059" in ledger

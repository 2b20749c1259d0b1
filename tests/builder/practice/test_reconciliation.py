"""The example *Bank statement reconciliation* in the whole product: compared, booked once, asked about, and undone."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from builder.practice.example import RECONCILIATION
from tests.builder.practice.test_payment_run import COMPANY, ask, end_of
from tests.product import Api, Product

pytestmark = pytest.mark.skipif(
    os.environ.get("MILLRACE_TEST_DATABASE") == "postgres",
    reason="starts a process with a database of its own: once is enough",
)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with Product(tmp_path_factory.mktemp("product") / "data") as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def api(product: Product) -> Iterator[Api]:
    api = product.set_up()
    yield api
    api.close()


@pytest.fixture(scope="module")
def workflow(api: Api) -> str:
    """The example as the first start published it."""
    [found] = [one["id"] for one in api.call("GET", "W/workflows")["items"] if one["name"] == RECONCILIATION.name]
    return str(found)


def reconcile(api: Api, workflow: str, month: str, lines: int) -> str:
    """The run that a filled-in form started."""
    [start] = api.call("GET", f"W/workflows/{workflow}/triggers")["items"]
    body = {"input": {"month": month, "lines": lines}, "trigger": start["node"]}
    return str(api.call("POST", f"W/workflows/{workflow}/runs", body)["id"])


def questions(api: Api, run: str, count: int) -> list[dict[str, Any]]:
    """What people are asked of it, once it is so much."""
    deadline = time.monotonic() + 120
    while True:
        found: list[dict[str, Any]] = api.call("GET", f"W/inbox?who=anybody&around={run}&limit=200")["items"]
        if len(found) == count:
            return found
        assert time.monotonic() < deadline, (len(found), api.call("GET", f"W/runs/{run}"))
        time.sleep(0.2)


def answer(api: Api, task: dict[str, Any], what: str) -> None:
    body = {"outcome": "out", "answers": {"what": what, "note": None}}
    api.call("POST", f"W/inbox/{task['id']}/decide", body)


def receipts(product: Product, month: str) -> list[dict[str, Any]]:
    return [one for one in ask(product, "/receipts") if one["line"].startswith(f"B-{month}")]


def still_open(product: Product, month: str, of: int) -> list[str]:
    text = httpx2.get(f"{product.url}/open-items?month={month}&of={of}", headers=COMPANY, timeout=30).text
    return [row["invoice"] for row in csv.DictReader(io.StringIO(text))]


def test_what_matches_is_booked_and_people_decide_about_the_rest(product: Product, api: Api, workflow: str) -> None:
    run = reconcile(api, workflow, "2026-04", 100)
    tasks = questions(api, run, 3)
    found = api.call("GET", f"W/runs/{run}/reconciliations/compare")
    assert found["counts"] == {"matched": 96, "differing": 1, "only_a": 1, "only_b": 1, "twice": 1}
    assert (found["a_count"], found["b_count"], found["within"]) == (99, 100, 2)
    for total in found["totals"]:
        for side in ("a", "b"):
            groups = [
                Decimal(total[of][side]["amount"]) for of in ("matched", "differing", "only_a", "only_b", "twice")
            ]
            assert sum(groups) == Decimal(total[side]["amount"])
    booked = receipts(product, "2026-04")
    assert len(booked) == 96
    assert sorted(one["difference"] for one in booked)[:3] == [-0.02, -0.02, 0]
    [together] = [one for one in booked if len(one["invoices"]) > 1]
    assert together["invoices"] == ["R-2026-04-00090", "R-2026-04-00091", "R-2026-04-00092"]
    batch = api.call("GET", f"W/runs/{run}/batches/paid")
    assert batch["done"] == batch["expected_count"] == 96
    assert {one["posted"]["amount"] for one in batch["totals"]} == {
        one["received"]["amount"] for one in batch["totals"]
    }
    for task in tasks:
        facts = {one["label"]: one["value"] for one in api.call("GET", f"W/inbox/{task['id']}")["facts"]}
        assert facts["Line of the statement"].startswith("B-2026-04-")
        what = {
            "The amounts differ": "Book it as paid",
            "No invoice is named": "Keep the money for the payer",
            "Paid before: this is the second time": "Leave it",
        }[facts["Why"]]
        answer(api, task, what)
    assert end_of(api, run)["status"] == "completed"
    assert len(receipts(product, "2026-04")) == 98
    assert still_open(product, "2026-04", 100) == ["R-2026-04-00041"]
    mails = [one["subject"] for one in ask(product, "/mails")]
    assert "Reconciled 2026-04" in mails
    files = {one["name"] for one in api.call("GET", f"W/files?run={run}&limit=100")["items"]}
    assert {"Reconciliation 2026-04.xlsx", "Reconciliation 2026-04.csv", "Reconciliation 2026-04.pdf"} <= files


def test_what_was_booked_is_booked_once_and_can_be_undone_as_a_whole(product: Product, api: Api, workflow: str) -> None:
    run = reconcile(api, workflow, "2026-05", 40)
    questions(api, run, 1)
    assert len(still_open(product, "2026-05", 40)) == 1
    api.call("POST", f"W/runs/{run}/cancel?undo=true", {"reason": "The wrong month"})
    assert end_of(api, run)["status"] == "compensated"
    assert {one["status"] for one in receipts(product, "2026-05")} == {"cancelled"}
    assert len(still_open(product, "2026-05", 40)) == 40


def test_a_month_that_is_none_is_named(api: Api, workflow: str) -> None:
    run = reconcile(api, workflow, "November", 10)
    assert end_of(api, run)["status"] == "dead_lettered"
    assert "such as 2026-11" in str(api.call("GET", f"W/runs/{run}/steps/statement")["error"])

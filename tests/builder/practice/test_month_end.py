"""The example *Month-end statements* in the whole product: a statement and a ledger row each, added up and proven."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from builder.practice.example import MONTH_END
from tests.builder.practice.test_payment_run import ask, end_of
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
    [found] = [one["id"] for one in api.call("GET", "W/workflows")["items"] if one["name"] == MONTH_END.name]
    return str(found)


def close_month(api: Api, workflow: str, **answers: Any) -> str:
    """The run that a filled-in form started, once it has ended."""
    [start] = api.call("GET", f"W/workflows/{workflow}/triggers")["items"]
    body = {"input": {**MONTH_END.sample, **answers}, "trigger": start["node"]}
    run: str = api.call("POST", f"W/workflows/{workflow}/runs", body)["id"]
    assert end_of(api, run)["status"] == "completed"
    return run


def posted(product: Product) -> int:
    """How many rows the ledger has."""
    answer = httpx2.get(product.url + "/ledger", headers={"Host": "practice-company"}, timeout=30)
    return int(answer.json()["total"])


def mails(product: Product, month: str) -> list[str]:
    return [str(one["subject"]) for one in ask(product, "/mails") if month in one["subject"]]


def test_every_student_gets_a_statement_and_a_row_and_it_adds_up(product: Product, api: Api, workflow: str) -> None:
    before = posted(product)
    run = close_month(api, workflow, month="2026-02", students=40)
    batch = api.call("GET", f"W/runs/{run}/batches/each")
    assert (batch["done"], batch["failed"]) == (40, 0)
    [total] = batch["totals"]
    rows = {row["account"]: row for row in ask(product, "/ledger")}
    assert posted(product) - before == len(rows) == 40
    sums = [Decimal(total[of]["amount"]) for of in ("received", "done", "posted")]
    assert sums == [sum(Decimal(str(row["amount"])) for row in rows.values())] * 3
    assert (total["currency"], total["without"], batch["expected_count"]) == ("EUR", 0, 40)
    files = api.call("GET", f"W/runs/{run}/batches/each/files")["items"]
    statements = {one["name"]: one["sha256"] for one in files if one["name"].endswith(".pdf")}
    assert statements == {f"Statement {account} 2026-02.pdf": row["sha256"] for account, row in rows.items()}
    check = api.call("POST", f"W/runs/{run}/batches/each/checks")
    assert (check["checked"], check["well"]) == (40, True)
    assert mails(product, "2026-02") == ["Month-end 2026-02 is done"]


def test_those_that_the_ledger_refuses_stop_no_others_and_go_through_when_retried(
    product: Product, api: Api, workflow: str
) -> None:
    before = posted(product)
    run = close_month(api, workflow, month="2026-03", students=200, some_fail=True)
    batch = api.call("GET", f"W/runs/{run}/batches/each")
    assert (batch["done"], batch["failed"], posted(product) - before) == (198, 2, 198)
    assert mails(product, "2026-03") == ["Month-end 2026-03: 2 failed"]
    api.call("POST", f"W/runs/{run}/batches/each/retry", {})
    deadline = time.monotonic() + 120
    while (batch := api.call("GET", f"W/runs/{run}/batches/each"))["done"] < 200:
        assert time.monotonic() < deadline, batch
        time.sleep(0.1)
    [total] = batch["totals"]
    assert total["posted"] == total["done"] == total["received"]
    assert (batch["failed"], posted(product) - before) == (0, 200)


def test_a_month_that_is_none_is_named(product: Product, api: Api, workflow: str) -> None:
    [start] = api.call("GET", f"W/workflows/{workflow}/triggers")["items"]
    body = {"input": {**MONTH_END.sample, "month": "November"}, "trigger": start["node"]}
    run = api.call("POST", f"W/workflows/{workflow}/runs", body)["id"]
    found = end_of(api, run)
    assert found["status"] == "dead_lettered"
    step = api.call("GET", f"W/runs/{run}/steps/each")
    assert "such as 2026-11" in str(step["error"]), step

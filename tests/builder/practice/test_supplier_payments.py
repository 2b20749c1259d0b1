"""The example *Supplier payment run*: prepared, reviewed, released by a second person, and only then paid."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from builder.practice.example import SUPPLIER_PAYMENTS
from tests.builder.practice.test_payment_run import ask, end_of
from tests.builder.practice.test_refund import question
from tests.product import Api, Product, ProductFailed

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
def omar(product: Product, api: Api) -> Iterator[Api]:
    link = api.call("POST", "W/members", {"email": "omar@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    body = {"token": link.split("token=")[1], "name": "Omar", "password": "a careful releaser 53"}
    joined.call("POST", "/invitations/accept", body)
    joined.read_session()
    yield joined
    joined.close()


@pytest.fixture(scope="module")
def workflow(api: Api) -> str:
    """The example as the first start published it."""
    listed = api.call("GET", "W/workflows")["items"]
    [found] = [one["id"] for one in listed if one["name"] == SUPPLIER_PAYMENTS.name]
    return str(found)


def begin(api: Api, workflow: str, **answers: Any) -> tuple[str, str]:
    """A run, and its list once it is there."""
    [start] = api.call("GET", f"W/workflows/{workflow}/triggers")["items"]
    body = {"input": {**SUPPLIER_PAYMENTS.sample, **answers}, "trigger": start["node"]}
    run: str = api.call("POST", f"W/workflows/{workflow}/runs", body)["id"]
    return run, question(api, run)


def paid(product: Product) -> tuple[int, Decimal]:
    answer = httpx2.get(product.url + "/transfers", headers={"Host": "practice-company"}, timeout=30).json()
    return int(answer["total"]), Decimal(str(answer["amount"]))


def make_ready(api: Api, task: str) -> dict[str, Any]:
    """Decide what has to be decided, as a clerk would."""
    changes: list[dict[str, Any]] = []
    for row in api.call("GET", f"W/inbox/{task}/review/rows?show=todo&limit=500")["rows"]:
        change: dict[str, Any] = {"number": row["number"], "version": row["version"]}
        text = " ".join(one["text"] for one in row["problems"])
        if "blocked" in text:
            changes.append({**change, "state": "rejected", "reason": "Blocked"})
        elif "IBAN" in text:
            changes.append({**change, "values": {"iban": "IE29 PRAC 9311 5212 34"}})
        else:
            changes.append({**change, "state": "accepted", "reason": "Asked by telephone"})
    became = api.call("POST", f"W/inbox/{task}/review/rows", {"changes": changes})
    assert {one["outcome"] for one in became["items"]} == {"changed"}, became
    return dict(became["review"])


def test_what_a_second_person_released_is_paid_once_and_adds_up(
    product: Product, api: Api, omar: Api, workflow: str
) -> None:
    before, sum_before = paid(product)
    run, task = begin(api, workflow)
    review = api.call("GET", f"W/inbox/{task}/review")
    assert (review["rows"], review["todo"], review["blocking"], review["differs"]) == (24, 4, 2, False)
    [total] = review["totals"]
    assert total["expected"] == total["prepared"]["amount"]
    ready = make_ready(api, task)
    assert (ready["todo"], ready["may_hand_over"], ready["rejected"]) == (0, True, 1)
    handed = api.call("POST", f"W/inbox/{task}/review/hand-over", {"revision": ready["revision"]})
    assert (handed["stage"], handed["may_release"], handed["four_eyes"]) == ("release", False, True)
    seen = {"revision": handed["revision"]}
    with pytest.raises(ProductFailed, match="four_eyes"):
        api.call("POST", f"W/inbox/{task}/review/release", seen)
    assert paid(product)[0] == before, "nothing is paid before the release"
    omar.call("POST", f"W/inbox/{task}/review/release", seen)
    assert end_of(api, run)["status"] == "completed"
    count, amount = paid(product)
    accepted = Decimal(ready["totals"][0]["accepted"]["amount"])
    assert (count - before, amount - sum_before) == (23, accepted)
    batch = api.call("GET", f"W/runs/{run}/batches/pay")
    [posted] = batch["totals"]
    assert [Decimal(posted[of]["amount"]) for of in ("received", "done", "posted")] == [accepted] * 3
    assert Decimal(posted["expected"]) == accepted
    files = api.call("GET", f"W/runs/{run}/batches/pay/files")["items"]
    assert len([one for one in files if one["name"].endswith(".pdf")]) == 23
    assert api.call("POST", f"W/runs/{run}/batches/pay/checks")["well"]
    [mail] = [one for one in ask(product, "/mails") if one["subject"].endswith("paid")]
    assert "released by Omar" in mail["text"]


def test_what_was_paid_can_be_called_back(product: Product, api: Api, omar: Api, workflow: str) -> None:
    before = paid(product)
    run, task = begin(api, workflow, date="2026-12-15", suppliers=6)
    review = api.call("GET", f"W/inbox/{task}/review")
    handed = api.call("POST", f"W/inbox/{task}/review/hand-over", {"revision": review["revision"]})
    omar.call("POST", f"W/inbox/{task}/review/release", {"revision": handed["revision"]})
    assert end_of(api, run)["status"] == "completed"
    assert paid(product)[0] == before[0] + 6
    plan = api.call("GET", f"W/runs/{run}/undo-plan")
    api.call("POST", f"W/runs/{run}/undo", {"plan": plan["id"], "reason": "The wrong day"})
    deadline = time.monotonic() + 120
    while paid(product) != before:
        assert time.monotonic() < deadline, paid(product)
        time.sleep(0.1)


def test_a_rejected_list_pays_nobody(product: Product, api: Api, omar: Api, workflow: str) -> None:
    before = paid(product)
    run, task = begin(api, workflow, date="2026-12-31", suppliers=3)
    omar.call("POST", f"W/inbox/{task}/review/reject", {"reason": "Not this year"})
    assert end_of(api, run)["status"] == "completed"
    assert paid(product) == before
    assert any(one["subject"].endswith("rejected") for one in ask(product, "/mails"))

"""The example *Payment run with undo* does its business in the whole product, and takes it back where it cannot."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from builder.practice.example import EXAMPLES, PAYMENT_RUN
from tests.product import Api, Product, Published

pytestmark = pytest.mark.skipif(
    os.environ.get("MILLRACE_TEST_DATABASE") == "postgres",
    reason="starts a process with a database of its own: once is enough",
)
COMPANY = {"Host": "practice-company"}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A fresh installation in one process: the practice company lives in it."""
    with Product(tmp_path_factory.mktemp("product") / "data") as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def api(product: Product) -> Iterator[Api]:
    api = product.set_up()
    yield api
    api.close()


@pytest.fixture(scope="module")
def live(api: Api) -> Published:
    """The example as the first start published it."""
    [workflow] = [one["id"] for one in api.call("GET", "W/workflows")["items"] if one["name"] == PAYMENT_RUN.name]
    [trigger] = api.call("GET", f"W/workflows/{workflow}/triggers")["items"]
    return Published(workflow, "/hooks/" + trigger["url"].split("/hooks/", 1)[1])


def ask(product: Product, path: str) -> list[dict[str, Any]]:
    """What stands in the company's books."""
    found: list[dict[str, Any]] = httpx2.get(product.url + path, headers=COMPANY, timeout=30).json()["items"]
    return found


def order(product: Product, live: Published, number: str, **change: Any) -> httpx2.Response:
    return httpx2.post(product.url + live.path, json={**PAYMENT_RUN.sample, "number": number, **change}, timeout=60)


def end_of(api: Api, run: str) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while True:
        found: dict[str, Any] = api.call("GET", f"W/runs/{run}")
        if found["finished_at"] is not None:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


class Calls:
    """What the company is asked from now on."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._seq = max((call["seq"] for call in ask(product, "/calls?limit=1000")), default=0)

    def made(self, run: str, *, only_applied: bool = False) -> list[str]:
        """All of it, in its order."""
        found = [call for call in ask(self._product, f"/calls?after={self._seq}") if call["method"] == "POST"]
        return [call["path"].replace(run, "RUN") for call in found if call["applied"] or not only_applied]

    def done(self, run: str) -> list[str]:
        """The writes that it carried out, in their order."""
        return self.made(run, only_applied=True)


@pytest.fixture
def calls(product: Product) -> Calls:
    return Calls(product)


def test_the_first_start_publishes_every_example_and_lists_the_first_one_first(api: Api) -> None:
    listed = api.call("GET", "W/workflows")["items"]
    assert [one["name"] for one in listed] == [example.name for example in reversed(EXAMPLES)]
    assert [one["live"]["version"] for one in listed] == [1] * len(EXAMPLES)
    assert [one["problems_count"] for one in listed] == [0] * len(EXAMPLES)


def test_its_line_for_the_terminal_posts_the_sample(api: Api, live: Published) -> None:
    [trigger] = api.call("GET", f"W/workflows/{live.workflow}/triggers")["items"]
    assert f'"number":"{PAYMENT_RUN.sample["number"]}"' in trigger["curl"]
    assert trigger["sample"] == PAYMENT_RUN.sample


def test_an_order_that_can_be_delivered_goes_all_the_way(
    product: Product, api: Api, live: Published, calls: Calls
) -> None:
    answer = order(product, live, "SO-1")
    assert answer.status_code == 202, answer.text
    run = answer.json()["run"]
    assert end_of(api, run)["status"] == "completed"
    assert calls.done(run) == ["/invoices", "/payments", "/deliveries"]
    [invoice] = [one for one in ask(product, "/invoices") if one["id"] == answer.json()["invoice"]]
    assert (invoice["status"], invoice["amount"], invoice["reference"]) == ("paid", 439.5, run)
    [mail] = [one for one in ask(product, "/mails") if "SO-1" in one["subject"]]
    assert "15 × Bathrobe, size L" in mail["text"]


def test_an_order_that_cannot_be_delivered_is_taken_back_the_last_step_first(
    product: Product, api: Api, live: Published, calls: Calls
) -> None:
    answer = order(product, live, "SO-2", quantity=150)
    assert answer.status_code == 422, answer.text
    run = answer.json()["run"]
    assert end_of(api, run)["status"] == "compensated"
    # What was refused did not happen: nobody asks for its undo.
    asked = ["/invoices", "/payments", "/deliveries", "/payments/RUN/refunds", "/invoices/RUN/void"]
    assert calls.made(run) == asked
    assert calls.done(run) == [path for path in asked if path != "/deliveries"]
    [invoice] = [one for one in ask(product, "/invoices") if one["reference"] == run]
    [payment] = [one for one in ask(product, "/payments") if one["reference"] == run]
    [refund] = [one for one in ask(product, "/refunds") if one["payment"] == payment["id"]]
    assert (invoice["status"], payment["status"]) == ("void", "refunded")
    assert (refund["amount"], refund["reason"]) == (4395, f"Undone by run {run}")
    assert [one for one in ask(product, "/deliveries") if one["reference"] == run] == []
    assert [one for one in ask(product, "/mails") if "SO-2" in one["subject"]] == []


def test_a_payment_of_which_nobody_knows_is_given_back_all_the_same(product: Product, api: Api, calls: Calls) -> None:
    graph = PAYMENT_RUN.graph(api.call("GET", "W/connections")["items"][0]["id"])
    [payment] = [node for node in graph["nodes"] if node["id"] == "payment"]
    payment["config"]["headers"] = [{"name": "X-Practice-Behaviour", "value": "drop"}]
    payment["settings"]["retry"] = {"attempts": 1}
    answer = order(product, api.publish("Lost payment", graph), "SO-3")
    run = answer.json()["run"]
    assert end_of(api, run)["status"] == "compensated"
    assert calls.done(run) == ["/invoices", "/payments", "/payments/RUN/refunds", "/invoices/RUN/void"]


def test_a_payment_that_never_arrived_leaves_nothing_to_give_back(product: Product, api: Api, calls: Calls) -> None:
    graph = PAYMENT_RUN.graph(api.call("GET", "W/connections")["items"][0]["id"])
    [payment] = [node for node in graph["nodes"] if node["id"] == "payment"]
    payment["config"]["headers"] = [{"name": "X-Practice-Behaviour", "value": "reset"}]
    payment["settings"]["retry"] = {"attempts": 1}
    answer = order(product, api.publish("Cut payment", graph), "SO-4")
    run = answer.json()["run"]
    assert end_of(api, run)["status"] == "compensated"
    assert calls.done(run) == ["/invoices", "/invoices/RUN/void"]


def test_a_completed_run_is_taken_back_by_hand(product: Product, api: Api, live: Published, calls: Calls) -> None:
    run = order(product, live, "SO-5").json()["run"]
    end_of(api, run)
    plan = api.call("GET", f"W/runs/{run}/undo-plan")
    fates = {step["node"]: step["fate"] for step in plan["steps"]}
    assert fates == {"mail": "nothing", "delivery": "undo", "payment": "undo", "invoice": "undo"}
    assert [node for node, fate in fates.items() if fate == "undo"] == ["delivery", "payment", "invoice"]
    api.call("POST", f"W/runs/{run}/undo", {"plan": plan["id"], "reason": "The customer changed their mind."})
    assert end_of(api, run)["status"] == "compensated"
    taken_back = ["/deliveries/RUN/cancel", "/payments/RUN/refunds", "/invoices/RUN/void"]
    assert calls.done(run) == ["/invoices", "/payments", "/deliveries", *taken_back]


def test_a_copy_of_it_can_be_made_from_the_list_of_examples(api: Api) -> None:
    made = api.call("POST", "W/workflows", {"name": "Mine", "from_example": PAYMENT_RUN.slug})
    assert made["problems_count"] == 0

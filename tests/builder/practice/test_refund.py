"""The example *Refund with approval* in the whole product: two people, in the inbox and by the link of a mail."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from builder.practice.example import REFUND
from tests.builder.practice.test_payment_run import ask, end_of
from tests.product import Api, Product, ProductFailed, Published

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
def ines(product: Product, api: Api) -> Iterator[Api]:
    link = api.call("POST", "W/members", {"email": "ines@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    body = {"token": link.split("token=")[1], "name": "Ines", "password": "a careful reviewer 53"}
    joined.call("POST", "/invitations/accept", body)
    joined.read_session()
    yield joined
    joined.close()


@pytest.fixture(scope="module")
def live(api: Api) -> Published:
    """The example as the first start published it."""
    [workflow] = [one["id"] for one in api.call("GET", "W/workflows")["items"] if one["name"] == REFUND.name]
    [trigger] = api.call("GET", f"W/workflows/{workflow}/triggers")["items"]
    return Published(workflow, "/hooks/" + trigger["url"].split("/hooks/", 1)[1])


def refund(product: Product, live: Published, number: str, **change: Any) -> str:
    answer = httpx2.post(product.url + live.path, json={**REFUND.sample, "number": number, **change}, timeout=60)
    assert answer.status_code == 202, answer.text
    run: str = answer.json()["run"]
    return run


def question(api: Api, run: str) -> str:
    deadline = time.monotonic() + 90
    while not (found := api.call("GET", f"W/inbox?who=anybody&run={run}")["items"]):
        assert time.monotonic() < deadline, "nobody was asked"
        time.sleep(0.1)
    return str(found[0]["id"])


def credits(product: Product, run: str) -> list[tuple[str, float]]:
    return [(one["status"], one["amount"]) for one in ask(product, "/credit-notes") if one["reference"] == run]


def say(api: Api, task: str, outcome: str = "approved", comment: str = "") -> str:
    """What came of an answer: its question's status, or the code of the refusal."""
    try:
        said = api.call("POST", f"W/inbox/{task}/decide", {"outcome": outcome, "comment": comment})
    except ProductFailed as refused:
        found = re.search(r'"code":"(\w+)"', str(refused).replace(" ", ""))
        return found[1] if found else str(refused)
    return str(said["status"])


def test_a_small_refund_asks_nobody(product: Product, api: Api, live: Published) -> None:
    run = refund(product, live, "RF-1", amount=80)
    assert end_of(api, run)["status"] == "completed"
    assert credits(product, run) == [("booked", 80)]
    [mail] = [one for one in ask(product, "/mails") if one["subject"] == "Your refund RF-1"]
    assert "80" in mail["text"]


def test_a_large_one_waits_for_two_and_is_taken_back_by_its_undo_step(
    product: Product, api: Api, ines: Api, live: Published
) -> None:
    run = refund(product, live, "RF-2")
    task = question(api, run)
    assert say(api, task) == "open"
    assert say(api, task) == "already_said"
    assert credits(product, run) == []
    assert say(ines, task) == "decided"
    assert end_of(api, run)["status"] == "completed"
    assert credits(product, run) == [("booked", 640)]
    plan = api.call("GET", f"W/runs/{run}/undo-plan")
    api.call("POST", f"W/runs/{run}/undo", {"plan": plan["id"], "reason": "It was the wrong customer."})
    assert end_of(api, run)["status"] == "compensated"
    assert credits(product, run) == [("cancelled", 640)]


def test_an_approval_by_two_people_at_once_counts_once(product: Product, api: Api, ines: Api, live: Published) -> None:
    """Each of them presses three times at the same moment: two voices, one decision, one credit note."""
    run = refund(product, live, "RF-3")
    task = question(api, run)
    said: list[str] = []
    callers = [api, ines] * 3
    start = threading.Barrier(len(callers))

    def press(caller: Api) -> None:
        own = Api(product.url)
        own.client.cookies.update(caller.client.cookies)
        own.read_session()
        start.wait()
        said.append(say(own, task))
        own.close()

    threads = [threading.Thread(target=press, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one for one in said if one in ("open", "decided")) == ["decided", "open"], said
    assert set(said) <= {"open", "decided", "already_said", "already_decided", "run_ended"}
    assert end_of(api, run)["status"] == "completed"
    assert credits(product, run) == [("booked", 640)]


def test_a_no_is_told_to_the_customer_with_its_reason(product: Product, api: Api, ines: Api, live: Published) -> None:
    run = refund(product, live, "RF-4")
    task = question(api, run)
    assert say(ines, task, "rejected") == "invalid"
    assert say(ines, task, "rejected", "They were returned torn.") == "decided"
    assert end_of(api, run)["status"] == "completed"
    assert credits(product, run) == []
    [mail] = [one for one in ask(product, "/mails") if one["subject"] == "About your refund RF-4"]
    assert "They were returned torn." in mail["text"]


def test_whoever_asks_for_it_may_not_approve_it(product: Product, api: Api, ines: Api, live: Published) -> None:
    run = refund(product, live, "RF-5", requested_by="Ines@example.com")
    task = question(api, run)
    assert say(ines, task) == "not_asked"
    assert [one["id"] for one in ines.call("GET", f"W/inbox?run={run}")["items"]] == []


def test_everybody_who_is_asked_gets_a_mail_whose_link_leads_to_the_question(
    product: Product, api: Api, ines: Api, live: Published
) -> None:
    run = refund(product, live, "RF-6")
    task = question(api, run)
    title = api.call("GET", f"W/inbox/{task}")["title"]
    deadline = time.monotonic() + 90
    while len(mails := [one for one in ask(product, "/mails") if one["subject"] == f"Please decide: {title}"]) < 2:
        assert time.monotonic() < deadline, mails
        time.sleep(0.1)
    links = [re.search(r"/d/[\w-]{43}", one["text"]) for one in mails]
    for link in links:
        assert link is not None
        answer = httpx2.get(product.url + link[0], follow_redirects=False, timeout=30)
        assert (answer.status_code, answer.headers["location"]) == (302, f"/inbox?task={task}")
    assert api.call("GET", f"W/inbox/{task}")["votes"] == []

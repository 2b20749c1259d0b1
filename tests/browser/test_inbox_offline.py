"""The inbox without a network: what was read can be read again, and what is decided is sent once it is back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import sign_in
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import answer, approval, question_of, start, takes_effect, votes
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
PHONE = {"width": 390, "height": 844}
#: What is on this computer of the inbox: keys of what is kept.
KEPT = """() => new Promise((resolve, reject) => {
  const asked = indexedDB.open("millrace-inbox", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore("kept");
  asked.onerror = () => reject(asked.error);
  asked.onsuccess = () => {
    const found = asked.result.transaction("kept").objectStore("kept");
    const keys = found.getAllKeys();
    const values = found.getAll();
    values.onsuccess = () => { asked.result.close(); resolve([keys.result, JSON.stringify(values.result)]); };
  };
})"""
SHELL = """async () => {
  const found = await (await caches.open("millrace-shell")).keys();
  return found.map((one) => new URL(one.url).pathname);
}"""


@pytest.fixture(scope="module")
def ines(product: Product, api: Api) -> Iterator[Api]:
    link = api.call("POST", "W/members", {"email": "ines@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    body = {"token": link.split("token=")[1], "name": "Ines Kaya", "password": "a careful reviewer 53"}
    joined.call("POST", "/invitations/accept", body)
    joined.read_session()
    yield joined
    joined.close()


def asked(api: Api, *titles: str) -> list[str]:
    """An open question of each title."""
    return [
        question_of(api, start(api, f"Pay {title}", approval(title), amount=f"{number}00", order="PO-1"))
        for number, title in enumerate(titles, 1)
    ]


def kept(page: Page) -> tuple[list[str], str]:
    keys, values = page.evaluate(KEPT)
    return keys, values


def is_ready(page: Page, *tasks: str) -> None:
    """Wait until all of it is on this computer: the questions, and the page with its files."""
    deadline = time.monotonic() + 90
    while True:
        keys = kept(page)[0]
        shell = page.evaluate(SHELL)
        whole = "/inbox" in shell and any("Sending" in path for path in shell)
        whole = whole and any(key.startswith("list:") for key in keys)
        if whole and all(any(key.endswith(task) for key in keys) for task in tasks):
            return
        assert time.monotonic() < deadline, (keys, shell)
        time.sleep(0.3)


def gone(page: Page) -> None:
    """The network is away, also for sockets, which make no noise then."""
    page.context.set_offline(True)


def test_what_was_seen_can_be_read_and_decided_without_a_network_and_is_sent_when_it_is_back(
    signed_in: Opens, api: Api, shot: Shot
) -> None:
    first, second = asked(api, "Invoice O-1", "Invoice O-2")
    page = signed_in("/inbox", viewport=PHONE)
    expect(page.get_by_test_id(f"task-{first}")).to_be_visible()
    is_ready(page, first, second)
    keys, values = kept(page)
    assert {key.partition(":")[0] for key in keys} == {"owner", "session", "list", "task"}
    assert "csrf_token" not in values or '"csrf_token":""' in values
    gone(page)
    page.reload()
    expect(page.get_by_text("No network. This is how it stood:")).to_be_visible()
    page.get_by_test_id(f"task-{second}").click()
    question = page.get_by_role("article")
    # It was never opened here: it was read ahead.
    expect(question.get_by_role("heading", name="Invoice O-2")).to_be_visible()
    expect(question.get_by_role("definition").filter(has_text="Brinkmann Papier")).to_be_visible()
    question.get_by_label("Comment").fill("Seen on the train.")
    answer(question, "approved")
    expect(page.get_by_text("Not sent yet: Approved")).to_be_visible()
    expect(question.get_by_role("heading", name="Invoice O-1")).to_be_visible()
    page.get_by_role("link", name="Inbox").first.click()
    expect(page.get_by_test_id(f"task-{second}")).to_contain_text("Not sent yet")
    shot(page, "inbox-offline-phone")
    assert findings(page) == []
    # Also of a page that was closed meanwhile.
    page.reload()
    expect(page.get_by_test_id(f"task-{second}")).to_contain_text("Not sent yet")
    assert votes(api, second) == []
    page.context.set_offline(False)
    expect(page.get_by_text("Sent: Approved")).to_be_visible()
    takes_effect(api, second)
    assert votes(api, second) == [("Alice", "approved")]
    assert votes(api, first) == []
    vote = api.call("GET", f"W/inbox/{second}")["votes"][0]
    assert vote["comment"] == "Seen on the train."
    expect(page.get_by_test_id(f"task-{second}")).to_have_count(0)


def test_whoever_was_slower_without_a_network_is_told_and_can_read_it_as_long_as_they_like(
    signed_in: Opens, api: Api, ines: Api, shot: Shot
) -> None:
    [task] = asked(api, "Invoice O-3")
    page = signed_in(f"/inbox?task={task}", viewport=PHONE)
    question = page.get_by_role("article")
    expect(question.get_by_role("heading", name="Invoice O-3")).to_be_visible()
    is_ready(page, task)
    gone(page)
    question.get_by_label("Comment").fill("No.")
    answer(question, "rejected")
    expect(page.get_by_text("Not sent yet: Rejected")).to_be_visible()
    ines.call("POST", f"W/inbox/{task}/decide", {"outcome": "approved"})
    page.context.set_offline(False)
    told = page.get_by_role("alert").filter(has_text="given without a network, did not count")
    expect(told.last).to_contain_text("Invoice O-3")
    page.goto("/inbox")
    told = page.get_by_role("alert").filter(has_text="Ines Kaya was quicker: Approved")
    expect(told).to_be_visible()
    shot(page, "inbox-offline-slower")
    told.get_by_role("button", name="Understood").click()
    expect(told).to_have_count(0)
    assert votes(api, task) == [("Ines Kaya", "approved")]
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(told).to_have_count(0)


def test_what_is_not_sent_can_be_taken_back_without_anybody_hearing_of_it(signed_in: Opens, api: Api) -> None:
    [task] = asked(api, "Invoice O-4")
    page = signed_in(f"/inbox?task={task}", viewport=PHONE)
    question = page.get_by_role("article")
    expect(question.get_by_role("heading", name="Invoice O-4")).to_be_visible()
    is_ready(page, task)
    gone(page)
    answer(question, "approved")
    toast = page.get_by_role("status").filter(has_text="Not sent yet: Approved")
    toast.get_by_role("button", name="Undo").click()
    expect(question.get_by_role("heading", name="Invoice O-4")).to_be_visible()
    expect(question.locator('[data-choice="approved"]')).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("You are offline", exact=False)).to_have_count(0)
    assert votes(api, task) == []
    assert api.call("GET", "W/inbox/given")["items"] == []


def test_nothing_is_left_on_the_computer_of_whoever_signs_out_and_nobody_reads_what_another_left(
    signed_in: Opens, api: Api, ines: Api
) -> None:
    [task] = asked(api, "Invoice O-5")
    page = signed_in("/inbox")
    expect(page.get_by_test_id(f"task-{task}")).to_be_visible()
    is_ready(page, task)
    assert "Invoice O-5" in kept(page)[1]
    page.context.clear_cookies()
    page.goto("/sign-in")
    expect(page.get_by_label("E-mail")).to_be_visible()
    wait_for(page, lambda keys, values: "Invoice O-5" not in values and "session" not in keys)
    sign_in(page, ines)
    page.goto("/inbox")
    expect(page.get_by_test_id(f"task-{task}")).to_be_visible()
    is_ready(page, task)
    assert '"name":"Ines Kaya"' in kept(page)[1]
    page.get_by_role("button", name=re.compile("Ines Kaya")).click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("E-mail")).to_be_visible()
    wait_for(page, lambda keys, _: not [key for key in keys if key.startswith(("task:", "list:", "session"))])


def wait_for(page: Page, holds: Callable[[list[str], str], Any]) -> None:
    deadline = time.monotonic() + 90
    while not holds(*kept(page)):
        assert time.monotonic() < deadline, kept(page)[0]
        time.sleep(0.2)


def test_other_pages_are_never_shown_from_what_is_kept(signed_in: Opens, api: Api) -> None:
    [task] = asked(api, "Invoice O-6")
    page = signed_in("/inbox")
    expect(page.get_by_test_id(f"task-{task}")).to_be_visible()
    is_ready(page, task)
    shell = page.evaluate(SHELL)
    assert [path for path in shell if not path.startswith("/assets/")] == ["/inbox"]
    gone(page)
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        page.goto("/runs")


@pytest.mark.parametrize("size", SIZES)
def test_the_inbox_without_a_network_is_readable(size: str, signed_in: Opens, api: Api, shot: Shot) -> None:
    [task] = asked(api, f"Invoice O-7 {size}")
    page = signed_in("/inbox", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    expect(page.get_by_test_id(f"task-{task}")).to_be_visible()
    is_ready(page, task)
    gone(page)
    expect(page.get_by_text("No network. This is how it stood:")).to_be_visible()
    readable(page, size, "inbox-offline", shot)

"""From the printed first-run link to a run that turned green, as a newcomer does it."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from playwright.sync_api import Page, expect

from builder.practice import example
from tests.product import LINK, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True

#: Notes each step's status whenever it changes, in the order in which the page shows it.
WATCH = """
() => {
  window.seen = [];
  const last = {};
  const look = () => {
    for (const card of document.querySelectorAll("[data-step][data-status]")) {
      if (last[card.dataset.step] !== card.dataset.status) {
        last[card.dataset.step] = card.dataset.status;
        window.seen.push([card.dataset.step, card.dataset.status]);
      }
    }
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
  look();
}
"""
STEPS = [node["id"] for node in example.ORDER_TO_CASH.graph()["nodes"]]


def run_line(line: str) -> tuple[int, str]:
    """Run a printed curl line as it stands; status and body."""
    words = shlex.split(line)
    if shutil.which("curl"):
        said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
        head, _, body = said.replace("\r\n", "\n").partition("\n\n")
        return int(head.split()[1]), body
    url = next(word for word in words if word.startswith("http"))
    answer = httpx2.post(
        url, content=words[words.index("-d") + 1], headers={"Content-Type": "application/json"}, timeout=60
    )
    return answer.status_code, answer.text


def test_from_the_first_run_link_to_a_green_run(
    product: Product, new_page: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    page = new_page()
    link = LINK.search(product.log)
    assert link is not None
    page.goto(link[0])

    page.get_by_label("Your name").fill("Alice")
    page.get_by_label("E-mail").fill("alice@example.org")
    page.get_by_role("textbox", name="Password").fill("correct horse battery staple")
    shot(page, "setup")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name of the workspace").fill("Finance")
    page.get_by_role("button", name="Create workspace").click()
    page.get_by_role("button", name=re.compile("Continue")).click()
    page.get_by_role("button", name=re.compile("Look at the example")).click()
    expect(page.get_by_text("Live · v1")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile(r"^Step \d of 9, "))).to_have_count(len(STEPS))
    shot(page, "example")

    # A partner that takes its time, so that the run is still under way when its page is open, on a slow machine too.
    slow = {"path": "/payments", "method": "POST", "behaviour": "slow=12000"}
    httpx2.post(f"{product.url}/behaviour", json=slow, headers={"Host": "practice-company"}).raise_for_status()
    page.get_by_role("link", name="Runs").first.click()
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(run_line, product.printed_curl())
        row = page.get_by_role("link", name="SO-2041")
        news = page.get_by_role("button", name="1 new")
        expect(row.or_(news).first).to_be_visible()
        if row.count() == 0:
            news.click()
        row.click()
        page.evaluate(WATCH)
        expect(page.locator('[data-step="answer"][data-status="succeeded"]')).to_be_visible()
        status, body = answer.result(timeout=60)
    expect(page.get_by_role("heading", name="The run is done")).to_be_visible()
    shot(page, "run")

    assert status == 202
    assert '"invoice":"INV-1001"' in body
    seen = [tuple(change) for change in page.evaluate("() => window.seen")]
    assert ("payment", "succeeded") in seen
    assert ("answer", "succeeded") in seen
    # Seen turning green: without a reload the payment was on its way before it was done, and done before the answer.
    assert (
        seen.index(("payment", "running")) < seen.index(("payment", "succeeded")) < seen.index(("answer", "succeeded"))
    )
    finished = dict(seen)
    assert finished == {step: "skipped" if step == "refuse" else "succeeded" for step in STEPS}

    # The link works once: whoever opens it later is sent to sign in.
    later = new_page()
    later.goto(link[0])
    expect(later.get_by_role("heading", name="Millrace is already set up")).to_be_visible()
    later.get_by_role("link", name="Sign in").click()
    later.get_by_label("E-mail").fill("alice@example.org")
    later.get_by_role("textbox", name="Password").fill("correct horse battery staple")
    later.get_by_role("button", name="Sign in").click()
    expect(later.get_by_role("heading", name="Home")).to_be_visible()

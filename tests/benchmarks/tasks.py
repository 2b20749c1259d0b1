"""What reviewers do every day, by the clock: how long a browser takes from the first click to the end of a task.

A hand that knows its way and needs no time to read; what is typed is typed at 200 characters a minute. So it is the
part of a task's time that the product answers for. How many clicks each may take is held by the browser's tests.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx2
from playwright.sync_api import Page, expect

from tests.benchmarks import browser, graphs
from tests.benchmarks.figures import Figure, Stage
from tests.product import ProductFailed

#: Between two keys, at 200 characters a minute. ms
KEY_MS: Final = 300
#: Seconds that a task may take.
WITHIN: Final = {"find": 5, "mend": 10, "replay": 12, "decide": 30}
LETTERS: Final = 43
QUESTIONS: Final = 10
PHONE: Final = {"width": 390, "height": 844}
#: How long what is made beforehand may take. Seconds.
_LONGEST: Final = 180.0


def tasks(stage: Stage, executable: Path) -> list[Figure]:
    """Seconds to find the run of an invoice from anywhere, to mend its failed line, to let 43 dead letters of one cause
    go on safely, and to decide about ten questions on a phone."""
    expect.set_options(timeout=60_000)
    invoice = _invoice(stage)
    _questions(stage)
    with browser.page(stage, executable) as page:
        page.goto("/connections")
        expect(page.get_by_text("Practice company mail")).to_be_visible()
        found = [
            _timed("find", lambda: _find(page, invoice)),
            _timed("mend", lambda: _mend(page)),
        ]
        # Until it was mended, the line was one of them.
        _dead_letters(stage)
        page.goto("/")
        expect(page.get_by_role("link", name=f"Dead letters, {LETTERS} wait")).to_be_visible()
        found.append(_timed("replay", lambda: _replay(page), letters=LETTERS))
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        page.goto("/inbox")
        expect(page.locator("[data-task]")).to_have_count(QUESTIONS)
        found.append(_timed("decide", lambda: _decide(page), questions=QUESTIONS))
    return found


def _timed(name: str, do: Callable[[], None], **details: Any) -> Figure:
    began = time.monotonic()
    do()
    return Figure(f"task_{name}_s", time.monotonic() - began, "s", {"within": WITHIN[name], **details})


# --- what there is before --------------------------------------------------------------------------------------------


def _invoice(stage: Stage) -> str:
    """The run of R-2026-0417 among others, whose fourth line has a day that is none."""
    config = {"items": "{{ trigger.body.lines }}", "label": "Line {{ item.line }}", "stop": "never"}
    drawn = graphs.line([graphs.webhook(), graphs.node("lines", "flow.for_each@1", config)])
    fields = [{"name": "period", "value": "{{ period(item.booked) }}"}]
    book = graphs.node("book", "data.edit_fields@1", {"fields": fields})
    drawn["nodes"].append({**book, "parent": "lines", "position": {"x": 0, "y": 0}})
    drawn["naming"] = {"key": "{{ trigger.body.number }}", "fields": []}
    live = stage.api.publish("Supplier invoices", drawn)
    runs = {}
    for number in ("R-2026-0416", "R-2026-0417", "R-2026-0418"):
        days = ["2026-02-28"] * 3 + ["2026-02-30" if number.endswith("17") else "2026-02-28"]
        lines = [{"line": at, "booked": day} for at, day in enumerate(days, 1)]
        answer = httpx2.post(stage.product.url + live.path, json={"number": number, "lines": lines}, timeout=60)
        runs[number] = str(answer.json()["run"])
    _until(lambda: all(_ended(stage, run) for run in runs.values()), "the invoices")
    return runs["R-2026-0417"]


def _ended(stage: Stage, run: str) -> bool:
    return stage.api.call("GET", f"W/runs/{run}")["finished_at"] is not None


def _dead_letters(stage: Stage) -> None:
    """So many runs that failed alike; where they ask is well by now."""
    ask = graphs.call("http://practice-company/once/{{ run.id }}")
    live = stage.api.publish(
        "ERP was away", graphs.line([graphs.webhook(), {**ask, "settings": {"retry": {"attempts": 1}}}])
    )
    # It would be paused after ten of them.
    never = {"failures": 0, "percent": 0, "minutes": 1}
    stage.api.call("PUT", f"W/workflows/{live.workflow}/breaker", never)
    for number in range(LETTERS):
        httpx2.post(stage.product.url + live.path, json={"id": number, "total": 120.5}, timeout=60)
    _until(lambda: sum(one["count"] for one in stage.api.call("GET", "W/dead-letters")["items"]) == LETTERS, "letters")


def _questions(stage: Stage) -> None:
    config = {"title": "Invoice {{ trigger.number }}", "amount": "{{ trigger.amount }}", "currency": "EUR"}
    ask = graphs.node("ask", "people.approval@1", config)
    pay = graphs.edit("pay", "paid")
    live = stage.api.publish(
        "Pay invoices", graphs.line([graphs.node("start", "trigger.manual@1"), ask, pay], {"ask": "approved"})
    )
    for number in range(QUESTIONS):
        given = {"number": f"R-{number}", "amount": "601.70"}
        stage.api.call("POST", f"W/workflows/{live.workflow}/runs", {"input": given})
    _until(lambda: len(stage.api.call("GET", "W/inbox?who=anybody")["items"]) == QUESTIONS, "questions")


def _until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _LONGEST
    while not holds():
        if time.monotonic() > deadline:
            raise ProductFailed(f"{what} were not ready within {_LONGEST:.0f} s")
        time.sleep(0.2)


# --- the tasks -------------------------------------------------------------------------------------------------------


def _find(page: Page, run: str) -> None:
    page.get_by_role("button", name="Go to", exact=True).click()
    expect(page.get_by_role("dialog", name="Go to").get_by_role("combobox")).to_be_focused()
    page.keyboard.type("R-2026-0417", delay=KEY_MS)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{run}**")
    expect(page.get_by_role("heading", name="R-2026-0417")).to_be_visible()


def _mend(page: Page) -> None:
    page.get_by_text("See the failed items of “lines”").click()
    expect(page.get_by_text("A formula could not be worked out").first).to_be_visible()
    page.get_by_role("link", name=re.compile("^Open as a batch")).click()
    day = page.get_by_label("booked, Line 4")
    day.click()
    # The last two digits.
    day.press("End")
    day.press("Backspace")
    day.press("Backspace")
    day.press_sequentially("28", delay=KEY_MS)
    page.get_by_role("button", name="Retry the changed one").click()
    expect(page.get_by_text("Nothing failed")).to_be_visible()


def _replay(page: Page) -> None:
    page.get_by_role("link", name=f"Dead letters, {LETTERS} wait").click()
    mine = page.get_by_role("list", name="Dead letters by cause").locator(":scope > li").filter(has_text="ERP was away")
    mine.get_by_role("button", name="Try 1 first").click()
    others = mine.get_by_role("button", name=f"Retry the other {LETTERS - 1}…")
    others.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=f"Retry {LETTERS - 1} runs").click()
    expect(dialog.get_by_role("status")).to_have_text(f"All {LETTERS - 1} worked.")


def _decide(page: Page) -> None:
    page.locator("[data-task]").first.click()
    question = page.get_by_role("article")
    for _ in range(QUESTIONS):
        page.wait_for_function("() => location.search.includes('task=')")
        found = re.search(r"task=([0-9a-f-]{36})", page.evaluate("location.search"))
        if found is None:
            raise ProductFailed("no question was open")
        approve = question.locator('[data-choice="approved"]')
        expect(approve).to_be_enabled()
        approve.click()
        # The next one opens by itself.
        page.wait_for_function("(task) => !location.href.includes(task)", arg=found[1])
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()

"""What people are asked is answered in the inbox, and the runs go on by their answers."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Error, Locator, Page, Route, expect

from tests.browser.conftest import sign_in
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_retrying import received, write
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def ines(product: Product, api: Api) -> Iterator[Api]:
    """A second person, who is asked as Alice is."""
    link = api.call("POST", "W/members", {"email": "ines@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    token = link.split("token=")[1]
    joined.call("POST", "/invitations/accept", {"token": token, "name": "Ines", "password": "a careful reviewer 53"})
    joined.read_session()
    yield joined
    joined.close()


def approval(title: str) -> dict[str, Any]:
    """An invoice is paid where somebody approves it, and sent back where not."""
    facts = [{"name": "Supplier", "value": "Brinkmann Papier"}, {"name": "Order", "value": "{{ trigger.order }}"}]
    ask = step(
        "ask",
        "people.approval@1",
        "Approve the invoice",
        (0, 150),
        title=title,
        facts=facts,
        amount="{{ trigger.amount }}",
        currency="EUR",
        limit="2",
        unit="days",
    )
    return graph(
        [
            step("start", "trigger.manual@1", "Invoice comes in", (0, 0)),
            ask,
            edit_fields("pay", "Pay it", (-150, 300), paid="yes"),
            edit_fields("send_back", "Send it back", (150, 300), paid="no"),
        ],
        [("start", "ask"), ("ask", "approved", "pay"), ("ask", "rejected", "send_back")],
    )


def start(api: Api, name: str, document: dict[str, Any], **given: object) -> str:
    """Publish this and start it; the id of the run."""
    live = api.publish(name, document)
    run: str = api.call("POST", f"W/workflows/{live.workflow}/runs", {"input": given})["id"]
    return run


def question_of(api: Api, run: str) -> str:
    """The id of what a run asks, as soon as it does."""
    deadline = time.monotonic() + 120
    while not (found := api.call("GET", f"W/inbox?who=anybody&run={run}")["items"]):
        assert time.monotonic() < deadline, "nobody was asked"
        time.sleep(0.1)
    [task] = found
    return str(task["id"])


def votes(api: Api, task: str) -> list[tuple[str, str]]:
    """Who said what of a question."""
    return [(vote["by"], vote["outcome"]) for vote in api.call("GET", f"W/inbox/{task}")["votes"]]


def takes_effect(api: Api, task: str) -> None:
    """Wait until the time in which it can be taken back is over, and it is decided."""
    deadline = time.monotonic() + 60
    while api.call("GET", f"W/inbox/{task}")["status"] == "open":
        assert time.monotonic() < deadline, "nothing was decided"
        time.sleep(0.2)


def pick(page: Page, task: str) -> Locator:
    """Open a question from the list; the question."""
    row = page.get_by_test_id(f"task-{task}")
    title = row.locator("b").inner_text()
    row.click()
    question = page.get_by_role("article")
    expect(question.get_by_role("heading", level=2)).to_have_text(title)
    return question


def answer(question: Locator, choice: str) -> None:
    question.locator(f'[data-choice="{choice}"]').click()


def expect_done(page: Page, **steps: str) -> None:
    """The run is done, and its steps are in these states."""
    expect(page.locator('[data-testid="run-facts"][data-status="completed"]')).to_be_visible()
    for node, status in steps.items():
        expect(page.locator(f'[data-step="{node}"][data-status="{status}"]')).to_be_visible()


def test_an_approval_is_decided_in_the_inbox_and_its_run_goes_on(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    run = start(api, "Pay an invoice", approval("Invoice R-0417"), amount="13412.80", order="PO-771")
    task = question_of(api, run)
    page = signed_in("/inbox")
    expect(page.get_by_test_id(f"task-{task}")).to_contain_text("€13,412.80")
    question = pick(page, task)
    expect(question.get_by_role("heading", name="Invoice R-0417")).to_be_visible()
    expect(question.get_by_text("€13,412.80")).to_be_visible()
    expect(question.get_by_text("due in 2 days")).to_be_visible()
    for fact, value in (("Supplier", "Brinkmann Papier"), ("Order", "PO-771")):
        expect(question.get_by_role("term").filter(has_text=fact)).to_be_visible()
        expect(question.get_by_role("definition").filter(has_text=value)).to_be_visible()
    shot(page, "inbox-approval")

    answer(question, "rejected")
    expect(question.get_by_text("Say why, in a few words.")).to_be_visible()
    expect(question.get_by_label("Comment")).to_be_focused()
    assert votes(api, task) == []
    question.get_by_label("Comment").fill("The prices are those we agreed on.")
    answer(question, "approved")

    expect(page.get_by_test_id(f"task-{task}")).to_have_count(0)
    toast = page.get_by_role("status").filter(has_text="Invoice R-0417")
    expect(toast).to_contain_text(re.compile(r"Takes effect in \d s"))
    page.keyboard.press("u")
    expect(page.get_by_test_id(f"task-{task}")).to_be_visible()
    expect(question.get_by_label("Comment")).to_have_value("The prices are those we agreed on.")
    answer(question, "approved")
    expect(page.get_by_test_id(f"task-{task}")).to_have_count(0)

    # Nobody has to stay: the server sees to it.
    page.goto("/runs")
    takes_effect(api, task)
    assert votes(api, task) == [("Alice", "approved")]
    page.goto(f"/runs/{run}?step=ask")
    expect_done(page, ask="succeeded", pay="succeeded", send_back="skipped")
    said = page.get_by_role("list").filter(has_text="The prices are those we agreed on.")
    expect(said).to_contain_text("Alice · Approved")
    shot(page, "inbox-run")


def test_an_approval_that_two_people_decide_at_once_counts_once(
    signed_in: Opens, new_page: Callable[..., Page], api: Api, ines: Api, shot: Callable[[Page, str], None]
) -> None:
    run = start(api, "Pay an invoice twice asked", approval("Invoice R-0418"), amount="99", order="PO-772")
    task = question_of(api, run)
    address = f"/inbox?task={task}"
    quicker, slower = signed_in(address), new_page()
    sign_in(slower, ines)
    slower.goto(address)
    questions = [page.get_by_role("article") for page in (quicker, slower)]
    for question in questions:
        expect(question.get_by_role("heading", name="Invoice R-0418")).to_be_visible()
        question.get_by_label("Comment").fill("I have looked at it.")
    # What the slower one sees is old: of two who press at once, one is first.
    asked: list[Route] = []
    slower.route(f"**/inbox/{task}", lambda route: asked.append(route))
    answer(questions[0], "approved")
    expect(quicker.get_by_text(re.compile(r"Takes effect in \d s"))).to_be_visible()
    answer(questions[1], "rejected")
    expect(slower.get_by_text("Alice is deciding this right now.")).to_be_visible()
    slower.unroute(f"**/inbox/{task}")
    for route in asked:
        with contextlib.suppress(Error):
            route.continue_()
    expect(questions[1].get_by_role("status")).to_contain_text(re.compile("Alice is approving this|Alice has decided"))
    shot(slower, "inbox-slower")
    expect(questions[1].get_by_role("status")).to_contain_text("Alice has decided this: Approved")
    expect(slower.locator("[data-choice]")).to_have_count(0)
    assert votes(api, task) == [("Alice", "approved")]
    quicker.goto(address)
    expect(quicker.get_by_role("article").get_by_role("status")).to_contain_text("You have decided this:")
    slower.goto(f"/runs/{run}")
    expect_done(slower, pay="succeeded", send_back="skipped")


def test_a_failed_payment_is_put_before_a_person_and_goes_on(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None]
) -> None:
    asked = {"order": "{{ run.id }}", "customer": "C-200", "amount": "{{ trigger.amount }}"}
    invoice = write("invoice", "Create invoice", (0, 150), "/with/fail=503*1/invoices", asked)
    invoice["settings"] = {"retry": {"attempts": 1}, "on_failure": "person"}
    document = graph(
        [
            step("start", "trigger.manual@1", "Order comes in", (0, 0)),
            invoice,
            edit_fields("note", "Note the invoice", (0, 300), invoice="{{ steps.invoice.body.id }}"),
        ],
        [("start", "invoice"), ("invoice", "note")],
    )
    run = start(api, "Invoice in spite of a failure", document, amount="50")
    page = signed_in(f"/runs/{run}?step=invoice")
    expect(page.get_by_role("region", name="Create invoice").get_by_text("Waits for a person")).to_be_visible()
    page.get_by_role("link", name="Open in the inbox").click()

    question = page.get_by_role("article")
    expect(question.get_by_text("“Create invoice” failed, and is set to ask a person.")).to_be_visible()
    question.get_by_text("Technical details").click()
    expect(question.get_by_text("HTTP 503")).to_be_visible()
    shot(page, "inbox-failure")
    assert received(product, "/invoices", run) == []
    question.get_by_role("button", name="Try again").click()
    # Nobody leaves the inbox: it is told of when the time to take it back is over.
    expect(page.get_by_text("In effect: Tried again")).to_be_visible()

    page.goto(f"/runs/{run}?step=invoice")
    expect_done(page, invoice="succeeded", note="succeeded")
    [made] = received(product, "/invoices", run)
    page.get_by_role("button", name=re.compile("^Step 3 of 3, Note the invoice")).click()
    page.get_by_role("tab", name="Output").click()
    expect(page.get_by_role("tabpanel").get_by_text(made["id"])).to_be_visible()


DOUBTS = {
    "happened": ("It happened: go on", 1, "It happened"),
    "send_again": ("Send it again", 2, "Sent again"),
    "give_up": ("Give up", 1, "Gave up"),
}


@pytest.mark.parametrize("said", DOUBTS)
def test_a_step_in_doubt_shows_what_was_sent_and_is_never_simply_tried_again(
    signed_in: Opens, api: Api, product: Product, shot: Callable[[Page, str], None], said: str
) -> None:
    confirm, made, told = DOUBTS[said]
    asked = {"order": "{{ run.id }}", "customer": "C-200", "amount": "{{ trigger.amount }}"}
    invoice = write("invoice", "Create invoice", (0, 150), "/with/drop*1/invoices", asked, send_key=False)
    invoice["settings"] = {"on_failure": "person"}
    document = graph(
        [step("start", "trigger.manual@1", "Order comes in", (0, 0)), invoice, edit_fields("note", "Note", (0, 300))],
        [("start", "invoice"), ("invoice", "note")],
    )
    run = start(api, f"Invoice in doubt, {said}", document, amount="50")
    task = question_of(api, run)
    page = signed_in("/inbox")
    question = pick(page, task)
    expect(question.get_by_text("Nobody knows whether “Create invoice” happened")).to_be_visible()
    sent = question.get_by_test_id("what-was-sent")
    expect(sent).to_contain_text("POST")
    expect(sent).to_contain_text("/with/drop*1/invoices")
    expect(sent).to_contain_text(run)
    expect(sent).to_contain_text("No key was sent with it")
    expect(question.get_by_role("button", name="Try again")).to_have_count(0)
    choices = question.locator("[data-choice]")
    expect(choices).to_have_text(["Give up…", "Send it again…", "It happened…"])
    shot(page, "inbox-doubt")
    answer(question, said)
    if said == "happened":
        gave = question.get_by_label("What it gave, as JSON")
        gave.fill('{"status": 201, "body": {"id": "BY-HAND"}}')
        # Whoever turns a tablet has written nothing in vain.
        for wide in (600, 1440):
            page.set_viewport_size({"width": wide, "height": 900})
            expect(page.get_by_role("article")).to_have_count(1)
            expect(gave).to_contain_text("BY-HAND")
    elif said == "send_again":
        expect(question.get_by_text("If the first one arrived, it may happen twice").last).to_be_visible()
    shot(page, f"inbox-doubt-{said}")
    assert len(received(product, "/invoices", run)) == 1
    question.get_by_role("button", name=confirm, exact=True).click()
    # Said for some seconds, in which a busy machine may not look; what stays is that it has been decided.
    took = page.get_by_text(f"In effect: {told}").or_(question.get_by_text("You have decided this"))
    expect(took.first).to_be_visible()
    deadline = time.monotonic() + 120
    while api.call("GET", f"W/runs/{run}")["finished_at"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(received(product, "/invoices", run)) == made
    page.goto(f"/runs/{run}?step=invoice")
    panel = page.get_by_role("region", name="Create invoice")
    expect(panel.get_by_text("No key was sent with it")).to_be_visible()
    expect(panel.get_by_text("Safe to repeat: the key sent with it")).to_have_count(0)
    shot(page, f"panel-no-key-{said}")


@pytest.mark.parametrize("size", SIZES)
def test_a_step_in_doubt_can_be_read_in_the_inbox(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None], size: str
) -> None:
    pay = write("pay", "Take payment", (0, 150), "/with/drop/payments", {"invoice": "I-1"}, send_key=False)
    pay["settings"] = {"on_failure": "person"}
    document = graph([step("start", "trigger.manual@1", "Start", (0, 0)), pay], [("start", "pay")])
    run = start(api, f"In doubt {size}", document)
    page = signed_in(f"/inbox?task={question_of(api, run)}", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    expect(page.get_by_test_id("what-was-sent")).to_contain_text("POST")
    readable(page, size, "inbox-doubt", shot)


def test_a_form_asks_for_what_the_next_step_needs(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None]
) -> None:
    questions = [
        {"name": "centre", "label": "Cost centre", "type": "text", "required": True},
        {"name": "share", "label": "Our share in %", "type": "number"},
    ]
    ask = step("ask", "people.ask@1", "Ask for the cost centre", (0, 150), title="Who pays PO-773?", fields=questions)
    note = edit_fields("note", "Note it", (0, 300), booked="{{ steps.ask.centre }} bears {{ steps.ask.share }} %")
    document = graph(
        [step("start", "trigger.manual@1", "Invoice comes in", (0, 0)), ask, note], [("start", "ask"), ("ask", "note")]
    )
    run = start(api, "Ask for a cost centre", document)
    task = question_of(api, run)
    page = signed_in("/inbox")
    question = pick(page, task)
    centre = question.get_by_label("Cost centre")

    question.get_by_label("Our share in %").fill("12.5")
    answer(question, "out")
    expect(centre).to_be_focused()
    expect(centre).to_have_attribute("aria-invalid", "true")
    expect(centre).to_have_accessible_description(re.compile("This needs an answer."))
    shot(page, "inbox-form")
    assert votes(api, task) == []
    page.keyboard.type("K-12")
    expect(question.get_by_text("This needs an answer.")).to_have_count(0)
    answer(question, "out")
    expect(page.get_by_test_id(f"task-{task}")).to_have_count(0)
    page.get_by_role("navigation").get_by_role("link", name="Runs").click()
    expect(page.get_by_text("In effect: Answered")).to_be_visible()

    page.goto(f"/runs/{run}?step=note")
    expect_done(page, ask="succeeded", note="succeeded")
    page.get_by_role("tab", name="Output").click()
    expect(page.get_by_role("tabpanel").get_by_text("K-12 bears 12.5 %")).to_be_visible()


@pytest.fixture(scope="module")
def waiting(api: Api) -> Iterator[str]:
    """An approval that nobody gives: its id."""
    run = start(api, "Pay when somebody looks", approval("Invoice R-0419"), amount="1250", order="PO-774")
    yield question_of(api, run)
    api.call("POST", f"W/runs/{run}/cancel", {})


@pytest.mark.parametrize("size", SIZES)
def test_an_approval_is_readable_in_either_theme_at_a_desk_and_on_a_phone(
    size: str, signed_in: Opens, waiting: str, shot: Callable[[Page, str], None]
) -> None:
    page = signed_in("/inbox", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    row = page.get_by_test_id(f"task-{waiting}")
    expect(row).to_contain_text("Invoice R-0419")
    if size == "phone":
        # There the list and the question are two screens.
        readable(page, size, "inbox-list", shot)
    question = pick(page, waiting)
    answer(question, "rejected")
    expect(question.get_by_text("Say why, in a few words.")).to_be_visible()
    readable(page, size, "inbox-question", shot)


def test_a_run_leads_to_what_it_or_its_items_ask(signed_in: Opens, api: Api, product: Product) -> None:
    ask = step("ask", "people.approval@1", "Approve", (0, 0), title="Approve {{ item }}", limit="2", unit="days")
    each = step("lines", "flow.for_each@1", "For each line", (-24, 128), items="{{ trigger.body.lines }}")
    begin = step("order", "trigger.webhook@1", "Order", (0, 0))
    live = api.publish("Lines to approve", graph([begin, each, {**ask, "parent": "lines"}], [("order", "lines")]))
    run = httpx2.post(product.url + live.path, json={"lines": ["Paper"]}, timeout=60).json()["run"]
    page = signed_in(f"/runs/{run}")
    about = page.get_by_role("region", name="About this run")
    questions = about.get_by_role("list", name="Open questions")
    expect(questions).to_contain_text("Approve Paper")
    questions.get_by_role("link", name="Open in the inbox").click()
    expect(page.get_by_role("article").get_by_role("heading", level=2)).to_have_text("Approve Paper")
    api.call("POST", f"W/runs/{run}/cancel")


@pytest.mark.parametrize("size", SIZES)
def test_the_run_of_a_step_in_doubt_says_that_a_person_is_asked_and_leads_to_the_question(
    signed_in: Opens, api: Api, shot: Callable[[Page, str], None], size: str
) -> None:
    pay = write("pay", "Take payment", (0, 150), "/with/drop/payments", {"invoice": "I-2"}, send_key=False)
    pay["settings"] = {"on_failure": "person"}
    document = graph([step("start", "trigger.manual@1", "Start", (0, 0)), pay], [("start", "pay")])
    run = start(api, f"Doubted {size}", document)
    task = question_of(api, run)
    page = signed_in(f"/runs/{run}", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    if size == "desk":
        card = page.locator('[data-step="pay"]')
        expect(card).to_contain_text("Nobody knows whether it happened. A person is asked.")
    link = page.get_by_role("link", name="Open in the inbox")
    expect(link).to_be_visible()
    shot(page, f"run-in-doubt-{size}")
    link.click()
    page.wait_for_url(f"**/inbox?*task={task}*")
    expect(page.get_by_text("Nobody knows whether “Take payment” happened")).to_be_visible()

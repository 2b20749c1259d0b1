"""A failure in the inbox that trying again does not resolve: it is mended where it stands, or left for IT."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import expect_done, pick, question_of, start
from tests.browser.test_retrying import COMPANY, received, write
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def rosa(product: Product, api: Api) -> Iterator[Api]:
    """Somebody who may decide about failures, and not change what a step does."""
    link = api.call("POST", "W/members", {"email": "rosa@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    given = {"token": link.split("token=")[1], "name": "Rosa", "password": "a careful reviewer 53"}
    joined.call("POST", "/invitations/accept", given)
    joined.read_session()
    yield joined
    joined.close()


def wrong_address(api: Api, name: str) -> tuple[str, str]:
    """A run that cannot post its invoice to where it should; its id, and that of its question."""
    asked = {"order": "{{ run.id }}", "customer": "C-200", "amount": "{{ trigger.amount }}"}
    invoice = write("invoice", "Create invoice", (0, 150), "/invocies", asked)
    invoice["settings"] = {"retry": {"attempts": 1}, "on_failure": "person"}
    document = graph(
        [
            step("start", "trigger.manual@1", "Order comes in", (0, 0)),
            invoice,
            edit_fields("note", "Note the invoice", (0, 300), invoice="{{ steps.invoice.body.id }}"),
        ],
        [("start", "invoice"), ("invoice", "note")],
    )
    run = start(api, name, document, amount="50")
    return run, question_of(api, run)


def test_what_a_failed_step_was_given_is_put_right_in_the_inbox_and_the_run_goes_on(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    run, task = wrong_address(api, "Invoice to a wrong address")
    page = signed_in("/inbox")
    question = pick(page, task)
    question.get_by_role("button", name="Fix and retry…").click()
    form = question.get_by_role("form", name="What “Create invoice” was given")
    send = form.get_by_role("button", name="Fix and retry", exact=True)
    address = form.get_by_label("Address")
    expect(address).to_have_value(f"{COMPANY}/invocies")
    expect(send).to_be_disabled()
    shot(page, "inbox-mend")

    address.fill("")
    send.click()
    expect(form.get_by_role("alert")).to_contain_text("Address")
    assert api.call("GET", f"W/inbox/{task}")["status"] == "open", "what is wrong is found before the run stops"
    shot(page, "inbox-mend-refused")

    address.fill(f"{COMPANY}/invoices")
    send.click()
    expect(page.get_by_text("Mended and tried again").first).to_be_visible(timeout=120_000)
    page.goto(f"/runs/{run}?step=invoice")
    expect_done(page, invoice="succeeded", note="succeeded")
    assert len(received(product, "/invoices", run)) == 1
    [retried] = api.call("GET", f"W/runs/{run}/retries")["items"]
    assert (retried["by"], list(retried["edits"])) == ("Alice", ["invoice"])
    [vote] = api.call("GET", f"W/inbox/{task}")["votes"]
    assert (vote["outcome"], vote["comment"]) == ("give_up", "Mended and tried again: Address")


def test_a_failure_that_was_given_up_is_mended_from_the_closed_questions(
    signed_in: Opens, api: Api, product: Product
) -> None:
    run, task = wrong_address(api, "Invoice that was given up")
    api.call("POST", f"W/inbox/{task}/decide", {"outcome": "give_up"})
    page = signed_in(f"/inbox?state=closed&task={task}")
    question = page.get_by_role("article")
    question.get_by_role("button", name="Fix and retry…").click()
    form = question.get_by_role("form", name="What “Create invoice” was given")
    form.get_by_label("Address").fill(f"{COMPANY}/invoices")
    form.get_by_role("button", name="Fix and retry", exact=True).click()
    expect(page.get_by_text("Mended and tried again").first).to_be_visible(timeout=120_000)
    page.goto(f"/runs/{run}?step=invoice")
    expect_done(page, invoice="succeeded", note="succeeded")
    assert len(received(product, "/invoices", run)) == 1


def test_a_failure_is_left_for_it_and_leaves_the_list_of_whoever_left_it(
    signed_in: Opens, new_page: Callable[..., Page], api: Api, rosa: Api, shot: Shot
) -> None:
    _run, task = wrong_address(api, "Invoice for IT")
    hers = new_page()
    sign_in(hers, rosa)
    hers.goto("/inbox")
    question = pick(hers, task)
    expect(question.get_by_role("button", name="Fix and retry…")).to_have_count(0)
    question.get_by_role("button", name="Leave for IT…").click()
    dialog = hers.get_by_role("dialog", name="Leave it for IT")
    send = dialog.get_by_role("button", name="Leave it for IT")
    expect(send).to_be_disabled()
    dialog.get_by_label("What they have to know").fill("The address of the books has changed.")
    shot(hers, "inbox-leave")
    send.click()
    expect(hers.get_by_text("Left for IT").first).to_be_visible()
    expect(hers.get_by_test_id(f"task-{task}")).to_have_count(0)
    hers.goto(f"/inbox?who=anybody&task={task}")
    expect(hers.get_by_role("article").get_by_text("Others are asked this.", exact=False)).to_be_visible()
    expect(hers.locator("[data-choice]")).to_have_count(0)

    page = signed_in("/inbox")
    expect(page.get_by_test_id(f"task-{task}")).to_contain_text("Left for IT")
    theirs = pick(page, task)
    expect(theirs.get_by_text("Rosa left it for IT")).to_be_visible()
    expect(theirs.get_by_text("The address of the books has changed.")).to_be_visible()
    expect(theirs.get_by_role("button", name="Leave for IT…")).to_have_count(0)
    expect(theirs.get_by_role("button", name=re.compile("Fix and retry"))).to_be_visible()
    shot(page, "inbox-left")


@pytest.mark.parametrize("size", SIZES)
def test_a_failure_that_is_being_mended_can_be_read(signed_in: Opens, api: Api, shot: Shot, size: str) -> None:
    _run, task = wrong_address(api, f"Read what is mended {size}")
    page = signed_in(f"/inbox?task={task}", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    page.get_by_role("button", name="Fix and retry…").click()
    expect(page.get_by_role("form", name="What “Create invoice” was given").get_by_label("Address")).to_be_visible()
    readable(page, size, "inbox-mending", shot)


def test_a_run_is_undone_in_the_place_of_an_answer_after_a_look_at_what_that_is(
    signed_in: Opens, api: Api, product: Product, shot: Shot
) -> None:
    asked = {"order": "{{ run.id }}", "customer": "C-200", "amount": "{{ trigger.amount }}"}
    order = write("order", "Place the order", (0, 150), "/invoices", asked)
    void = write("void", "Void the order", (360, 150), "/invoices", {**asked, "order": "{{ run.id }}/void"})
    books = write("books", "Book it", (0, 300), "/nowhere", asked)
    books["settings"] = {"retry": {"attempts": 1}, "on_failure": "person"}
    document = graph(
        [step("start", "trigger.manual@1", "Order comes in", (0, 0)), order, void, books],
        [("start", "order"), ("order", "books")],
    )
    document["edges"].append(
        {"id": "undo", "source": "order", "target": "void", "sourceHandle": "undo", "targetHandle": "in"}
    )
    run = start(api, "Order to take back", document, amount="50")
    task = question_of(api, run)
    page = signed_in("/inbox")
    question = pick(page, task)
    question.get_by_role("button", name="Undo run…").click()
    dialog = page.get_by_role("dialog")
    plan = dialog.get_by_role("list", name="As it stands now, this is undone, in this order")
    expect(plan.get_by_role("listitem")).to_have_count(1)
    expect(plan).to_contain_text("Void the order")
    expect(dialog.locator(":focus")).to_have_count(1)
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            shot(page, f"inbox-undo-run-{width}-{theme}")
    page.set_viewport_size({"width": 1440, "height": 900})
    dialog.get_by_role("button", name="Undo 1 step").click()
    expect(dialog.get_by_text("Say why, in a few words.")).to_be_visible()
    assert api.call("GET", f"W/inbox/{task}")["status"] == "open", "without a reason nothing happens"
    dialog.get_by_label("Why is it undone?").fill("Ordered twice.")
    dialog.get_by_role("button", name="Undo 1 step").click()
    expect(page.get_by_text("The run is being undone").first).to_be_visible()
    expect(page.get_by_test_id(f"task-{task}")).to_have_count(0)
    page.goto(f"/inbox?state=closed&task={task}")
    expect(page.get_by_role("article").get_by_text("Had the run undone").first).to_be_visible()
    expect(page.get_by_role("article").get_by_text("Ordered twice.").first).to_be_visible()
    page.goto(f"/runs/{run}")
    expect(page.get_by_test_id("run-facts")).to_contain_text("Undone", timeout=60_000)


def test_why_a_run_cannot_be_undone_from_its_question_is_said_in_words(signed_in: Opens, api: Api) -> None:
    _run, task = wrong_address(api, "Invoice with nothing to undo")
    page = signed_in(f"/inbox?task={task}")
    page.get_by_role("button", name="Undo run…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("It cannot be undone from here.")).to_be_visible()
    expect(dialog.get_by_text("To stop it, give up.")).to_be_visible()
    expect(dialog.locator(":focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Undo run…")).to_be_focused()

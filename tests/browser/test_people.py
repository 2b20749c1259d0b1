"""Groups, whom a step asks, handing over, deciding several at once, and the page behind the link of a mail."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from builder.practice.example import REFUND
from tests.browser.axe import findings
from tests.browser.conftest import fits, sign_in
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import answer, pick, question_of, takes_effect, votes
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def ines(product: Product, api: Api) -> Iterator[Api]:
    """A second person, who reviews."""
    link = api.call("POST", "W/members", {"email": "ines@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    body = {"token": link.split("token=")[1], "name": "Ines Kaya", "password": "a careful reviewer 53"}
    joined.call("POST", "/invitations/accept", body)
    joined.read_session()
    yield joined
    joined.close()


def asking(**config: Any) -> dict[str, Any]:
    ask = step("ask", "people.approval@1", "Approve", (0, 150), title="Pay {{ trigger.number }}?", **config)
    return graph(
        [step("start", "trigger.manual@1", "Start", (0, 0)), ask, edit_fields("pay", "Pay it", (0, 300), paid="yes")],
        [("start", "ask"), ("ask", "approved", "pay")],
    )


def runs(api: Api, name: str, document: dict[str, Any], *inputs: dict[str, Any]) -> list[str]:
    """Publish this and start it with each of these; what each run asks."""
    live = api.publish(name, document)
    started = [api.call("POST", f"W/workflows/{live.workflow}/runs", {"input": given})["id"] for given in inputs]
    return [question_of(api, run) for run in started]


@pytest.mark.parametrize("size", SIZES)
def test_a_group_is_made_renamed_and_removed_under_members(
    size: str, signed_in: Opens, api: Api, ines: Api, shot: Shot
) -> None:
    page = signed_in("/settings/members", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    groups = page.get_by_role("region", name="Groups")
    groups.get_by_role("button", name="New group").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Cashiers")
    dialog.get_by_role("checkbox", name="Ines Kaya").check()
    shot(page, f"group-dialog-{size}")
    dialog.get_by_role("button", name="Save").click()
    row = groups.get_by_role("listitem").filter(has_text="Cashiers")
    expect(row).to_contain_text("Ines Kaya")
    readable(page, size, "groups", shot)
    groups.get_by_role("button", name="New group").click()
    dialog.get_by_label("Name").fill("cashiers")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("Another group is called so. Choose another name.")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Change Cashiers").click()
    dialog.get_by_label("Name").fill("Treasury")
    dialog.get_by_role("checkbox", name="Ines Kaya").uncheck()
    dialog.get_by_role("button", name="Save").click()
    row = groups.get_by_role("listitem").filter(has_text="Treasury")
    expect(row).to_contain_text("Nobody is in it")
    row.get_by_role("button", name="Remove Treasury").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove the group").click()
    expect(row).to_have_count(0)
    assert api.call("GET", "W/groups")["items"] == []


@pytest.fixture(scope="module")
def finance(api: Api, ines: Api) -> str:
    """Alice and Ines together."""
    members = [one["member"] for one in api.call("GET", "W/people")["people"]]
    name: str = api.call("POST", "W/groups", {"name": "Finance", "members": members})["name"]
    return name


def test_whom_a_step_asks_is_found_by_typing_and_by_the_keyboard_alone(
    signed_in: Opens, api: Api, finance: str, shot: Shot
) -> None:
    workflow = api.call("POST", "W/workflows", {"name": "Choose people", "graph": asking()})["id"]
    page = signed_in(f"/workflows/{workflow}/build?step=ask")
    field = page.get_by_role("combobox", name="Who decides")
    field.focus()
    page.keyboard.type("fin")
    options = page.get_by_role("listbox", name="Who decides").get_by_role("option")
    expect(options).to_have_count(1)
    shot(page, "people-picker")
    page.keyboard.press("Enter")
    page.keyboard.type("ines")
    page.keyboard.press("Enter")
    page.keyboard.type("who@elsewhere.example,")
    row = page.get_by_test_id("field-people")
    for chosen in ("Finance", "Ines Kaya", "who@elsewhere.example"):
        expect(row.get_by_role("button", name=f"Remove {chosen}")).to_be_visible()
    expect(row.get_by_text("who@elsewhere.example: nobody here is called so")).to_be_attached()
    page.keyboard.press("Backspace")
    expect(row.get_by_role("button", name="Remove who@elsewhere.example")).to_have_count(0)
    shot(page, "people-chosen")
    assert findings(page) == []
    deadline = time.monotonic() + 60
    while True:
        nodes = api.call("GET", f"W/workflows/{workflow}/draft")["graph"]["nodes"]
        [people] = [node["config"].get("people") for node in nodes if node["key"] == "ask"]
        if people == "Finance, ines@example.com":
            break
        assert time.monotonic() < deadline, people
        time.sleep(0.2)


def test_a_question_is_taken_given_back_and_handed_over(
    signed_in: Opens, new_page: Callable[..., Page], api: Api, ines: Api, finance: str, shot: Shot
) -> None:
    [task] = runs(api, "Hand over", asking(people=finance, due=2, due_unit="hours"), {"number": "R-1"})
    page = signed_in("/inbox")
    question = pick(page, task)
    expect(question.get_by_text("Asked: Finance.")).to_be_visible()
    expect(question.get_by_text("due in 2 hr")).to_be_visible()
    question.get_by_role("button", name="Take it").click()
    expect(question.get_by_text("You have taken this: you see to it alone.")).to_be_visible()
    hers = new_page()
    sign_in(hers, ines)
    hers.goto(f"/inbox?task={task}&who=anybody")
    expect(hers.get_by_role("article").get_by_text("Alice has taken this.", exact=False).first).to_be_visible()
    expect(hers.locator("[data-choice]")).to_have_count(0)
    shot(hers, "people-taken-by-another")
    question.get_by_role("button", name="Hand over…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("To whom").select_option(label="Ines Kaya")
    dialog.get_by_label("Why").fill("I am on leave.")
    shot(page, "people-hand-over")
    dialog.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("Handed over to Ines Kaya")).to_be_visible()
    expect(question.get_by_text("Alice handed it over to Ines Kaya")).to_be_visible()
    expect(question.locator("[data-choice]")).to_have_count(0)
    hers.goto("/inbox")
    theirs = pick(hers, task)
    expect(theirs.get_by_text("I am on leave.")).to_be_visible()
    answer(theirs, "approved")
    hers.get_by_role("navigation").get_by_role("link", name="Runs").click()
    expect(hers.get_by_text("In effect: Approved")).to_be_visible()
    assert votes(api, task) == [("Ines Kaya", "approved")]


def test_alike_approvals_are_approved_together_with_their_sum(
    signed_in: Opens, api: Api, finance: str, shot: Shot
) -> None:
    document = asking(people=finance, amount="{{ trigger.amount }}", currency="EUR")
    tasks = runs(api, "Alike", document, *({"number": f"R-{n}", "amount": f"{n}0.10"} for n in (1, 2)))
    [other] = runs(api, "Unlike", asking(people=finance), {"number": "R-9"})
    page = signed_in("/inbox")
    page.get_by_role("button", name="Select several").click()
    for task in tasks:
        page.get_by_test_id(f"task-{task}").locator("xpath=..").get_by_role("checkbox").check()
    expect(page.get_by_test_id(f"task-{other}").locator("xpath=..").get_by_role("checkbox")).to_be_disabled()
    shot(page, "people-bulk")
    assert findings(page) == []
    page.get_by_role("button", name=re.compile("Approve 2 · €30.20")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("For 8 seconds this can be taken back.", exact=False)).to_be_visible()
    dialog.get_by_role("button", name=re.compile("Approve 2")).click()
    toast = page.get_by_role("status").filter(has_text="2 approved · €30.20")
    toast.get_by_role("button", name="Undo").click()
    for task in tasks:
        expect(page.get_by_test_id(f"task-{task}")).to_be_visible()
        assert votes(api, task) == []
    page.get_by_role("button", name="Select several").click()
    for task in tasks:
        page.get_by_test_id(f"task-{task}").locator("xpath=..").get_by_role("checkbox").check()
    page.get_by_role("button", name=re.compile("Approve 2 · €30.20")).click()
    dialog.get_by_role("button", name=re.compile("Approve 2")).click()
    expect(page.get_by_text("In effect: 2 approved · €30.20")).to_be_visible()
    for task in tasks:
        takes_effect(api, task)
        assert votes(api, task) == [("Alice", "approved")]
        expect(page.get_by_test_id(f"task-{task}")).to_have_count(0)
    assert votes(api, other) == []
    page.get_by_role("radio", name="My groups").click()
    expect(page.get_by_test_id(f"task-{other}")).to_be_visible()


def test_a_refund_that_two_people_approve_at_once_is_booked_once(
    signed_in: Opens, new_page: Callable[..., Page], product: Product, api: Api, ines: Api, shot: Shot
) -> None:
    """The example: both press at the same moment, and both requests arrive together."""
    [workflow] = [one["id"] for one in api.call("GET", "W/workflows?limit=200")["items"] if one["name"] == REFUND.name]
    [trigger] = api.call("GET", f"W/workflows/{workflow}/triggers")["items"]
    path = "/hooks/" + trigger["url"].split("/hooks/", 1)[1]
    run = httpx2.post(product.url + path, json={**REFUND.sample, "number": "RF-7"}, timeout=60).json()["run"]
    task = question_of(api, run)
    pages = [signed_in(f"/inbox?task={task}"), new_page()]
    sign_in(pages[1], ines)
    pages[1].goto(f"/inbox?task={task}")
    on_their_way: list[Any] = []

    def wait_for_the_other(route: Any) -> None:
        on_their_way.append(route)
        if len(on_their_way) == 2:
            for one in on_their_way:
                one.continue_()

    for page in pages:
        page.route("**/decide", wait_for_the_other)
        question = page.get_by_role("article")
        expect(question.get_by_text("2 people have to approve.", exact=False)).to_be_visible()
        shot(page, "people-refund")
        answer(question, "approved")
    for page in pages:
        page.get_by_role("navigation").get_by_role("link", name="Runs").click()
    for page in pages:
        expect(page.get_by_text("In effect: Approved")).to_be_visible()
    assert sorted(votes(api, task)) == [("Alice", "approved"), ("Ines Kaya", "approved")]
    pages[0].goto(f"/runs/{run}")
    expect(pages[0].locator('[data-testid="run-facts"][data-status="completed"]')).to_be_visible()
    booked = httpx2.get(product.url + "/credit-notes", headers={"Host": "practice-company"}, timeout=30).json()["items"]
    assert len([one for one in booked if one["reference"] == run]) == 1


def test_who_is_asked_is_reminded_by_mail_once_an_hour_and_by_nobody_who_may_only_look(
    signed_in: Opens, as_viewer: Opens, product: Product, api: Api, shot: Shot
) -> None:
    [connection] = [one["id"] for one in api.call("GET", "W/connections")["items"] if one["kind"] == "smtp"]
    live = api.publish("To be reminded", asking(people="role:admin", mail=connection))
    run = api.call("POST", f"W/workflows/{live.workflow}/runs", {"input": {"number": "R-77"}})["id"]
    question_of(api, run)
    looker = as_viewer(f"/runs/{run}?step=ask")
    expect(looker.get_by_text("Waits for Admins")).to_be_visible()
    expect(looker.get_by_role("button", name="Remind")).to_have_count(0)
    page = signed_in(f"/runs/{run}?step=ask")
    button = page.get_by_role("button", name="Remind")
    expect(button).to_be_visible()
    shot(page, "run-remind")
    page.emulate_media(color_scheme="dark")
    assert findings(page) == []
    shot(page, "run-remind-dark")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("A mail goes to 1 person.")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Reminded")).to_be_focused()
    expect(button).to_have_count(0)
    shot(page, "run-reminded-dark")
    deadline = time.monotonic() + 120
    subjects: list[str] = []
    while "Reminder: Pay R-77?" not in subjects:
        assert time.monotonic() < deadline, subjects
        mails = httpx2.get(product.url + "/mails", headers={"Host": "practice-company"}, timeout=30).json()["items"]
        subjects = [one["subject"] for one in mails]
    page.reload()
    expect(page.get_by_role("status").filter(has_text="Reminded")).to_be_visible()
    page.get_by_role("link", name="Open in the inbox").click()
    expect(page.get_by_text("Alice had those reminded who are asked")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/runs/{run}?step=ask")
    expect(page.get_by_role("status").filter(has_text="Reminded")).to_be_visible()
    fits(page)
    shot(page, "run-reminded-phone-dark")


@pytest.mark.parametrize("size", SIZES)
def test_the_link_of_a_mail_opens_a_page_that_decides_only_when_it_is_told_to(
    size: str, new_page: Callable[..., Page], product: Product, api: Api, shot: Shot
) -> None:
    [connection] = [one["id"] for one in api.call("GET", "W/connections")["items"] if one["kind"] == "smtp"]
    number = f"R-{size}"
    document = asking(
        people="role:admin", mail=connection, link="open", text="A chair for the office.", amount="99.5",
        currency="EUR", facts=[{"name": "Order", "value": "PO-7"}],
    )  # fmt: skip
    [task] = runs(api, f"By mail {size}", document, {"number": number})
    deadline = time.monotonic() + 120
    link = None
    while link is None:
        mails = httpx2.get(product.url + "/mails", headers={"Host": "practice-company"}, timeout=30).json()["items"]
        text = next((one["text"] for one in mails if one["subject"] == f"Please decide: Pay {number}?"), "")
        link = re.search(r"/d/[\w-]{43}", text)
        assert time.monotonic() < deadline, mails
    for _ in range(3):
        assert httpx2.get(product.url + link[0], timeout=30).status_code == 200
    assert votes(api, task) == []
    # Nobody is signed in here.
    for dark in (False, True):
        page = new_page(dark=dark, viewport=SIZES[size])
        page.goto(link[0])
        expect(page.get_by_role("heading", name=f"Pay {number}?")).to_be_visible()
        shot(page, f"people-link-{size}-{'dark' if dark else 'light'}")
        fits(page)
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("alert")).to_have_text("Say why, in a few words.")
    page.get_by_label("Comment").fill("Good price.")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Alice: Approved")).to_be_visible()
    shot(page, f"people-link-done-{size}")
    assert votes(api, task) == [("Alice", "approved")]
    page.goto(link[0])
    expect(page.get_by_role("button")).to_have_count(0)

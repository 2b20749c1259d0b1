"""The rows of the inbox: what is new to whom, over devices, and who is to see to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.editing import edit_fields, graph, step
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import question_of
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def ines(product: Product, api: Api) -> Iterator[Api]:
    link = api.call("POST", "W/members", {"email": "ines@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    body = {"token": link.split("token=")[1], "name": "Ines Kaya", "password": "a careful reviewer 53"}
    joined.call("POST", "/invitations/accept", body)
    joined.read_session()
    yield joined
    joined.close()


def asks(api: Api, name: str, title: str, people: str, amount: str = "601.70") -> str:
    """A question to these people; its id."""
    document = graph(
        [
            step("start", "trigger.manual@1", "Invoice comes in", (0, 0)),
            step(
                "ask", "people.approval@1", "Approve the invoice", (0, 150), title=title, people=people,
                amount=amount, currency="EUR", limit="2", unit="hours",
            ),
            edit_fields("pay", "Pay it", (0, 300), paid="yes"),
        ],
        [("start", "ask"), ("ask", "approved", "pay")],
    )  # fmt: skip
    live = api.publish(name, document).workflow
    return question_of(api, api.call("POST", f"W/workflows/{live}/runs", {"input": {}})["id"])


def row(page: Page, task: str) -> Locator:
    return page.get_by_test_id(f"task-{task}")


def dot(page: Page, task: str) -> Locator:
    return row(page, task).get_by_text("Unread", exact=True)


def test_what_was_open_for_a_moment_is_read_on_every_device_and_can_stand_as_new(
    signed_in: Opens, new_page: Callable[..., Page], api: Api, ines: Api
) -> None:
    first = asks(api, "New one", "Invoice U-1", "")
    second = asks(api, "New two", "Invoice U-2", "")
    phone = new_page(viewport=SIZES["phone"])
    sign_in(phone, api)
    phone.goto("/inbox")
    expect(dot(phone, first)).to_be_attached()
    expect(dot(phone, second)).to_be_attached()
    expect(phone).to_have_title(re.compile(r"^\(2\) "))
    expect(phone.get_by_role("link", name="Inbox, 2 wait, 2 unread")).to_be_attached()

    page = signed_in(f"/inbox?task={first}")
    expect(dot(page, first)).to_have_count(0)
    expect(dot(page, second)).to_be_attached()
    expect(page).to_have_title(re.compile(r"^\(1\) Invoice U-1 "))
    expect(page.get_by_role("link", name="Inbox, 2 wait, 1 unread")).to_be_attached()
    # Elsewhere, too, by and by; and nobody else has read it.
    expect(dot(phone, first)).to_have_count(0)
    assert ines.call("GET", "W/inbox/count") == {"count": 2, "unread": 2, "letters": 0}

    page.get_by_role("article").get_by_role("button", name="Mark as unread").click()
    expect(dot(page, first)).to_be_attached()
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    expect(dot(phone, first)).to_be_attached()
    # It stays so while it is open. Whoever comes back to it reads it.
    row(page, second).click()
    expect(dot(page, second)).to_have_count(0)
    expect(dot(page, first)).to_be_attached()
    row(page, first).click()
    expect(dot(page, first)).to_have_count(0)
    page.context.set_offline(True)
    page.keyboard.press("u")
    expect(page.get_by_role("alert").filter(has_text="It could not be marked as unread")).to_be_visible()
    expect(dot(page, first)).to_have_count(0)
    page.context.set_offline(False)
    page.keyboard.press("u")
    expect(dot(page, first)).to_be_attached()
    api.call("POST", "W/inbox/decide", {"tasks": [first], "outcome": "approved"})
    api.call("POST", "W/inbox/decide", {"tasks": [second], "outcome": "approved"})
    expect(page).to_have_title("Inbox · Millrace")


def test_a_row_says_who_is_to_see_to_it(signed_in: Opens, api: Api, ines: Api, product: Product, shot: Shot) -> None:
    people = {one["email"]: one["id"] for one in api.call("GET", "W/members")["items"]}
    members = [people["ines@example.com"], *(one for email, one in people.items() if email != "ines@example.com")]
    api.call("POST", "W/groups", {"name": "Approvers", "members": members})
    long = "The invoice of Brinkmann Papiergroßhandel und Söhne for the second half of November"
    hers = asks(api, "Hers", "Invoice W-1", "ines@example.com")
    pool = asks(api, "Pool", long, "Approvers, ines@example.com", "1234567.89")
    anybody = asks(api, "Anybody", "Invoice W-3", "")
    taken = asks(api, "Taken", "Invoice W-4", "Approvers")
    ines.call("POST", f"W/inbox/{taken}/take", {})
    for size in SIZES:
        page = signed_in("/inbox?who=anybody", viewport=SIZES[size])
        page.emulate_media(color_scheme=THEMES[size][0])
        expect(row(page, hers).get_by_text("Ines Kaya")).to_be_visible()
        expect(row(page, pool).get_by_text("Pool: Approvers, Ines Kaya")).to_be_visible()
        expect(row(page, anybody).get_by_text("Pool: everybody here")).to_be_visible()
        expect(row(page, taken).get_by_text("Taken by Ines Kaya")).to_be_visible()
        expect(row(page, taken)).not_to_contain_text("has taken it")
        # What is asked of others is not new to oneself.
        expect(dot(page, hers)).to_have_count(0)
        expect(dot(page, taken)).to_have_count(0)
        expect(row(page, pool).get_by_text("€1,234,567.89")).to_be_visible()
        readable(page, size, "inbox-rows", shot)
    page.set_viewport_size({"width": 360, "height": 740})
    box, amount = row(page, pool).bounding_box(), row(page, pool).get_by_text("€1,234,567.89").bounding_box()
    assert box is not None
    assert amount is not None
    assert amount["x"] + amount["width"] <= box["x"] + box["width"] <= 360
    title = row(page, pool).locator("b")
    assert title.evaluate("one => one.scrollHeight <= one.clientHeight + 1"), "the title is cut"
    shot(page, "inbox-rows-360")


def test_questions_are_sorted_by_amount_or_age_and_the_choice_is_kept_on_the_computer(
    signed_in: Opens, api: Api, shot: Shot
) -> None:
    small, large, middle = (
        asks(api, f"Sorted {amount}", f"Invoice {amount}", "alice@example.org", amount)
        for amount in ("120.00", "98000.50", "4200.00")
    )
    page = signed_in("/inbox?kind=approval")

    def stand_as(*order: str) -> None:
        """Wait until these stand so, whatever else stands among them."""
        page.wait_for_function(
            """order => [...document.querySelectorAll("[data-task]")].map(one => one.dataset.task)
                .filter(one => order.includes(one)).join() === order.join()""",
            arg=list(order),
        )

    sort = page.get_by_label("Sort by")
    expect(sort).to_have_value("due")
    with page.expect_response(lambda answer: "sort=amount" in answer.url):
        sort.select_option("amount")
    expect(row(page, large)).to_contain_text("98,000.50")
    stand_as(large, middle, small)
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        if width == 390:
            page.goto("/inbox?kind=approval")
            expect(page.get_by_label("Sort by")).to_have_value("amount")
            stand_as(large, middle, small)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            shot(page, f"inbox-sorted-{width}-{theme}")
    with page.expect_response(lambda answer: "sort=age" in answer.url):
        page.get_by_label("Sort by").select_option("age")
    page.goto("/inbox?kind=approval")
    expect(page.get_by_label("Sort by")).to_have_value("age")
    stand_as(small, large, middle)

"""Being away, on screen: it is said under the profile, and another person sees and decides the questions meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import sign_in
from tests.browser.members import menu_of
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_inbox import takes_effect
from tests.browser.test_people import asking, runs
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]
#: How a day is written is for the browser's country to say.
SAID = re.compile(r"You are away until [^.]*2099\. Ben Okafor sees your questions\.")
WILL = re.compile(r"You will be away from [^.]*2099\. Ben Okafor will see your questions\.")
WORDS = "a careful reviewer 53"


@pytest.fixture(scope="module")
def ben(product: Product, api: Api) -> Iterator[Api]:
    """Who stands in."""
    link = api.call("POST", "W/members", {"email": "ben@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    joined.call(
        "POST", "/invitations/accept", {"token": link.split("token=")[1], "name": "Ben Okafor", "password": WORDS}
    )
    joined.read_session()
    yield joined
    joined.close()


@pytest.fixture(scope="module")
def carl(product: Product, api: Api) -> Iterator[Api]:
    """One more who is asked."""
    link = api.call("POST", "W/members", {"email": "carl@example.com", "role": "reviewer"})["link"]
    joined = Api(product.url)
    joined.call(
        "POST", "/invitations/accept", {"token": link.split("token=")[1], "name": "Carl Weber", "password": WORDS}
    )
    joined.read_session()
    yield joined
    joined.close()


@pytest.fixture(autouse=True)
def _everybody_is_here(api: Api, ben: Api) -> Iterator[None]:
    yield
    for one in (api, ben):
        if any(each["who"]["me"] for each in one.call("GET", "W/absences")["items"]):
            one.call("DELETE", "W/absences/mine")


def member(api: Api, name: str) -> str:
    found: str = next(one["member"] for one in api.call("GET", "W/people")["people"] if one["name"] == name)
    return found


def me(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.call("GET", "/me")
    return found


def away(api: Api, **changes: Any) -> None:
    """Alice has been away since yesterday, and nobody knows until when: no midnight ends it."""
    first = (date.today() - timedelta(days=1)).isoformat()
    body = {"first_day": first, "stand_in": member(api, "Ben Okafor"), **changes}
    api.call("POST", "W/absences/mine", body)


@pytest.mark.parametrize("size", SIZES)
def test_whoever_is_away_says_so_and_is_back_with_one_press(
    size: str, signed_in: Opens, api: Api, ben: Api, shot: Shot
) -> None:
    page = signed_in("/settings/profile", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    expect(page.get_by_role("heading", name="Out of office")).to_be_visible()
    save = page.locator("#out-of-office").get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    page.get_by_label("Who stands in").select_option(label="Ben Okafor")
    page.get_by_label("Last day away").fill("2099-12-03")
    page.get_by_label("Note for whoever stands in").fill("Call me only if it burns")
    shot(page, f"away-card-{size}")
    save.click()
    expect(page.get_by_text(SAID)).to_be_visible()
    readable(page, size, "away-said", shot)
    page.goto("/inbox")
    bar = page.get_by_text(SAID)
    expect(bar).to_be_visible()
    readable(page, size, "away-bar", shot)
    page.get_by_role("button", name="I’m back").click()
    expect(bar).to_have_count(0)
    assert api.call("GET", "W/absences")["items"] == []


def test_what_cannot_be_is_said_at_its_field_and_the_card_works_by_the_keyboard(
    signed_in: Opens, api: Api, ben: Api
) -> None:
    page = signed_in("/settings/profile")
    first = page.get_by_label("First day away")
    expect(first).to_be_visible()
    first.fill("2099-12-03")
    last = page.get_by_label("Last day away")
    # What the page holds back, the server refuses: without its bounds.
    last.evaluate("(field) => field.removeAttribute('min')")
    last.fill("2099-12-01")
    page.get_by_label("Who stands in").select_option(label="Ben Okafor")
    page.get_by_label("Note for whoever stands in").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#out-of-office").get_by_role("button", name="Save")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The last day is before the first one.")).to_be_visible()
    last.fill("")
    page.locator("#out-of-office").get_by_role("button", name="Save").click()
    expect(page.get_by_text(WILL)).to_be_visible()
    page.get_by_role("button", name="Do not go").click()
    expect(page.get_by_text("You will be away")).to_have_count(0)


@pytest.mark.parametrize("size", SIZES)
def test_a_stand_in_sees_for_whom_they_are_asked_and_decides(
    size: str, new_page: Opens, api: Api, ben: Api, shot: Shot
) -> None:
    alice = me(api)["name"]
    (task,) = runs(api, f"Away {size}", asking(people=me(api)["email"]), {"number": "R-1"})
    page = new_page(viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    sign_in(page, ben)
    page.goto("/inbox")
    expect(page.get_by_text("Nothing waits for you.").first).to_be_visible()
    # Said meanwhile, by somebody else: the socket tells the page.
    away(api, note="Call me only if it burns")
    expect(page.get_by_text(f"You stand in for {alice}, who is away.")).to_be_visible()
    row = page.locator(f'[data-task="{task}"]')
    expect(row).to_contain_text(f"For {alice}")
    page.get_by_role("radio", name=f"For {alice}").click()
    expect(row).to_be_visible()
    readable(page, size, "stand-in-list", shot)
    row.click()
    expect(page.get_by_text(f"For {alice}, who is away.", exact=True)).to_be_visible()
    readable(page, size, "stand-in-question", shot)
    page.get_by_role("article").locator('[data-choice="approved"]').click()
    takes_effect(api, task)
    done = api.call("GET", f"W/inbox/{task}")
    assert [(one["by"], one["in_place_of"]) for one in done["votes"]] == [("Ben Okafor", alice)]
    page.goto(f"/inbox?task={task}&state=closed")
    expect(page.get_by_text(f"Ben Okafor for {alice}").first).to_be_visible()
    shot(page, f"stand-in-decided-{size}")


def test_it_all_goes_back_as_soon_as_who_was_away_is_back(new_page: Opens, api: Api, ben: Api) -> None:
    (task,) = runs(api, "Back again", asking(people=me(api)["email"]), {"number": "R-2"})
    away(api)
    page = new_page()
    sign_in(page, ben)
    page.goto("/inbox")
    row = page.locator(f'[data-task="{task}"]')
    expect(row).to_be_visible()
    api.call("DELETE", "W/absences/mine")
    expect(row).to_have_count(0)
    expect(page.get_by_text("You stand in for")).to_have_count(0)
    api.call("POST", f"W/inbox/{task}/decide", {"outcome": "approved"})


def test_an_admin_says_it_of_somebody_else(signed_in: Opens, api: Api, ben: Api, shot: Shot) -> None:
    page = signed_in("/settings/members")
    menu_of(page, "Ben Okafor", "Out of office…")
    dialog = page.get_by_role("dialog", name="Out of office: Ben Okafor")
    dialog.get_by_label("Who stands in").select_option(label=me(api)["name"])
    shot(page, "away-of-member")
    assert findings(page) == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    row = page.get_by_role("row").filter(has_text="ben@example.com")
    expect(row).to_contain_text("away")
    menu_of(page, "Ben Okafor", "Out of office…")
    dialog.get_by_role("button", name="They are back").click()
    expect(dialog).to_have_count(0)
    assert ben.call("GET", "W/absences")["items"] == []


def test_the_card_speaks_german(signed_in: Opens, api: Api, ben: Api, shot: Shot) -> None:
    away(api)
    page = signed_in("/settings/profile", dark=True)
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", name="Abwesenheit")).to_be_visible()
    expect(page.get_by_text("Sie sind abwesend. Ben Okafor sieht Ihre Fragen.")).to_be_visible()
    shot(page, "away-german")
    page.get_by_label("Sprache").select_option("en")
    expect(page.get_by_role("heading", name="Out of office")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_whoever_was_away_reads_who_gave_their_voice_in_their_own_language(
    size: str, signed_in: Opens, api: Api, ben: Api, carl: Api, shot: Shot
) -> None:
    alice = me(api)["name"]
    people = f"{me(api)['email']}, carl@example.com"
    (task,) = runs(api, f"Two of them {size}", asking(people=people, rule="number", number=2), {"number": "R-3"})
    away(api)
    ben.call("POST", f"W/inbox/{task}/decide", {"outcome": "approved"})
    page = signed_in("/settings/profile", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", name="Abwesenheit")).to_be_visible()
    page.goto(f"/inbox?task={task}&who=anybody")
    question = page.get_by_role("article")
    expect(question.get_by_text("Ben Okafor hat an Ihrer Stelle gesagt: Genehmigt.")).to_be_visible()
    expect(question.get_by_text(f"Ben Okafor für {alice}")).to_be_visible()
    expect(question.get_by_text("Andere werden das gefragt.")).to_have_count(0)
    readable(page, size, "said-for-me", shot)
    carl.call("POST", f"W/inbox/{task}/decide", {"outcome": "approved"})
    page.goto("/settings/profile")
    page.get_by_label("Sprache").select_option("en")
    expect(page.get_by_role("heading", name="Out of office")).to_be_visible()


def test_who_has_taken_it_for_whom_is_said_in_german_too(new_page: Opens, api: Api, ben: Api, carl: Api) -> None:
    alice = me(api)["name"]
    people = f"{me(api)['email']}, carl@example.com"
    (task,) = runs(api, "Taken", asking(people=people), {"number": "R-4"})
    away(api)
    ben.call("POST", f"W/inbox/{task}/take", {})
    page = new_page()
    sign_in(page, carl)
    page.goto("/settings/profile")
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", name="Abwesenheit")).to_be_visible()
    page.goto(f"/inbox?task={task}&who=anybody")
    expect(page.get_by_text(f"Ben Okafor für {alice} kümmert sich darum.").first).to_be_visible()
    ben.call("POST", f"W/inbox/{task}/decide", {"outcome": "approved"})

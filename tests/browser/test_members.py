"""What a member can do and because of what, and to whom what hangs on them goes when they leave."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import sign_in
from tests.browser.editing import graph
from tests.browser.members import joined, member_of, menu_of
from tests.browser.test_accessibility import SIZES, THEMES, readable
from tests.browser.test_people import asking, runs
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def ines(product: Product, api: Api) -> Iterator[Api]:
    """A builder, in a group, who stands in for somebody and has a program."""
    person = joined(product, api, "Ines Kaya", "builder")
    with_ben = joined(product, api, "Ben Okafor", "reviewer")
    api.call(
        "POST",
        "W/groups",
        {"name": "Approvers", "members": [member_of(api, "Ines Kaya"), member_of(api, "Ben Okafor")]},
    )
    first = (date.today() - timedelta(days=1)).isoformat()
    with_ben.call("POST", "W/absences/mine", {"first_day": first, "stand_in": member_of(api, "Ines Kaya")})
    with_ben.close()
    yield person
    person.close()


@pytest.mark.parametrize("size", SIZES)
def test_what_somebody_can_do_is_told_with_its_reasons(
    size: str, signed_in: Opens, api: Api, ines: Api, shot: Shot
) -> None:
    page = signed_in("/settings/members", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    page.get_by_role("button", name="More for Ines Kaya").click()
    shot(page, f"members-menu-{size}")
    page.get_by_role("menuitem", name="What can Ines Kaya do?").click()
    expect(page).to_have_url(re.compile(f"/settings/members/{member_of(api, 'Ines Kaya')}$"))
    expect(page.get_by_role("heading", name="What can Ines Kaya do?")).to_be_visible()
    asked = page.get_by_role("region", name="What Ines Kaya is asked")
    expect(asked).to_contain_text("the group Approvers, because Ines Kaya is in it, as one of 2")
    expect(asked).to_contain_text("Ben Okafor by name, because Ines Kaya stands in")
    rights = page.get_by_role("region", name="What the role allows")
    publish = rights.locator("[data-action='workflow.publish']")
    expect(publish).to_contain_text("May: Publish workflows")
    expect(publish).to_contain_text("because Ines Kaya has the role Builder")
    manage = rights.locator("[data-action='members.manage']")
    expect(manage).to_contain_text("May not: Invite people")
    expect(manage).to_contain_text("and it takes Admin")
    expect(rights.locator("[data-action='connection.manage']")).to_contain_text("Ines Kaya’s own only")
    readable(page, size, "access", shot)
    rights.get_by_role("button", name="What is not").click()
    expect(publish).to_have_count(0)
    expect(manage).to_be_visible()
    page.get_by_role("link", name="All members").click()
    expect(page.get_by_role("heading", name="Members")).to_be_visible()


def test_the_tokens_of_an_admin_are_told_by_what_they_may_do(signed_in: Opens, api: Api, shot: Shot) -> None:
    api.call("POST", "W/tokens", {"name": "ERP", "scopes": ["read"]})
    me = api.call("GET", "/me")
    page = signed_in(f"/settings/members/{member_of(api, me['name'])}")
    tokens = page.get_by_role("region", name=f"Programs that act as {me['name']}")
    expect(tokens).to_contain_text("ERP mlr_…")
    tokens.get_by_text(re.compile(r"^May do \d+ things$")).click()
    expect(tokens.get_by_text("See data tables")).to_be_visible()
    shot(page, "access-tokens")
    assert findings(page) == []


def test_who_may_not_see_members_is_told_so(new_page: Opens, api: Api, ines: Api) -> None:
    page = new_page()
    sign_in(page, ines)
    page.goto(f"/settings/members/{member_of(api, 'Ines Kaya')}")
    expect(page.get_by_text("Only admins of this workspace can change this.")).to_be_visible()


@pytest.fixture(scope="module")
def carl(product: Product, api: Api) -> Iterator[Api]:
    """Somebody on whom much hangs, and who leaves."""
    person = joined(product, api, "Carl Weber", "builder")
    person.call("POST", "W/workflows", {"name": "Carls orders", "graph": graph([], [])})
    fields = {"token": "of the bank", "base_url": "https://bank.example"}
    person.call("POST", "W/connections", {"kind": "http_bearer", "name": "Carls bank", "fields": fields})
    person.call("POST", "W/runs/views", {"name": "Carls late ones", "search": {"q": "late"}, "shared": True})
    api.call("POST", "W/groups", {"name": "Carl alone", "members": [member_of(api, "Carl Weber")]})
    runs(api, "Asks Carl", asking(people="carl@example.com"), {"number": "R-7"})
    yield person
    person.close()


def test_what_hangs_on_somebody_is_seen_before_it_is_handed_over_and_nothing_is_done_by_looking(
    signed_in: Opens, api: Api, ines: Api, carl: Api, shot: Shot
) -> None:
    page = signed_in("/settings/members")
    menu_of(page, "Carl Weber", "Hand over…")
    dialog = page.get_by_role("dialog", name="Hand over from Carl Weber")
    plan = dialog.get_by_role("group", name="What hangs on this person")
    expect(plan).to_contain_text("1 workflow: Carls orders")
    expect(plan).to_contain_text("1 open question: Pay R-7?")
    expect(plan).to_contain_text("Steps that ask Carl Weber by address")
    give = dialog.get_by_role("button", name="Hand over", exact=True)
    expect(give).to_be_disabled()
    dialog.get_by_label("Hand over to").select_option(label="Ben Okafor")
    expect(plan).to_contain_text("the role of Ben Okafor does not allow it")
    shot(page, "hand-over-refused")
    assert findings(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    found = api.call("GET", f"W/members/{member_of(api, 'Carl Weber')}/handover")["things"]
    assert {one["kind"] for one in found} == {"workflow", "connection", "question", "group", "run_view"}


@pytest.mark.parametrize("size", SIZES)
def test_what_somebody_leaves_behind_is_seen_before_they_are_removed(
    size: str, signed_in: Opens, api: Api, ines: Api, carl: Api, shot: Shot
) -> None:
    page = signed_in("/settings/members", viewport=SIZES[size])
    page.emulate_media(color_scheme=THEMES[size][0])
    menu_of(page, "Carl Weber", "Remove…")
    dialog = page.get_by_role("dialog", name="Remove Carl Weber?")
    plan = dialog.get_by_role("group", name="What hangs on this person")
    expect(plan).to_contain_text("Carl Weber leaves behind")
    expect(plan).to_contain_text("1 open question is asked of nobody else. It goes to the admins.")
    readable(page, size, "remove-left-behind", shot)
    dialog.get_by_label("Hand over to").select_option(label="Ines Kaya")
    expect(plan).to_contain_text("Goes to Ines Kaya")
    expect(plan.get_by_text("It goes to the admins.")).to_have_count(0)
    expect(dialog.get_by_label("Why")).to_have_value("Carl Weber leaves.")
    readable(page, size, "remove-hand-over", shot)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)


def test_whoever_leaves_leaves_nothing_behind(signed_in: Opens, api: Api, ines: Api, carl: Api) -> None:
    page = signed_in("/settings/members")
    menu_of(page, "Carl Weber", "Remove…")
    dialog = page.get_by_role("dialog", name="Remove Carl Weber?")
    dialog.get_by_label("Hand over to").select_option(label="Ines Kaya")
    dialog.get_by_role("button", name="Hand over and remove").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="carl@example.com")).to_have_count(0)
    task = next(one for one in ines.call("GET", "W/inbox")["items"] if one["title"] == "Pay R-7?")
    assert [one["name"] for one in task["asked"]] == ["Ines Kaya"]
    flows = {one["name"]: one["owner"] for one in api.call("GET", "W/workflows")["items"]}
    assert flows["Carls orders"] == "Ines Kaya"
    page.goto("/settings/audit?verb=workflow.handed_over")
    expect(page.get_by_role("row").filter(has_text="Carls orders")).to_contain_text("Handed over workflow")
    page.goto("/settings/audit?verb=member.removed")
    expect(page.get_by_role("row").filter(has_text="Carl Weber")).to_be_visible()


def test_it_is_told_in_german_too(signed_in: Opens, api: Api, ines: Api, shot: Shot) -> None:
    page = signed_in("/settings/profile")
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", name="Abwesenheit")).to_be_visible()
    page.goto(f"/settings/members/{member_of(api, 'Ines Kaya')}")
    expect(page.get_by_role("heading", name="Was darf Ines Kaya?")).to_be_visible()
    rights = page.get_by_role("region", name="Was die Rolle erlaubt")
    expect(rights.locator("[data-action='workflow.publish']")).to_contain_text("weil Ines Kaya die Rolle Bauen hat")
    shot(page, "access-german")
    page.goto("/settings/members")
    menu_of(page, "Ines Kaya", "Übergeben…", more="Mehr zu Ines Kaya")
    expect(page.get_by_role("dialog", name="Von Ines Kaya übergeben")).to_contain_text("Ines Kaya bleibt Mitglied.")
    shot(page, "hand-over-german")
    page.goto("/settings/profile")
    page.get_by_label("Sprache").select_option("en")
    expect(page.get_by_role("heading", name="Out of office")).to_be_visible()

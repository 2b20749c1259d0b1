"""What the browser tests share about members: somebody who joins, and the menu of a row."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.product import Api, Product

WORDS = "a careful reviewer 53"


def joined(product: Product, api: Api, name: str, role: str) -> Api:
    """Somebody who has accepted an invitation: their own way in. The address is their first name."""
    email = f"{name.split()[0].lower()}@example.com"
    link = api.call("POST", "W/members", {"email": email, "role": role})["link"]
    person = Api(product.url)
    body = {"token": link.split("token=")[1], "name": name, "password": WORDS}
    person.call("POST", "/invitations/accept", body)
    person.read_session()
    return person


def member_of(api: Api, name: str) -> str:
    """The id of the membership of whoever is called so."""
    found: str = next(one["member"] for one in api.call("GET", "W/people")["people"] if one["name"] == name)
    return found


def menu_of(page: Page, name: str, item: str, more: str = "") -> None:
    """Choose this from the menu of a member's row; `more`: what its button is called in another language."""
    page.get_by_role("button", name=more or f"More for {name}").click()
    page.get_by_role("menuitem", name=item).click()

"""A service is found by its name where a channel is made, asked for what it needs, and tried: what came of it is said
in words, and nothing of its address is shown again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import THEMED, findings
from tests.browser.conftest import fits
from tests.product import Api

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PHONE = {"width": 390, "height": 844}
TOKEN = "AbCANARYcanary99"
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


def test_a_service_is_found_filled_in_and_tried(signed_in: Opens, api: Api, shot: Shot) -> None:
    page = signed_in("/monitor/alerts?tab=channels")
    page.get_by_role("button", name="New channel").first.click()
    channel = page.get_by_role("dialog", name="New channel")
    channel.get_by_label("Name", exact=True).fill("Phones of operations")
    channel.get_by_role("button", name="Connect a service…").click()
    services = page.get_by_role("dialog", name="Connect a service")
    search = services.get_by_label("Find a service")
    expect(search).to_be_focused()
    expect(services.get_by_role("status")).to_have_text(re.compile(r"1\d\d services"))
    shot(page, "alert-services")
    search.fill("gotif")
    expect(services.get_by_role("status")).to_have_text("1 service")
    search.press("Enter")
    one = page.get_by_role("dialog", name="Connect Gotify")
    one.get_by_label("Hostname").fill("practice-company")
    one.get_by_role("button", name="Connect", exact=True).click()
    expect(one.get_by_text("This is needed, too.")).to_be_visible()
    one.get_by_label("Token").fill(TOKEN)
    one.get_by_label("Encrypted (https)").uncheck()
    shot(page, "alert-service")
    assert findings(page) == []
    one.get_by_role("button", name="Connect", exact=True).click()
    expect(channel.get_by_label("Name", exact=True)).to_have_value("Phones of operations")
    expect(channel.get_by_label("Chat or address")).to_have_value(re.compile("[0-9a-f-]{36}"))
    channel.get_by_role("button", name="Save channel").click()
    card = page.get_by_test_id("channel").filter(has_text="Phones of operations")
    expect(card).to_contain_text("Gotify")
    card.get_by_role("button", name="Send a test").click()
    expect(card).to_contain_text(re.compile(r"It answered with status 40\d\."), timeout=30_000)
    assert TOKEN not in page.content()
    assert TOKEN not in str(api.call("GET", "W/alerts")) + str(api.call("GET", "W/connections"))


def test_what_goes_around_the_door_is_refused_in_words_on_a_phone_and_in_german(signed_in: Opens, shot: Shot) -> None:
    page = signed_in("/monitor/alerts?tab=channels", dark=True, viewport=PHONE)
    page.evaluate("() => localStorage.setItem('millrace.language', 'de')")
    page.goto("/monitor/alerts?tab=channels")
    page.get_by_role("button", name="Neuer Kanal").first.click()
    page.get_by_role("button", name="Dienst verbinden …").click()
    services = page.get_by_role("dialog", name="Dienst verbinden")
    expect(services.get_by_role("button", name="Telegram")).to_be_visible()
    fits(page)
    services.get_by_role("button", name="Telegram").click()
    expect(page.get_by_label("Token des Bots")).to_be_visible()
    fits(page)
    shot(page, "alert-service-phone")
    assert findings(page, only=THEMED) == []
    page.get_by_role("button", name="Andere Dienste").click()
    services.get_by_role("button", name="Ich habe die Adresse").click()
    services.get_by_label("Name", exact=True).fill("Broker")
    services.get_by_label("Adresse").fill("mqtt://broker.example.com/ops")
    services.get_by_role("button", name="Verbinden", exact=True).click()
    expect(services.get_by_text("dieser Dienst öffnet eigene Verbindungen")).to_be_visible()

"""Alerts: a channel and a rule are made by filling in a sentence, a figure goes too far, and the history says who was
told."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import THEMED, findings
from tests.browser.conftest import fits
from tests.browser.editing import edit_fields, graph, step
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
OWN_PRODUCT = True
PHONE = {"width": 390, "height": 844}
Opens = Callable[..., Page]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def failing(api: Api) -> tuple[str, str]:
    """A workflow that fails each time; its id and its path. And a mail server that takes what it is given."""
    fields = {"host": "practice-company", "port": 25, "security": "none", "from_address": "Millrace <ops@example.com>"}
    api.call("POST", "W/connections", {"kind": "smtp", "name": "Mail of the practice company", "fields": fields})
    chat = {"address": "https://hooks.slack.com/services/T0/B0/secret"}
    api.call("POST", "W/connections", {"kind": "alert_hook", "name": "Chat of operations", "fields": chat})
    drawn = graph(
        [
            step("start", "trigger.webhook@1", "Invoices", (0, 0)),
            edit_fields("keep", "Keep", (0, 150), a="1"),
            step("refuse", "flow.fail@1", "Refuse", (0, 300), message="This supplier is not known."),
        ],
        [("start", "keep"), ("keep", "refuse")],
    )
    live = api.publish("Supplier invoices", drawn)
    return live.workflow, live.path


@pytest.fixture(scope="module")
def watched(api: Api, failing: tuple[str, str]) -> str:
    """A channel, and two rules that tell it; the workflow."""
    board = api.call("GET", "W/alerts")
    by_kind = {one["kind"]: one["id"] for one in board["connections"]}
    body = {
        "name": "Night shift", "people": ["role:admin"], "mail_id": by_kind["smtp"], "hook_id": by_kind["alert_hook"],
        "quiet": {"begin": "20:00", "end": "07:00", "weekends": True},
    }  # fmt: skip
    channel = api.call("POST", "W/alerts/channels", body)["id"]
    workflow = failing[0]
    for more in (
        {"kind": "failure_rate", "limit": 5, "minutes": 60},
        {"kind": "arrival", "arrival": {"by": "09:00", "country": "DE"}},
        {"kind": "p95", "limit": 90, "enabled": False},
    ):
        api.call("POST", "W/alerts/rules", {"channels": [channel], "workflow_id": workflow, **more})
    return workflow


def test_a_rule_is_filled_in_and_tells_when_a_figure_goes_too_far(
    signed_in: Opens, product: Product, failing: tuple[str, str], shot: Shot
) -> None:
    page = signed_in("/monitor")
    page.get_by_role("link", name="Alerts", exact=True).click()
    expect(page.get_by_role("heading", name="Nobody can be told yet")).to_be_visible()
    page.get_by_role("button", name="Make a channel").click()
    page.get_by_role("button", name="New channel").click()
    dialog = page.get_by_role("dialog", name="New channel")
    dialog.get_by_label("Name", exact=True).fill("Ops")
    dialog.get_by_label("All admins").check()
    dialog.get_by_label("Mail server").select_option(label="Mail of the practice company")
    shot(page, "alerts-channel-dialog")
    dialog.get_by_role("button", name="Save channel").click()
    card = page.get_by_test_id("channel").filter(has_text="Ops")
    expect(card).to_contain_text("All admins")
    card.get_by_role("button", name="Send a test").click()
    expect(card).to_contain_text("last message sent")

    page.get_by_role("link", name="Rules", exact=True).click()
    page.get_by_role("button", name="New rule").click()
    dialog = page.get_by_role("dialog", name="New rule")
    dialog.get_by_label("What is watched").select_option("failed_runs")
    dialog.get_by_label("Of which workflow").select_option(failing[0])
    dialog.get_by_label("Limit", exact=True).fill("1")
    dialog.get_by_label("In which time").select_option("60")
    expect(dialog).to_contain_text("Now: 0")
    expect(dialog.get_by_test_id("past")).to_contain_text("In the last 7 days this would have told you nothing.")
    expect(dialog.get_by_role("list", name="How often it would have told you").get_by_role("listitem")).to_have_count(7)
    shot(page, "alerts-rule-dialog")
    assert findings(page) == []
    dialog.get_by_label("Limit", exact=True).press("Enter")
    rule = page.get_by_test_id("rule")
    expect(rule).to_contain_text("Tell Ops if the number of failed runs of Supplier invoices is over 1 within 1 hour.")
    expect(rule).to_contain_text("Fine")

    for _ in range(2):
        httpx2.post(product.url + failing[1], json={}).raise_for_status()
    expect(rule).to_contain_text("Alerts since")
    expect(page.get_by_role("status").filter(has_text="1 rule alerts now")).to_be_visible()
    page.get_by_role("link", name="History", exact=True).click()
    expect(page).to_have_url(re.compile("tab=history"))
    episode = page.get_by_test_id("episode")
    expect(episode).to_contain_text("Goes on")
    episode.get_by_text("1 message").click()
    expect(episode).to_contain_text("alert · sent")
    shot(page, "alerts-history")

    page.get_by_role("link", name="Rules", exact=True).click()
    switch = rule.get_by_role("switch", name="Watch this")
    switch.press("Space")
    expect(rule).to_contain_text("Switched off")
    rule.get_by_role("button", name="Remove rule").click()
    page.get_by_role("dialog", name="Remove this rule?").get_by_role("button", name="Remove rule").click()
    expect(page.get_by_test_id("rule")).to_have_count(0)
    page.get_by_role("link", name="History", exact=True).click()
    expect(episode).to_contain_text("Rule was switched off")


def test_what_should_have_come_is_asked_for_by_a_calendar(signed_in: Opens, watched: str, shot: Shot) -> None:
    page = signed_in("/monitor/alerts")
    expect(page.get_by_test_id("rule")).to_have_count(3)
    page.get_by_role("button", name="New rule").click()
    dialog = page.get_by_role("dialog", name="New rule")
    dialog.get_by_label("What is watched").select_option("arrival")
    save = dialog.get_by_role("button", name="Save rule")
    expect(save).to_be_disabled()
    dialog.get_by_label("Of which workflow").select_option(watched)
    dialog.get_by_label("By when").fill("11:30")
    dialog.get_by_label("Without the holidays of").select_option(label="Austria")
    expect(dialog).to_contain_text("Next expected:")
    dialog.get_by_label("Region").fill("zz")
    shot(page, "alerts-arrival-dialog")
    save.click()
    expect(dialog).to_contain_text("has no region")
    dialog.get_by_label("Region").fill("9")
    dialog.get_by_label("Days off besides").fill("12-24, 12-31")
    save.click()
    rule = page.get_by_test_id("rule").filter(has_text="11:30")
    expect(rule).to_contain_text("if nothing came to Supplier invoices by 11:30 on a business day in Austria.")
    expect(rule).to_contain_text("Next expected:")


def test_the_page_speaks_german(signed_in: Opens, watched: str, shot: Shot) -> None:
    page = signed_in("/monitor/alerts")
    page.evaluate("() => localStorage.setItem('millrace.language', 'de')")
    page.goto("/monitor/alerts")
    expect(page.get_by_test_id("rule").first).to_contain_text(
        "Night shift benachrichtigen, wenn die Fehlerquote von Supplier invoices über"
    )
    shot(page, "alerts-german")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_and_it_fits_the_screen(
    signed_in: Opens, watched: str, shot: Shot, dark: bool, viewport: dict[str, int] | None
) -> None:
    page = signed_in("/monitor/alerts", dark=dark, viewport=viewport)
    only, name = THEMED if dark else None, f"{'phone' if viewport else 'desk'}-{'dark' if dark else 'light'}"

    def look(part: str) -> None:
        shot(page, f"alerts-{part}-{name}")
        assert findings(page, only=only) == []
        fits(page)

    expect(page.get_by_test_id("rule").first).to_be_visible()
    look("rules")
    page.get_by_role("button", name="Edit rule").first.click()
    expect(page.get_by_role("dialog", name="Edit rule")).to_contain_text("too few to say")
    look("rule")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto("/monitor/alerts?tab=channels")
    expect(page.get_by_test_id("channel").first).to_be_visible()
    look("channels")
    page.get_by_role("button", name="Edit channel Night shift").click()
    expect(page.get_by_role("dialog", name="Edit channel")).to_contain_text("Quiet hours")
    look("channel")
    page.keyboard.press("Escape")
    page.goto("/monitor/alerts?tab=history")
    expect(page.get_by_test_id("episode").first.or_(page.get_by_text("No alerts so far"))).to_be_visible()
    look("history")

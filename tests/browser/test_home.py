"""The first page: what needs somebody, and how the day goes, without loading it again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_retrying import fire, order_to_payment
from tests.product import Api, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_run_that_fails_is_seen_on_a_home_page_that_stands_open(
    signed_in: Callable[..., Page], api: Api, product: Product
) -> None:
    live = api.publish("Seen at home", order_to_payment("/paymets"))
    # Of the very first run of all, the page would lead to it.
    fire(api, product, api.publish("Ran before", order_to_payment("/payments")), "SO-7099")
    page = signed_in("/")
    attention = page.get_by_role("region", name="Needs attention")
    expect(attention).to_be_visible()
    expect(attention.get_by_text("Seen at home")).to_have_count(0)
    failed = page.get_by_role("region", name="Last 24 hours").get_by_role("link", name="Failed").locator("b")
    expect(failed).to_have_text(re.compile(r"^\d+$"))
    before = failed.inner_text()
    fire(api, product, live, "SO-7100")
    expect(attention.get_by_text("Seen at home")).to_be_visible()
    expect(failed).not_to_have_text(before)

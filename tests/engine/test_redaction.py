from __future__ import annotations

from typing import Any

import pytest

from runtime.interpreter import redaction as written
from runtime.sdk import redaction as shown
from runtime.sdk.redaction import is_secret_name

BOTH = pytest.mark.parametrize("room", [written, shown], ids=["interpreter", "sdk"])


@BOTH
def test_a_short_secret_tears_no_hole_into_business_data(room: Any) -> None:
    redact = room.Redactor(["1042", "test", ""])
    business = {"number": "INV-1042", "title": "Latest tests", "total": 1042, "": ""}
    assert redact.value(business) == business
    assert redact.text("Order 1042 was refused") == "Order 1042 was refused"


@BOTH
def test_a_short_secret_is_masked_where_it_is_the_whole_value(room: Any) -> None:
    redact = room.Redactor(["1042"])
    assert redact.value({"password": "1042", "list": ["1042", "10425"]}) == {
        "password": room.MASK,
        "list": [room.MASK, "10425"],
    }


@BOTH
def test_a_secret_of_eight_characters_is_masked_inside_a_text(room: Any) -> None:
    redact = room.Redactor(["pa55word"])
    assert redact.text("refused pa55word, try again") == f"refused {room.MASK}, try again"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Authorization", True),
        ("Set-Cookie", True),
        ("X-Auth-Token", True),
        ("X_API_KEY", True),
        ("X-Next-Page-Token", False),
        ("pageToken", False),
        ("$skiptoken", False),
        ("X-Next-Page-Password", True),
        ("Content-Type", False),
    ],
)
def test_a_token_for_the_next_page_is_data_and_a_token_for_access_is_not(name: str, secret: bool) -> None:
    assert is_secret_name(name) is secret
    assert shown.Redactor().headers([(name, "v")]) == {name: shown.MASK if secret else "v"}

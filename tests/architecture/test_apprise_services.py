"""Which services of Apprise alerts may use: those whose sources lead out by `requests` alone, read anew each time. That
the lists made of them are fresh stands in test_dependencies."""

from __future__ import annotations

import json
from importlib import import_module

import pytest

from runtime.sdk import PermanentError
from runtime.sdk.hooks import read_hook
from tests import apprise_services
from tests.apprise_services import NATIVE, leads_out, usable


@pytest.mark.parametrize(
    ("scheme", "why"),
    [
        ("mailto", "smtplib"), ("mqtt", "paho.mqtt.client"), ("macosx", "subprocess"), ("syslog", "syslog"),
        ("rsyslog", "socket"), ("dbus", "dbus"), ("xmpp", "slixmpp"), ("vapid", "os.chmod"), ("windows", "win32api"),
        ("bluesky", "apprise.utils.http"), ("twitter", "requests_oauthlib"),
    ],
)  # fmt: skip
def test_what_leads_out_otherwise_is_refused_in_words(scheme: str, why: str) -> None:
    module, _ = apprise_services._plugins()[scheme]
    assert why in leads_out(module)
    assert scheme not in usable()
    with pytest.raises(PermanentError) as refused:
        read_hook(f"{scheme}://secret-1/secret-2")
    assert refused.value.code == "address_service"
    assert "secret" not in refused.value.message


def test_what_may_be_used_is_most_of_it_and_nothing_that_millrace_speaks_itself() -> None:
    assert len({module for module, _ in usable().values()}) > 140
    assert not NATIVE & usable().keys()
    assert {
        "tgram",
        "ntfys",
        "gotifys",
        "pover",
        "pagerduty",
        "opsgenie",
        "gchat",
        "zulip",
        "signals",
    } <= usable().keys()


def test_no_way_out_of_the_modules_that_may_be_used_gets_around_the_door() -> None:
    """Not only by what is written in them: by what they hold once they are loaded."""
    from runtime.sdk.notifier_door import DOOR, prepared

    held = set()
    for module, _ in usable().values():
        prepared(import_module(module))
        for name in apprise_services.modules_of(module):
            loaded = vars(import_module(name))
            held |= {f"{name}.{key}" for key in ("socket", "ssl", "smtplib", "subprocess", "urllib3") if key in loaded}
            if "requests" in loaded and loaded["requests"] is not DOOR:
                held.add(name)
    assert held == set()


def test_what_is_called_a_token_or_a_password_is_hidden_as_it_is_typed() -> None:
    """The library does not mark each of them."""
    shown = json.loads(apprise_services.picker())["services"]
    bare = {
        (one["name"], field["label"])
        for one in shown
        for field in one["fields"]
        if not field.get("secret") and field["label"].lower().endswith(("token", "secret", "password", "routing key"))
    }
    assert bare == set()
    mastodon = next(one for one in shown if one["name"] == "Mastodon")
    assert {field["name"] for field in mastodon["fields"] if field.get("secret")} == {"token"}

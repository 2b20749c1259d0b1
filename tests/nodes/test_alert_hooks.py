"""Addresses of chats: read strictly, as web addresses or as Apprise writes them, and never told in a refusal."""

from __future__ import annotations

import json

import pytest

from runtime.sdk import PermanentError
from runtime.sdk.connections import KINDS
from runtime.sdk.hooks import hook_request, read_hook

KIND = KINDS["alert_hook"]


@pytest.mark.parametrize(
    ("address", "url", "style"),
    [
        ("https://hooks.slack.com/services/T1/B1/x", "https://hooks.slack.com/services/T1/B1/x", "slack"),
        ("slack://T1/B1/x", "https://hooks.slack.com/services/T1/B1/x", "slack"),
        ("slack://bot@T1/B1/x/#ops", "https://hooks.slack.com/services/T1/B1/x", "slack"),
        ("discord://123/abc-d", "https://discord.com/api/webhooks/123/abc-d", "discord"),
        ("https://discord.com/api/webhooks/1/a", "https://discord.com/api/webhooks/1/a", "discord"),
        ("mmosts://chat.example.com/abc", "https://chat.example.com/hooks/abc", "slack"),
        ("mmosts://chat.example.com:8443/sub/abc", "https://chat.example.com:8443/sub/hooks/abc", "slack"),
        ("jsons://ops.example.com/in?x=1", "https://ops.example.com/in?x=1", "json"),
        ("https://prod-1.westeurope.logic.azure.com/workflows/a", None, "teams"),
        ("https://ops.example.com/in", None, "json"),
    ],
)
def test_an_address_says_what_it_is(address: str, url: str | None, style: str) -> None:
    hook = read_hook(address)
    assert (hook.url, hook.style) == (url or address, style)
    assert KIND.problems({"address": address}) == []


def test_the_workflows_of_teams_are_read_as_apprise_writes_them() -> None:
    hook = read_hook("workflows://prod-1.westeurope.logic.azure.com:443/flow/sig")
    assert hook.style == "teams"
    assert hook.url.startswith("https://prod-1.westeurope.logic.azure.com:443/workflows/flow/triggers/manual/paths/")
    assert hook.url.endswith("&sig=sig")


@pytest.mark.parametrize(
    "address",
    ["syslog://secret-1", "file:///etc/secret-1", "mailto://u:secret-1@example.com", "slack://secret-1", "secret-1 xx",
     "https://user:secret-1@example.com/", "dbus://secret-1", "http://", "https://secret-1\\@a/"],
)  # fmt: skip
def test_anything_else_is_refused_without_being_told_again(address: str) -> None:
    with pytest.raises(PermanentError) as refused:
        read_hook(address)
    assert "secret-1" not in str(refused.value.message) + str(refused.value.detail)
    problems = KIND.problems({"address": address})
    assert [path for path, _, _ in problems] == ["address"]
    assert "secret-1" not in json.dumps(problems)
    assert "secret-1" not in repr(read_hook("jsons://secret-1/x"))


def said(style: str, title: str, line: str) -> str:
    hook = read_hook("https://ops.example.com/in", style)
    _, body = hook_request(hook, title=title, lines=[line], link="https://m/x", data={}, name="n", at=1, secret="")
    return body.decode()


def test_what_people_named_something_commands_nothing_in_a_chat() -> None:
    assert "<!channel>" not in said("slack", "A <!channel>", "x & y")
    assert json.loads(said("discord", "@everyone", "x"))["allowed_mentions"] == {"parse": []}
    card = json.loads(said("teams", "Title", "Line"))["attachments"][0]["content"]
    assert [block["text"] for block in card["body"]] == ["Title", "Line"]
    assert card["actions"][0]["url"] == "https://m/x"


def test_the_secret_of_an_address_may_go_to_its_host_alone() -> None:
    assert KIND.leads_to({"address": "slack://T1/B1/x"}) == frozenset({"hooks.slack.com"})
    assert KIND.secret_fields == ("address", "signing_secret")

"""Where alerts go besides mail: incoming webhooks of chats, and any address that takes JSON. Pure: an address is read,
and what is to be said becomes a body.

An address may be written as Apprise writes them. Those of `slack://`, `workflows://`, `discord://`, `mmosts://` and
`jsons://` are only read so; the other services of that library are told by it, through the one guarded door
(`notifiers`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from runtime.engine.jsonprofile import dumps_bytes
from runtime.sdk.addresses import read_address
from runtime.sdk.errors import PermanentError
from runtime.sdk.fields import Config
from runtime.sdk.fields import field as setting
from runtime.sdk.notifiers import is_service, make_service, refused_service, scheme_of

__all__ = ["AlertHook", "Hook", "Style", "hook_problems", "hook_request", "read_hook"]

Style: TypeAlias = Literal["slack", "teams", "discord", "json", "service"]

_HOSTS: Final[tuple[tuple[str, Style], ...]] = (
    ("hooks.slack.com", "slack"),
    ("hooks.slack-gov.com", "slack"),
    ("discord.com", "discord"),
    ("discordapp.com", "discord"),
    (".logic.azure.com", "teams"),
    (".api.powerplatform.com", "teams"),
    (".webhook.office.com", "teams"),
)
_LONGEST: Final = {"slack": 3_000, "teams": 6_000, "discord": 1_900, "json": 20_000}


class AlertHook(Config):
    address: str = setting(
        title="Address",
        widget="secret",
        placeholder="https://hooks.slack.com/services/…",
        help="The incoming webhook of Slack, Microsoft Teams (Workflows), Discord or Mattermost, or any address that "
        "takes JSON; or the address of one of some 150 services, as Apprise writes them. It is a secret: whoever has "
        "it can write there.",
        order=1,
        min_length=8,
        max_length=2000,
    )
    format: Literal["auto", "slack", "teams", "discord", "json"] = setting(
        "auto",
        title="Says it as",
        widget="choice",
        order=2,
        options=(
            ("auto", "What the address is"),
            ("slack", "Slack or Mattermost"),
            ("teams", "Microsoft Teams"),
            ("discord", "Discord"),
            ("json", "JSON"),
        ),
    )
    signing_secret: str = setting(
        "",
        title="Signing secret",
        widget="secret",
        help="JSON is signed with it, as Standard Webhooks says, so that the receiver can tell who sent it.",
        advanced=True,
        order=3,
        max_length=400,
    )


@dataclass(frozen=True, slots=True)
class Hook:
    """An address that is posted to, and how what is said is put there; of a service its address as Apprise writes it.
    Its representation shows no secret."""

    url: str = field(repr=False)
    style: Style


def read_hook(address: str, format: str = "auto") -> Hook:
    """Read an address. Raises PermanentError in words that hold no part of it."""
    text = address.strip()
    scheme = text.partition("://")[0].lower()
    if is_service(text):
        return Hook(text, "service")
    if (refused := refused_service(text)) is not None:
        raise refused
    try:
        if scheme in ("https", "http"):
            url, style = text, _style_of(read_address(text).host)
        else:
            url, style = _of_apprise(scheme, text)
            read_address(url)
    except ValueError:
        raise _unreadable() from None
    except PermanentError:
        raise _unreadable() from None
    chosen: Any = style if format == "auto" else format
    return Hook(url, chosen)


def hook_problems(fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with these fields: (field path, code, sentence)."""
    try:
        hook = read_hook(str(fields.get("address") or ""), str(fields.get("format") or "auto"))
        if hook.style == "service":
            make_service(hook.url)
    except PermanentError as error:
        return [("address", "address", f"“Address”: {error.message}")]
    return []


def hook_leads_to(fields: Mapping[str, Any]) -> frozenset[str]:
    """The host that the secret is sent to."""
    try:
        hook = read_hook(str(fields.get("address") or ""))
        if hook.style == "service":
            return frozenset({f"{scheme_of(hook.url)}://"})
        return frozenset({read_address(hook.url).host})
    except PermanentError:
        return frozenset()


def hook_request(
    hook: Hook, *, title: str, lines: Sequence[str], link: str, data: Mapping[str, Any], name: str, at: int, secret: str
) -> tuple[list[tuple[str, str]], bytes]:
    """The headers and the body that say this. `name`: of the message, the same at each try; `at`: seconds."""
    text = "\n".join(lines)
    most = _LONGEST[hook.style]
    text = text if len(text) <= most else text[: most - 1] + "…"
    body: dict[str, Any]
    match hook.style:
        case "slack":
            said = f"*{_slack(title)}*\n{_slack(text)}"
            body = {"text": said + (f"\n<{link}>" if link else "")}
        case "discord":
            said = f"**{title}**\n{text}" + (f"\n{link}" if link else "")
            body = {"content": said[:2000], "allowed_mentions": {"parse": []}}
        case "teams":
            body = _card(title, text, link)
        case _:
            body = {"title": title, "text": text, "link": link, **data}
    raw = dumps_bytes(body)
    headers = [("Content-Type", "application/json"), ("Idempotency-Key", name)]
    if hook.style == "json":
        headers += [("webhook-id", name), ("webhook-timestamp", str(at))]
        if secret:
            headers.append(("webhook-signature", _signed(secret, f"{name}.{at}.".encode() + raw)))
    return headers, raw


def _card(title: str, text: str, link: str) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [{"type": "TextBlock", "text": title, "weight": "Bolder", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": line, "wrap": True} for line in text.split("\n") if line]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Millrace", "url": link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _slack(text: str) -> str:
    """Slack reads three characters as its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _signed(secret: str, content: bytes) -> str:
    plain = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(plain, validate=True) if secret.startswith("whsec_") else secret.encode()
    except ValueError:
        key = secret.encode()
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def _style_of(host: str) -> Style:
    for name, style in _HOSTS:
        if host == name or (name.startswith(".") and host.endswith(name)):
            return style
    return "json"


def _of_apprise(scheme: str, text: str) -> tuple[str, Style]:
    parts = urlsplit(text)
    netloc = parts.netloc.rpartition("@")[2]
    pieces = [unquote(piece) for piece in parts.path.split("/") if piece]
    if scheme == "slack":
        tokens = [netloc, *pieces][:3]
        if len(tokens) == 3 and all(one.isalnum() for one in tokens):
            return f"https://hooks.slack.com/services/{'/'.join(tokens)}", "slack"
    elif scheme == "discord" and netloc.isdigit() and pieces:
        return f"https://discord.com/api/webhooks/{netloc}/{pieces[0]}", "discord"
    elif scheme in ("workflow", "workflows") and len(pieces) >= 2:
        flow, signature = pieces[:2]
        return (
            f"https://{netloc}/workflows/{flow}/triggers/manual/paths/invoke?api-version=2016-06-01"
            f"&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={signature}",
            "teams",
        )
    elif scheme in ("mmost", "mmosts") and pieces:
        way = "/".join(["", *pieces[:-1], "hooks", pieces[-1]])
        return f"{'https' if scheme == 'mmosts' else 'http'}://{netloc}{way}", "slack"
    elif scheme in ("json", "jsons") and netloc:
        query = f"?{parts.query}" if parts.query else ""
        return f"{'https' if scheme == 'jsons' else 'http'}://{netloc}{parts.path or '/'}{query}", "json"
    raise ValueError(scheme)


def _unreadable() -> PermanentError:
    return PermanentError(
        "This address cannot be read",
        "this is neither a web address nor that of a service that Apprise knows.",
        "address",
    )

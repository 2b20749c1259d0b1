"""Connection kinds as data: what a person fills in, which fields are secret, and a harmless test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Any, Final, Literal, TypeAlias

from pydantic import ValidationError, model_validator

from runtime.sdk import oauth
from runtime.sdk import schema as schemas
from runtime.sdk.addresses import read_address, read_host
from runtime.sdk.context import MailServer, Ways
from runtime.sdk.errors import PermanentError
from runtime.sdk.fields import Config
from runtime.sdk.fields import field as setting
from runtime.sdk.hooks import AlertHook, hook_leads_to, hook_problems
from runtime.sdk.messages import plain_problems
from runtime.sdk.place_connections import (
    S3,
    LocalFolder,
    Sftp,
    folder_test,
    place_leads_to,
    place_problems,
    s3_test,
    sftp_test,
)
from runtime.sdk.redaction import Redactor

Test: TypeAlias = Callable[[Mapping[str, Any], Ways], Awaitable[str]]


class _Http(Config):
    allowed_hosts: list[str] = setting(
        default_factory=list,
        title="Only for these hosts",
        help="The secret is sent to no other host. May stay empty where an address to test with names the host.",
        widget="list",
        placeholder="api.example.com",
        order=80,
        max_length=50,
    )
    base_url: str = setting(
        "",
        title="Address to test with",
        help="Read once, without changing anything, when you press Test. Its host is the one that the secret is for "
        "where you name no other.",
        widget="url",
        placeholder="https://api.example.com/me",
        order=81,
        max_length=2000,
    )


class HttpBasic(_Http):
    username: str = setting(title="User name", order=1, min_length=1, max_length=200)
    password: str = setting(title="Password", widget="secret", order=2, max_length=2000)


class HttpBearer(_Http):
    token: str = setting(
        title="Token",
        widget="secret",
        help="Sent as “Authorization: Bearer …”.",
        order=1,
        min_length=1,
        max_length=8000,
    )


class HttpHeader(_Http):
    name: str = setting("X-API-Key", title="Header name", order=1, pattern=r"^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$")
    value: str = setting(title="Value", widget="secret", order=2, min_length=1, max_length=8000)


class HttpQuery(_Http):
    name: str = setting("api_key", title="Parameter name", order=1, min_length=1, max_length=100)
    value: str = setting(title="Value", widget="secret", order=2, min_length=1, max_length=8000)


class HttpOAuth(_Http):
    token_url: str = setting(
        title="Address of the token service",
        widget="url",
        help="Asked for a token, which is good for some minutes; calls are made with that.",
        placeholder="https://login.example.com/oauth2/token",
        order=1,
        min_length=1,
        max_length=2000,
    )
    client_id: str = setting(title="Client ID", order=2, min_length=1, max_length=500)
    client_secret: str = setting(title="Client secret", widget="secret", order=3, min_length=1, max_length=8000)
    scope: str = setting("", title="Scope", help="With spaces between several.", order=4, max_length=2000)
    audience: str = setting(
        "", title="Audience", help="Where the service asks for one.", advanced=True, order=5, max_length=2000
    )
    sent: Literal["header", "body"] = setting(
        "header",
        title="How the secret is sent",
        widget="choice",
        advanced=True,
        order=6,
        options=(("header", "As user name and password (usual)"), ("body", "Among the form's fields")),
    )


class Smtp(Config):
    host: str = setting(title="Mail server", placeholder="smtp.example.com", order=1, min_length=1, max_length=253)
    port: int = setting(587, title="Port", widget="number", order=2, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = setting(
        "starttls",
        title="Encryption",
        widget="choice",
        order=3,
        options=(
            ("starttls", "STARTTLS (usual with port 587)"),
            ("tls", "TLS (usual with port 465)"),
            ("none", "None"),
        ),
    )
    username: str = setting("", title="User name", order=4, max_length=200)
    password: str = setting("", title="Password", widget="secret", order=5, max_length=2000)
    from_address: str = setting(
        title="From",
        placeholder="Accounts <accounts@example.com>",
        help="Who the mails come from.",
        order=6,
        min_length=3,
        max_length=320,
    )

    @model_validator(mode="before")
    @classmethod
    def _of_earlier_builds(cls, fields: Any) -> Any:
        """Whether the server drops repeats is asked where mail is sent, which is where it decides."""
        if isinstance(fields, dict) and "recognises_repeats" in fields:
            return {name: value for name, value in fields.items() if name != "recognises_repeats"}
        return fields


class WebhookSecret(Config):
    secret: str = setting(
        title="Secret",
        widget="secret",
        help="Shared with the sender; signs or opens each delivery.",
        order=1,
        min_length=8,
        max_length=2000,
    )
    previous_secret: str = setting(
        "",
        title="Previous secret",
        widget="secret",
        help="Accepted too while the sender changes over.",
        advanced=True,
        order=2,
        max_length=2000,
    )


def auth_headers(kind: str, fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The header by which an HTTP connection authenticates; empty for ``http_query``."""
    from base64 import b64encode

    match kind:
        case "http_basic":
            pair = f"{fields.get('username', '')}:{fields.get('password', '')}"
            return [("Authorization", "Basic " + b64encode(pair.encode()).decode())]
        case "http_bearer":
            return [("Authorization", f"Bearer {fields.get('token', '')}")]
        case "http_header":
            return [(str(fields.get("name", "")), str(fields.get("value", "")))]
        case _:
            return []


def auth_query(kind: str, fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The query parameter by which an HTTP connection authenticates; empty for all kinds but ``http_query``."""
    return [(str(fields.get("name", "")), str(fields.get("value", "")))] if kind == "http_query" else []


def _http_test(kind: str) -> Test:
    async def test(fields: Mapping[str, Any], ways: Ways) -> str:
        from urllib.parse import urlencode, urlsplit

        url = str(fields.get("base_url") or "")
        if not url:
            return "Saved. Give an address to test with, and it is read once without changing anything."
        if not host_allowed(fields, read_address(url).host):
            raise PermanentError("Host not allowed", "The address to test with is not among the allowed hosts.", "host")
        if query := auth_query(kind, fields):
            url += ("&" if urlsplit(url).query else "?") + urlencode(query)
        headers = auth_headers(kind, fields)
        answer = await ways.http.request(
            "GET",
            url,
            headers=headers,
            total_seconds=15,
            max_bytes=1_000_000,
            drop_on_redirect=[name for name, _ in headers],
        )
        host = urlsplit(url).hostname
        if answer.status in (401, 403):
            raise PermanentError(
                "Refused",
                f"{host} refused these credentials (status {answer.status}).",
                "refused",
                http_status=answer.status,
            )
        if answer.status >= 400:
            raise PermanentError(
                "Unexpected answer",
                f"{host} answered with status {answer.status}.",
                "status",
                http_status=answer.status,
            )
        return f"{host} accepted the credentials (status {answer.status})."

    return test


async def _oauth_test(fields: Mapping[str, Any], ways: Ways) -> str:
    oauth.forget(fields)
    token = await oauth.access_token(fields, ways.http)
    host = read_address(str(fields.get("token_url", ""))).host
    if not fields.get("base_url"):
        return f"{host} gave a token."
    return f"{host} gave a token. " + await _http_test("http_bearer")({**fields, "token": token}, ways)


async def _smtp_test(fields: Mapping[str, Any], ways: Ways) -> str:
    await ways.mail.check(server=mail_server(fields), total_seconds=15)
    return f"{fields.get('host')} answered and accepted the sign-in."


async def _secret_test(fields: Mapping[str, Any], ways: Ways) -> str:
    return "Saved. The next delivery shows whether the sender uses the same secret."


async def _hook_test(fields: Mapping[str, Any], ways: Ways) -> str:
    return "Saved. “Send a test” of a channel under Monitor, Alerts, shows whether it arrives."


def mail_server(fields: Mapping[str, Any]) -> MailServer:
    """Where an ``smtp`` connection hands over mail."""
    return MailServer(
        host=str(fields.get("host", "")),
        port=int(fields.get("port") or 587),
        security=fields.get("security") or "starttls",
        username=str(fields.get("username") or ""),
        password=str(fields.get("password") or ""),
    )


def hosts_of(fields: Mapping[str, Any]) -> list[str]:
    """The hosts that a connection's secret is for: those named, else the one of its own address."""
    named = [_host_entry(str(entry)) for entry in fields.get("allowed_hosts") or [] if str(entry).strip()]
    if not named and fields.get("base_url"):
        try:
            named = [read_address(str(fields["base_url"])).host]
        except PermanentError:
            named = []
    return [entry for entry in named if entry]


def host_allowed(fields: Mapping[str, Any], host: str) -> bool:
    """Whether a connection's secret may go to this host. One that names no host goes nowhere."""
    name = _host_entry(host)
    return bool(name) and any(
        name == entry or (entry.startswith("*.") and name.endswith(entry[1:])) for entry in hosts_of(fields)
    )


def _host_entry(text: str) -> str:
    """A host, or ``*.`` and a host, as addresses write it; empty where it is none."""
    name = text.strip().lower()
    star = "*." if name.startswith("*.") else ""
    try:
        return star + (str(ip_address(name.strip("[]"))) if ":" in name else read_host(name, name.removeprefix("*.")))
    except (PermanentError, ValueError):
        return ""


def _host_problems(fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """A secret that may go anywhere can be fetched by whoever may edit a workflow: each is for some hosts."""
    found: list[tuple[str, str, str]] = []
    entries = fields.get("allowed_hosts") or []
    for index, entry in enumerate(entries):
        if not _host_entry(str(entry)):
            says = f"“Only for these hosts” needs names like api.example.com; “{str(entry)[:60]}” is none."
            found.append((f"allowed_hosts[{index}]", "host", says))
    if fields.get("base_url"):
        try:
            host = read_address(str(fields["base_url"])).host
        except PermanentError as error:
            return [*found, ("base_url", "address", f"“Address to test with”: {error.message}")]
        if entries and not found and not host_allowed(fields, host):
            says = f"“Address to test with” leads to {host}, which is not among the hosts that the secret is for."
            found.append(("base_url", "host", says))
    elif not entries:
        says = "“Only for these hosts” needs the host that the secret is for, like api.example.com."
        found.append(("allowed_hosts", "required", says))
    return found


@dataclass(frozen=True)
class ConnectionKind:
    """One kind of credentials. ``model`` validates the fields; ``test`` proves them without changing anything."""

    kind: str
    title: str
    icon: str
    help: str
    model: type[Config]
    test: Test
    secret_fields: tuple[str, ...] = field(default=())

    def spec(self) -> dict[str, Any]:
        """Everything the form needs, as JSON."""
        return {
            "kind": self.kind,
            "title": self.title,
            "icon": self.icon,
            "help": self.help,
            "fields": schemas.config_schema(self.model),
            "secret_fields": list(self.secret_fields),
            "defaults": schemas.defaults_of(self.model),
        }

    def problems(self, fields: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """What is wrong with these fields: (field path, code, sentence)."""
        try:
            self.model.model_validate(dict(fields))
        except ValidationError as refused:
            return plain_problems(self.model, refused)
        if issubclass(self.model, AlertHook):
            return hook_problems(fields)
        if not issubclass(self.model, _Http):
            return place_problems(self.model, fields)
        return [*(oauth.problems(fields) if self.kind == oauth.KIND else []), *_host_problems(fields)]

    def secrets(self, fields: Mapping[str, Any]) -> tuple[str, ...]:
        """The secret values among the fields, for redaction."""
        return tuple(str(fields[name]) for name in self.secret_fields if fields.get(name))

    def leads_to(self, fields: Mapping[str, Any]) -> frozenset[str]:
        """Where the secret may be sent with these fields, each place as one text. A secret that is sent nowhere has
        none. Fields that have no problems."""
        if issubclass(self.model, HttpOAuth):
            # The secret goes to the token service alone; to the others goes what that gives for it.
            return frozenset({*hosts_of(fields), oauth.leads_to(fields)})
        if issubclass(self.model, _Http):
            return frozenset(hosts_of(fields))
        if issubclass(self.model, Smtp):
            filled = self.model.model_validate(dict(fields))
            return frozenset({f"{filled.security}://{filled.host.strip().lower()}:{filled.port}"})
        if issubclass(self.model, AlertHook):
            return hook_leads_to(fields)
        return place_leads_to(self.model, fields)

    def redactor(self, fields: Mapping[str, Any]) -> Redactor:
        return Redactor(self.secrets(fields))


def _kind(kind: str, title: str, icon: str, help: str, model: type[Config], test: Test) -> ConnectionKind:
    secret = tuple(path[0] for path, hints in schemas.hinted_fields(model) if hints.get("widget") == "secret")
    return ConnectionKind(kind, title, icon, help, model, test, secret)


KINDS: Final[dict[str, ConnectionKind]] = {
    entry.kind: entry
    for entry in (
        _kind(
            "http_basic",
            "User name and password",
            "user-round",
            "For services that ask for a user name and a password with each request.",
            HttpBasic,
            _http_test("http_basic"),
        ),
        _kind(
            "http_bearer",
            "Bearer token",
            "key-round",
            "For services that give you an access token.",
            HttpBearer,
            _http_test("http_bearer"),
        ),
        _kind(
            "http_header",
            "Key in a header",
            "key-round",
            "For services that ask for a key in a header of their own.",
            HttpHeader,
            _http_test("http_header"),
        ),
        _kind(
            "http_query",
            "Key in the address",
            "link",
            "For services that ask for a key in the web address.",
            HttpQuery,
            _http_test("http_query"),
        ),
        _kind(
            oauth.KIND,
            "OAuth 2.0 (client credentials)",
            "key-round",
            "For services that give a token for a client ID and a secret, and want that with each request.",
            HttpOAuth,
            _oauth_test,
        ),
        _kind(
            "smtp",
            "Mail server (SMTP)",
            "mail",
            "Sends e-mail through your own server or your provider's.",
            Smtp,
            _smtp_test,
        ),
        _kind(
            "sftp",
            "SFTP server",
            "server",
            "A folder on another machine, over SSH. The server's key is confirmed once, and looked at every time.",
            Sftp,
            sftp_test,
        ),
        _kind(
            "s3",
            "S3 storage",
            "cloud",
            "A bucket of Amazon S3, or of any storage that speaks its language.",
            S3,
            s3_test,
        ),
        _kind(
            "folder",
            "Folder of this machine",
            "folder",
            "A folder that whoever runs Millrace has opened for steps (SAVE_FOLDERS).",
            LocalFolder,
            folder_test,
        ),
        _kind(
            "webhook_secret",
            "Webhook secret",
            "shield-check",
            "Proves that a delivery comes from the sender you know.",
            WebhookSecret,
            _secret_test,
        ),
        _kind(
            "alert_hook",
            "Chat or webhook for alerts",
            "bell",
            "Where alerts are written to: Slack, Microsoft Teams, Discord, Mattermost, one of some 150 other services, "
            "or an address of your own.",
            AlertHook,
            _hook_test,
        ),
    )
}


@cache
def connection_kinds() -> tuple[dict[str, Any], ...]:
    """All kinds as JSON."""
    return tuple(kind.spec() for kind in KINDS.values())

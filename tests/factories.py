"""People with names and a relation, and browsers and programs that act for them.

Alice is the admin of Northwind. Rosa reviews there, Bo builds, Vera looks on. Mallory is the admin of another
workspace and has no business in Northwind. Dora was an admin of Northwind and is switched off.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.test import Client

from builder.accounts import services
from builder.accounts.models import ApiToken, Membership, Role, User, Workspace
from builder.accounts.rights import Scope

PASSWORD = "a long enough pass phrase"
PREFIX = "/api/v1"


def make_person(name: str, **fields: Any) -> User:
    """A person called `name`, at example.org."""
    return User.objects.create_user(f"{name.lower()}@example.org", PASSWORD, name=name, **fields)


def make_workspace(name: str, admin: User) -> Workspace:
    """A workspace with its admin."""
    return services.make_workspace(name=name, language="en", time_zone="UTC", currency="EUR", admin=admin)


def join(workspace: Workspace, person: User, role: Role, *, active: bool = True) -> Membership:
    """Make a person a member."""
    return Membership.objects.create(workspace=workspace, user=person, role=role, active=active)


def make_token(
    workspace: Workspace, owner: User, scopes: Sequence[Scope] = tuple(Scope), *, days: int = 30
) -> tuple[ApiToken, str]:
    """A token and its text; `days` below zero makes one that has expired."""
    row, text = services.make_token(
        workspace=workspace, owner=owner, name="A program", scopes=scopes, days=max(days, 1), now=datetime.now(UTC)
    )
    if days < 0:
        row.expires_at = datetime.now(UTC) - timedelta(days=-days)
        row.save(update_fields=["expires_at"])
    return row, text


@dataclass(slots=True)
class Answer:
    """What the API answered."""

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes

    @property
    def code(self) -> str:
        """The problem's code."""
        return str(self.body["code"])


@dataclass(slots=True)
class Caller:
    """A browser (with cookies and a CSRF token) or a program (with a bearer token)."""

    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))
    csrf: str = ""
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def call(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, raw: Any = None
    ) -> Answer:
        """One request to /api/v1 and what came back. `raw` sends bytes as they are."""
        sent = {"Accept": "application/json", **self.headers, **(headers or {})}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        elif method not in ("GET", "HEAD") and self.csrf:
            sent.setdefault("X-CSRFToken", self.csrf)
        content_type = sent.pop("Content-Type", "application/json")
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        response = self.client.generic(method, PREFIX + path, data=data, content_type=content_type, headers=sent)
        return read(response)

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.call("POST", path, {} if body is None else body, **options)

    def put(self, path: str, body: Any, **options: Any) -> Answer:
        return self.call("PUT", path, body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> Answer:
        return self.call("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.call("DELETE", path, **options)

    def sign_in(
        self, email: str, password: str = PASSWORD, *, remember: bool = False, code: str | None = None
    ) -> Answer:
        """Fetch a CSRF token, sign in, keep the new token."""
        self.csrf = self.get("/session").body["csrf_token"]
        said = {"email": email, "password": password, "remember": remember} | ({"code": code} if code else {})
        answer = self.post("/session", said)
        if answer.status == 200:
            self.csrf = answer.body["csrf_token"]
        return answer


def read(response: Any) -> Answer:
    """The answer with its JSON read."""
    kind = response.headers.get("Content-Type", "")
    raw = b"".join(response.streaming_content) if response.streaming else response.content
    body = json.loads(raw) if "json" in kind and "ndjson" not in kind and raw else None
    return Answer(response.status_code, body, response.headers, raw)


def browser_of(person: User) -> Caller:
    """A browser in which this person is signed in; signing in itself is the affair of `test_sessions`."""
    caller = Caller()
    caller.client.force_login(person)
    caller.csrf = caller.get("/session").body["csrf_token"]
    return caller


def program_with(token: str) -> Caller:
    """A program that sends this token."""
    return Caller(token=token)


def graph(*steps: tuple[str, str, dict[str, Any]], edges: Sequence[str] = ()) -> dict[str, Any]:
    """A graph of `(key, type, config)` steps and edges such as `"start -> send"` or `"check:yes -> send"`."""
    nodes = [
        {
            "id": f"n_{key}",
            "key": key,
            "name": key.capitalize(),
            "type": kind,
            "config": config,
            "position": {"x": 0, "y": 120 * index},
            "settings": {},
        }
        for index, (key, kind, config) in enumerate(steps)
    ]
    lines = []
    for index, edge in enumerate(edges):
        source, target = (part.strip() for part in edge.split("->"))
        source, _, handle = source.partition(":")
        lines.append(
            {
                "id": f"e_{index}",
                "source": f"n_{source}",
                "sourceHandle": handle or "out",
                "target": f"n_{target}",
                "targetHandle": "in",
            }
        )
    return {"format": "millrace.workflow", "version": 1, "nodes": nodes, "edges": lines, "annotations": []}


def small_graph() -> dict[str, Any]:
    """A webhook and a step that answers it: the smallest thing that can be published."""
    return graph(
        ("start", "trigger.webhook@1", {}),
        ("fields", "data.edit_fields@1", {"fields": [{"name": "greeting", "value": "Good morning"}]}),
        edges=["start -> fields"],
    )


def of_other_workspaces(path: str, ours: UUID, theirs: UUID) -> str:
    """The path with our workspace's id swapped for another's."""
    return path.replace(str(ours), str(theirs))


def totp(key: str, at: datetime) -> str:
    """What an authenticator app with this key (in letters, as it is shown) shows at that time (RFC 6238)."""
    letters = "".join(key.split())
    secret = base64.b32decode(letters + "=" * (-len(letters) % 8))
    digest = hmac.digest(secret, (int(at.timestamp()) // 30).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"

"""Secrets that can be told from everything else, the doors by which they go in, and the search for them."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Any, Final
from urllib.parse import quote

from tests.product import Api
from tests.runtime.machine import flow, step

COUNT: Final = 50
HOST: Final = "http://practice-company"
#: Each kind of connection with a secret or two, which are marked by their numbers.
KINDS: Final[list[tuple[str, dict[str, Any], dict[str, Any]]]] = [
    ("http_basic", {"username": "mill", "base_url": HOST}, {"password": 0}),
    ("http_bearer", {"base_url": HOST}, {"token": 0}),
    ("http_header", {"name": "X-API-Key", "base_url": HOST}, {"value": 0}),
    ("http_query", {"name": "api_key", "base_url": HOST}, {"value": 0}),
    (
        "http_oauth",
        {"token_url": f"{HOST}/oauth/token", "client_id": "mill", "base_url": HOST},
        {"client_secret": 0},
    ),
    ("smtp", {"host": "mail.example.org", "from_address": "a@example.org", "username": "a"}, {"password": 0}),
    ("webhook_secret", {}, {"secret": 0, "previous_secret": 0}),
    ("sftp", {"host": "sftp.example.org", "username": "a"}, {"password": 0}),
    ("s3", {"endpoint": "https://s3.example.org", "bucket": "bucket", "access_key": "AKEXAMPLE"}, {"secret_key": 0}),
]


class Canaries:
    """Makes them, each once."""

    def __init__(self) -> None:
        self.made = [f"CANARY-{number:02d}-{secrets.token_hex(12)}" for number in range(COUNT)]
        self._left = list(self.made)

    def next(self) -> str:
        return self._left.pop()

    @property
    def left(self) -> int:
        return len(self._left)

    def found_in(self, data: bytes) -> list[str]:
        """Which of them stand there: plainly, in hex, in base64 at any offset, or as part of an address."""
        found = []
        for one in self.made:
            raw = one.encode()
            ways = [raw, raw.hex().encode(), quote(one, safe="").encode()]
            for offset in range(3):
                # Without what stands before and behind, which changes the first and last characters.
                ways.append(base64.b64encode(b" " * offset + raw)[4:-4])
            found += [one] if any(way in data for way in ways) else []
        return found


def take_in(api: Api, canaries: Canaries) -> list[str]:
    """Every secret that goes in; ids of the connections over HTTP."""
    web: list[str] = []
    while canaries.left > 6:
        for kind, plain, marked in KINDS:
            if canaries.left <= 6 + len(marked):
                break
            fields = {**plain, **{name: canaries.next() for name in marked}}
            made = api.call(
                "POST", "W/connections", {"kind": kind, "name": f"{kind} {canaries.left}", "fields": fields}
            )
            if kind.startswith("http_"):
                web.append(str(made["id"]))
        else:
            continue
        break
    # One that is given another secret, and one that somebody has tried and that failed.
    api.call("PATCH", f"W/connections/{web[0]}", {"fields": {"password": canaries.next()}})
    api.call("POST", f"W/connections/{web[1]}/test", {})
    # Passwords: of a newcomer, one that is wrong, and one that was typed in place of an address.
    link = api.call("POST", "W/members", {"email": "new@example.org", "role": "viewer"})["link"]
    guest = Api(str(api.client.base_url).rstrip("/"))
    token = link.rpartition("=")[2]
    guest.call("POST", "/invitations/accept", {"token": token, "name": "New", "password": canaries.next()})
    for email, password in (("new@example.org", canaries.next()), (canaries.next(), "wrong")):
        answer = guest.client.post("/api/v1/session", json={"email": email, "password": password}, headers=csrf(guest))
        assert answer.status_code == 401
    guest.close()
    while canaries.left:
        fields = {"token": canaries.next(), "base_url": HOST}
        body = {"kind": "http_bearer", "name": f"last {canaries.left}", "fields": fields}
        made = api.call("POST", "W/connections", body)
        web.append(str(made["id"]))
    return web


def csrf(api: Api) -> dict[str, str]:
    return {"X-CSRFToken": api.client.get("/api/v1/session").json()["csrf_token"]}


def use(api: Api, web: list[str]) -> list[str]:
    """Runs that send them: with an answer, with a refusal, and to somebody who does not answer."""
    runs = []
    for number, connection in enumerate(web[:12]):
        path = ("/invoices", "/with/fail=401/invoices", "/nowhere")[number % 3]
        call = step("call", "http.request@1", {"method": "GET", "url": f"{HOST}{path}", "connection": connection})
        workflow = api.publish(f"Uses {number}", flow("start -> call", call)).workflow
        runs.append(str(api.call("POST", f"W/workflows/{workflow}/runs", {})["id"]))
    for run in runs:
        deadline = time.monotonic() + 60
        while api.call("GET", f"W/runs/{run}")["finished_at"] is None and time.monotonic() < deadline:
            time.sleep(0.1)
    return runs

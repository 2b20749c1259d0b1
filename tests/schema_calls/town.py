"""A real product with people of each role, and with objects that calls can be about."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from uuid import UUID, uuid4

import requests

from tests.browser.editing import graph, step
from tests.product import PASSWORD, Api, Product, ProductFailed

ROLES: Final = ("nobody", "viewer", "reviewer", "builder", "admin")
#: What the examples of the first start are started with: a batch of which some fail, a reconciliation, a review.
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "Month-end statements": {"month": "2026-11", "students": 12, "some_fail": True},
    "Bank statement reconciliation": {"month": "2026-11", "lines": 12},
    "Supplier payment run": {"date": "2026-11-30", "suppliers": 6},
}
#: Signing out ends a session: that call is made with one of these.
SPARE: Final = 2
#: Which of a kind there is at least one, and where they are listed; behind a space, under which name.
LISTS: Final = {
    "workflow_id": "W/workflows",
    "connection_id": "W/connections",
    "group_id": "W/groups",
    "token_id": "W/tokens",
    "run_id": "W/runs",
    "task_id": "W/inbox?who=anybody",
    "event_id": "W/events",
    "file_id": "W/files",
    "table_id": "W/tables",
    "view_id": "W/runs/views",
    "schedule_id": "W/schedules",
    "rule_id": "W/alerts rules",
    "channel_id": "W/alerts channels",
    "hold_id": "W/retention holds",
    "bulk_id": "W/dead-letters/bulk-retries",
}


@dataclass(slots=True)
class Caller:
    """A browser whose cookies never change, so that no call ends or replaces the session of the next one."""

    role: str
    headers: dict[str, str]
    session: requests.Session


def browser(role: str, api: Api, *, keep: bool = False) -> Caller:
    """The browser of somebody who is signed in, or of nobody: both have a CSRF token. `keep`: `api` goes on, too."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    cookies = "; ".join(f"{name}={value}" for name, value in api.client.cookies.items())
    headers = {"Origin": str(api.client.base_url).rstrip("/"), "X-CSRFToken": api.csrf, "Cookie": cookies}
    if not keep:
        api.close()
    return Caller(role, headers, session)


@dataclass(slots=True)
class Town:
    """The product, set up; who calls it; what there is. Objects are made anew where calls removed them."""

    product: Product
    api: Api
    callers: list[Caller]
    spares: dict[str, list[Caller]]
    makers: dict[str, Callable[[], object]] = field(default_factory=dict)

    def caller(self, caller: Caller, operation: str) -> Caller | None:
        """Who makes this call of this operation; None where it would end the last session there is."""
        if operation != "DELETE /api/v1/session" or caller.role == "nobody":
            return caller
        left = self.spares[caller.role]
        return left.pop() if left else None

    def objects(self, path: str) -> list[dict[str, Any]]:
        """Path parameters that name something, for this template."""
        names = [part[1:-1] for part in path.split("/") if part.startswith("{") and part != "{workspace_id}"]
        if not names:
            return [{}]
        return [{**found, **({"number": 1} if "number" in names else {})} for found in self._objects(path, names)]

    def _objects(self, path: str, names: list[str]) -> Iterator[dict[str, Any]]:
        if "node_id" in names:
            kind = path.split("{run_id}/")[1].split("/")[0]
            yield from self._steps(kind)
        elif "other_id" in names:
            runs = self._ids("run_id")
            yield from ({"run_id": run, "other_id": other} for run in runs[:3] for other in runs[:3])
        elif "row_id" in names:
            for table in self._ids("table_id")[:3]:
                for row in self.api.call("GET", f"W/tables/{table}/rows")["items"][:3]:
                    yield {"table_id": table, "row_id": row["id"]}
        elif "cause" in names:
            for group in self.api.call("GET", "W/dead-letters")["items"][:3]:
                yield {"cause": group.get("cause", "x")}
        elif "member_id" in names:
            yield {"member_id": self._disposable()}
        elif names[0] in LISTS:
            for found in self._ids(names[0])[:6]:
                yield {names[0]: found}

    def _ids(self, name: str) -> list[str]:
        path, _, key = LISTS[name].partition(" ")
        listed = self.api.call("GET", path)[key or "items"]
        if not listed and name in self.makers:
            self.makers[name]()
            listed = self.api.call("GET", path)[key or "items"]
        return [str(one["id"]) for one in listed]

    def _steps(self, kind: str) -> Iterator[dict[str, Any]]:
        """Steps of runs, and where it is asked for batches those that are one."""
        wanted = {"batches": "for_each", "reconciliations": "reconcil", "waits": "wait", "steps": "", "compare": ""}[
            kind
        ]
        for run in (runs := self._ids("run_id")[:12]):
            with suppress(ProductFailed):
                for node in self.api.call("GET", f"W/runs/{run}/snapshot")["graph"]["nodes"]:
                    if wanted in node["type"]:
                        yield {"run_id": run, "node_id": node["id"], "other_id": runs[0]}

    def _disposable(self) -> str:
        email = f"{uuid4().hex[:12]}@example.org"
        self.api.call("POST", "W/members", {"email": email, "role": "viewer"})
        members = self.api.call("GET", "W/members")["items"]
        return next(str(one["id"]) for one in members if one["email"] == email)

    def give_objects(self, case: Any, objects: list[dict[str, Any]], dice: random.Random) -> None:
        """Let a made-up call be about our workspace, and mostly about something that is there, where it names an id."""
        given = case.path_parameters or {}
        if is_id(given.get("workspace_id")) and dice.random() < 0.95:
            given["workspace_id"] = self.api.workspace
        if objects and dice.random() < 0.7:
            for name, value in dice.choice(objects).items():
                if name in ("node_id", "cause", "number") or is_id(given.get(name)):
                    given[name] = value
        headers = case.headers or {}
        # Made-up tokens and cookies are refused before anything else is looked at: some are enough.
        if dice.random() < 0.95:
            headers.pop("Authorization", None)
            case.cookies = {}
        if "If-Match" in headers and dice.random() < 0.5:
            headers["If-Match"] = '"1"'

    def close(self) -> None:
        """Close every browser."""
        for caller in (*self.callers, *(spare for spares in self.spares.values() for spare in spares)):
            caller.session.close()
        self.api.close()


def is_id(value: object) -> bool:
    """Whether this is an id as the document wants it; one that is wrong on purpose stays wrong."""
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


def settle(product: Product) -> Town:
    """Set a started product up: four people, an example's runs, and one of everything else."""
    api = product.set_up()
    callers = [browser("nobody", Api(product.url))]
    spares: dict[str, list[Caller]] = {}
    for role in ROLES[1:]:
        if role == "admin":
            callers.append(browser(role, api, keep=True))
            people = [Api(product.url) for _ in range(SPARE)]
            for again in people:
                again.sign_in()
        else:
            first = joined(product, api, role)
            callers.append(browser(role, first))
            people = [signed_in(product, f"{role}@example.org") for _ in range(SPARE)]
        spares[role] = [browser(role, again) for again in people]
    town = Town(product, api, callers, spares)
    furnish(town)
    return town


def joined(product: Product, api: Api, role: str) -> Api:
    """Somebody new with this role."""
    link = api.call("POST", "W/members", {"email": f"{role}@example.org", "role": role})["link"]
    person = Api(product.url)
    body = {"token": link.split("token=")[1], "name": role.capitalize(), "password": PASSWORD}
    person.call("POST", "/invitations/accept", body)
    person.read_session()
    return person


def signed_in(product: Product, email: str) -> Api:
    """One more browser of somebody."""
    person = Api(product.url)
    person.call("POST", "/session", {"email": email, "password": PASSWORD})
    person.read_session()
    return person


def furnish(town: Town) -> None:
    """One of everything that has an id."""
    api = town.api
    daily = {"repeat": "every", "every": 1, "unit": "days", "at": "03:00"}
    clock = {**step("start", "trigger.schedule@1", "Clock", (0, 0)), "config": daily}
    town.makers = {
        "workflow_id": lambda: api.call("POST", "W/workflows", {"name": "Another"}),
        "group_id": lambda: api.call("POST", "W/groups", {"name": f"Finance {uuid4().hex[:6]}"}),
        "token_id": lambda: api.call("POST", "W/tokens", {"name": "A program", "scopes": ["read"]}),
        "table_id": lambda: make_table(api),
        "file_id": lambda: api.call("POST", "W/files?name=a.txt", headers={"Content-Type": "text/plain"}),
        "schedule_id": lambda: api.publish("Each night", graph([clock], [])),
        "channel_id": lambda: make_channel(api),
        "rule_id": lambda: make_rule(api),
        "hold_id": lambda: api.call("POST", "W/retention/holds", {"key": uuid4().hex[:8], "reason": "A dispute."}),
        "view_id": lambda: api.call("POST", "W/runs/views", {"name": "Mine", "search": {"status": ["completed"]}}),
    }
    for make in town.makers.values():
        make()
    for workflow in api.call("GET", "W/workflows")["items"]:
        for trigger in api.call("GET", f"W/workflows/{workflow['id']}/triggers")["items"]:
            with suppress(ProductFailed):
                body = {"input": ANSWERS.get(workflow["name"], {}), "trigger": trigger["node"]}
                api.call("POST", f"W/workflows/{workflow['id']}/runs", body)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not api.call("GET", "W/inbox?who=anybody")["items"]:
        time.sleep(0.2)


def make_channel(api: Api) -> str:
    """Somewhere alerts go: a chat that is not there."""
    fields = {"address": "https://hooks.slack.com/services/T0/B0/made-up"}
    hook = api.call(
        "POST", "W/connections", {"kind": "alert_hook", "name": f"Chat {uuid4().hex[:6]}", "fields": fields}
    )
    made = api.call("POST", "W/alerts/channels", {"name": f"Ops {uuid4().hex[:6]}", "hook_id": hook["id"]})
    return str(made["id"])


def make_rule(api: Api) -> None:
    """A rule that tells it; switched off, so that nothing is sent while the calls are made."""
    body = {"kind": "failed_runs", "channels": [make_channel(api)], "limit": 3, "enabled": False}
    api.call("POST", "W/alerts/rules", body)


def make_table(api: Api) -> None:
    """A table with a row."""
    name = f"Customers {uuid4().hex[:6]}"
    made = api.call("POST", "W/tables", {"name": name, "columns": [{"name": "Number"}]})
    api.call("POST", f"W/tables/{made['id']}/rows", {"values": {made["columns"][0]["name"]: "1"}})

"""Alice and the others, and what they have made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest

from builder.accounts.models import Role, User, Workspace
from builder.accounts.rights import Scope
from builder.workflows import services
from builder.workflows.models import Workflow
from tests import factories
from tests.factories import Caller, browser_of, join, make_person, make_token, make_workspace, program_with


@dataclass
class World:
    """Two workspaces and their people; browsers are signed in when first asked for."""

    alice: User
    rosa: User
    bo: User
    vera: User
    dora: User
    mallory: User
    northwind: Workspace
    southwind: Workspace

    @cached_property
    def as_alice(self) -> Caller:
        return browser_of(self.alice)

    @cached_property
    def as_rosa(self) -> Caller:
        return browser_of(self.rosa)

    @cached_property
    def as_bo(self) -> Caller:
        return browser_of(self.bo)

    @cached_property
    def as_vera(self) -> Caller:
        return browser_of(self.vera)

    @cached_property
    def as_mallory(self) -> Caller:
        return browser_of(self.mallory)

    @cached_property
    def as_nobody(self) -> Caller:
        caller = Caller()
        caller.csrf = caller.get("/session").body["csrf_token"]
        return caller

    @cached_property
    def as_deactivated(self) -> Caller:
        """A browser that was signed in while its person was still active."""
        self.dora.is_active = True
        self.dora.save()
        caller = browser_of(self.dora)
        self.dora.is_active = False
        self.dora.save()
        return caller

    def program(self, owner: User, *scopes: Scope, days: int = 30) -> Caller:
        """A program with a token of Northwind."""
        return program_with(make_token(self.northwind, owner, scopes, days=days)[1])

    @property
    def here(self) -> str:
        """The beginning of Northwind's paths."""
        return f"/workspaces/{self.northwind.id}"

    @property
    def there(self) -> str:
        """The beginning of Southwind's paths."""
        return f"/workspaces/{self.southwind.id}"

    def workflow(self, name: str = "Order to cash", graph: dict[str, Any] | None = None) -> Workflow:
        """A workflow of Northwind, drawn by Bo."""
        return services.create_workflow(
            workspace=self.northwind,
            by=self.bo,
            name=name,
            graph=graph or factories.small_graph(),
            now=datetime.now(UTC),
        )


@pytest.fixture
def world(db: None) -> World:
    """Northwind and Southwind."""
    alice = make_person("Alice", is_instance_admin=True)
    mallory = make_person("Mallory")
    northwind = make_workspace("Northwind", alice)
    southwind = make_workspace("Southwind", mallory)
    rosa, bo, vera = make_person("Rosa"), make_person("Bo"), make_person("Vera")
    dora = make_person("Dora", is_active=False)
    join(northwind, rosa, Role.REVIEWER)
    join(northwind, bo, Role.BUILDER)
    join(northwind, vera, Role.VIEWER)
    join(northwind, dora, Role.ADMIN)
    return World(alice, rosa, bo, vera, dora, mallory, northwind, southwind)


@pytest.fixture
def nobody(db: None) -> Caller:
    """A browser that knows nobody, with a CSRF token."""
    caller = Caller()
    caller.csrf = caller.get("/session").body["csrf_token"]
    return caller

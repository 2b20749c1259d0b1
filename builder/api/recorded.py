"""The one place where deeds go on record: around each view whose operation names one.

Either the deed and its row are committed together, or neither is. A view that did something and put nothing on record
is a fault of ours: in a test build it fails; elsewhere the row is written after all, and the log says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction
from django.http import HttpRequest
from pydantic import BaseModel

from builder.accounts.models import ApiToken, User
from builder.api import subjects
from builder.api.agents import short_agent
from builder.api.deeds import DEEDS, INSIDE
from builder.audit import chain
from builder.audit.chain import INSTALLATION, Actor, Entry, Origin
from runtime import api as runtime_api

log = structlog.get_logger(__name__)

_NOBODY: Final = Actor("nobody")
#: Where tests kill the process: what the builder changes by itself becomes durable with its row.
_POINT: Final = "deed.keep"


class NotRecorded(AssertionError):
    """A view changed something, and nothing of it is on record."""


class Recording:
    """What is put on record of one request. A view adds to it what only the view knows."""

    def __init__(
        self,
        verb: str,
        *,
        actor: Actor,
        origin: Origin,
        workspace_id: UUID | None,
        said: Mapping[str, Any],
        reads: bool = False,
    ) -> None:
        self.verb = verb
        self.rows = 0
        self.idle = False
        self._deed = DEEDS[verb]
        self._actor = actor
        self._origin = origin
        self._workspace_id = workspace_id
        self._chains = [INSTALLATION if workspace_id is None else str(workspace_id)]
        self._reads = reads
        self._beside: Callable[[], None] | None = None
        self._object_id = str(said.get(self._deed.path, "") or "")
        if self._deed.kind == "person" and actor.kind == "member":
            self._object_id = actor.id
        self._name = ""
        self._detail: dict[str, Any] = {}
        self._before: subjects.Seen | None = None
        self._note_said(said)

    # --- for views ------------------------------------------------------------------------------------------------

    def about(self, object_id: UUID | str, name: str = "") -> None:
        """What it is done to, where the path does not say."""
        self._object_id, self._name = str(object_id), name

    def note(self, **facts: Any) -> None:
        """Something more for the record: small, and no secret."""
        self._detail.update(facts)

    def by(self, person: User) -> None:
        """Who did it, where that is known only now."""
        self._actor = Actor("member", str(person.id), called(person))

    def in_workspaces(self, workspaces: Iterable[UUID]) -> None:
        """Whose record it belongs to, where the path does not say; of none: the installation's."""
        self._chains = sorted(map(str, workspaces)) or [INSTALLATION]

    def nothing(self) -> None:
        """Say that nothing was changed."""
        self.idle = True

    def beside(self, keep: Callable[[], None]) -> None:
        """Have this called within the transaction that makes the change, where it does change something."""
        self._beside = keep

    def is_kept(self) -> None:
        """Say that it is on record already: an earlier request with the same key put it there, and died later."""
        self.rows += 1

    @contextmanager
    def also(
        self, verb: str, said: Mapping[str, Any] | None = None, *, keep: Callable[[], None] | None = None
    ) -> Iterator[Recording]:
        """Around another change that comes with it and is a deed of its own. `keep`: as for `beside`."""
        other = Recording(
            verb, actor=self._actor, origin=self._origin, workspace_id=self._workspace_id, said=said or {}
        )
        if keep is not None:
            other.beside(keep)
        with other.kept():
            yield other

    def entry(self, name: str) -> Entry:
        """What would be appended, where the view does so itself, later."""
        return self._entry(self._chains[0], self._object_id, name, self._detail)

    @contextmanager
    def together(self) -> Iterator[None]:
        """The transaction that makes the change."""
        alone = not transaction.get_connection().in_atomic_block
        with transaction.atomic():
            yield
            if not self.idle:
                self.write(runtime_api.ask, {})
            if alone:
                runtime_api.passing(_POINT, "before")
        if alone:
            runtime_api.passing(_POINT, "after")
        self.told(not self.idle)

    # --- for the one place ----------------------------------------------------------------------------------------

    def look(self) -> None:
        """See how the thing stands before."""
        self._before = subjects.look(self._deed.kind, self._workspace_id, self._object_id)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around the view."""
        self.look()
        match self._deed.at:
            case () if self._reads:
                # Before anything is sent; what is read needs no transaction.
                yield
                with self.together():
                    pass
            case ():
                with self.together():
                    yield
            case (place,) if place == INSIDE:
                yield
            case points:
                with runtime_api.keeping(points, self.write, self.told):
                    yield
        self._make_sure()

    def write(self, ask: runtime_api.Ask, facts: runtime_api.Facts) -> None:
        """Append the rows, within the transaction that makes the change."""
        if self.rows and not self._deed.each:
            return
        made = str(facts.get("id") or "")
        object_id = self._object_id if self._deed.path else made or self._object_id
        detail = {**self._detail, **{name: one for name, one in facts.items() if name not in ("id", "name")}}
        if made and made != object_id:
            detail["made"] = made
        before, after = self._before, None
        if self._deed.compares or not (self._name or before or facts.get("name")):
            # Only this thread's own connection sees what the transaction has done so far.
            if ask is runtime_api.ask and not self._deed.ends:
                after = subjects.look(self._deed.kind, self._workspace_id, object_id)
            if self._deed.compares:
                different = subjects.differing(before, after)
                if not self._deed.at and before and after and not any(different.values()):
                    self.idle = True
                    return
                detail |= different
        name = self._name or str(facts.get("name") or "") or next((one.name for one in (before, after) if one), "")
        for one in self._chains:
            chain.append(ask, self._entry(one, object_id, name, detail))
        if self._beside is not None:
            self._beside()

    def _entry(self, where: str, object_id: str, name: str, detail: Mapping[str, Any]) -> Entry:
        return Entry(
            chain=where,
            actor=self._actor,
            origin=self._origin,
            verb=self.verb,
            object_kind=self._deed.kind,
            object_id=object_id,
            object_name=name,
            detail=dict(detail),
        )

    def told(self, changed: bool) -> None:
        """After the commit."""
        if changed:
            self.rows += 1
        else:
            self.idle = True

    def _make_sure(self) -> None:
        if self.rows or self.idle or self._deed.each or self._deed.perhaps:
            return
        if os.environ.get("MILLRACE_TEST_BUILD") in ("1", "true"):
            raise NotRecorded(f"{self.verb} is not on record: which commit point makes it durable?")
        log.error("a deed was not on record; its row is written after it", verb=self.verb)
        with self.together():
            pass

    def _note_said(self, said: Mapping[str, Any]) -> None:
        kept = {name: said[name] for name in self._deed.says if said.get(name) not in (None, "", [], {})}
        if kept:
            self._detail["said"] = runtime_api.redacted(chain.plain(kept))
        digests = {
            name: runtime_api.digest(chain.plain_whole(said[name]))
            for name in self._deed.digests
            if said.get(name) not in (None, "", [], {})
        }
        if digests:
            self._detail["sha256"] = digests


def said_of(path: Mapping[str, Any], *models: BaseModel | None) -> dict[str, Any]:
    """Everything that a request says, by name."""
    found = {name: str(value) if isinstance(value, UUID) else value for name, value in path.items()}
    for model in models:
        if model is not None:
            found |= model.model_dump()
    return found


def called(person: User) -> str:
    """How the record calls somebody: by the address where they gave no name."""
    return person.name.strip() or person.email


def actor_of(user: User | None, token: ApiToken | None) -> Actor:
    """Who asks."""
    if token is not None:
        return Actor("token", str(token.id), f"{token.name} ({called(token.owner)})")
    return _NOBODY if user is None else Actor("member", str(user.id), called(user))


def origin_of(request: HttpRequest) -> Origin:
    """From where a request comes, as the server trusts it: behind a proxy that it knows, the caller's own address."""
    return Origin(
        address=str(request.META.get("REMOTE_ADDR", "")),
        agent=short_agent(str(request.META.get("HTTP_USER_AGENT", ""))),
        request_id=str(request.META.get("millrace.request_id", "")),
    )


def note_token_used(row: ApiToken, request: HttpRequest) -> None:
    """A token was used, for the first time today; within the caller's transaction."""
    entry = Entry(
        chain=str(row.workspace_id),
        actor=actor_of(row.owner, row),
        origin=origin_of(request),
        verb="token.used",
        object_kind="token",
        object_id=str(row.id),
        object_name=row.name,
    )
    chain.append(runtime_api.ask, entry)

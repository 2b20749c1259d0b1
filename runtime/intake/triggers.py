"""Which webhook listens at an address: looked up at most once a second, in one thread, for all callers together."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import Error as DatabaseFault
from django.db import connection

from runtime.catalog import CATALOG
from runtime.contracts import StoreUnavailable
from runtime.engine.jsonprofile import loads_stored
from runtime.intake.dedupe import DedupeRule, rule_of
from runtime.intake.signatures import Scheme, scheme_of
from runtime.intake.threads import Threads
from runtime.intake.uses import Uses
from runtime.ports import PORTS, ConnectionMissing
from runtime.sdk.windows import FOR_EVER
from runtime.store.commits import listen
from runtime.store.models import Deployment, Hold, Trigger

__all__ = ["Door", "Doors"]

logger = logging.getLogger("millrace.intake.triggers")

_FRESH_SECONDS: Final = 1.0
_MOST_DOORS: Final = 20_000
# Together with the wait for the commit an answer stays below five seconds (I2).
_LOOK_UP_PATIENCE: Final = 2.0
_THREADS: Final = 2
#: What a door that is remembered may not outlive.
_CHANGES: Final = ("version.publish", "deployment.change", "key.rotate", "hold.begin", "hold.end")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
# What no address is like is neither looked up nor remembered: it may be sixty thousand letters long.
_ADDRESS: Final = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Door:
    """An armed webhook, as the hot path needs it."""

    trigger_id: UUID
    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    node_id: str
    min_engine: int
    #: None is any.
    methods: frozenset[str] | None
    allow: bytes
    auth: str
    header_name: bytes
    scheme: Scheme | None
    #: The present one, and the one before while that is accepted too.
    secrets: tuple[bytes, ...]
    #: The connection that they stand in.
    secret_of: UUID | None
    dedupe: DedupeRule
    keep_unparsable: bool
    respond: str
    #: Deliveries a minute; 0 is no limit.
    per_minute: int
    #: The workflow is paused and still accepts.
    held: bool
    #: The workflow is switched off: nobody is let in, and its owner is told who came.
    off: bool = False


class _Entry:
    __slots__ = ("door", "until")

    def __init__(self, door: Door | None, until: float) -> None:
        self.door = door
        self.until = until


class Doors:
    """The cache. A change made in this process is seen at once, one made elsewhere within a second."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._loading: dict[str, asyncio.Future[Door | None]] = {}
        self._threads = Threads("intake", _THREADS)
        self._uses = Uses(self._threads)
        self._change = 0
        self._lock = threading.Lock()
        self._unlisten: list[Callable[[], None]] = [listen(name, self._forget) for name in _CHANGES]

    def close(self) -> None:
        """Stop listening and looking up."""
        for stop in self._unlisten:
            stop()
        self._unlisten.clear()
        self._threads.close()

    def _forget(self) -> None:
        with self._lock:
            self._change += 1
            self._entries = {}

    def at_once(self, slug: str) -> Door | bool | None:
        """The webhook at this address if it was looked up a moment ago; None for none; False when not known."""
        entry = self._entries.get(slug)
        if entry is not None and entry.until > time.monotonic():
            return entry.door
        return False if _ADDRESS.match(slug) else None

    async def find(self, slug: str) -> Door | None:
        """The webhook at this address, or None. Raises StoreUnavailable within two seconds."""
        future = self._loading.get(slug)
        if future is None:
            future = self._threads.run(self._load_and_keep, slug)
            self._loading[slug] = future
            future.add_done_callback(lambda done: self._loaded(slug, done))
        try:
            return await asyncio.wait_for(asyncio.shield(future), _LOOK_UP_PATIENCE)
        except TimeoutError:
            raise StoreUnavailable("The database did not answer in time.") from None

    def _loaded(self, slug: str, done: asyncio.Future[Door | None]) -> None:
        self._loading.pop(slug, None)
        if not done.cancelled():
            done.exception()  # everybody who waited may have left meanwhile

    def was_used(self, door: Door, which: int) -> None:
        """Somebody was let in by this of the door's two secrets."""
        if door.secret_of is not None:
            self._uses.note(door.workspace_id, door.secret_of, which)

    def hand_over(self) -> None:
        """Have written down what was noted of secrets; on the loop, before `close`."""
        self._uses.close()

    async def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a reading function on the threads that look up."""
        return await self._threads.run(function, *arguments)

    def _load_and_keep(self, slug: str) -> Door | None:
        change = self._change
        door = load(slug)
        with self._lock:
            if change == self._change:
                if len(self._entries) >= _MOST_DOORS:
                    self._entries = {}
                self._entries[slug] = _Entry(door, time.monotonic() + _FRESH_SECONDS)
        return door


def load(slug: str) -> Door | None:
    """Read the webhook at this address; None if there is none. Raises StoreUnavailable."""
    if not _ADDRESS.match(slug):
        return None
    try:
        trigger = Trigger.objects.select_related("version").filter(slug=slug).first()
        if trigger is None or not trigger.enabled or trigger.type.partition("@")[0] != "trigger.webhook":
            return None
        deployment = Deployment.objects.filter(workflow_id=trigger.workflow_id).first()
        if deployment is None or deployment.retired:
            return None
        stored: Any = loads_stored(trigger.config)
        # Published before there was a choice: a key is recognised for ever, as it was then.
        return _door(
            trigger, CATALOG.filled(trigger.type, {"dedupe_for": FOR_EVER, **stored}), off=not deployment.enabled
        )
    except DatabaseFault as error:
        connection.close()
        raise StoreUnavailable(str(error)) from error


def _door(trigger: Trigger, config: Mapping[str, Any], *, off: bool) -> Door:
    """`config` is complete: what the publisher left out stands at the step type's own start values."""
    methods = None if config["any_method"] else frozenset(config["methods"]) & frozenset(_METHODS)
    auth = str(config["auth"])
    return Door(
        trigger_id=trigger.id,
        workspace_id=trigger.workspace_id,
        workflow_id=trigger.workflow_id,
        version_id=trigger.version_id,
        node_id=trigger.node_id,
        min_engine=trigger.version.min_engine,
        methods=methods,
        allow=", ".join(sorted(methods or _METHODS)).encode(),
        auth=auth,
        header_name=str(config["header_name"]).lower().encode("latin-1", "replace"),
        scheme=scheme_of(config) if auth == "hmac" else None,
        secrets=_secrets(trigger, config) if auth != "none" else (),
        secret_of=_connection(config) if auth != "none" else None,
        dedupe=rule_of(config),
        keep_unparsable=config["on_unparsable"] == "keep",
        respond=str(config["respond"]),
        per_minute=int(config["per_minute"]),
        held=Hold.objects.filter(pk=trigger.workflow_id).exists(),
        off=off,
    )


def _secrets(trigger: Trigger, config: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The active secrets; none where the connection is gone, so that nothing is let in."""
    connection_id = _connection(config)
    if connection_id is None:
        logger.warning("Webhook %s names no secret.", trigger.id)
        return ()
    try:
        opened = PORTS.vault.open(workspace_id=trigger.workspace_id, connection_id=connection_id)
    except ConnectionMissing as error:
        logger.warning("Webhook %s has no secret: %s", trigger.id, error)
        return ()
    values = (opened.fields.get("secret"), opened.fields.get("previous_secret"))
    return tuple(str(value).encode() for value in values if value)


def _connection(config: Mapping[str, Any]) -> UUID | None:
    try:
        return UUID(str(config["secret_connection"]))
    except ValueError:
        return None

"""One request on its way into the store, and the unit that is committed for it."""

from __future__ import annotations

import functools
from collections.abc import MutableMapping
from typing import Any, Final
from uuid import UUID

import orjson

from runtime.engine.ids import uuid7
from runtime.intake.examining import Headers, Proof
from runtime.intake.triggers import Door
from runtime.sdk.redaction import MASK, is_secret_name
from runtime.store.records import AcceptRun, EventRow, RunRow

__all__ = ["Knock", "Scope", "by_name"]

Scope = MutableMapping[str, Any]

_MOST_HEADERS: Final = 200
_MOST_HEADER_BYTES: Final = 64 * 1024
_SHORT_VALUE: Final = 128


def by_name(raw: list[tuple[bytes, bytes]]) -> Headers | None:
    """The headers by their names; None where there are too many, or too long ones."""
    headers: Headers = {}
    size = 0
    for name, value in raw:
        size += len(name) + len(value)
        if name in headers:
            headers[name].append(value)
        else:
            headers[name] = [value]
    return None if len(raw) > _MOST_HEADERS or size > _MOST_HEADER_BYTES else headers


class Knock:
    """A request on its way into the store."""

    __slots__ = ("body", "content_type", "door", "error", "proof", "scope", "size")

    def __init__(self, door: Door, scope: Scope, body: bytes, proof: Proof, headers: Headers) -> None:
        self.door = door
        self.scope = scope
        #: None once it was put aside, or where only its size and digest are kept.
        self.body: bytes | None = body
        self.size = len(body)
        self.proof = proof
        self.content_type = _content_type(headers)
        self.error: str | None = None

    def unit(
        self,
        now: int,
        *,
        starts: bool = False,
        lease_owner: str | None = None,
        key: str | None = None,
        reason: str | None = None,
        artifact_id: UUID | None = None,
    ) -> AcceptRun:
        """What is committed: the event, and its run where it `starts` one, leased to `lease_owner` if there is one.

        now is the database's clock in ms; `artifact_id` names the body where it was put aside.
        """
        door, scope = self.door, self.scope
        run: RunRow | None = None
        if starts:
            run = RunRow(
                id=uuid7(),
                workspace_id=door.workspace_id,
                workflow_id=door.workflow_id,
                version_id=door.version_id,
                trigger_node=door.node_id,
                mode="live",
                started_by="webhook",
                accepted_at=now,
                min_engine=door.min_engine,
                lease_owner=lease_owner,
            )
        event = EventRow(
            id=uuid7(),
            workspace_id=door.workspace_id,
            workflow_id=door.workflow_id,
            trigger_id=door.trigger_id,
            source="webhook",
            received_at=now,
            method=scope["method"][:16],
            path=_raw_path(scope),
            query=scope["query_string"].decode("latin-1").replace("\0", "%00"),
            headers=_headers_text(scope["headers"], door),
            content_type=self.content_type,
            body=self.body,
            body_artifact_id=artifact_id,
            body_size=self.size,
            body_sha256=self.proof.sha256,
            dedupe_key=key,
            signature="invalid" if self.proof.stranger else "none" if door.auth == "none" else "verified",
            verdict="accepted" if starts else "rejected",
            reason=reason,
            parse_error=self.error,
        )
        return AcceptRun(event, run, door.dedupe.for_ms)


def _headers_text(raw: list[tuple[bytes, bytes]], door: Door) -> str:
    """The headers as a JSON list of pairs; what opens doors, here or elsewhere, is never written down."""
    own = door.header_name if door.auth == "header" else b""
    pairs = []
    for name, value in raw:
        if name == own or _opens_doors(name) or (door.secrets and any(secret in value for secret in door.secrets)):
            pairs.append(orjson.dumps((name.decode("latin-1"), MASK)).decode())
        elif len(value) <= _SHORT_VALUE:
            pairs.append(_short_pair_text(name, value))
        else:
            pairs.append(_pair_text(name, value))
    return f"[{','.join(pairs)}]"


def _pair_text(name: bytes, value: bytes) -> str:
    return orjson.dumps((name.decode("latin-1"), value.decode("latin-1").replace("\0", ""))).decode()


# A sender says nearly the same with each delivery.
_short_pair_text = functools.lru_cache(maxsize=4096)(_pair_text)


@functools.lru_cache(maxsize=4096)
def _opens_doors(name: bytes) -> bool:
    return is_secret_name(name.decode("latin-1"))


def _content_type(headers: Headers) -> str:
    named = headers.get(b"content-type")
    return named[0].decode("latin-1")[:255].replace("\0", "") if named else ""


def _raw_path(scope: Scope) -> str:
    raw = scope.get("raw_path")
    text: str = raw.decode("latin-1") if raw else scope["path"]
    return text.replace("\0", "%00")

"""The chain: how a row becomes bytes, how its digest is worked out, and how it is appended.

`docs/audit.md` describes the same for whoever checks an export without Millrace.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from runtime.api import Ask
from runtime.contracts import JSON

VERSION: Final = 1
#: The chain of what belongs to no workspace.
INSTALLATION: Final = "installation"
#: What stands in place of the digest before the first row.
NOTHING_BEFORE: Final = "0" * 64

COLUMNS: Final = (
    "chain", "sequence", "at", "actor_kind", "actor_id", "actor_name", "address", "agent", "verb", "object_kind",
    "object_id", "object_name", "detail", "request_id", "previous", "digest",
)  # fmt: skip

_HEAD: Final = "SELECT sequence, digest FROM audit_head WHERE chain = %s"
_NEW_HEAD: Final = "INSERT INTO audit_head (chain, sequence, digest) VALUES (%s, 0, %s) ON CONFLICT DO NOTHING"
_MOVE_HEAD: Final = "UPDATE audit_head SET sequence = %s, digest = %s WHERE chain = %s"
_ADD: Final = f"INSERT INTO audit_row ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"
# To a server each statement is a journey: two for the whole of it. The head is locked from the first one on.
_LOCKED: Final = (
    "SELECT sequence, digest, (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM audit_head "
    "WHERE chain = %s FOR UPDATE"
)
_MOVE_AND_ADD: Final = f"WITH moved AS ({_MOVE_HEAD}) {_ADD}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `kind`: member · token · link (of a mail) · command (line) · nobody (a sign-in that failed)."""

    kind: str
    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """From where: the address as the server trusts it, the program in few words, the request's id."""

    address: str = ""
    agent: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be put on record. `detail` holds small values only, never a secret."""

    chain: str
    actor: Actor
    verb: str
    origin: Origin = Origin()
    object_kind: str = ""
    object_id: str = ""
    object_name: str = ""
    detail: Mapping[str, JSON] = field(default_factory=dict)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces, characters as they are."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(document: Mapping[str, Any]) -> str:
    """The sha256 of a row's document (without its `digest`)."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def document(row: Sequence[Any]) -> dict[str, Any]:
    """A row in the order of `COLUMNS` as the object that its digest covers, which is also how it is exported."""
    named = dict(zip(COLUMNS, row, strict=True))
    return {
        "v": VERSION,
        "chain": named["chain"],
        "sequence": named["sequence"],
        "at": stamp(named["at"]),
        "actor": {"kind": named["actor_kind"], "id": named["actor_id"], "name": named["actor_name"]},
        "from": {"address": named["address"], "agent": named["agent"]},
        "verb": named["verb"],
        "object": {"kind": named["object_kind"], "id": named["object_id"], "name": named["object_name"]},
        "detail": json.loads(named["detail"]),
        "request": named["request_id"],
        "previous": named["previous"],
    }


def append(ask: Ask, entry: Entry) -> int:
    """Append within the caller's transaction, as the last thing it does: from here to its end nobody else appends to
    this chain. Returns the row's number."""
    sequence, previous, now = _head(ask, entry.chain)
    sequence += 1
    row: list[Any] = [
        entry.chain,
        sequence,
        now,
        entry.actor.kind,
        entry.actor.id,
        _short(entry.actor.name, 200),
        _short(entry.origin.address, 64),
        _short(entry.origin.agent, 80),
        entry.verb,
        entry.object_kind,
        _short(entry.object_id, 120),
        _short(entry.object_name, 200),
        canonical(plain(dict(entry.detail))),
        entry.origin.request_id,
        previous,
        "",
    ]
    row[-1] = digest_of(document(row))
    moved = [sequence, row[-1], entry.chain]
    if connection.vendor == "postgresql":
        ask(_MOVE_AND_ADD, [*moved, *row])
    else:
        ask(_ADD, row)
        ask(_MOVE_HEAD, moved)
    return sequence


def head(ask: Ask, chain: str) -> tuple[int, str]:
    """The number and digest of the last row, as it stands."""
    found = ask(_HEAD, [chain])
    return (int(found[0][0]), str(found[0][1])) if found else (0, NOTHING_BEFORE)


def stamp(at: int) -> str:
    """ISO 8601 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"


MOST_TEXT: Final = 500
MOST_ENTRIES: Final = 50


def plain(value: Any) -> JSON:
    """A value as it is kept: long texts and lists are cut, with a digest of the whole; there are no fractions, for not
    every program writes those alike."""
    match value:
        case None | bool() | int():
            return value
        case str():
            text = _readable(value)
            return text if len(text) <= MOST_TEXT else {"begins": text[:MOST_TEXT], "sha256": _digest(text)}
        case Mapping():
            return {_readable(str(name)): plain(one) for name, one in list(value.items())[:MOST_ENTRIES]}
        case list() | tuple():
            if len(value) <= MOST_ENTRIES:
                return [plain(one) for one in value]
            whole = canonical([str(one) for one in value])
            return {"begins": [plain(one) for one in value[:10]], "count": len(value), "sha256": _digest(whole)}
        case _:
            return _readable(str(value))


def plain_whole(value: Any) -> JSON:
    """A value of which only the digest is kept, with nothing in it that JSON does not know."""
    match value:
        case None | bool() | int() | str() | Decimal():
            return value
        case Mapping():
            return {str(name): plain_whole(one) for name, one in value.items()}
        case list() | tuple():
            return [plain_whole(one) for one in value]
        case _:
            return str(value)


def _head(ask: Ask, chain: str) -> tuple[int, str, int]:
    """The end of the chain, locked, and the database's clock."""
    # On SQLite whoever writes has the whole database to itself, and its clock is this machine's.
    sql = _LOCKED if connection.vendor == "postgresql" else _HEAD
    found = ask(sql, [chain])
    if not found:
        ask(_NEW_HEAD, [chain, NOTHING_BEFORE])
        found = ask(sql, [chain])
    sequence, digest, *told = found[0]
    return int(sequence), str(digest), int(told[0]) if told else time.time_ns() // 1_000_000


def _short(text: str, most: int) -> str:
    return _readable(text)[:most]


def _readable(text: str) -> str:
    """Without what no database or file can hold."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

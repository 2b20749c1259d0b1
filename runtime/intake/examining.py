"""Two looks at a whole request: who sent it, and can it be read? Pure work on bytes, no waiting for anything else.

Large and packed bodies are looked at in threads. One at a time is read: what a body becomes may take fifty times its
bytes, and while Python reads one, everything else in this process waits for the interpreter.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Literal, NamedTuple

from runtime.intake import bodies, signatures
from runtime.intake.dedupe import key_of
from runtime.intake.reading import Overloaded
from runtime.intake.triggers import Door

__all__ = ["Examiner", "Headers", "Proof", "Sense", "is_quick", "prove", "read"]

Headers = dict[bytes, list[bytes]]

# Above this, and for packed bodies, the work is done in a thread: it would hold up every other caller.
_QUICK_BYTES: Final = 64 * 1024
# A shorter header name is never too long for data.
_QUICK_NAME: Final = 500
# Digests and signatures need no memory, and let others go on meanwhile.
_MOST_PROVING: Final = 2
# A body that is not read by then would be answered too late for most senders.
_PATIENCE_SECONDS: Final = 15.0


class Proof(NamedTuple):
    """The digest of the body, why the sender is not let in where it is not, and otherwise by which of the secrets."""

    sha256: str
    stranger: str = ""
    which: int = 0


class Sense(NamedTuple):
    """What the request says, without what it carries: that is read again when the run starts.

    `error` says in plain words why `part` cannot be read; `bomb` that the body is too large unpacked.
    """

    key: str | None = None
    error: str | None = None
    part: Literal["body", "query", "headers"] = "body"
    bomb: bool = False


class Examiner:
    """Looks at requests. One for a process, used from one event loop."""

    def __init__(self, *, patience: float = _PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._proving = ThreadPoolExecutor(_MOST_PROVING, thread_name_prefix="millrace-proving")
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="millrace-reading")

    def close(self) -> None:
        """Let the threads end. Does not block."""
        for pool in (self._proving, self._reading):
            pool.shutdown(wait=False, cancel_futures=True)

    async def prove(self, door: Door | None, headers: Headers, body: bytes) -> Proof:
        """See who sent the request; without a webhook, do the same work for nothing (S28)."""
        if len(body) > _QUICK_BYTES:
            return await asyncio.get_running_loop().run_in_executor(self._proving, prove, door, headers, body)
        return prove(door, headers, body)

    async def read(self, door: Door, query: bytes, headers: Headers, body: bytes, proof: Proof) -> Sense:
        """See whether the request can be read and what its key is. Raises Overloaded where too many bodies wait."""
        if is_quick(headers, body):
            return read(door, query, headers, body, proof)
        try:
            async with asyncio.timeout(self._patience):
                return await asyncio.get_running_loop().run_in_executor(
                    self._reading, read, door, query, headers, body, proof
                )
        except TimeoutError:
            raise Overloaded from None


def is_quick(headers: Headers, body: bytes) -> bool:
    """Whether both looks at this body take so little that nobody need wait for them in a thread."""
    return len(body) <= _QUICK_BYTES and b"content-encoding" not in headers


def prove(door: Door | None, headers: Headers, body: bytes) -> Proof:
    """`Examiner.prove` of a quick body."""
    sha256 = hashlib.sha256(body).hexdigest()
    if door is None:
        signatures.waste_the_same_time(body)
        return Proof(sha256, "There is no such webhook.")
    if door.auth == "none":
        if door.off:
            signatures.waste_the_same_time(body)
        return Proof(sha256)
    return _shown(door, headers, body, sha256)


def read(door: Door, query: bytes, headers: Headers, body: bytes, proof: Proof) -> Sense:
    """`Examiner.read` of a quick body."""
    # A start makes data of the query and the headers, too: what no data can hold must not become a run.
    if query and (error := bodies.query_error(query)):
        return Sense(error=error, part="query")
    for name in headers:
        if len(name) > _QUICK_NAME and (error := bodies.header_error(name)):
            return Sense(error=error, part="headers")
    try:
        parsed = bodies.parse(headers.get(b"content-type", _NONE), headers.get(b"content-encoding", _NONE), body)
    except bodies.Inflation:
        return Sense(bomb=True)
    return Sense(key_of(door.dedupe, headers, proof.sha256, parsed.payload), parsed.error)


_NONE: Final[Sequence[bytes]] = ()


def _shown(door: Door, headers: Headers, body: bytes, sha256: str) -> Proof:
    if door.scheme is not None:
        signature = signatures.check(door.scheme, headers, body, door.secrets, time.time())
        reason = "" if signature.valid else signature.reason or "The signature does not fit."
        return Proof(sha256, reason, signature.which)
    signatures.waste_the_same_time(body)
    values = headers.get(door.header_name, [])
    given = values[0] if len(values) == 1 else b""
    if door.header_name == b"authorization" and given[:7].lower() == b"bearer ":
        given = given[7:].strip()
    fits = 0
    for place, secret in enumerate(door.secrets):
        fits |= hmac.compare_digest(hashlib.sha256(secret).digest(), hashlib.sha256(given).digest()) << place
    if fits and given:
        return Proof(sha256, which=0 if fits & 1 else 1)
    return Proof(sha256, f"The header {door.header_name.decode('latin-1')} is missing or wrong.")

"""Identifiers that sort by the time they were made."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID, SafeUUID

_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_RANDOM_BITS = 74
_RANDOM_MASK = (1 << _RANDOM_BITS) - 1
_LOW_62 = (1 << 62) - 1

#: How much chance is fetched from the system at once: each call gives the interpreter away, in the middle of a request.
_STOCK_BYTES = 4000

_new = object.__new__
# The slots themselves: UUID refuses to be changed, also while it is made.
_set_int = UUID.__dict__["int"].__set__
_set_safe = UUID.__dict__["is_safe"].__set__
_UNKNOWN = SafeUUID.unknown
_lock = threading.Lock()
_last_ms = -1
_last_random = 0
_stock = b""
_used = 0


def uuid7(at_ms: int | None = None) -> UUID:
    """A new UUID version 7 (RFC 9562): 48 bits of milliseconds, 74 bits of chance.

    Ids made by one process never fall, also within one millisecond and when the clock is set back, so rows are
    appended to an index instead of being scattered over it. `at_ms` is for tests: it gives an id of that moment and
    leaves the order of the others alone.
    """
    global _last_ms, _last_random
    now = time.time_ns() // 1_000_000
    with _lock:
        chance = _chance()
        if at_ms is not None:
            return _compose(at_ms, chance)
        if now > _last_ms:
            # The top bit stays free so that counting on within this millisecond cannot overflow.
            _last_ms, _last_random = now, chance >> 1
        else:
            _last_random += 1 + (chance & 0xFFFF_FFFF)
            if _last_random > _RANDOM_MASK:
                _last_ms, _last_random = _last_ms + 1, chance >> 1
        return _compose(_last_ms, _last_random)


def uuid7_ms(value: UUID) -> int:
    """The millisecond (since the epoch, UTC) a version 7 UUID was made in."""
    if value.version != 7:
        raise ValueError(f"{value} is a UUID of version {value.version}: only version 7 carries a time")
    return value.int >> 80


def _chance() -> int:
    """74 bits of the system's own chance, none given out twice. The caller holds the lock."""
    global _stock, _used
    if _used >= len(_stock):
        _stock, _used = os.urandom(_STOCK_BYTES), 0
    _used += 10
    return int.from_bytes(_stock[_used - 10 : _used], "big") & _RANDOM_MASK


def _forget_stock() -> None:
    """A process that was split in two must not give out the same chance in both."""
    global _stock, _used
    _stock, _used = b"", 0


os.register_at_fork(after_in_child=_forget_stock)


def _compose(at_ms: int, chance: int) -> UUID:
    # What UUID(int=…) does, without its questions: two ids are made for each request.
    made = _new(UUID)
    _set_int(made, (at_ms << 80) | _VERSION_7 | ((chance >> 62) << 64) | _VARIANT | (chance & _LOW_62))
    _set_safe(made, _UNKNOWN)
    return made

"""What a step that waits for a signal says: what moves it on, and from when on that counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple
from uuid import UUID

from runtime.engine.needs import LINK_STEP
from runtime.sdk.errors import PermanentError

__all__ = ["LINK_STEP", "LONGEST_KEY", "LONGEST_NAME", "NOTHING_CAME", "SentEvent", "Signal", "named"]

#: What a step gives that nothing moved on in time.
NOTHING_CAME: Final = {"data": None, "at": None, "by": None}
LONGEST_NAME: Final = 100
LONGEST_KEY: Final = 200


@dataclass(frozen=True, slots=True)
class Signal:
    """What moves a waiting step on: its own link, or an event of this name and key.

    ``title``: what is waited for, for people. ``early_ms``: how long before the step began an event may have come;
    None: since the run was started.
    """

    kind: Literal["link", "event"]
    title: str = ""
    name: str = ""
    key: str = ""
    early_ms: int | None = 0


class SentEvent(NamedTuple):
    """An event that was sent. ``duplicate``: it was sent before, by an earlier attempt."""

    id: UUID
    duplicate: bool = False


def named(name: str, key: str) -> tuple[str, str]:
    """The name and the key of an event as they are compared. Raises PermanentError where one of them says nothing."""
    name, key = name.strip(), key.strip()
    if not name:
        raise PermanentError(
            "The event has no name",
            "The setting Event came out empty. Say what the event is called, like order.shipped.",
            "name",
        )
    if not key:
        raise PermanentError(
            "The event has no key",
            "The setting Key came out empty. It says which one is meant, like an order number: without it any event of "
            "this name would fit. Look at what its formula reads in this run, or write default(…, …) around it.",
            "key",
        )
    if len(name) > LONGEST_NAME or len(key) > LONGEST_KEY:
        raise PermanentError(
            "The name or key is too long",
            f"A name has at most {LONGEST_NAME} characters, a key at most {LONGEST_KEY}.",
            "too_long",
        )
    return name, key

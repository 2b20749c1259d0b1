"""What crosses the front door when another system is asked whether something happened, before a person repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runtime.engine.jsonprofile import JSON

#: `no_turn`: nobody was asked, since the connection takes no call this moment.
Found = Literal["happened", "did_not_happen", "could_not_tell", "no_turn"]


@dataclass(frozen=True, slots=True)
class AskedNow:
    """What the other system said. `system`: what people call it; empty where nothing names it. `message`: why it could
    not tell, with the `code` of that failure: `slow`, `nobody` (this process cannot ask) and `broken` (the connection
    is, and why) are this look's own. `until`: from when on it may be asked again, where that is known. `output`: what
    the step would give, of what happened. `takes`: that can be taken over, instead of sending anything."""

    found: Found
    system: str
    at: int
    code: str = ""
    message: str = ""
    until: int | None = None
    output: JSON = None
    takes: bool = False

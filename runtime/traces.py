"""What a process says of its work to whoever follows it: spans of traces, and the run or the webhook's request that a
line of the log is about.

Off unless the composition root sets `TRACING.tracer`: every place that tells something asks for it first and does
nothing else where it is None. A span says what was done to what, for how long, and with what end: names, ids, numbers
and kinds. It never holds what a run works with.

All turns of a run are one trace, on whichever machine and day: its id is the run's. What the first turn was asked for
by (the sender's `traceparent`), and the run that has begun this one, are linked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Final, Literal, NamedTuple, Protocol
from uuid import UUID

__all__ = [
    "REQUEST",
    "RUN",
    "SPAN",
    "TRACING",
    "Fact",
    "OfRun",
    "Role",
    "Span",
    "Tracer",
    "known_method",
    "read_parent",
]

Fact = str | int | bool
#: Who calls whom: `server` was called, `client` calls.
Role = Literal["internal", "server", "client"]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?\Z")


class OfRun(NamedTuple):
    """The trace of a run, at what spans all turns of this generation of it."""

    run_id: UUID
    generation: int = 1


class Span(Protocol):
    """Something that is under way. From any thread; never blocks, never raises."""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        ...

    @property
    def header(self) -> str:
        """What a `traceparent` header says of it."""
        ...

    def rename(self, name: str) -> None: ...

    def note(self, facts: Mapping[str, Fact]) -> None: ...

    def end(self, error: str | None = None) -> None:
        """It is over. `error`: which kind of failure it was, never its words."""
        ...


class Tracer(Protocol):
    """Makes spans. From any thread; never blocks, never raises."""

    def start(
        self,
        name: str,
        facts: Mapping[str, Fact],
        *,
        role: Role = "internal",
        within: Span | OfRun | str | None = None,
        spans: OfRun | None = None,
        links: Sequence[OfRun | str] = (),
        ago_ms: float = 0,
    ) -> Span:
        """Something begins, or began so long ago, as part of `within` (a text: a `traceparent`), else by itself.
        `spans`: it is what the turns of this run are parts of."""
        ...

    def goes_to(self, host: str) -> bool:
        """Whether this host is told which trace a request belongs to."""
        ...


class Tracing:
    """What this process tells by."""

    def __init__(self) -> None:
        self.tracer: Tracer | None = None


TRACING: Final = Tracing()
#: What is under way here, where somebody follows.
SPAN: Final[ContextVar[Span | None]] = ContextVar("millrace_span", default=None)
#: The run whose turn this is; the log names it on each line.
RUN: Final[ContextVar[UUID | None]] = ContextVar("millrace_run", default=None)
#: The request of a webhook that is answered here; the log names it on each line.
REQUEST: Final[ContextVar[UUID | None]] = ContextVar("millrace_request", default=None)


def read_parent(value: str) -> str | None:
    """A `traceparent` header as W3C defines it; None where it is none."""
    value = value.strip()
    return value if len(value) < 256 and _PARENT.match(value) else None


def known_method(method: str | None) -> str:
    """The method of a request as spans say it: nobody gives them names of their own."""
    return method if method in _METHODS and method is not None else "_OTHER"

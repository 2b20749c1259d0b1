"""What the writer tells of its commits to whoever follows: how many units shared one, of which kinds and which runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from runtime.store.tickets import Ticket, Work
from runtime.traces import TRACING, Fact, OfRun

#: A commit of many runs names so many of them.
_MOST_RUNS: Final = 32


def begins() -> float:
    """When a batch was put together; 0 where nobody follows."""
    return 0.0 if TRACING.tracer is None else time.monotonic()


def committed(began: float, tickets: Sequence[Ticket]) -> None:
    """A batch was committed."""
    tracer = TRACING.tracer
    if tracer is None:
        return
    facts: dict[str, Fact] = {"millrace.commit.units": len(tickets)}
    runs: dict[OfRun, None] = {}
    for ticket in tickets:
        kind = f"millrace.commit.{ticket.work.name.lower()}"
        facts[kind] = int(facts.get(kind, 0)) + 1
        if len(runs) < _MOST_RUNS:
            if ticket.work is Work.WRITE:
                runs[OfRun(ticket.unit.run_id, ticket.unit.generation)] = None
            elif ticket.work is Work.ACCEPT and ticket.unit.run is not None:
                runs[OfRun(ticket.unit.run.id)] = None
    tracer.start("commit", facts, links=tuple(runs), ago_ms=(time.monotonic() - began) * 1000).end()

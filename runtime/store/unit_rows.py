"""What one batch writes, in the order and in the form in which the database takes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runtime.store.records import RunWrite, StepWrite
from runtime.store.tickets import Ticket

__all__ = ["first", "rounds", "steps_of"]


def steps_of(unit: RunWrite) -> tuple[StepWrite, ...]:
    """One row a step: the last one stands, with the data that an earlier one of the same unit brought."""
    if len(unit.steps) < 2:
        return unit.steps
    by_key: dict[tuple[str, int], StepWrite] = {}
    for step in unit.steps:
        name = (step.node_id, step.generation)
        earlier = by_key.get(name)
        if earlier is not None and (step.input is None or step.output is None):
            step = step._replace(input=step.input or earlier.input, output=step.output or earlier.output)
        by_key[name] = step
    return tuple(by_key.values())


def first(row: tuple[Any, ...]) -> Any:
    return row[0]


def rounds(tickets: list[Ticket]) -> Iterable[list[Ticket]]:
    """Cut into lists that name each run at most once, keeping each run's order."""
    while tickets:
        seen: set[int] = set()  # of what a UUID is made of: its own hash is worked out in Python
        now: list[Ticket] = []
        later: list[Ticket] = []
        for ticket in tickets:
            run_id = ticket.unit.run_id.int
            if run_id in seen:
                later.append(ticket)
            else:
                seen.add(run_id)
                now.append(ticket)
        yield now
        tickets = later

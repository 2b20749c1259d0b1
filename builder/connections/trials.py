"""Trying a connection against the other system, without changing anything there.

How a request leaves this machine is the runtime's affair, so the composition root installs the function that does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from builder.connections.models import Connection
from builder.connections.vault import open_row
from runtime.catalog import CATALOG
from runtime.ports import ConnectionMissing


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial went, in a sentence for people, free of secrets. `confirm`: a field and the value that it would have
    once somebody has compared and confirmed what the other system shows."""

    ok: bool
    message: str
    confirm: tuple[str, str] | None = None


#: Takes the kind and the decrypted fields; called in a web thread, waits for the answer.
Trial = Callable[[str, Mapping[str, Any]], Outcome]


class Trials:
    """The trial this process has, if any."""

    def __init__(self) -> None:
        self.trial: Trial | None = None


TRIALS = Trials()


def try_out(row: Connection) -> Outcome:
    """Open the connection, look at its values, then ask the other system."""
    try:
        opened = open_row(row)
    except ConnectionMissing as error:
        return Outcome(False, str(error))
    return try_fields(row.kind, opened.fields)


def try_fields(named: str, fields: Mapping[str, Any]) -> Outcome:
    """Look at these values of a connection of this kind, which need not be stored, then ask the other system."""
    kind = CATALOG.connection_kind(named)
    if kind is None:
        return Outcome(False, "This kind of connection is no longer known.")
    wrong = kind.problems(fields)
    if wrong:
        return Outcome(False, kind.redactor(fields).text(wrong[0][2]))
    if TRIALS.trial is None:
        return Outcome(True, "Its values are complete. This process cannot ask the other system.")
    outcome = TRIALS.trial(named, fields)
    return replace(outcome, message=kind.redactor(fields).text(outcome.message))

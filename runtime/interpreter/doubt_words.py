"""How people answer for a step of which nobody knows whether it happened (I12).

A failure is tried again, or gone on from with a value. Of a step in doubt the same two would be a guess, so each has
to be said for what it is: it happened, with this result; or it is to be sent again. What is stored is alike, so that
workers of another build, and questions that were put before, are understood.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.contracts import TaskRefused
from runtime.interpreter.people import GIVE_UP, TRY_AGAIN, USE_VALUE, choices_of
from runtime.interpreter.units import IN_DOUBT
from runtime.store.left_out import SKIP

__all__ = ["in_doubt", "meant", "said_as", "shown"]

HAPPENED: Final = "happened"
SEND_AGAIN: Final = "send_again"
_SAID_AS: Final = {USE_VALUE: HAPPENED, TRY_AGAIN: SEND_AGAIN}
_MEANT: Final = {said: stored for stored, said in _SAID_AS.items()}
_LABELS: Final = {HAPPENED: "It happened", SEND_AGAIN: "Send it again", SKIP: "Skip this item", GIVE_UP: "Give up"}


def in_doubt(spec: Mapping[str, Any]) -> bool:
    """Whether this question is about a step of which nobody knows whether it happened; or about one that did something
    in all likelihood, and would do it twice."""
    error = spec.get("error") or {}
    return bool(spec.get("in_doubt")) or IN_DOUBT in (error.get("code"), error.get("kind"))


def shown(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The question as people are to see it: `spec`, of a step in doubt with the answers that there are to that."""
    choices = choices_of(spec)
    if not in_doubt(spec):
        return {**spec, "choices": choices}
    given = {_SAID_AS.get(one["id"], one["id"]): one for one in choices}
    return {**spec, "choices": [{**given[one], "id": one, "label": _LABELS[one]} for one in _LABELS if one in given]}


def said_as(spec: Mapping[str, Any], outcome: str | None) -> str | None:
    """The answer as it is called for people."""
    return _SAID_AS.get(outcome, outcome) if outcome is not None and in_doubt(spec) else outcome


def meant(spec: Mapping[str, Any], outcome: str) -> str:
    """The answer as it is stored. Raises TaskRefused where it does not say what is thought of a step in doubt."""
    if not in_doubt(spec):
        return outcome
    if outcome in _SAID_AS:
        raise TaskRefused(
            {
                "outcome": "Nobody knows whether this happened. Look in the other system, and answer happened (with "
                "its result), send_again or give_up; an item of a list can be left out (skip)."
            }
        )
    return _MEANT.get(outcome, outcome)

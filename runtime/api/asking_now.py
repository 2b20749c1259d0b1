"""Asking another system whether something happened already, before a person has it sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from runtime.api.fixing import foreseen
from runtime.contracts import JSON, RetryRefused
from runtime.contracts.asking_now import AskedNow
from runtime.interpreter import four_eyes
from runtime.interpreter.asked_now import ASKER, asks, can_take, question
from runtime.interpreter.edited_retries import given_to, problem
from runtime.interpreter.released import AS_RELEASED, of_a_release
from runtime.interpreter.reopening import Found, look
from runtime.sdk import StepFailure
from runtime.store.dialect import database_now

__all__ = ["ask_now", "ask_now_of_task"]

_NOBODY = "This process cannot ask the other system."


def ask_now(
    *,
    workspace_id: UUID,
    run_id: UUID,
    node: str,
    start: Sequence[str] = (),
    version: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AskedNow:
    """Ask what became of a step that a retry would begin with; nothing is changed, there or here. `start` and `version`
    as of `retry_plan`; `settings`: what the step is to be given instead, all of them.

    Raises NotFound, NotRetryable (nobody can be asked), RetryRefused (it cannot be given that), StoreUnavailable.
    """
    return _ask(look(workspace_id, run_id, start, version), node, settings)


def ask_now_of_task(*, workspace_id: UUID, task_id: UUID, settings: Mapping[str, Any] | None = None) -> AskedNow:
    """The same of a step that failed and asks people. Raises as `fix` does, and as `ask_now`."""
    row, found = foreseen(workspace_id, task_id)
    return replace(_ask(found, row.node_id, settings), takes=False)


def _ask(found: Found, node: str, settings: Mapping[str, Any] | None) -> AskedNow:
    if settings is not None and (why := _refused(found, node, dict(settings))) is not None:
        raise RetryRefused({node: why})
    try:
        asked = question(found, node, settings)
    except StepFailure as failure:
        return AskedNow("could_not_tell", asks(found, node) or "", database_now(), failure.code, failure.message)
    if ASKER.ask is None:
        return AskedNow("could_not_tell", asked.system, asked.at, "nobody", _NOBODY)
    told = ASKER.ask(asked)
    return replace(told, takes=told.found == "happened" and settings is None and can_take(found, node))


def _refused(found: Found, node: str, settings: JSON) -> str | None:
    """Why the step cannot be given these: nobody is asked by settings that a retry would not take."""
    if node not in found.version.graph.by_id:
        return "It is not possible to go on from this step."
    if of_a_release(found.row):
        return AS_RELEASED
    if (why := four_eyes.refused_edits(found, [node]).get(node)) is not None:
        return why
    return problem(found, node, given_to(found, node), settings)

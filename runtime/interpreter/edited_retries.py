"""Going on with failed runs by other values for the step that failed: single values are put into what it was given.

Only what was changed is named, by its place, and put into what the step was really given: so whoever changes one value
need not have seen the others. What a retry by other settings is refused for, this is refused for too.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from runtime.contracts import JSON, RetryRefused, RunEdit
from runtime.engine import containers
from runtime.engine.jsonprofile import JSONRefused, dumps, loads, loads_stored, normalise
from runtime.engine.replay import Fate
from runtime.interpreter import four_eyes, questions
from runtime.interpreter.own_errors import changed
from runtime.interpreter.own_results import that_differs
from runtime.interpreter.payloads import reference_in
from runtime.interpreter.released import AS_RELEASED, of_a_release
from runtime.interpreter.released import refused as refused_for_release
from runtime.interpreter.reopening import Found
from runtime.interpreter.versions import Unsupported
from runtime.sdk import OwnRuns, StepFailure
from runtime.store import artifacts

__all__ = ["from_text", "given_to", "problem", "settings_with", "text", "why_fixed"]

_NOT_FIRST: Final = "The run does not go on from this step."
_NOTHING: Final = "This step was given nothing that could be changed."
_HAS_RUNS: Final = "This step has others do its work: open the run to change what it gives them."
_TWICE: Final = "With other values its call could happen a second time: open the run and look at its plan."
_GONE: Final = "What this step was given has no such value."
_AS_IT_WAS: Final = {
    bool: "This is yes or no: true or false.",
    str: "This has to be a text.",
    int: "This has to be a number.",
}


def given_to(found: Found, node: str) -> JSON:
    """What the step was given when it failed, wherever that stands; None where it had nothing yet."""
    row = found.steps.get(node)
    text = None if row is None else row.input
    if text is None:
        return None
    reference = reference_in(text)
    return loads_stored(text if reference is None else artifacts.read(reference.artifact_id))


def why_fixed(found: Found, node: str, given: JSON) -> str | None:
    """Why the step of a run cannot be given other values together with those of other runs; None where it can. `given`:
    those that it was last given."""
    return _bars_it(found, node) or _bars_values(found, node, given)


def settings_with(found: Found, edit: RunEdit) -> tuple[JSON, JSON]:
    """What the step was given, and what it is given with these values in it. Raises RetryRefused."""
    node = edit.node
    if (why := _bars_it(found, node, runs=edit.whole is not None)) is not None:
        raise RetryRefused({node: why})
    given = given_to(found, node)
    if (why := _bars_values(found, node, given)) is not None:
        raise RetryRefused({node: why})
    after = _put(given, edit) if edit.whole is None else edit.whole
    if (why := problem(found, node, given, after)) is not None:
        raise RetryRefused({node: why})
    return given, after


def _bars_it(found: Found, node: str, *, runs: bool = False) -> str | None:
    """Why it cannot be given anything else, whatever it was given. `runs`: a step that has others do its work can."""
    line = next((line for line in found.lines() if line.node == node), None)
    if line is None or not line.first:
        return _NOT_FIRST
    if not runs and containers.has_runs(found.version.graph.by_id[node].type):
        return _HAS_RUNS
    if of_a_release(found.row):
        return AS_RELEASED
    return four_eyes.refused_edits(found, [node]).get(node)


def _bars_values(found: Found, node: str, given: JSON) -> str | None:
    """Why nothing else can be put into what it was given."""
    if not isinstance(given, dict) or not given:
        return _NOTHING
    # Something else under the same key would not be recognised, so it gets another key.
    fates = {line.fate for line in found.lines(edited=[node])}
    return _TWICE if fates & {Fate.ASKS, Fate.REPEATS} else None


def problem(found: Found, node: str, given: JSON, after: JSON) -> str | None:
    """Why a step cannot have these settings. `given`: those that it was last given."""
    if not isinstance(after, dict):
        return "The settings of a step are an object."
    try:
        normalise(after)
        step = found.version.step(node)
        drawn = found.version.graph.by_id[node]
        why = (
            refused_for_release(drawn, given, after)
            or questions.refused(found.old.graph.by_id.get(node), drawn, given, after)
            or four_eyes.refused_call(found, node, after)
        )
        if why is not None:
            return why
        if step.prepared is not None:
            config = step.prepared.validate(after)
            if step.type.effect_of(after) is not step.effect:
                return "This would make another sort of step of it. Change the workflow, and retry with that version."
            items = getattr(config, "items", None)
            if containers.is_container(drawn.type) and isinstance(items, list | tuple):
                index = that_differs(found.row["id"], node, OwnRuns("items", items=tuple(items)))
                return None if index is None else changed(index).message
    except StepFailure as failure:
        return failure.message
    except JSONRefused as error:
        return error.message
    except Unsupported:
        return "This Millrace does not know the step's type."
    return None


def text(edit: RunEdit) -> str:
    """As a row holds it until its turn comes."""
    if edit.whole is not None:
        return dumps({"node": edit.node, "whole": edit.whole})
    return dumps({"node": edit.node, "fields": [[[*path], value] for path, value in edit.fields]})


def from_text(stored: str, *, run_id: UUID, generation: int) -> RunEdit:
    """The same, of the run that it is for."""
    found: Any = loads_stored(stored)
    fields = tuple((tuple(path), value) for path, value in found.get("fields", ()))
    return RunEdit(run_id, generation, found["node"], fields, found.get("whole"))


def _put(given: JSON, edit: RunEdit) -> JSON:
    """The values put where they belong, into a copy."""
    made = normalise(given)
    for path, value in edit.fields:
        inside: JSON = made
        for part in path[:-1]:
            inside = inside.get(part) if isinstance(inside, dict) else None
        if not isinstance(inside, dict) or path[-1] not in inside:
            raise RetryRefused({edit.node: _GONE})
        inside[path[-1]] = _like(inside[path[-1]], value, edit.node)
    return made


def _like(before: JSON, value: JSON, node: str) -> JSON:
    """The new value, of the same sort as the one before; what a number was may be typed as a text."""
    if isinstance(before, Mapping | list) or isinstance(value, Mapping | list):
        raise RetryRefused({node: "Only single values are changed here: open the run for lists and groups of values."})
    if before is None or (isinstance(before, str) and isinstance(value, str)):
        return value
    if isinstance(before, bool):
        known = {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else value
        if isinstance(known, bool):
            return known
        raise RetryRefused({node: _AS_IT_WAS[bool]})
    if isinstance(before, int | Decimal):
        if isinstance(value, str):
            try:
                value = loads(value.strip())
            except JSONRefused:
                value = None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return value
        raise RetryRefused({node: _AS_IT_WAS[int]})
    raise RetryRefused({node: _AS_IT_WAS[str]})

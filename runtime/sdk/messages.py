"""What validation says, in plain words with the title that people see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from runtime.engine.jsonprofile import path_of


def place_text(place: Sequence[str | int]) -> str:
    """A place as people and problem lists write it: ``headers[0].value``."""
    path = ""
    for part in place:
        path = path_of(path, part)
    return path


def inner_model(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as ``list[Case]`` or ``Case | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = inner_model(argument)
        if found is not None:
            return found
    return None


def title_of(model: type[BaseModel], place: Sequence[str | int]) -> str:
    """The title of the innermost field of a place."""
    title = ""
    current: type[BaseModel] | None = model
    for part in place:
        if current is None or isinstance(part, int):
            continue
        found = current.model_fields.get(part)
        if found is None:
            break
        title = found.title or part
        current = inner_model(found.annotation)
    return title or (str(place[0]) if place else "These settings")


def plain_problems(model: type[BaseModel], refused: ValidationError) -> list[tuple[str, str, str]]:
    """Each problem as (field path, code, sentence)."""
    return [(place_text(place), code, message) for place, code, message in located_problems(model, refused)]


def located_problems(model: type[BaseModel], refused: ValidationError) -> list[tuple[tuple[str | int, ...], str, str]]:
    """Like ``plain_problems``, with the place as pydantic gives it."""
    found = []
    for error in refused.errors(include_url=False, include_input=False):
        place = tuple(error["loc"])
        kind = error["type"]
        if kind == "extra_forbidden":
            found.append((place, "unknown_field", f"“{place[-1]}” is not a setting of this step."))
            continue
        says = _sentence(kind, error.get("ctx") or {}, error["msg"])
        code = "required" if says == _NEEDS else "invalid"
        found.append((place, code, f"“{title_of(model, place)}” {says}."))
    return found


_NEEDS = "needs a value"


def _sentence(kind: str, facts: dict[str, Any], message: str) -> str:
    match kind:
        case "missing":
            return _NEEDS
        case "string_too_short" | "too_short":
            least = facts.get("min_length", 1)
            if least == 1:
                return _NEEDS
            return f"needs at least {least} {'characters' if kind == 'string_too_short' else 'entries'}"
        case "string_too_long":
            return f"may have {facts.get('max_length'):,} characters"
        case "too_long":
            return f"may have {facts.get('max_length'):,} entries"
        case "literal_error" | "enum":
            return f"must be {facts.get('expected')}"
        case "greater_than_equal":
            return f"must be at least {facts.get('ge')}"
        case "greater_than":
            return f"must be more than {facts.get('gt')}"
        case "less_than_equal":
            return f"may be at most {facts.get('le')}"
        case "less_than":
            return f"must be less than {facts.get('lt')}"
        case "int_parsing" | "int_type" | "int_from_float":
            return "needs a whole number"
        case "decimal_parsing" | "decimal_type" | "float_parsing" | "float_type" | "finite_number":
            return "needs a number"
        case "bool_parsing" | "bool_type":
            return "needs yes or no"
        case "list_type":
            return "needs a list"
        case "dict_type" | "model_type" | "model_attributes_type" | "mapping_type":
            return "needs fields with values"
        case "string_type":
            return "needs text"
        case "string_pattern_mismatch":
            return "is not written as it must be"
        case _:
            # Messages of our own validators are already sentences without a subject.
            return message.rstrip(".")

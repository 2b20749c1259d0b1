"""What people are warned of before they decide: texts of the builder, each shown where its condition holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

from runtime.engine.expressions.errors import Unsolved
from runtime.sdk.errors import PermanentError
from runtime.sdk.fields import Config, as_text
from runtime.sdk.fields import field as setting

__all__ = ["MOST_WARNINGS", "Warned", "warned_of", "warned_problems", "warning_line"]

MOST_WARNINGS: Final = 20
_LONGEST: Final = 300
_LONGEST_FORMULA: Final = 2000
_NO: Final = frozenset({"", "false", "no"})
_YES: Final = frozenset({"true", "yes"})


def _said(value: object) -> object:
    """Text; what could not be worked out stays as it is, for nobody may ever have to see it."""
    if isinstance(value, Unsolved):
        return value
    text = as_text(value)
    if not isinstance(text, str):
        raise PydanticKnownError("string_type")
    return text


def _holds(value: object) -> object:
    """Yes or no. Anything else is refused: of a condition that is none nobody would know that it never warns."""
    if value is None or isinstance(value, bool):
        return bool(value)
    word = value.strip().lower() if isinstance(value, str) else None
    if word in _NO:
        return False
    if word in _YES:
        return True
    raise PydanticKnownError("bool_type")


class Warned(Config):
    """One warning. `text`: what is said; `when`: whether it is."""

    text: Annotated[
        Any,
        BeforeValidator(_said),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONGEST_FORMULA}),
    ] = setting(
        title="What is said",
        placeholder="{{ round((trigger.body.total / steps.usual.amount - 1) * 100) }} % above the usual",
        expression=True,
        order=1,
        hints={"spared": True},
    )
    when: Annotated[
        Any,
        BeforeValidator(_holds),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONGEST_FORMULA}),
    ] = setting(
        title="It is said when",
        help="A formula that gives yes or no.",
        placeholder="{{ trigger.body.total > steps.usual.amount * 1.3 }}",
        expression=True,
        order=2,
    )


def warned_of(warnings: Sequence[Warned]) -> tuple[str, ...]:
    """What people are warned of, in the order of the settings, each once.

    Raises PermanentError where a condition holds and what is to be said cannot be worked out: nobody shall decide
    without having been warned.
    """
    found: dict[str, None] = {}
    for index, one in enumerate(warnings):
        if not one.when:
            continue
        if isinstance(one.text, Unsolved):
            error = one.text.error
            raise PermanentError(
                "A formula could not be worked out",
                f"“{Warned.model_fields['text'].title}”: {error.message}",
                "formula",
                detail=f"warnings[{index}].text: {error.code} at character {error.position}",
            )
        if str(one.text).strip():
            found[str(one.text)] = None
    return tuple(found)


def warning_line(text: str) -> str:
    """A warning as it is kept: one line, of 300 characters at most. Made of a text in which secrets are masked, for of
    a part of one nobody knows that it is one."""
    line = " ".join(text.split())
    # Rather a warning without its end than a question that nobody is asked.
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def warned_problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with warnings as stored: (field path, code, message)."""
    entries = config.get("warnings")
    found = []
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        for name in ("text", "when"):
            if isinstance(entry, Mapping) and isinstance(entry.get(name), str) and not entry[name].strip():
                # A warning that is never said, or has no words, would look as if there were one.
                title = Warned.model_fields[name].title
                found.append((f"warnings[{index}].{name}", "required", f"“{title}” needs a value."))
    return found

"""What a step asks of people: the question, the facts, who may answer, and the answers there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from runtime.engine.jsonprofile import JSON
from runtime.sdk.errors import PermanentError
from runtime.sdk.fields import Config, Number, Text
from runtime.sdk.fields import field as setting
from runtime.sdk.words import Words

#: What the answer of a form says of who gave it, beside the answers.
ANSWERED: Final = "answered"
#: Milliseconds.
UNITS: Final = {"minutes": 60_000, "hours": 3_600_000, "days": 86_400_000, "weeks": 604_800_000}
_LONGEST_MS: Final = 366 * 5 * 86_400_000


class Fact(Config):
    """One line to decide by."""

    name: str = setting(title="Name", order=1, min_length=1, max_length=100)
    value: Text = setting("", title="Value", expression=True, order=2, max_length=5000)


class TimeLimit(Config):
    """How long a step waits for somebody or something."""

    limit: Number = setting(
        0,
        title="Not in time after",
        help="0: it waits for as long as it takes. Otherwise the way out “Not in time” is taken then.",
        widget="number",
        expression=True,
        order=20,
        ge=0,
    )
    unit: Literal["minutes", "hours", "days", "weeks"] = setting(
        "days", title="Unit", widget="choice", options=[(name, name) for name in UNITS], order=21
    )

    def due_at_ms(self, now_ms: int) -> int | None:
        """When it is too late, in milliseconds since the epoch; None for a limit of 0. Raises PermanentError."""
        if not self.limit:
            return None
        # Compared before it becomes a whole number: one of a million digits would take minutes to write out.
        milliseconds = self.limit * UNITS[self.unit]
        if milliseconds > _LONGEST_MS:
            raise PermanentError("Too long a wait", "A step can wait at most five years.", "too_long")
        return now_ms + int(milliseconds)


class Question(TimeLimit):
    """What every question to people has, besides its title and whom it asks."""

    text: Text = setting(
        "", title="What people should know", widget="textarea", expression=True, order=2, max_length=5000
    )


def asks(config: Mapping[str, Any], words: Words) -> str:
    """The second line of such a step's card."""
    if not config["title"]:
        return ""
    who = words.value(config["people"]) if config["people"] else "somebody"
    return f"Asks {who}: {words.value(config['title'])}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer. `id` is the way out that it takes; with `comment` whoever chooses it says why."""

    id: str
    label: str
    comment: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """A question to people.

    ``facts``: (label, value) pairs to decide by. ``amount`` with its ``currency``: what it is about, for sums.
    ``people``: e-mail addresses of those who may answer; empty: everybody in the workspace. ``needs``: how many have to
    say the first of the choices. ``fields``: the questions of a form, as `FormField` documents.
    """

    kind: Literal["approval", "form"]
    title: str
    text: str = ""
    facts: tuple[tuple[str, JSON], ...] = ()
    amount: JSON = None
    currency: str = ""
    people: tuple[str, ...] = ()
    needs: int = 1
    choices: tuple[Choice, ...] = ()
    fields: tuple[Mapping[str, Any], ...] = field(default=())

    def document(self) -> dict[str, JSON]:
        """The question as it is kept."""
        return {
            "text": self.text,
            "facts": [{"label": label, "value": value} for label, value in self.facts],
            "amount": self.amount,
            "currency": self.currency,
            "needs": self.needs,
            "choices": [{"id": one.id, "label": one.label, "comment": one.comment} for one in self.choices],
            "fields": [dict(one) for one in self.fields],
        }


def people_of(text: str) -> tuple[str, ...]:
    """E-mail addresses from a list with commas, each once, in small letters. Raises PermanentError."""
    found = [one.strip().lower() for one in text.replace(";", ",").split(",")]
    for one in filter(None, found):
        name, at, host = one.rpartition("@")
        if not (at and name and host) or any(character.isspace() for character in one):
            raise PermanentError(
                "This is no e-mail address", f"“{one[:100]}” names nobody: write addresses with commas.", "people"
            )
    return tuple(dict.fromkeys(filter(None, found)))


def facts_of(facts: Sequence[Fact]) -> tuple[tuple[str, JSON], ...]:
    """The facts as a task keeps them."""
    return tuple((fact.name, fact.value) for fact in facts)

"""What a step asks of people: the question, the facts, who may answer, and the answers there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

from runtime.contracts.people import Addressee
from runtime.engine.jsonprofile import JSON
from runtime.sdk.calendars import CALENDAR_PATTERN, COUNTRIES, MONDAY_TO_FRIDAY, WorkCalendar
from runtime.sdk.context import Context
from runtime.sdk.deadlines import HOUR_MS, UNITS, Notice, after_working_days, notices, span_ms
from runtime.sdk.errors import PermanentError
from runtime.sdk.fact_tables import as_table, kept_rows
from runtime.sdk.fields import Config, Number, Text, as_text
from runtime.sdk.fields import field as setting
from runtime.sdk.files import is_file
from runtime.sdk.warned import warning_line
from runtime.sdk.words import Words

#: What the answer of a form says of who gave it, beside the answers.
ANSWERED: Final = "answered"
TaskKind: TypeAlias = Literal["approval", "form", "review"]
_MOST_NAMED: Final = 200
_LONGEST_NAME: Final = 120
_DUE: Final = "Due date and reminders"
_MAIL: Final = "Mail"


#: So many files one fact shows.
_MOST_FILES: Final = 50
_LONGEST_FACT: Final = 5000


def _fact(value: object) -> object:
    """Text, but for files and lists of objects: whoever decides wants to see them."""
    files = value if isinstance(value, list) else [value]
    if files and len(files) <= _MOST_FILES and all(map(is_file, files)):
        return value
    if (rows := kept_rows(value)) is not None:
        return rows
    # Of an empty list there is nothing to see.
    text = "" if value == [] else as_text(value)
    if not isinstance(text, str):
        raise PydanticKnownError("string_type")
    if len(text) > _LONGEST_FACT:
        raise PydanticKnownError("string_too_long", {"max_length": _LONGEST_FACT})
    return text


class Fact(Config):
    """One line to decide by: a text, a file or several, or a list that is shown as a table."""

    name: str = setting(title="Name", order=1, min_length=1, max_length=100)
    value: Annotated[Any, BeforeValidator(_fact), WithJsonSchema({"type": "string", "maxLength": _LONGEST_FACT})] = (
        setting("", title="Value", expression=True, order=2)
    )


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

    def ends_at_ms(self, now_ms: int) -> int | None:
        """When it is too late, in milliseconds since the epoch; None for a limit of 0. Raises PermanentError."""
        return now_ms + span_ms(self.limit, self.unit) if self.limit else None

    def due_at_ms(self, now_ms: int) -> int | None:
        """The same: nothing else is due of it. Raises PermanentError."""
        return self.ends_at_ms(now_ms)


class Question(TimeLimit):
    """What every question to people has, besides its title and whom it asks."""

    text: Text = setting(
        "", title="What people should know", widget="textarea", expression=True, order=2, max_length=5000
    )
    due: Number = setting(
        0,
        title="Should be answered within",
        help="0: there is no hurry. The inbox shows when it is due, and sorts by it.",
        widget="number",
        expression=True,
        group=_DUE,
        order=30,
        ge=0,
    )
    due_unit: Literal["minutes", "hours", "days", "weeks", "working_days"] = setting(
        "days",
        title="Unit of this",
        widget="choice",
        options=[*((name, name) for name in UNITS), ("working_days", "working days")],
        group=_DUE,
        order=31,
    )
    country: str = setting(
        "",
        title="Working days",
        help="With a country, its public holidays are no working days. Or those of a calendar of this workspace.",
        widget="calendar",
        options=(("", "Monday to Friday"), *COUNTRIES),
        show_if={"due_unit": ["working_days"]},
        group=_DUE,
        order=32,
        pattern=CALENDAR_PATTERN,
    )
    timezone: str = setting(
        "UTC",
        title="Time zone of working days",
        widget="timezone",
        show_if={"due_unit": ["working_days"]},
        group=_DUE,
        order=33,
        max_length=60,
    )
    remind_before: Number = setting(
        0,
        title="Remind so many hours before it is due",
        help="0: no reminder.",
        widget="number",
        group=_DUE,
        advanced=True,
        order=34,
        ge=0,
        le=10_000,
    )
    remind_every: Number = setting(
        0,
        title="Remind every so many hours",
        help="0: no such reminders.",
        widget="number",
        group=_DUE,
        advanced=True,
        order=35,
        ge=0,
        le=10_000,
    )
    escalate_to: Text = setting(
        "",
        title="When it is due, ask these people too",
        help="Those who were asked before may still decide.",
        widget="people",
        expression=True,
        group=_DUE,
        advanced=True,
        order=36,
        max_length=5000,
    )
    mail: str = setting(
        "",
        title="Mail server for messages to those who are asked",
        help="Empty: that of this installation. Without any, it is in the inbox only.",
        widget="connection",
        kinds=("smtp",),
        group=_MAIL,
        order=50,
        max_length=100,
    )
    link: Literal["sign_in", "open"] = setting(
        "sign_in",
        title="The link in a mail",
        help="Opening it never decides: mail scanners open links too. It is good for one person and one decision.",
        widget="choice",
        options=(("sign_in", "leads into the inbox, after signing in"), ("open", "is enough to decide")),
        group=_MAIL,
        advanced=True,
        order=51,
    )

    def due_at_ms(self, now_ms: int, calendar: WorkCalendar = MONDAY_TO_FRIDAY) -> int | None:
        """When it should be answered, by these working days: then, or else when it is too late. Raises
        PermanentError."""
        ends = self.ends_at_ms(now_ms)
        if not self.due:
            return ends
        if self.due_unit == "working_days":
            due = after_working_days(now_ms, self.due, self.timezone, calendar)
        else:
            due = now_ms + span_ms(self.due, self.due_unit)
        return due if ends is None else min(due, ends)

    async def addressed(self, people: str, context: Context, kind: TaskKind, **rest: Any) -> Task:
        """The task, with those it goes to and what is due when. Raises PermanentError where somebody is unknown."""
        now = context.now_ms
        counts_days = bool(self.due) and self.due_unit == "working_days"
        calendar = await context.calendar(self.country) if counts_days else MONDAY_TO_FRIDAY
        due, ends = self.due_at_ms(now, calendar), self.ends_at_ms(now)
        asked = await context.people(people_of(people))
        others = await context.people(people_of(self.escalate_to))
        return Task(
            kind=kind,
            text=self.text,
            people=tuple(one.token for one in asked),
            reach=asked,
            due_at_ms=due,
            ends_at_ms=ends,
            notices=notices(
                now_ms=now,
                due_ms=due,
                ends_ms=ends,
                before_ms=int(self.remind_before * HOUR_MS),
                every_ms=int(self.remind_every * HOUR_MS),
                escalates=bool(others),
            ),
            escalate=tuple(one.token for one in others),
            mail=self.mail,
            open_link=self.link == "open",
            **rest,
        )


def asks(config: Mapping[str, Any], words: Words) -> str:
    """The second line of such a step's card."""
    if not config["title"]:
        return ""
    who = words.value(config["people"]) if config["people"] else "somebody"
    return f"Asks {who}: {words.value(config['title'])}"


def question_advice(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What works and yet is unwise, of every question."""
    found = []
    told = any(config.get(name) for name in ("remind_before", "remind_every", "escalate_to"))
    if not config.get("mail") and not mail_is_set_up():
        text = "No mail server is chosen: nobody gets a mail about this question. It is in the inbox only."
        if told or config.get("link") == "open":
            found.append(("mail", "no_mail", text))
    if config.get("remind_before") and not config.get("due") and not config.get("limit"):
        found.append(("remind_before", "no_due", "Without a due date there is nothing to remind of in time."))
    if config.get("escalate_to") and not config.get("due"):
        found.append(("escalate_to", "no_due", "Without a due date nobody else is ever asked."))
    return found


def mail_is_set_up() -> bool:
    """Whether this installation has a mail server for its own mail."""
    from runtime.ports import PORTS

    return PORTS.post is not None


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer. `id` is the way out that it takes; with `comment` whoever chooses it says why. `own`: `label` is the
    builder's name for it, and is shown as it is."""

    id: str
    label: str
    comment: bool = False
    own: bool = False

    def document(self) -> dict[str, JSON]:
        """The answer as a question keeps it."""
        found: dict[str, JSON] = {"id": self.id, "label": self.label, "comment": self.comment}
        return {**found, "own": True} if self.own else found


@dataclass(frozen=True, slots=True)
class Task:
    """A question to people.

    ``facts``: (label, value) pairs to decide by. ``warnings``: what to beware of. ``amount`` with its ``currency``:
    what it is about, for sums. ``people``: who may answer, as `Addressee.token` has it; empty: everybody in the
    workspace. ``barred``: e-mail addresses and `user:<id>` of those who may not, though asked. ``needs``: how many have
    to say the first of the choices; with ``everyone`` each of those who are asked then. ``admins``: whether admins may
    decide too. ``fields``: the questions of a form, as `FormField` documents. ``due_at_ms``: when it should be
    answered, ``ends_at_ms``: when the run goes on without. ``notices``: what is done meanwhile; ``escalate``: who is
    asked too when it is due. ``mail``: the connection for messages about it; ``open_link``: whether the link in them is
    enough to decide. ``reach``: who ``people`` are when it is asked. ``review``: the list that is to be looked through.
    """

    kind: TaskKind
    title: str
    text: str = ""
    facts: tuple[tuple[str, JSON], ...] = ()
    warnings: tuple[str, ...] = ()
    amount: JSON = None
    currency: str = ""
    people: tuple[str, ...] = ()
    needs: int = 1
    choices: tuple[Choice, ...] = ()
    fields: tuple[Mapping[str, Any], ...] = field(default=())
    barred: tuple[str, ...] = ()
    everyone: bool = False
    admins: bool = False
    due_at_ms: int | None = None
    ends_at_ms: int | None = None
    notices: tuple[Notice, ...] = ()
    escalate: tuple[str, ...] = ()
    mail: str = ""
    open_link: bool = False
    reach: tuple[Addressee, ...] = ()
    review: str = ""

    def document(self, notices: Sequence[Notice] = ()) -> dict[str, JSON]:
        """The question as it is kept."""
        found: dict[str, JSON] = {
            "text": self.text,
            "facts": [{"label": label, "value": as_table(value)} for label, value in self.facts],
            "amount": self.amount,
            "currency": self.currency,
            "needs": self.needs,
            "choices": [one.document() for one in self.choices],
            "fields": [dict(one) for one in self.fields],
        }
        seldom: dict[str, JSON] = {
            "warnings": list(dict.fromkeys(map(warning_line, self.warnings))),
            "everyone": self.everyone,
            "admins": self.admins,
            "mail": self.mail,
            "open_link": self.open_link,
            "escalate": list(self.escalate),
            "notices": [[one.at, one.kind] for one in notices],
            "review": self.review,
        }
        return found | {name: value for name, value in seldom.items() if value}

    def able(self) -> int:
        """How many people are asked and may decide; of no use where everybody is asked."""
        people = {one.email: one.id for group in self.reach for one in group.people}
        return sum(email not in self.barred and f"user:{who}" not in self.barred for email, who in people.items())


def people_of(text: str) -> tuple[str, ...]:
    """Who is named in a list with commas, each once: e-mail addresses in small letters, groups by name, `role:admin`.
    Raises PermanentError."""
    found: dict[str, str] = {}
    for part in text.replace(";", ",").replace("\n", ",").split(","):
        one = " ".join(part.split())
        if not one:
            continue
        if "@" in one:
            name, _, host = one.rpartition("@")
            if not name or not host or " " in one:
                raise PermanentError(
                    "This is no e-mail address", f"“{one[:100]}” names nobody: write addresses with commas.", "people"
                )
        elif len(one) > _LONGEST_NAME:
            raise PermanentError("This is no name", f"“{one[:100]}…” names nobody: no group is called so.", "people")
        lowered = one.lower()
        found.setdefault(lowered, lowered if "@" in one or lowered.startswith("role:") else one)
    if len(found) > _MOST_NAMED:
        raise PermanentError("Too many are named", f"At most {_MOST_NAMED} can be asked; use a group.", "people")
    return tuple(found.values())


def unknown_people(names: Sequence[str]) -> PermanentError:
    """Nobody here is called so. A question that goes to nobody, or to others than those named, must not be asked."""
    listed = ", ".join(f"“{name[:100]}”" for name in names[:5])
    return PermanentError(
        "Nobody here is called so",
        f"{listed}: this workspace has no such member, group or role. Correct the step, or what gives it the name.",
        "people_unknown",
    )


async def requester_of(named: str, context: Context) -> tuple[str, ...]:
    """Whoever asks for it, who may not decide: those who are named, who started the run, and who changed what it asks
    for. A rule that cannot be held to must not look as if it were. Raises PermanentError."""
    people = people_of(named)
    barred = (*people, *(one for one in await context.started_by() if one.startswith("user:")))
    if not barred or any("@" not in one for one in people):
        raise PermanentError(
            "Nobody knows who asks for it",
            "“Whoever asks for it may not decide” needs an e-mail address: no person started this run.",
            "requester_unknown",
        )
    return tuple(dict.fromkeys((*barred, *await context.changed_by())))


def starter_of(started_by: str) -> UUID | None:
    """The person who started a run, if it was one."""
    kind, _, who = started_by.partition(":")
    return UUID(who) if kind == "user" else None


def facts_of(facts: Sequence[Fact]) -> tuple[tuple[str, JSON], ...]:
    """The facts as a task keeps them."""
    return tuple((fact.name, fact.value) for fact in facts)

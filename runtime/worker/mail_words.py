"""The words of mail about questions, in the languages of the product."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runtime.interpreter.people import amount_text
from runtime.sdk.files import is_file

_LONGEST_SUBJECT: Final = 180

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "ask": "Please decide",
        "form": "Please answer",
        "review": "Please review",
        "release": "Please release",
        "send_back": "Sent back to you",
        "remind": "Reminder",
        "escalate": "Overdue",
        "hand_over": "Handed over to you",
        "stranded": "Nobody who is asked can decide",
        "amount": "Amount",
        "due": "Due",
        "ends": "Open until",
        "for": "You are asked for {name}, who is away.",
        "for_until": "You are asked for {name}, who is away until {day}.",
        "day": "%-d %B %Y",
        "inbox": "Decide in the inbox",
        "open": "Decide here",
        "why": "You get this because you are asked. Opening the link decides nothing. It is meant for you "
        "alone: do not pass it on.",
        "date": "%d %b %Y, %H:%M",
    },
    "de": {
        "ask": "Bitte entscheiden",
        "form": "Bitte beantworten",
        "review": "Bitte prüfen",
        "release": "Bitte freigeben",
        "send_back": "An Sie zurückgegeben",
        "remind": "Erinnerung",
        "escalate": "Überfällig",
        "hand_over": "An Sie übergeben",
        "stranded": "Niemand der Gefragten kann entscheiden",
        "amount": "Betrag",
        "due": "Fällig",
        "ends": "Offen bis",
        "for": "Sie sind für {name} gefragt: abwesend.",
        "for_until": "Sie sind für {name} gefragt: abwesend bis {day}.",
        "day": "%d.%m.%Y",
        "inbox": "Im Posteingang entscheiden",
        "open": "Hier entscheiden",
        "why": "Sie erhalten diese Nachricht, weil Sie gefragt sind. Den Link zu öffnen entscheidet nichts. Er ist nur "
        "für Sie bestimmt: Geben Sie ihn nicht weiter.",
        "date": "%d.%m.%Y, %H:%M",
    },
}


def subject(kind: str, task_kind: str, title: str, language: str) -> str:
    """One line: what it is, and what about."""
    words = words_of(language)
    name = task_kind if kind == "ask" and task_kind in ("form", "review") else kind
    line = f"{words[name]}: {title}"
    line = "".join(" " if ord(one) < 32 or one in "\x7f\x85\u2028\u2029" else one for one in line)
    return line if len(line) <= _LONGEST_SUBJECT else line[: _LONGEST_SUBJECT - 1] + "…"


def body(
    *,
    title: str,
    spec: Mapping[str, Any],
    due_at: int | None,
    ends_at: int | None,
    link: str,
    language: str,
    time_zone: str,
    in_place_of: tuple[str, str] | None = None,
) -> str:
    """The text: the question, the facts, until when, and the link. `in_place_of`: the name of who is away, and until
    which day, `2026-12-03`; empty where nobody knows."""
    words = words_of(language)
    lines = [title, ""]
    if in_place_of is not None:
        name, until = in_place_of
        day = date.fromisoformat(until).strftime(words["day"]) if until else ""
        lines += [words["for_until" if until else "for"].format(name=name, day=day), ""]
    if spec.get("text"):
        lines += [str(spec["text"]), ""]
    facts = [(str(fact["label"]), _text(fact["value"])) for fact in spec.get("facts") or ()]
    if amount := amount_text(spec.get("amount"), spec.get("currency") or ""):
        facts.insert(0, (words["amount"], amount))
    if due_at is not None:
        facts.append((words["due"], moment(due_at, language, time_zone)))
    if ends_at is not None and ends_at != due_at:
        facts.append((words["ends"], moment(ends_at, language, time_zone)))
    lines += [f"{label}: {value}" for label, value in facts]
    if facts:
        lines.append("")
    lines += [f"{words['open' if spec.get('open_link') else 'inbox']}:", link, "", words["why"], ""]
    return "\n".join(lines)


def moment(at_ms: int, language: str, time_zone: str) -> str:
    """An instant as people of that place write it, with the name of the time zone."""
    try:
        zone: Any = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = UTC
    when = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
    pattern = words_of(language)["date"]
    return f"{when.strftime(pattern)} {when.tzname() or ''}".strip()


def words_of(language: str) -> Mapping[str, str]:
    """The catalogue of this language, or the English one."""
    return _WORDS.get(language.partition("-")[0].lower(), _WORDS["en"])


def _text(value: Any) -> str:
    if isinstance(value, list) and value:
        return ", ".join(map(_text, value))
    if is_file(value):
        return str(value["name"])
    return "–" if value in (None, "") else str(value)

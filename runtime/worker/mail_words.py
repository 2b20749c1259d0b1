"""The words of mail about questions, in the languages of the product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from runtime.interpreter.people import amount_text
from runtime.sdk.fact_tables import table_of
from runtime.sdk.files import is_file

_LONGEST_SUBJECT: Final = 180

#: So many questions stand in a mail that lists them.
MOST_LISTED: Final = 50


class Listed(NamedTuple):
    """A question in a mail that lists several. `due_at`: in ms; `link`: to it."""

    title: str
    workflow: str
    due_at: int | None
    link: str


class Sent(NamedTuple):
    """Dead letters that somebody sent to whoever gets the mail: how many wait, of what they failed and in which
    workflow (empty where there are several), by whom they were sent, and what that person says."""

    number: int
    title: str
    workflow: str
    by: str
    note: str


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
        "warning": "Warning",
        "answers": "Answers",
        "more": "and {count} more",
        "more_columns": "{count} more columns",
        "more_columns_one": "1 more column",
        "approved": "Approve",
        "rejected": "Reject",
        "amount": "Amount",
        "due": "Due",
        "ends": "Open until",
        "for": "You are asked for {name}, who is away.",
        "for_until": "You are asked for {name}, who is away until {day}.",
        "list_one": "An open question while {name} is away",
        "list_other": "{count} open questions while {name} is away",
        "list_for": "You stand in for {name}, who is away.",
        "list_for_until": "You stand in for {name}, who is away until {day}.",
        "list_before": "These were open already when that began. You hear of each further one by itself.",
        "workflow": "Workflow",
        "list_more": "And {count} more. All of them are in the inbox:",
        "list_all": "All of them in the inbox:",
        "list_why": "You get this once, because you stand in. The links lead into the inbox, after signing in.",
        "sent_one": "A failed run for you",
        "sent_other": "{count} failed runs for you",
        "sent_by_one": "{name} sent you a failed run.",
        "sent_by_other": "{name} sent you {count} failed runs.",
        "sent_failed": "Failed of",
        "sent_note": "Note",
        "sent_open": "Look at them",
        "sent_why": "You get this once, because they were sent to your inbox. Nothing happens to them by itself. The "
        "link leads to them, after signing in.",
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
        "warning": "Warnung",
        "answers": "Antworten",
        "more": "und {count} weitere",
        "more_columns": "{count} weitere Spalten",
        "more_columns_one": "1 weitere Spalte",
        "approved": "Genehmigen",
        "rejected": "Ablehnen",
        "amount": "Betrag",
        "due": "Fällig",
        "ends": "Offen bis",
        "for": "Sie sind für {name} gefragt: abwesend.",
        "for_until": "Sie sind für {name} gefragt: abwesend bis {day}.",
        "list_one": "Eine offene Frage, während {name} abwesend ist",
        "list_other": "{count} offene Fragen, während {name} abwesend ist",
        "list_for": "Sie vertreten {name}: abwesend.",
        "list_for_until": "Sie vertreten {name}: abwesend bis {day}.",
        "list_before": "Diese Fragen waren schon offen, als das begann. Von jeder weiteren erfahren Sie einzeln.",
        "workflow": "Workflow",
        "list_more": "Und {count} weitere. Alle stehen im Eingang:",
        "list_all": "Alle im Eingang:",
        "list_why": "Sie erhalten diese Nachricht einmal, weil Sie vertreten. Die Links führen in den Eingang, "
        "nach der Anmeldung.",
        "sent_one": "Ein gescheiterter Lauf für Sie",
        "sent_other": "{count} gescheiterte Läufe für Sie",
        "sent_by_one": "{name} hat Ihnen einen gescheiterten Lauf geschickt.",
        "sent_by_other": "{name} hat Ihnen {count} gescheiterte Läufe geschickt.",
        "sent_failed": "Fehler",
        "sent_note": "Notiz",
        "sent_open": "Ansehen",
        "sent_why": "Sie erhalten diese Nachricht einmal, weil sie in Ihren Eingang geschickt wurden. Von selbst "
        "geschieht nichts mit ihnen. Der Link führt zu ihnen, nach der Anmeldung.",
        "day": "%d.%m.%Y",
        "inbox": "Im Eingang entscheiden",
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
    return _line(f"{words[name]}: {title}")


def _line(line: str) -> str:
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
    """The text: the question, what is warned of, the facts, until when, and the link. `in_place_of`: the name of who is
    away, and until which day, `2026-12-03`; empty where nobody knows."""
    words = words_of(language)
    lines = [title, ""]
    if in_place_of is not None:
        lines += [_away("for", in_place_of, words), ""]
    if spec.get("text"):
        lines += [str(spec["text"]), ""]
    if warnings := spec.get("warnings"):
        lines += [*(f"{words['warning']}: {one}" for one in warnings), ""]
    told = [(str(fact["label"]), fact["value"]) for fact in spec.get("facts") or ()]
    facts = [(label, _text(value)) for label, value in told if table_of(value) is None]
    tables = [(label, table) for label, value in told if (table := table_of(value)) is not None]
    if amount := amount_text(spec.get("amount"), spec.get("currency") or ""):
        facts.insert(0, (words["amount"], amount))
    if due_at is not None:
        facts.append((words["due"], moment(due_at, language, time_zone)))
    if ends_at is not None and ends_at != due_at:
        facts.append((words["ends"], moment(ends_at, language, time_zone)))
    lines += [f"{label}: {value}" for label, value in facts]
    for label, table in tables:
        lines += ["", f"{label}:", *_rows(table, words)]
    if facts or tables:
        lines.append("")
    choices = spec.get("choices") or ()
    if any(one.get("own") for one in choices):
        usual = {one: words[one] for one in ("approved", "rejected")}
        names = [one["label"] if one.get("own") else usual.get(one["id"], one["label"]) for one in choices]
        lines += [f"{words['answers']}: {' · '.join(names)}", ""]
    lines += [f"{words['open' if spec.get('open_link') else 'inbox']}:", link, "", words["why"], ""]
    return "\n".join(lines)


def _rows(table: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    """A line for each row of a table, and one for how much is not shown. Empty cells are left out."""
    names = [str(column["name"]) for column in table["columns"]]
    lines = [
        "- " + ("; ".join(f"{name}: {cell}" for name, cell in zip(names, row, strict=True) if cell) or "–")
        for row in table["rows"]
    ]
    more = [
        words[kind if kind == "more" or table[kind] > 1 else f"{kind}_one"].format(count=table[kind])
        for kind in ("more", "more_columns")
        if table[kind]
    ]
    return [*lines, " · ".join(more)] if more else lines


def list_subject(absent: str, count: int, language: str) -> str:
    """One line: how many questions are open, and who is away."""
    return _line(words_of(language)["list_one" if count == 1 else "list_other"].format(count=count, name=absent))


def list_body(listed: Sequence[Listed], absent: tuple[str, str], *, inbox: str, language: str, time_zone: str) -> str:
    """The text: who is away, `absent` as in `body`, and each question with its workflow, when it is due, and its link;
    at most MOST_LISTED of them. `inbox`: where all of them are."""
    words = words_of(language)
    lines = [_away("list_for", absent, words), words["list_before"], ""]
    for one in listed[:MOST_LISTED]:
        lines.append(_line(one.title))
        if one.workflow:
            lines.append(f"  {words['workflow']}: {_line(one.workflow)}")
        if one.due_at is not None:
            lines.append(f"  {words['due']}: {moment(one.due_at, language, time_zone)}")
        lines += [f"  {one.link}", ""]
    more = len(listed) - MOST_LISTED
    lines.append(words["list_more"].format(count=more) if more > 0 else words["list_all"])
    return "\n".join([*lines, inbox, "", words["list_why"], ""])


def sent_subject(sent: Sent, language: str) -> str:
    """One line: how many failed runs, and of what."""
    said = words_of(language)["sent_one" if sent.number == 1 else "sent_other"].format(count=sent.number)
    about = ": ".join(one for one in (sent.workflow, sent.title) if one)
    return _line(f"{said}: {about}" if about else said)


def sent_body(sent: Sent, *, link: str, in_place_of: tuple[str, str] | None, language: str) -> str:
    """The text: who sent them, of what they failed, the note, and where they are. `in_place_of`: as in `body`."""
    words = words_of(language)
    lines = []
    if in_place_of is not None:
        lines += [_away("list_for", in_place_of, words), ""]
    by = words["sent_by_one" if sent.number == 1 else "sent_by_other"]
    lines += [_line(by.format(name=sent.by, count=sent.number)), ""]
    facts = ((words["workflow"], sent.workflow), (words["sent_failed"], sent.title))
    lines += [_line(f"{label}: {value}") for label, value in facts if value]
    if sent.note:
        lines.append(f"{words['sent_note']}: {sent.note}")
    return "\n".join([*lines, "", f"{words['sent_open']}:", link, "", words["sent_why"], ""])


def _away(kind: str, absent: tuple[str, str], words: Mapping[str, str]) -> str:
    name, until = absent
    day = date.fromisoformat(until).strftime(words["day"]) if until else ""
    return words[f"{kind}_until" if until else kind].format(name=name, day=day)


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

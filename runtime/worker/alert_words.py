"""The words of alerts, in the languages of the product: one line for each, a title for all, a mail around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from runtime.worker.mail_words import moment

__all__ = ["line", "lines", "mail", "title"]

_LONGEST_TITLE: Final = 180
#: So many are told one by one.
MOST_LINES: Final = 30

_EN: Final[Mapping[str, str]] = {
    "all": "all workflows",
    "removed": "a removed workflow",
    "any_connection": "all connections",
    "alert": "Alert",
    "recovered": "Over",
    "test": "Test",
    "failure_rate": "{what}: {value} of runs failed ({part} of {whole} in {minutes}; limit {limit})",
    "duplicate_rate": "{what}: {value} of deliveries had come before ({part} of {whole} in {minutes}; limit {limit})",
    "failed_runs": "{what}: {value} failed runs in {minutes} (limit {limit})",
    "dead_letters": "{what}: {value} new dead letters in {minutes} (limit {limit})",
    "stuck_runs": "{what}: {value} runs stand still for more than {minutes} (limit {limit})",
    "p95": "{what}: 95 of 100 runs took up to {value} from start to end ({whole} runs in {minutes}; limit {limit})",
    "queue_age": "Runs wait for a worker for {value} ({whole} wait; limit {limit})",
    "no_workers": "No workers have been running for {minutes}. Runs wait; nothing is lost.",
    "connection_errors": "{connection}: {value} failed calls in {minutes} (limit {limit})",
    "arrival": "{what}: nothing came by {by}",
    "over.failure_rate": "{what}: the failure rate is {value} again (limit {limit})",
    "over.duplicate_rate": "{what}: the share of duplicates is {value} again (limit {limit})",
    "over.failed_runs": "{what}: {value} failed runs in {minutes} (limit {limit})",
    "over.dead_letters": "{what}: {value} new dead letters in {minutes} (limit {limit})",
    "over.stuck_runs": "{what}: {value} runs stand still (limit {limit})",
    "over.p95": "{what}: 95 of 100 runs take up to {value} again (limit {limit})",
    "over.queue_age": "Runs wait for a worker for {value} (limit {limit})",
    "over.no_workers": "Workers are running again: {value}",
    "over.connection_errors": "{connection}: {value} failed calls in {minutes} (limit {limit})",
    "over.arrival": "{what}: what was expected by {by} has come",
    "muted": "; {count} more of muted groups not counted",
    "test.line": "This is a test of the channel “{channel}”. Nothing is wrong.",
    "test.title": "Millrace can reach you here",
    "unknown": "too few to say",
    "many": "{count} alerts",
    "mixed": "{count} alerts, {over} of them over",
    "ended": "{count} alerts are over",
    "more": "and {count} more, which stand on the page",
    "link": "See all alerts:",
    "why": "You get this because an alert of the workspace “{workspace}” tells you.",
    "minute": "1 minute",
    "minutes": "{count} minutes",
    "hour": "1 hour",
    "hours": "{count} hours",
    "second": "{count} s",
    "decimal": ".",
}
_DE: Final[Mapping[str, str]] = {
    "all": "Alle Abläufe",
    "removed": "Ein entfernter Ablauf",
    "any_connection": "Alle Verbindungen",
    "alert": "Alarm",
    "recovered": "Vorbei",
    "test": "Test",
    "failure_rate": "{what}: {value} der Läufe sind gescheitert ({part} von {whole} in {minutes}; Grenze {limit})",
    "duplicate_rate": "{what}: {value} der Zustellungen waren schon da ({part} von {whole} in {minutes}; Grenze "
    "{limit})",
    "failed_runs": "{what}: {value} gescheiterte Läufe in {minutes} (Grenze {limit})",
    "dead_letters": "{what}: {value} neue ungelöst Gescheiterte in {minutes} (Grenze {limit})",
    "stuck_runs": "{what}: {value} Läufe sitzen seit mehr als {minutes} fest (Grenze {limit})",
    "p95": "{what}: 95 von 100 Läufen dauerten bis zu {value} von Start bis Ende ({whole} Läufe in {minutes}; Grenze "
    "{limit})",
    "queue_age": "Läufe warten seit {value} auf einen Worker ({whole} warten; Grenze {limit})",
    "no_workers": "Seit {minutes} laufen keine Worker. Läufe warten; nichts geht verloren.",
    "connection_errors": "{connection}: {value} fehlgeschlagene Aufrufe in {minutes} (Grenze {limit})",
    "arrival": "{what}: Bis {by} ist nichts gekommen",
    "over.failure_rate": "{what}: Die Fehlerquote ist wieder {value} (Grenze {limit})",
    "over.duplicate_rate": "{what}: Der Anteil der Duplikate ist wieder {value} (Grenze {limit})",
    "over.failed_runs": "{what}: {value} gescheiterte Läufe in {minutes} (Grenze {limit})",
    "over.dead_letters": "{what}: {value} neue ungelöst Gescheiterte in {minutes} (Grenze {limit})",
    "over.stuck_runs": "{what}: {value} Läufe sitzen fest (Grenze {limit})",
    "over.p95": "{what}: 95 von 100 Läufen dauern wieder bis zu {value} (Grenze {limit})",
    "over.queue_age": "Läufe warten {value} auf einen Worker (Grenze {limit})",
    "over.no_workers": "Es laufen wieder Worker: {value}",
    "over.connection_errors": "{connection}: {value} fehlgeschlagene Aufrufe in {minutes} (Grenze {limit})",
    "over.arrival": "{what}: Was bis {by} erwartet wurde, ist gekommen",
    "muted": "; {count} weitere aus stummen Gruppen nicht gezählt",
    "test.line": "Das ist ein Test des Kanals „{channel}“. Es ist alles in Ordnung.",
    "test.title": "Millrace erreicht Sie hier",
    "unknown": "zu wenige für eine Aussage",
    "many": "{count} Alarme",
    "mixed": "{count} Alarme, davon {over} vorbei",
    "ended": "{count} Alarme sind vorbei",
    "more": "und {count} weitere, die auf der Seite stehen",
    "link": "Alle Alarme:",
    "why": "Sie erhalten diese Nachricht, weil ein Alarm des Arbeitsbereichs „{workspace}“ Sie nennt.",
    "minute": "1 Minute",
    "minutes": "{count} Minuten",
    "hour": "1 Stunde",
    "hours": "{count} Stunden",
    "second": "{count} s",
    "decimal": ",",
}
_RATES: Final = frozenset({"failure_rate", "duplicate_rate"})
_TIMES: Final = frozenset({"p95", "queue_age"})


def title(told: Sequence[tuple[str, Mapping[str, Any]]], language: str) -> str:
    """One line for what goes out together: (kind, facts) of each."""
    words = _words(language)
    if len(told) == 1:
        kind, facts = told[0]
        said = words["test.title"] if kind == "test" else _said(kind, facts, language)
        text = f"{words[kind]}: {said}"
    else:
        over = sum(kind == "recovered" for kind, _ in told)
        name = "many" if over == 0 else "ended" if over == len(told) else "mixed"
        text = words[name].format(count=len(told), over=over)
        if workspace := str(told[0][1].get("workspace") or ""):
            text += f" · {workspace}"
    text = "".join(one if one.isprintable() else " " for one in text)
    return text if len(text) <= _LONGEST_TITLE else text[: _LONGEST_TITLE - 1] + "…"


def line(kind: str, facts: Mapping[str, Any], language: str, time_zone: str) -> str:
    """What happened, and when."""
    words = _words(language)
    if kind == "test":
        return _format(words["test.line"], {"channel": facts.get("channel", "")})
    when = moment(int(facts["at"]), language, time_zone)
    return f"{words[kind]}: {_said(kind, facts, language)} · {when}"


def lines(told: Sequence[tuple[str, Mapping[str, Any]]], language: str, time_zone: str) -> list[str]:
    """What happened, one line each, and how many more."""
    found = [line(kind, facts, language, time_zone) for kind, facts in told[:MOST_LINES]]
    if len(told) > MOST_LINES:
        found.append(_words(language)["more"].format(count=len(told) - MOST_LINES))
    return found


def mail(said: Sequence[str], workspace: str, link: str, language: str) -> str:
    """The text of a mail."""
    words = _words(language)
    parts = [*said, ""]
    if link:
        parts += [words["link"], link, ""]
    return "\n".join([*parts, _format(words["why"], {"workspace": workspace}), ""])


def _said(kind: str, facts: Mapping[str, Any], language: str) -> str:
    words = _words(language)
    rule, measure = facts["rule"], facts["measure"]
    name = str(rule["kind"])
    pattern = words[f"over.{name}" if kind == "recovered" else name]
    what = str(facts.get("workflow") or "")
    if not what:
        what = words["all" if rule.get("workflow_id") is None else "removed"]
    value = measure.get("value")
    said = _format(
        pattern,
        {
            "what": what,
            "connection": str(facts.get("connection") or "") or words["any_connection"],
            "value": words["unknown"] if value is None else _number(name, float(value), words),
            "limit": _number(name, float(rule["limit"]), words),
            "part": _plain(float(measure.get("part") or 0), words),
            "whole": _plain(float(measure.get("whole") or 0), words),
            "minutes": _time(int(rule["minutes"]), words),
            "by": str((rule.get("arrival") or {}).get("by", "")),
        },
    )
    muted = int(measure.get("muted") or 0)
    return said + words["muted"].format(count=muted) if muted else said


def _format(pattern: str, values: Mapping[str, str]) -> str:
    """Put the values in, once: what people named something may look like a place for another value."""
    return pattern.format_map(dict(values))


def _number(kind: str, value: float, words: Mapping[str, str]) -> str:
    if kind in _RATES:
        return f"{_plain(value, words)} %"
    if kind in _TIMES:
        if value >= 120:
            return _time(round(value / 60), words)
        return words["second"].format(count=_plain(value, words))
    return _plain(value, words)


def _plain(value: float, words: Mapping[str, str]) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace(".", words["decimal"])


def _time(minutes: int, words: Mapping[str, str]) -> str:
    if minutes >= 60 and minutes % 60 == 0:
        hours = minutes // 60
        return words["hour"] if hours == 1 else words["hours"].format(count=hours)
    return words["minute"] if minutes == 1 else words["minutes"].format(count=minutes)


def _words(language: str) -> Mapping[str, str]:
    return _DE if language.partition("-")[0].lower() == "de" else _EN

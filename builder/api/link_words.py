"""The words of the page behind the link of a mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from builder.api.languages import in_language

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "language": "en",
        "title": "A question to you",
        "unknown": "This link is not known. Open the one in the mail anew, or look into your inbox.",
        "sign_in": "This question is answered in the inbox, after signing in.",
        "inbox": "To the inbox",
        "gone": "This link was made for somebody who is no member any more.",
        "decided": "This has been decided.",
        "said": "You have answered; others are still asked.",
        "said_for": "Somebody has answered in your place; others are still asked.",
        "others": "Others see to this now. Look into your inbox.",
        "pending": "This is being decided right now. Look again in a few seconds.",
        "late": "The time for this is over: the run went on without an answer.",
        "over": "The time for this is over: nobody answered in time.",
        "cancelled": "The run has ended or gone on: nobody needs an answer any more.",
        "anew": "This question is over: somebody has gone on with the run, which asks anew where it needs to.",
        "see_anew": "To the new question",
        "warnings_one": "Warning",
        "warnings_other": "Warnings",
        "more_one": "and 1 more",
        "more_other": "and {count} more",
        "more_columns_one": "1 more column",
        "more_columns_other": "{count} more columns",
        "comment": "Comment",
        "comment_needed": "A no needs a word why.",
        "say_why": "Say why, in a few words.",
        "as": "You answer as {email}.",
        "for": "You are asked for {name}, who is away.",
        "by_for": "{by} for {name}",
        "choice_approved": "Approve",
        "choice_rejected": "Reject",
        "said_approved": "Approved",
        "said_rejected": "Rejected",
    },
    "de": {
        "language": "de",
        "title": "Eine Frage an Sie",
        "unknown": "Diesen Link gibt es nicht. Öffnen Sie den aus der Nachricht noch einmal, oder sehen Sie im "
        "Eingang nach.",
        "sign_in": "Diese Frage wird im Eingang beantwortet, nach der Anmeldung.",
        "inbox": "Zum Eingang",
        "gone": "Dieser Link war für jemanden bestimmt, der nicht mehr Mitglied ist.",
        "decided": "Das ist entschieden.",
        "said": "Sie haben geantwortet; andere sind noch gefragt.",
        "said_for": "Jemand hat an Ihrer Stelle geantwortet; andere sind noch gefragt.",
        "others": "Andere kümmern sich jetzt darum. Sehen Sie im Eingang nach.",
        "pending": "Das wird gerade entschieden. Sehen Sie in ein paar Sekunden noch einmal nach.",
        "late": "Die Zeit dafür ist um: Der Lauf ging ohne Antwort weiter.",
        "over": "Die Zeit dafür ist um: Niemand hat rechtzeitig geantwortet.",
        "cancelled": "Der Lauf ist zu Ende oder weitergegangen: Niemand braucht mehr eine Antwort.",
        "anew": "Diese Frage ist hinfällig: Jemand hat den Lauf fortgesetzt, und er fragt neu, wo er es braucht.",
        "see_anew": "Zur neuen Frage",
        "warnings_one": "Warnung",
        "warnings_other": "Warnungen",
        "more_one": "und 1 weitere",
        "more_other": "und {count} weitere",
        "more_columns_one": "1 weitere Spalte",
        "more_columns_other": "{count} weitere Spalten",
        "comment": "Kommentar",
        "comment_needed": "Ein Nein braucht eine Begründung.",
        "say_why": "Sagen Sie in wenigen Worten, warum.",
        "as": "Sie antworten als {email}.",
        "for": "Sie sind für {name} gefragt: abwesend.",
        "by_for": "{by} für {name}",
        "choice_approved": "Genehmigen",
        "choice_rejected": "Ablehnen",
        "said_approved": "Genehmigt",
        "said_rejected": "Abgelehnt",
    },
}


def words_of(language: str) -> Mapping[str, str]:
    """The catalogue of this language, or the English one."""
    return in_language(_WORDS, language.partition(",")[0])

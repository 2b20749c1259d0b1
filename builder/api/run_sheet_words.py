"""The words of the sheet that a list of runs is kept as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from builder.api.languages import in_language

__all__ = ["words_in"]

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "status": "Status", "key": "Key", "run": "Run", "tags": "Tags", "workflow": "Workflow", "version": "Version",
        "step": "Step", "reason": "Reason", "started": "Started ({zone})", "finished": "Ended ({zone})",
        "duration": "Duration (s)", "who": "Started by", "currency": "{field}: currency", "test": "test",
        "cut": "There are more than {number} runs. The others are not in this file: export a narrower search.",
        "accepted": "Accepted", "running": "Running", "waiting_timer": "Waiting", "waiting_event": "Waiting",
        "waiting_human": "Waiting for somebody", "parked": "Waiting", "compensating": "Undoing", "completed": "Done",
        "compensated": "Undone", "cancelled": "Cancelled", "dead_lettered": "Failed",
        "webhook": "Webhook", "schedule": "Schedule", "api": "API", "run_by": "Workflow",
    },
    "de": {
        "status": "Status", "key": "Schlüssel", "run": "Lauf", "tags": "Schlagwörter", "workflow": "Workflow",
        "version": "Version", "step": "Schritt", "reason": "Grund", "started": "Begonnen ({zone})",
        "finished": "Beendet ({zone})", "duration": "Dauer (s)", "who": "Gestartet von",
        "currency": "{field}: Währung", "test": "Test",
        "cut": "Es gibt mehr als {number} Läufe. Die anderen stehen nicht in dieser Datei: engere Suche exportieren.",
        "accepted": "Angenommen", "running": "Läuft", "waiting_timer": "Wartet", "waiting_event": "Wartet",
        "waiting_human": "Wartet auf jemanden", "parked": "Wartet", "compensating": "Wird rückgängig gemacht",
        "completed": "Fertig", "compensated": "Rückgängig gemacht", "cancelled": "Abgebrochen",
        "dead_lettered": "Gescheitert",
        "webhook": "Webhook", "schedule": "Zeitplan", "api": "API", "run_by": "Workflow",
    },
}  # fmt: skip


def words_in(language: str) -> Mapping[str, str]:
    """In this language, or in English."""
    return in_language(_WORDS, language)

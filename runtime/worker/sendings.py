"""Dead letters that were sent to somebody are with nobody any more when none of them waits for a decision, and when
nobody is there who could see them.

What is under way again is not over: should it fail once more, it is with whoever had it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import ClassVar, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from runtime.interpreter.letters import has_open
from runtime.ports import PORTS
from runtime.store import sendings as store
from runtime.store.commits import commit
from runtime.store.dialect import database_now, queue_up
from runtime.store.models import LetterSending, Run, SentLetter

__all__ = ["Sendings"]

_POINT: Final = "deadletter.send"


class Sendings:
    """Looks what is over; remembers when it looked, and nothing else."""

    #: Between two looks.
    period_seconds: ClassVar[float] = 5.0

    def __init__(self) -> None:
        self._next = 0.0

    def look(self) -> int:
        """End what is over where it is time to look; how many those were."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + self.period_seconds
        there = LetterSending.objects.filter(ended_at__isnull=True)
        settled = [_end(one, "settled") for one in _settled(there).values_list("workspace_id", "pk")]
        return sum(settled) + sum(_end(one, "left") for one in _left(there))


def _settled(rows: QuerySet[LetterSending]) -> QuerySet[LetterSending]:
    """Those of which nothing waits, and nothing is under way."""
    under_way = Run.objects.filter(pk=OuterRef("run_id"), finished_at__isnull=True)
    going = SentLetter.objects.filter(Exists(under_way), sending_id=OuterRef("pk"))
    return rows.exclude(
        pk__in=has_open(LetterSending.objects.all()).filter(ended_at__isnull=True).values("pk")
    ).exclude(Exists(going))


def _left(rows: QuerySet[LetterSending]) -> list[tuple[UUID, UUID]]:
    """Those that came to somebody who has left, or to a group of nobody."""
    tokens: defaultdict[UUID, set[str]] = defaultdict(set)
    found = list(rows.values_list("workspace_id", "pk", "to"))
    for workspace_id, _, to in found:
        tokens[workspace_id].add(to)
    here = {
        workspace_id: {
            one.token for one in PORTS.people.known(workspace_id=workspace_id, tokens=sorted(wanted)) if one.people
        }
        for workspace_id, wanted in tokens.items()
    }
    return [(workspace_id, pk) for workspace_id, pk, to in found if to not in here[workspace_id]]


def _end(which: tuple[UUID, UUID], how: str) -> bool:
    workspace_id, sending_id = which
    with commit(_POINT):
        queue_up(workspace_id)
        rows = LetterSending.objects.filter(pk=sending_id, ended_at__isnull=True)
        # Something may have failed again since it was looked at.
        if how == "settled" and not _settled(rows).exists():
            return False
        return store.end(sending_id, how, None, database_now())

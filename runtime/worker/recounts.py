"""Questions whose people have changed: counted anew against those who can still decide.

Who leaves, leaves in a commit of its own, which knows nothing of questions. So they are looked for: all that are open
in a workspace whenever its list of people is another than at the last look, and at the first look of a process, and
else those that were put shortly before. What a crash leaves undone is found by the next look, whoever takes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from runtime.contracts.people import Person
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.interpreter.counting import able, approval, count
from runtime.interpreter.people import tokens
from runtime.interpreter.stand_ins import letter
from runtime.ports import PORTS
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanMail, HumanNote, HumanTask, HumanVote, Run
from runtime.store.pauses import due_unless_stopped
from runtime.store.trail import said

_PERIOD_MS: Final = 2_000
#: A question may be put a while after those were looked up whom it goes to.
_OVERLAP_MS: Final = 60_000
_AT_ONCE: Final = 500
#: Mail about this is numbered behind all notices, and behind what was handed over.
_BEHIND_OTHERS: Final = 1_000_000
_MOST_MAILS: Final = 500


class Recounts:
    """Remembers which people there were at the last look: a cache, which a new process does without."""

    def __init__(self) -> None:
        self._marks: dict[UUID, str] = {}
        self._looked_at = 0

    def look(self) -> list[UUID]:
        """Count anew what may stand otherwise; the runs that go on by that."""
        now = database_now()
        if now - self._looked_at < _PERIOD_MS:
            return []
        since, self._looked_at = self._looked_at - _OVERLAP_MS, now
        chosen = HumanTask.objects.filter(status="open").exclude(kind="exception")
        found = []
        for workspace_id in list(chosen.order_by().values_list("workspace_id", flat=True).distinct()):
            mark = PORTS.people.mark(workspace_id=workspace_id)
            if mark is None:
                continue
            tasks = chosen.filter(workspace_id=workspace_id)
            if self._marks.get(workspace_id) == mark:
                # By the time in their ids, which are in the index.
                tasks = tasks.filter(id__gt=UUID(int=max(0, since) << 80))
            # Kept only when all is done: what fails half-way is looked at again.
            found += [run for run in _recounted(workspace_id, tasks) if run is not None]
            self._marks[workspace_id] = mark
        return found


def _recounted(workspace_id: UUID, tasks: QuerySet[HumanTask]) -> Iterator[UUID | None]:
    known: dict[tuple[str, str, str], set[str]] = {}
    here = {person.id for person in _people(workspace_id, [])}
    last = UUID(int=0)
    while True:
        rows = list(tasks.filter(id__gt=last).order_by("id")[:_AT_ONCE])
        votes = defaultdict(list)
        for vote in HumanVote.objects.filter(task_id__in=[row.id for row in rows]):
            votes[vote.task_id].append(vote)
        for row in rows:
            key = row.people, row.barred, row.away
            if key not in known:
                known[key] = set(able(row))
            if _differs(row, votes[row.id], known[key], here):
                yield recount(row.id)
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].id


def _differs(row: HumanTask, votes: list[HumanVote], able: set[str], here: set[UUID | None]) -> bool:
    spec: Any = loads_stored(row.spec)
    found = count(row.kind, spec, votes, able)
    left = row.claimed_by is not None and row.claimed_by not in here
    counts = found.needs != int(spec.get("needs", 1)) and row.kind == "approval"
    return found.decided or left or counts or found.stranded != (row.stranded_at is not None)


def recount(task_id: UUID) -> UUID | None:
    """Count one question anew; the run that goes on by that."""
    with commit("human.recount"):
        run_id = HumanTask.objects.values_list("run_id", flat=True).get(pk=task_id)
        # In the order in which a driver locks them.
        run = Run.objects.select_for_update().filter(pk=run_id, finished_at__isnull=True).first()
        row = HumanTask.objects.select_for_update().get(pk=task_id)
        if run is None or row.status != "open" or run.cancel_requested_at is not None:
            return None
        now = database_now()
        if row.is_too_late(now):
            return None
        spec: Any = loads_stored(row.spec)
        votes = list(HumanVote.objects.filter(task_id=task_id).order_by("at", "voter"))
        # Within the lock: a vote that is counted elsewhere meanwhile sees the same people, or this sees the vote.
        found = count(row.kind, spec, votes, able(row))
        changes: dict[str, Any] = {}
        if row.claimed_by is not None and row.claimed_by not in {one.id for one in _people(row.workspace_id, [])}:
            changes |= {"claimed_by": None, "claimed_name": ""}
            _note(task_id, "give_back", now, to=row.claimed_name)
        if row.kind == "approval" and found.needs != int(spec.get("needs", 1)):
            changes["spec"] = dumps({**spec, "needs": found.needs})
        if found.decided:
            outcome = spec["choices"][0]["id"]
            answer = dumps(approval(spec, outcome, votes[-1].comment, votes))
            changes |= {"status": "decided", "closed_at": now, "outcome": outcome, "answer": answer}
            _note(task_id, "recount", now)
            told = said("decide", "millrace", node=row.node_id, outcome=outcome, decided=True, attempts=[])
            Run.objects.filter(pk=run_id).update(change=told, wake_at=due_unless_stopped(now), claims=0)
        elif found.stranded and row.stranded_at is None:
            changes["stranded_at"] = now
            _note(task_id, "stranded", now)
            if spec.get("mail") or PORTS.post is not None:
                _tell_admins(row, now)
        elif not found.stranded and row.stranded_at is not None:
            changes["stranded_at"] = None
        if changes:
            HumanTask.objects.filter(pk=task_id).update(**changes)
    return run_id if found.decided else None


def _tell_admins(row: HumanTask, now: int) -> None:
    number = _BEHIND_OTHERS + HumanNote.objects.filter(task_id=row.id).count()
    out = {*tokens(row.barred)}
    rows = (
        letter(one.email.lower(), one, task_id=row.id, number=number, kind="stranded", due_at=now, created_at=now)
        for one in _people(row.workspace_id, ["role:admin"])
        if one.email.lower() not in out and f"user:{one.id}" not in out
    )
    HumanMail.objects.bulk_create(islice(rows, _MOST_MAILS), ignore_conflicts=True)


def _people(workspace_id: UUID, wanted: list[str]) -> list[Person]:
    found = PORTS.people.known(workspace_id=workspace_id, tokens=wanted)
    return [person for one in found for person in one.people]


def _note(task_id: UUID, kind: str, now: int, *, to: str = "") -> None:
    HumanNote.objects.create(id=uuid7(), task_id=task_id, kind=kind, at=now, by="", to=to[:1000])

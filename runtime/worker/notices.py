"""What is due of open questions: to tell those who are asked, to remind them, to ask others too.

Each notice is carried out in one commit with the mail it causes, which counts it: once, whoever tries, and never early
by the database's clock (I18). Nothing here sends anything; that is `post.py`.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.people import listed, tokens
from runtime.interpreter.question_mail import write_mail
from runtime.ports import PORTS
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanNote, HumanTask
from runtime.store.people import in_time

_MOST_AT_ONCE: Final = 100


def carry_out_due() -> int:
    """Carry out what is due; how many notices that were."""
    now = database_now()
    # Nobody is to be called to what they cannot answer any more.
    due = HumanTask.objects.filter(in_time(now), status="open", notice_at__lte=now).order_by("notice_at")
    return sum(carry_out(task_id) for task_id in due.values_list("id", flat=True)[:_MOST_AT_ONCE])


def carry_out(task_id: UUID) -> bool:
    """Carry out the notice of this question that is due; False where somebody has, or it is not due any more."""
    row = HumanTask.objects.filter(pk=task_id).first()
    if row is None or not _is_due(row):
        return False
    spec: Any = loads_stored(row.spec)
    notices: list[list[Any]] = spec["notices"]
    number = _newest(notices, row.notices, database_now())
    kind = notices[number][1]
    # Asked before the transaction: who people are is for others to know.
    others = PORTS.people.known(workspace_id=row.workspace_id, tokens=spec["escalate"]) if kind == "escalate" else ()
    told = (
        others if kind == "escalate" else PORTS.people.known(workspace_id=row.workspace_id, tokens=tokens(row.people))
    )
    people = {person.email.lower(): person for one in told for person in one.people}
    # Whoever stands in for somebody does so for what that person is asked by name.
    named = {one.token.lower() for one in told if "@" in one.token}
    with commit("human.notice"):
        now = database_now()
        locked = HumanTask.objects.select_for_update().get(pk=task_id)
        if not _is_due(locked) or locked.notices != row.notices:
            return False
        changes: dict[str, Any] = {
            "notices": number + 1,
            "notice_at": notices[number + 1][0] if number + 1 < len(notices) else None,
        }
        if kind == "remind":
            changes["reminded_at"] = now
        elif kind == "escalate":
            changes["escalated_at"] = now
            if locked.people:
                joined = dict.fromkeys([*tokens(locked.people), *(one.token for one in others)])
                changes["people"] = listed(joined)
            labels = ", ".join(one.label for one in others)[:1000]
            HumanNote.objects.create(id=uuid7(), task_id=task_id, kind="escalate", at=now, to=labels)
        HumanTask.objects.filter(pk=task_id).update(**changes)
        if spec.get("mail") or PORTS.post is not None:
            write_mail(locked, number, kind, people, named, now)
    return True


def _is_due(row: HumanTask) -> bool:
    now = database_now()
    return row.status == "open" and not row.is_too_late(now) and row.notice_at is not None and row.notice_at <= now


def _newest(notices: list[list[Any]], number: int, now: int) -> int:
    """Of several reminders that are due, after a time when nobody looked, the last."""
    while number + 1 < len(notices) and notices[number + 1][0] <= now and notices[number][1] == "remind":
        if notices[number + 1][1] != "remind":
            break
        number += 1
    return number

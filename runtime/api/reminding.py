"""A reminder that somebody asks for: a mail now to those whose answer a question waits for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from runtime.api.tasks import row_of
from runtime.contracts import AlreadyDecided, Person, RuntimeRefused, Voter
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.people import tokens
from runtime.interpreter.question_mail import write_mail
from runtime.ports import PORTS
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanNote, HumanTask

__all__ = ["remind"]

_MINUTE_MS: Final = 60_000
#: Those who are asked are not written to more often because somebody is impatient.
REMIND_EVERY_MS: Final = 60 * _MINUTE_MS


def remind(*, workspace_id: UUID, task_id: UUID, voter: Voter) -> int:
    """Write to those who are asked and have not answered, now; to how many. `voter`: who wants it.

    Raises NotFound, AlreadyDecided, RuntimeRefused (`no_mail`: nothing is set up to send it; `reminded_lately`: within
    the last hour, `minutes` until it can be again; `nobody_to_remind`)."""
    row = row_of(workspace_id, task_id)
    spec: Any = loads_stored(row.spec)
    if not spec.get("mail") and PORTS.post is None:
        raise RuntimeRefused("No mail is set up here to remind anybody with.", code="no_mail")
    # Asked before the transaction: who people are is for others to know.
    known = [
        (one.token, _able(row, one.people))
        for one in PORTS.people.known(workspace_id=workspace_id, tokens=tokens(row.people))
    ]
    with commit("human.notice"):
        locked = HumanTask.objects.select_for_update().get(pk=task_id)
        # Whoever waited for the row is later than whoever had it.
        now = database_now()
        if locked.status != "open" or locked.is_too_late(now):
            raise AlreadyDecided("Nobody is asked this any more.")
        if locked.reminded_at is not None and now - locked.reminded_at < REMIND_EVERY_MS:
            left = -(-(locked.reminded_at + REMIND_EVERY_MS - now) // _MINUTE_MS)
            raise RuntimeRefused(
                f"They were reminded within the last hour. It can be done again in {left} min.",
                code="reminded_lately",
                minutes=left,
            )
        # Who has handed it over meanwhile is not asked any more; whoever it went to has been told just now.
        asked = {token.lower() for token in tokens(locked.people)}
        people = {
            one.email.lower(): one for token, able in known if not asked or token.lower() in asked for one in able
        }
        # Whoever stands in for somebody does so for what that person is asked by name.
        named = {token for token in asked if "@" in token}
        # Behind the numbers of all notices, and of all mail about handing over: by the minute.
        count = write_mail(locked, now // _MINUTE_MS, "remind", people, named, now)
        if not count:
            raise RuntimeRefused("There is nobody with an address to remind.", code="nobody_to_remind")
        HumanTask.objects.filter(pk=task_id).update(reminded_at=now)
        HumanNote.objects.create(
            id=uuid7(), task_id=task_id, kind="remind", at=now, by=voter.name[:200], by_id=voter.id, to="", text=""
        )
    return count


def _able(row: HumanTask, people: Iterable[Person]) -> list[Person]:
    """Those of these people who may decide it: what becomes of a failure is asked of all who may retry runs."""
    if row.kind != "exception":
        return list(people)
    voters = ((one, PORTS.people.voter(workspace_id=row.workspace_id, email=one.email)) for one in people)
    return [one for one, voter in voters if voter is not None and voter.may_retry]

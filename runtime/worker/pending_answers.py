"""Answers of people that could be taken back, and take effect now.

Called by the leading ticker, in a thread. An answer becomes a vote in the commit in which it is gone from those that
wait: a crash loses none and counts none twice, and neither do two leaders at once. What no longer holds is refused, and
the person is told why.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError

from runtime.contracts import AlreadyDecided, NotAsked, RuntimeRefused, StoreUnavailable, TaskRefused, Voter
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.deciding import Answer, TakenBack, put_down
from runtime.interpreter.doubt_words import said_as
from runtime.ports import PORTS
from runtime.store import beside
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanTask, PendingAnswer
from runtime.store.people import refusal_text

__all__ = ["settle"]

logger = logging.getLogger("millrace.ticker")

_AT_ONCE: Final = 200


def settle() -> list[UUID]:
    """Let take effect what is due; the runs that go on by that."""
    due = PendingAnswer.objects.filter(due_at__lte=database_now()).order_by("due_at", "id")[:_AT_ONCE]
    found = []
    for row in list(due):
        try:
            if run := _take_effect(row):
                found.append(run)
        except TakenBack:
            continue
        except TaskRefused as error:
            _refuse(row, error.code, " ".join(error.fields.values()) or error.message)
        except (AlreadyDecided, NotAsked) as error:
            _refuse(row, error.code, error.message, error.params)
        except (DatabaseError, InterfaceError, StoreUnavailable):
            raise
        except Exception as error:
            # Never lost: the person is told, and those behind it do not wait for it.
            logger.exception("An answer could not take effect.")
            code = error.code if isinstance(error, RuntimeRefused) else "failed"
            _refuse(row, code, "It could not be carried out. Decide once more.")
    return found


def _take_effect(row: PendingAnswer) -> UUID | None:
    task = HumanTask.objects.get(pk=row.task_id)
    voter = _voter(row)
    spec, answers = _document(task.spec), _document(row.answers)
    said = Answer(said_as(spec, row.outcome) or "", row.comment, answers, loads_stored(row.output))
    with beside.keeping(("human.decide",), partial(PORTS.record.decided, row.record, "took_effect"), _nothing):
        decided = put_down(task, said, voter, via="inbox", pending=row)
    return task.run_id if decided else None


def _voter(row: PendingAnswer) -> Voter:
    """Who said so, with what they may today. Raises NotAsked."""
    known: Any = loads_stored(row.voter_json)
    if PORTS.people.mark(workspace_id=row.workspace_id) is None:
        groups = tuple(UUID(one) for one in known["groups"])
        return Voter(row.voter, row.name, row.email, groups, known["role"], known["retry"])
    voter = PORTS.people.voter(workspace_id=row.workspace_id, email=row.email)
    if voter is None or voter.id != row.voter:
        raise NotAsked("Whoever said so is no member any more.")
    return replace(voter, may_retry=voter.may_retry and known["retry"])


def _refuse(row: PendingAnswer, code: str, why: str, params: Mapping[str, Any] | None = None) -> None:
    with (
        beside.keeping(("human.refuse",), partial(PORTS.record.decided, row.record, "refused"), _nothing),
        commit("human.refuse"),
    ):
        waiting = PendingAnswer.objects.filter(pk=row.pk, due_at__isnull=False)
        told = refusal_text(why, params or {})
        if waiting.update(due_at=None, refused_code=code, refused=told, refused_at=database_now()):
            beside.tell(code=code)
        else:
            beside.unchanged()


def _document(text: str) -> Any:
    return loads_stored(text)


def _nothing(changed: bool) -> None:
    return None

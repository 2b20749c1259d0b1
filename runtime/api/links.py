"""The link of a mail about a question: for one person, guessed by nobody, kept as a digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from runtime.api.tasks import task
from runtime.contracts import TaskView, Voter
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.asking import may_decide
from runtime.interpreter.mail_links import digest
from runtime.interpreter.people import amount_text
from runtime.ports import PORTS
from runtime.store.models import HumanMail

__all__ = ["LinkView", "link"]

_LONGEST_TOKEN: Final = 100


@dataclass(frozen=True, slots=True)
class LinkView:
    """What a link stands for. `voter`: whose it is; None for whoever is no member any more. `is_enough`: whether it is
    enough to decide, without signing in; `may_decide`: whether there is anything left to decide for this person."""

    workspace_id: UUID
    task: TaskView
    email: str
    language: str
    voter: Voter | None
    is_enough: bool
    may_decide: bool
    amount: str


def link(token: str) -> LinkView | None:
    """What this token stands for. It changes nothing."""
    if not token or len(token) > _LONGEST_TOKEN:
        return None
    row = HumanMail.objects.select_related("task").filter(token_sha256=digest(token)).first()
    if row is None or row.task is None or row.task_id is None:
        return None
    workspace_id = row.task.workspace_id
    view = task(workspace_id=workspace_id, task_id=row.task_id)
    voter = PORTS.people.voter(workspace_id=workspace_id, email=row.email)
    spec = loads_stored(row.task.spec)
    enough = isinstance(spec, dict) and bool(spec.get("open_link")) and view.kind == "approval"
    able = voter is not None and may_decide(task=view, voter=voter)
    amount = amount_text(view.amount, view.currency)
    return LinkView(workspace_id, view, row.email, row.language, voter, enough, able, amount)

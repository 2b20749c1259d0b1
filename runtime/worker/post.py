"""Sends the mail about questions, and about dead letters that were sent to somebody's inbox: each row of the outbox by
itself, under a Message-ID that is the row's."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from django.conf import settings

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.letters import is_open
from runtime.interpreter.mail_links import digest, token_of
from runtime.ports import PORTS, ConnectionMissing
from runtime.sdk import MailSender, StepFailure
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanMail, HumanNote, LetterSending, SentLetter
from runtime.worker import mail_words
from runtime.worker.digests import DIGEST, told_of
from runtime.worker.outbox import AT_ONCE, LEASE_MS, MOST_TRIES, Mail, Outbox, mail, send_mail, wait_ms

_Due = tuple[UUID, int]
_LETTERS: Final = "letters"


class Letter(NamedTuple):
    """A row that was taken, with all that sending it needs."""

    mail_id: UUID
    mail: Mail


class Postman(Outbox[_Due, Letter]):
    """The outbox of questions."""

    name = "post"
    point = "mail.send"

    def __init__(self, *, mail: MailSender, readers: Executor, period_seconds: float = 1.0) -> None:
        super().__init__(readers=readers, period_seconds=period_seconds)
        self._mail = mail

    def due(self) -> list[_Due]:
        return _due()

    def take(self, due: _Due) -> Letter | None:
        return _taken(*due)

    async def send(self, parcel: Letter) -> str | None:
        return await send_mail(self._mail, parcel.mail)

    def note(self, parcel: Letter, error: str | None) -> None:
        _note(parcel.mail_id, error)


def _due() -> list[_Due]:
    rows = HumanMail.objects.filter(due_at__lte=database_now()).order_by("due_at").values_list("id", "due_at")
    return cast("list[_Due]", list(rows[:AT_ONCE]))


def _taken(mail_id: UUID, due_at: int) -> Letter | None:
    """Take it for a minute; None where somebody else has, where nobody needs it any more, or where it cannot go out."""
    with commit("mail.claim"):
        now = database_now()
        mine = HumanMail.objects.filter(pk=mail_id, due_at=due_at, status="waiting")
        row = mine.select_related("task", "sending").first()
        if row is None:
            return None
        if not _is_needed(row, now):
            mine.update(status="dropped", due_at=None)
            return None
        # What lists several questions, or tells of none, has no link that stands for one of them.
        token = None if row.kind in (DIGEST, _LETTERS) else digest(token_of(mail_id))
        taken = mine.update(due_at=now + LEASE_MS, tries=row.tries + 1, token_sha256=token)
        if not taken:
            return None
    try:
        return Letter(mail_id, _letter(row, now))
    except (ConnectionMissing, StepFailure, ValueError) as error:
        _note(mail_id, str(error) or "There is no mail server to send this by.")
        return None


def _is_needed(row: HumanMail, now: int) -> bool:
    """Whether there is still something to decide, and they are to be told of it."""
    if row.kind == DIGEST:
        return bool(told_of(row))
    if row.sending is not None:
        return _count(row.sending) > 0 and _is_reached(row, row.sending.workspace_id)
    task = row.task
    if task is None:
        return False
    return task.status == "open" and not task.is_too_late(now) and _is_reached(row, task.workspace_id)


def _count(sending: LetterSending) -> int:
    """How many of the letters wait for a decision; none, where it is over."""
    return SentLetter.objects.filter(is_open(), sending_id=sending.pk).count()


def _is_reached(row: HumanMail, workspace_id: UUID) -> bool:
    """Whether they are still here, and stand in for whom they get it."""
    if row.for_id is None:
        return bool(PORTS.people.known(workspace_id=workspace_id, tokens=[row.email]))
    voter = PORTS.people.voter(workspace_id=workspace_id, email=row.email)
    return voter is not None and any(one.id == row.for_id for one in voter.stands_for)


def _letter(row: HumanMail, now: int) -> Mail:
    if row.sending is not None:
        return _letters_letter(row, row.sending, now)
    task = row.task
    if task is None:
        raise ValueError("Nothing is left to tell of.")
    if row.kind == DIGEST:
        return _list_letter(row, task.workspace_id, now)
    spec: Any = loads_stored(task.spec)
    return mail(
        workspace_id=task.workspace_id,
        by=UUID(spec["mail"]) if spec.get("mail") else None,
        to=row.email,
        name=row.name,
        subject=mail_words.subject(row.kind, task.kind, task.title, row.language),
        text=mail_words.body(
            title=task.title,
            spec=spec,
            due_at=task.due_at,
            ends_at=task.ends_at,
            link=f"{getattr(settings, 'PUBLIC_URL', '')}/d/{token_of(row.id)}",
            language=row.language,
            time_zone=row.time_zone,
            in_place_of=(row.for_name, row.for_until) if row.for_name else None,
        ),
        message_id=f"question-{row.id.hex}",
        now=now,
    )


def _letters_letter(row: HumanMail, sending: LetterSending, now: int) -> Mail:
    """Dead letters that somebody has sent to them: by the installation's mail server."""
    flow = sending.workflow_id
    told = mail_words.Sent(
        number=_count(sending),
        title=sending.title,
        workflow="" if flow is None else PORTS.names.workflow(workspace_id=sending.workspace_id, workflow_id=flow),
        by=sending.by_name,
        note=sending.note,
    )
    return mail(
        workspace_id=sending.workspace_id,
        by=None,
        to=row.email,
        name=row.name,
        subject=mail_words.sent_subject(told, row.language),
        text=mail_words.sent_body(
            told,
            link=f"{getattr(settings, 'PUBLIC_URL', '')}/dead-letters?sent={sending.pk}",
            in_place_of=(row.for_name, row.for_until) if row.for_name else None,
            language=row.language,
        ),
        message_id=f"letters-{row.id.hex}",
        now=now,
    )


def _list_letter(row: HumanMail, workspace_id: UUID, now: int) -> Mail:
    """Several questions in one mail: by the installation's mail server, or that of the first that names one."""
    tasks = told_of(row)
    if not tasks:
        raise ValueError("Nothing is left to tell of.")
    named = (spec["mail"] for one in tasks if (spec := cast("dict[str, Any]", loads_stored(one.spec))).get("mail"))
    by = None if PORTS.post is not None else next(named, None)
    workflows = {one.workflow_id for one in tasks[: mail_words.MOST_LISTED]}
    names = {one: PORTS.names.workflow(workspace_id=workspace_id, workflow_id=one) for one in workflows}
    inbox = f"{getattr(settings, 'PUBLIC_URL', '')}/inbox"
    listed = [
        mail_words.Listed(one.title, names.get(one.workflow_id, ""), one.due_at, f"{inbox}?task={one.pk}")
        for one in tasks
    ]
    absent = (row.for_name, row.for_until)
    return mail(
        workspace_id=workspace_id,
        by=None if by is None else UUID(by),
        to=row.email,
        name=row.name,
        subject=mail_words.list_subject(absent[0], len(listed), row.language),
        text=mail_words.list_body(
            listed, absent, inbox=f"{inbox}?who=stand_in", language=row.language, time_zone=row.time_zone
        ),
        message_id=f"questions-{row.id.hex}",
        now=now,
    )


def _note(mail_id: UUID, error: str | None) -> None:
    """Put down what became of a try: sent, to be tried again, or given up, which those who look at the question see."""
    with commit("mail.sent"):
        now = database_now()
        row = HumanMail.objects.select_for_update().filter(pk=mail_id, status="waiting").first()
        if row is None:
            return
        if error is None:
            changes: dict[str, Any] = {"status": "sent", "sent_at": now, "due_at": None, "error": None}
        elif row.tries < MOST_TRIES:
            changes = {"due_at": now + wait_ms(row.tries), "error": error[:400]}
        else:
            changes = {"status": "failed", "due_at": None, "error": error[:400]}
            # Who looks at dead letters sees with whom they are, and no mails.
            mine = [] if row.task_id is None else [row.task_id]
            of = [one.pk for one in told_of(row)] if row.kind == DIGEST else mine
            HumanNote.objects.bulk_create(
                HumanNote(id=uuid7(), task_id=one, kind="mail_failed", at=now, to=row.email, text=error[:2000])
                for one in of
            )
        HumanMail.objects.filter(pk=mail_id).update(**changes)

"""Sending dead letters to the inbox of a person or of several: work is handed over, and nothing of the runs is changed.

A letter is with one at a time. Whoever sends what is with somebody already takes it from there, which both see; and who
sends the same to the same once more changes nothing, so that nobody is told twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, UUIDField

from runtime.contracts import (
    Absent,
    Addressee,
    AlreadyDecided,
    NotAsked,
    NotFound,
    RuntimeRefused,
    StandIn,
    TaskRefused,
    Voter,
)
from runtime.contracts.sendings import MOST_SENT, MOST_SENT_NOTE, LettersWith, SendingView
from runtime.engine.jsonprofile import JSONRefused, normalise
from runtime.interpreter.letters import has_open, is_open, open_letters
from runtime.interpreter.stand_ins import letter
from runtime.ports import PORTS
from runtime.store import sendings as store
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now, queue_up
from runtime.store.models import DeadLetter, HumanMail, LetterSending, SentLetter
from runtime.store.parts import portions

__all__ = [
    "end_sending",
    "letters_with",
    "open_sendings",
    "pass_letters_on",
    "received",
    "runs_with",
    "send_letters",
    "sending",
    "sendings",
    "sendings_to",
]

Whose = Literal["me", "named", "groups", "stand_in", "anybody"]
_POINT: Final = "deadletter.send"
_MOST_LISTED: Final = 200
#: More people than this are not written to about one sending.
_MOST_MAILS: Final = 500


# --- what is with whom ------------------------------------------------------------------------------------------------


def sendings(
    *, workspace_id: UUID, voter: Voter | None = None, whose: Whose = "me", closed: bool = False
) -> list[SendingView]:
    """Those of which letters still wait for a decision, the newest first; `closed`: those that are over, the last
    first; at most 200. `voter`: only what came to this person, in one way (`whose`), or what they sent that is over."""
    rows = LetterSending.objects.filter(workspace_id=workspace_id)
    mine = Q() if voter is None or whose == "anybody" else Q(to__in=_tokens(voter, whose))
    if closed:
        by_me = Q() if voter is None or whose != "me" else Q(by=voter.id)
        found = rows.filter(mine | by_me, ended_at__isnull=False).order_by("-ended_at", "-id")
    else:
        found = has_open(rows.filter(mine, ended_at__isnull=True)).order_by("-id")
    return _views(list(found[:_MOST_LISTED]))


def sending(*, workspace_id: UUID, sending_id: UUID) -> SendingView:
    """One of them. Raises NotFound."""
    return _views([_row(workspace_id, sending_id)])[0]


def sendings_to(*, workspace_id: UUID, voter: Voter) -> list[UUID]:
    """What came to this person, or to somebody in whose place they are, and of which letters still wait: the newest, at
    most 200."""
    rows = LetterSending.objects.filter(workspace_id=workspace_id, to__in=_tokens(voter, "me"), ended_at__isnull=True)
    return list(has_open(rows).order_by("-id").values_list("pk", flat=True)[:_MOST_LISTED])


def open_sendings(ids: Collection[UUID]) -> set[UUID]:
    """Those of these, at most 500, that are not over; of whatever workspace."""
    return set(LetterSending.objects.filter(pk__in=ids, ended_at__isnull=True).values_list("pk", flat=True))


def letters_with(*, workspace_id: UUID) -> dict[str, list[LettersWith]]:
    """By cause, with whom letters are that wait for a decision; with whom most of them are first."""
    sent = SentLetter.objects.filter(sending__workspace_id=workspace_id)
    whose = SentLetter.objects.filter(run_id=OuterRef("run_id")).values("sending_id")[:1]
    rows = (
        open_letters(workspace_id)
        .filter(run_id__in=sent.values("run_id"))
        .annotate(sending=Subquery(whose, output_field=UUIDField()))
    )
    counts = list(rows.values_list("cause", "sending").annotate(count=Count("at")).order_by("-count"))
    there = {one.pk: one for one in LetterSending.objects.filter(pk__in={sending_id for _, sending_id, _ in counts})}
    found: dict[str, list[LettersWith]] = {}
    for cause, sending_id, count in counts:
        # Ended between the two queries: with nobody any more.
        if (one := there.get(sending_id)) is not None:
            found.setdefault(cause, []).append(LettersWith(one.pk, one.to, one.at, one.by, count))
    return found


def runs_with(*, workspace_id: UUID, run_ids: Sequence[UUID]) -> dict[UUID, LettersWith]:
    """With whom these runs are, at most 500; those that are with nobody are left out."""
    rows = SentLetter.objects.filter(run_id__in=run_ids, sending__workspace_id=workspace_id).select_related("sending")
    return {one.run_id: LettersWith(one.sending.pk, one.sending.to, one.sending.at, one.sending.by, 1) for one in rows}


def received(view: SendingView, voter: Voter) -> tuple[bool, Absent | None]:
    """Whether it came to this person, and in whose place, who is away; None for themselves."""
    if view.to in voter.tokens:
        return True, None
    absent = next((one for one in voter.stands_for if one.email.lower() == view.to), None)
    return absent is not None, absent


# --- sending ----------------------------------------------------------------------------------------------------------


def send_letters(
    *,
    workspace_id: UUID,
    to: str,
    voter: Voter,
    note: str = "",
    cause: str | None = None,
    run_ids: Sequence[UUID] = (),
    until: int | None = None,
    within: UUID | None = None,
) -> SendingView:
    """Send the letters of a group, or of these runs, that wait for a decision to somebody's inbox. `to`: an address,
    `group:<id>` or `role:<role>`; `until`: none that failed later, ms; `within`: only those that were sent with that
    one. What is with somebody else is no more.

    Raises TaskRefused (`to`, `note`), AlreadyDecided (none of them waits any more), RuntimeRefused (too many).
    """
    text = _text(note)
    addressee = _addressee(workspace_id, to)
    stand_in = _stand_ins(workspace_id, addressee)
    with commit(_POINT):
        queue_up(workspace_id)
        rows = open_letters(workspace_id, within)
        if cause is not None:
            rows = rows.filter(cause=cause)
        if until is not None:
            rows = rows.filter(at__lte=until)
        found = _found(rows, run_ids if cause is None else None)
        return _sent(workspace_id, addressee, stand_in, voter, text, found)


def pass_letters_on(
    *, workspace_id: UUID, sending_id: UUID, to: str, voter: Voter, note: str = "", of: str | None = None
) -> SendingView:
    """Send what still waits of it to somebody else. `of`: an admin does so for whoever has this address, who leaves.

    Raises NotFound, NotAsked (others have it), TaskRefused (`to`, `note`), AlreadyDecided (it is over).
    """
    text = _text(note)
    addressee = _addressee(workspace_id, to)
    stand_in = _stand_ins(workspace_id, addressee)
    with _changing(workspace_id, sending_id) as row:
        given = of is not None and voter.role == "admin" and row.to == of.lower()
        if not (given or _is_receiver(row, voter) or _is_sender(row, voter)):
            raise NotAsked("These were sent to others.", code="letters_of_others")
        if addressee.token == row.to:
            raise TaskRefused({"to": f"{addressee.label} has these already."})
        found = _found(open_letters(workspace_id, row.pk), None)
        return _sent(workspace_id, addressee, stand_in, voter, text or row.note, found)


def end_sending(
    *, workspace_id: UUID, sending_id: UUID, voter: Voter, how: Literal["done", "taken_back"]
) -> SendingView:
    """Say that one is done with these, as who has them; or take them back, as who sent them. The letters stay as they
    are, and are with nobody. An admin may do so for both. Raises NotFound, NotAsked, AlreadyDecided (it is over)."""
    with _changing(workspace_id, sending_id) as row:
        mine = _is_receiver(row, voter) if how == "done" else _is_sender(row, voter)
        if not mine and voter.role != "admin":
            why = "These were sent to others." if how == "done" else "Only who sent these takes them back."
            raise NotAsked(why, code="letters_of_others")
        tell(count=row.letters.count())
        store.end(row.pk, how, voter.id, database_now())
    return sending(workspace_id=workspace_id, sending_id=sending_id)


# --- within -----------------------------------------------------------------------------------------------------------


def _tokens(voter: Voter, whose: Whose) -> tuple[str, ...]:
    own, *shared = voter.tokens
    away = tuple(one.email.lower() for one in voter.stands_for)
    match whose:
        case "named":
            return (own,)
        case "groups":
            return tuple(shared)
        case "stand_in":
            return away
        case _:
            return (*voter.tokens, *away)


def _row(workspace_id: UUID, sending_id: UUID) -> LetterSending:
    row = LetterSending.objects.filter(workspace_id=workspace_id, pk=sending_id).first()
    if row is None:
        raise NotFound("These dead letters were not sent to anybody here.", code="sending_not_found")
    return row


@contextmanager
def _changing(workspace_id: UUID, sending_id: UUID) -> Iterator[LetterSending]:
    """The row, which nobody else changes until what is done to it is committed. Raises NotFound, AlreadyDecided."""
    _row(workspace_id, sending_id)
    with commit(_POINT):
        queue_up(workspace_id)
        row = _row(workspace_id, sending_id)
        if row.ended_at is not None:
            raise AlreadyDecided("This is over already: these are with nobody by it any more.", code="letters_over")
        tell(name=row.title)
        yield row


def _is_receiver(row: LetterSending, voter: Voter) -> bool:
    return row.to in _tokens(voter, "me")


def _is_sender(row: LetterSending, voter: Voter) -> bool:
    return row.by == voter.id


def _text(note: str) -> str:
    note = note.strip()
    try:
        normalise(note)
    except JSONRefused as error:
        raise TaskRefused({"note": error.message}) from None
    if len(note) > MOST_SENT_NOTE:
        raise TaskRefused({"note": f"A note has at most {MOST_SENT_NOTE:,} letters."})
    return note


def _addressee(workspace_id: UUID, to: str) -> Addressee:
    """Asked before the transaction: who people are is for others to know."""
    found = PORTS.people.known(workspace_id=workspace_id, tokens=[to.strip()]) if to.strip() else ()
    if not found:
        raise TaskRefused({"to": "Nobody in this workspace is called so."})
    if not found[0].people:
        raise TaskRefused({"to": f"Nobody is in {found[0].label}."})
    return found[0]


def _stand_ins(workspace_id: UUID, addressee: Addressee) -> Sequence[StandIn]:
    named = [addressee.token] if "@" in addressee.token else []
    return PORTS.people.stand_ins(workspace_id=workspace_id, emails=named) if named else ()


def _found(rows: QuerySet[DeadLetter], run_ids: Sequence[UUID] | None) -> list[DeadLetter]:
    """The newest first. Raises AlreadyDecided, RuntimeRefused."""
    found: list[DeadLetter] = []
    if run_ids is None:
        found = list(_read(rows)[: MOST_SENT + 1])
    else:
        for some in portions(list(dict.fromkeys(run_ids))):
            found += _read(rows.filter(run_id__in=some))
        found.sort(key=lambda one: one.run_id, reverse=True)
    if len(found) > MOST_SENT:
        raise RuntimeRefused(
            f"There are more than {MOST_SENT:,}. Choose fewer.", code="too_many_letters", most=MOST_SENT
        )
    if not found:
        raise AlreadyDecided("None of these waits for a decision any more.", code="nothing_to_send")
    return found


def _read(rows: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
    fields = ("run_id", "generation", "cause", "workflow_id", "node_id", "code", "title", "run__version_id")
    return rows.select_related("run").only(*fields).order_by("-run_id")


def _sent(
    workspace_id: UUID,
    addressee: Addressee,
    stand_in: Sequence[StandIn],
    voter: Voter,
    note: str,
    found: Sequence[DeadLetter],
) -> SendingView:
    run_ids = [one.run_id for one in found]
    same = _same(workspace_id, addressee.token, note, run_ids)
    if same is not None:
        unchanged()
        return _views([same])[0]
    now = database_now()
    newest = found[0]

    def shared(name: str) -> bool:
        return len({getattr(one, name) for one in found}) == 1

    one_step = shared("workflow_id") and shared("node_id")
    alike = shared("cause")
    made = LetterSending(
        workspace_id=workspace_id,
        to=addressee.token,
        note=note,
        total=len(found),
        cause=newest.cause if alike else "",
        workflow_id=newest.workflow_id if shared("workflow_id") else None,
        version_id=newest.run.version_id if one_step else None,
        node_id=newest.node_id if one_step else "",
        code=newest.code if alike else "",
        title=newest.title if alike else "",
        at=now,
        by=voter.id,
        by_name=voter.name[:200],
    )
    store.place(made, run_ids, now)
    tell(id=str(made.pk), name=made.title, count=len(found), receiver=addressee.label)
    _write_mail(made, addressee, stand_in, voter, now)
    return _views([made])[0]


def _same(workspace_id: UUID, to: str, note: str, run_ids: Sequence[UUID]) -> LetterSending | None:
    """The one by which all of these are with the same already, and that says the same."""
    there: set[UUID] = set()
    count = 0
    for some in portions(run_ids):
        rows = list(SentLetter.objects.filter(run_id__in=some).values_list("sending_id", flat=True))
        there.update(rows)
        count += len(rows)
    if count < len(run_ids) or len(there) != 1:
        return None
    row = LetterSending.objects.filter(workspace_id=workspace_id, pk__in=there, to=to).first()
    return row if row is not None and note in ("", row.note) else None


def _write_mail(made: LetterSending, addressee: Addressee, stand_in: Sequence[StandIn], voter: Voter, now: int) -> None:
    """Where mail is sent at all; who sends to themselves knows it."""
    if PORTS.post is None:
        return
    about: dict[str, Any] = {
        "sending_id": made.pk, "number": 0, "kind": "letters", "due_at": now, "created_at": now,
    }  # fmt: skip
    mails = {one.email.lower(): letter(one.email.lower(), one, **about) for one in addressee.people}
    for one in stand_in:
        email = one.person.email.lower()
        mails.setdefault(email, letter(email, one.person, one.absent, **about))
    mails.pop(voter.email.lower(), None)
    HumanMail.objects.bulk_create(list(mails.values())[:_MOST_MAILS], ignore_conflicts=True)


def _views(rows: Sequence[LetterSending]) -> list[SendingView]:
    counts: dict[UUID, int] = {}
    for some in portions([row.pk for row in rows if row.ended_at is None]):
        letters = SentLetter.objects.filter(is_open(), sending_id__in=some)
        counts |= dict(letters.values_list("sending_id").annotate(Count("run_id")))
    return [
        SendingView(
            id=row.pk,
            to=row.to,
            note=row.note,
            total=row.total,
            open=counts.get(row.pk, 0),
            cause=row.cause,
            workflow_id=row.workflow_id,
            version_id=row.version_id,
            node=row.node_id,
            code=row.code,
            title=row.title,
            at=row.at,
            by=row.by,
            ended_at=row.ended_at,
            ended_as=row.ended_as,
            ended_by=row.ended_by,
        )
        for row in rows
    ]

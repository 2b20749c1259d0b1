"""What people say about dead letters that failed alike: a note, the address of a ticket, and that nobody is to be told
of them for now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal
from urllib.parse import urlsplit
from uuid import UUID

from runtime.contracts import NotFound, RuntimeRefused
from runtime.contracts.retries import LetterGroupSaid
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now, queue_up
from runtime.store.letter_groups import are_muted
from runtime.store.letter_models import MOST_NOTE, MOST_TICKET
from runtime.store.models import DeadLetter, LetterGroup

__all__ = [
    "is_ticket",
    "letter_group",
    "letter_groups_said",
    "mute_letters",
    "muted_groups",
    "note_letters",
    "unmute_letters",
]

_POINT: Final = "deadletter.group"
_DAY_MS: Final = 86_400_000


def letter_groups_said(*, workspace_id: UUID) -> dict[str, LetterGroupSaid]:
    """By cause, what has been said about groups; those of which nothing was are left out."""
    now = database_now()
    return {row.cause: _said(row, "", now) for row in LetterGroup.objects.filter(workspace_id=workspace_id)}


def letter_group(*, workspace_id: UUID, cause: str) -> LetterGroupSaid:
    """What has been said about a group that there are letters of, decided ones too. Raises NotFound."""
    title = _title(workspace_id, cause)
    row = LetterGroup.objects.filter(workspace_id=workspace_id, cause=cause).first()
    return _said(row or LetterGroup(workspace_id=workspace_id, cause=cause), title, database_now())


def muted_groups(*, workspace_id: UUID) -> frozenset[str]:
    """The causes that nobody is told of now."""
    rows = LetterGroup.objects.filter(are_muted(database_now()), workspace_id=workspace_id)
    return frozenset(rows.values_list("cause", flat=True))


def note_letters(
    *, workspace_id: UUID, cause: str, note: str, ticket: str, revision: int, by: UUID | None = None
) -> LetterGroupSaid:
    """Let this stand on the group. `revision`: of the note that the caller has seen. Raises NotFound, RuntimeRefused
    (too long, no such address, somebody was quicker)."""
    note, ticket = note.strip(), ticket.strip()
    if len(note) > MOST_NOTE:
        raise RuntimeRefused(f"A note has at most {MOST_NOTE:,} letters.", code="note_too_long", most=MOST_NOTE)
    if ticket and not is_ticket(ticket):
        raise RuntimeRefused("The address of a ticket begins with https://.", code="bad_ticket")
    with _changing(workspace_id, cause) as (row, title):
        if (row.note, row.ticket) == (note, ticket):
            unchanged()
        elif row.revision != revision:
            raise RuntimeRefused("Somebody else has changed this note meanwhile.", code="note_changed")
        else:
            row.note, row.ticket = note, ticket
            row.revision += 1
            row.noted_at, row.noted_by = database_now(), by
            row.save(update_fields=["note", "ticket", "revision", "noted_at", "noted_by"])
    return _said(row, title, database_now())


def mute_letters(
    *, workspace_id: UUID, cause: str, days: Literal[1, 7] | None, by: UUID | None = None
) -> LetterGroupSaid:
    """Tell nobody of this group for so many days; None: until somebody says otherwise. Its letters come and are counted
    as ever. Raises NotFound."""
    with _changing(workspace_id, cause) as (row, title):
        now = database_now()
        row.muted_at, row.muted_by = now, by
        row.muted_until = None if days is None else now + days * _DAY_MS
        row.save(update_fields=["muted_at", "muted_by", "muted_until"])
    return _said(row, title, now)


def unmute_letters(*, workspace_id: UUID, cause: str) -> LetterGroupSaid:
    """Tell of this group again. Raises NotFound."""
    with _changing(workspace_id, cause) as (row, title):
        now = database_now()
        if not _said(row, title, now).muted:
            unchanged()
        row.muted_at = row.muted_until = row.muted_by = None
        row.save(update_fields=["muted_at", "muted_by", "muted_until"])
    return _said(row, title, now)


def is_ticket(text: str) -> bool:
    """Whether this is an address that a browser may be sent to: https, a host, nobody's name or password in it."""
    if len(text) > MOST_TICKET or any(one.isspace() or not one.isprintable() or one == "\\" for one in text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


@contextmanager
def _changing(workspace_id: UUID, cause: str) -> Iterator[tuple[LetterGroup, str]]:
    """The row, made where there is none, locked until what is said of it is committed."""
    title = _title(workspace_id, cause)
    with commit(_POINT):
        # Retention removes rows whose letters have gone: it waits for this, or has done so.
        queue_up(workspace_id)
        LetterGroup.objects.bulk_create([LetterGroup(workspace_id=workspace_id, cause=cause)], ignore_conflicts=True)
        row = LetterGroup.objects.select_for_update().get(workspace_id=workspace_id, cause=cause)
        tell(name=title)
        yield row, title


def _title(workspace_id: UUID, cause: str) -> str:
    letters = DeadLetter.objects.filter(workspace_id=workspace_id, cause=cause).order_by("-at")
    titles = letters.values_list("title", flat=True)
    # Of those that wait an index knows; the others are asked for only where none does.
    found = titles.filter(solved_at__isnull=True).first() or titles.first()
    if found is None:
        raise NotFound("There is no such group of dead letters.", code="letter_group_not_found")
    return found


def _said(row: LetterGroup, title: str, now: int) -> LetterGroupSaid:
    muted = row.muted_at is not None and (row.muted_until is None or row.muted_until > now)
    return LetterGroupSaid(
        cause=row.cause,
        title=title,
        revision=row.revision,
        note=row.note,
        ticket=row.ticket,
        noted_at=row.noted_at,
        noted_by=row.noted_by,
        muted=muted,
        muted_at=row.muted_at if muted else None,
        muted_until=row.muted_until if muted else None,
        muted_by=row.muted_by if muted else None,
    )

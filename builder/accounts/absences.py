"""Who is away, and who stands in for them: every read and every write.

Nothing of a question is changed when an absence begins or ends: it is looked up whenever it matters
(`runtime.interpreter.stand_ins`). What is open already is told to whoever stands in (`runtime.worker.digests`).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from builder.accounts.models import Absence, Membership, Workspace
from builder.accounts.services import AccountsRefused

__all__ = ["Away", "all_of", "change", "end", "mark", "of_member", "say", "since", "stand_in_instead",
           "today", "why_not", "workspaces"]  # fmt: skip

#: So many stand-ins are looked at who are away themselves; behind that nobody stands in.
MOST_HANDS: Final = 3
_LONGEST_NOTE: Final = 400

#: Why nobody stands in: who was to has left, or is away as well and so is whoever stands in for them.
Why = Literal["", "left", "away"]


@dataclass(frozen=True, slots=True)
class Away:
    """An absence that is not over. `holds`: it has begun. `hand`: who sees the questions while it holds, which is
    another one than `row.stand_in` where that person is away, too; None and `why` where nobody does."""

    row: Absence
    holds: bool
    hand: Membership | None
    why: Why


def today(workspace: Workspace) -> date:
    """The day that it is where the workspace is."""
    return _now().astimezone(_zone(workspace)).date()


def all_of(*, workspace_id: UUID) -> list[Away]:
    """The absences of this workspace that are not over, by when they begin."""
    rows = list(
        _not_over(workspace_id)
        .filter(member__active=True, member__user__is_active=True)
        .select_related("member__user", "member__workspace", "stand_in__user")
        .order_by("first_day", "member_id")
    )
    if not rows:
        return []
    day = today(rows[0].member.workspace)
    by_member = {row.member_id: row for row in rows if row.last_day is None or row.last_day >= day}
    holding = {member: row for member, row in by_member.items() if row.first_day <= day}
    found = []
    for member, row in by_member.items():
        hand, why = _hand(row, holding)
        found.append(Away(row, member in holding, hand, why))
    return found


def workspaces() -> list[UUID]:
    """Those in which somebody is away, or will be."""
    return list(_not_over().order_by().values_list("member__workspace_id", flat=True).distinct())


def since(row: Absence) -> int:
    """The beginning of the first day where the workspace is, in ms."""
    return round(datetime.combine(row.first_day, time.min, _zone(row.member.workspace)).timestamp() * 1000)


def of_member(*, workspace_id: UUID, membership_id: UUID) -> Away | None:
    """That of this member; None where there is none, or it is over."""
    return next((one for one in all_of(workspace_id=workspace_id) if one.row.member_id == membership_id), None)


def mark(*, workspace_id: UUID) -> str:
    """Another text whenever somebody is away, here again, or has another stand-in than before."""
    if not _not_over(workspace_id).exists():
        # Nobody is, most of the time, and every open page asks for this every few seconds.
        return ""
    found = [
        (str(one.row.member_id), one.holds, str(one.row.first_day), str(one.row.last_day), one.row.note,
         str(one.hand.pk if one.hand else None))
        for one in all_of(workspace_id=workspace_id)
    ]  # fmt: skip
    return hashlib.sha256(repr(found).encode()).hexdigest() if found else ""


@transaction.atomic
def say(
    *, workspace: Workspace, membership_id: UUID, first_day: date, last_day: date | None, stand_in: UUID, note: str = ""
) -> Absence:
    """This member is away. Raises AccountsRefused naming the field; `already_away` where one is not over yet."""
    row = _locked(workspace, membership_id)
    before = Absence.objects.filter(member=row).first()
    if before is not None and (before.last_day is None or before.last_day >= today(workspace)):
        raise AccountsRefused(
            "already_away", f"{row.user.name or row.user.email} is said to be away already.", status=409
        )
    return _put(workspace, row, first_day, last_day, stand_in, note)


@transaction.atomic
def change(
    *, workspace: Workspace, membership_id: UUID, first_day: date, last_day: date | None, stand_in: UUID, note: str = ""
) -> Absence:
    """They are away at another time, or another person stands in. Raises AccountsRefused."""
    row = _locked(workspace, membership_id)
    if not Absence.objects.filter(member=row).exists():
        raise AccountsRefused("not_away", "This person is not said to be away.", status=404)
    return _put(workspace, row, first_day, last_day, stand_in, note)


def why_not(*, row: Absence, stand_in: Membership) -> AccountsRefused | None:
    """Why this member cannot stand in for whoever is away, instead of whoever does; None where they can."""
    if stand_in.pk == row.member_id:
        return _oneself()
    try:
        _refuse_circle(Absence(member=row.member, first_day=row.first_day, last_day=row.last_day, stand_in=stand_in))
    except AccountsRefused as error:
        return error
    return None


@transaction.atomic
def stand_in_instead(*, workspace: Workspace, membership_id: UUID, of: UUID, stand_in: UUID) -> bool:
    """Have another member stand in, in the place of `of`; False where somebody else does by now. Raises
    AccountsRefused."""
    row = _locked(workspace, membership_id)
    found = Absence.objects.filter(member=row, stand_in_id=of).first()
    if found is None:
        return False
    _put(workspace, row, found.first_day, found.last_day, stand_in, found.note)
    return True


@transaction.atomic
def end(*, workspace: Workspace, membership_id: UUID) -> None:
    """They are here again, or do not go. Raises AccountsRefused where they are not said to be away."""
    row = _locked(workspace, membership_id)
    if not Absence.objects.filter(member=row).delete()[0]:
        raise AccountsRefused("not_away", "This person is not said to be away.", status=404)


def _oneself() -> AccountsRefused:
    return AccountsRefused("oneself", "Nobody stands in for themselves.", field="stand_in")


def _put(
    workspace: Workspace, member: Membership, first_day: date, last_day: date | None, stand_in: UUID, note: str
) -> Absence:
    note = note.strip()
    if len(note) > _LONGEST_NOTE:
        raise AccountsRefused("note_invalid", f"A note has at most {_LONGEST_NOTE} characters.", field="note")
    # Spaces of every width, and what joins signs to one, are text as well.
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in note if sign not in "\n\t"):
        raise AccountsRefused(
            "note_invalid", "A note may hold line breaks and tabs, but no other control characters.", field="note"
        )
    if last_day is not None and last_day < first_day:
        raise AccountsRefused("days_invalid", "The last day is before the first one.", field="last_day")
    if last_day is not None and last_day < today(workspace):
        raise AccountsRefused("days_over", "That is over already.", field="last_day")
    if stand_in == member.pk:
        raise _oneself()
    other = Membership.objects.filter(workspace=workspace, pk=stand_in, active=True, user__is_active=True).first()
    if other is None:
        raise AccountsRefused("member_unknown", "This person is no member here.", field="stand_in")
    row = Absence(member=member, first_day=first_day, last_day=last_day, stand_in=other, note=note)
    _refuse_circle(row)
    Absence.objects.update_or_create(
        member=member,
        defaults={"first_day": first_day, "last_day": last_day, "stand_in": other, "note": note},
    )
    return row


def _refuse_circle(row: Absence) -> None:
    """Nobody stands in, by way of others who are away then, for themselves."""
    begin, end = row.first_day, row.last_day or date.max
    seen: set[UUID] = set()
    at = row.stand_in_id
    while at is not None and at not in seen:
        seen.add(at)
        other = Absence.objects.filter(member_id=at).select_related("member__user").first()
        if other is None:
            return
        begin, end = max(begin, other.first_day), min(end, other.last_day or date.max)
        if begin > end:
            return
        if other.stand_in_id == row.member_id:
            name = other.member.user.name or other.member.user.email
            raise AccountsRefused(
                "in_a_circle", f"{name} is away then, too, and it would come back to you. Choose somebody else.",
                field="stand_in",
            )  # fmt: skip
        at = other.stand_in_id


def _hand(row: Absence, holding: Mapping[UUID, Absence]) -> tuple[Membership | None, Why]:
    """Who sees the questions: who stands in, or whoever stands in for them where they are away as well."""
    at = row
    for _ in range(MOST_HANDS):
        hand = at.stand_in
        if hand is None or not hand.active or not hand.user.is_active:
            return None, "left"
        if hand.pk == row.member_id:
            return None, "away"
        if hand.pk not in holding:
            return hand, ""
        at = holding[hand.pk]
    return None, "away"


def _locked(workspace: Workspace, membership_id: UUID) -> Membership:
    # One at a time in a workspace: two who stand in for each other could else both be let in.
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    rows = Membership.objects.filter(workspace=workspace, active=True, user__is_active=True).select_related("user")
    row = rows.filter(pk=membership_id).first()
    if row is None:
        raise AccountsRefused("not_found", "There is no such member here.", status=404)
    return row


def _zone(workspace: Workspace) -> tzinfo:
    try:
        return ZoneInfo(workspace.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _not_over(workspace_id: UUID | None = None) -> QuerySet[Absence]:
    """Without those that are over wherever the workspace is: those of years are kept. Nowhere is it earlier than a day
    before the day in UTC."""
    earliest = _now().astimezone(UTC).date() - timedelta(days=1)
    lasting = Q(last_day__isnull=True) | Q(last_day__gte=earliest)
    rows = Absence.objects.filter(lasting)
    return rows if workspace_id is None else rows.filter(member__workspace_id=workspace_id)


def _now() -> datetime:
    return timezone.now()

"""Taking a person's name out of what people were asked and what they answered. Who did what stays told, by the id that
nobody can be found by any more; what it was stays, too.

In pages, each a short transaction: whatever dies meanwhile, whoever does it again goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat, Left, Replace, Substr

from runtime.contracts.people import Erased
from runtime.contracts.sendings import MOST_SENT_NOTE
from runtime.contracts.tagging import LONGEST_TAG
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.engine.naming import folded
from runtime.store.commits import commit
from runtime.store.dialect import queue_up
from runtime.store.letter_models import MOST_NOTE, MOST_TICKET
from runtime.store.models import (
    AlertChannel,
    AlertMessage,
    BulkRetry,
    BulkRetryItem,
    HumanMail,
    HumanNote,
    HumanTask,
    HumanVote,
    LetterGroup,
    LetterSending,
    PendingAnswer,
    Review,
    ReviewChange,
    ReviewRow,
    RunTag,
)
from runtime.store.people import FOR

__all__ = ["erase_person"]

Row = TypeVar("Row", bound=Model)

_PAGE: Final = 500


def erase_person(who: Erased) -> int:
    """Of how many rows they were taken out."""
    count = sum(walk(who) for walk in (_answers, _notes, _channels, _typed, _letter_notes, _sendings, _tags))
    for page in (_votes, _in_place, _pending, _mails, _alerts, _claims, _asked, _changes, _handed, _rows):
        while changed := _one_page(page, who):
            count += changed
    return count


def _one_page(page: Callable[[Erased], int], who: Erased) -> int:
    with commit("people.erase"):
        return page(who)


def _walked(rows: QuerySet[Row], clean: Callable[[Row], bool]) -> int:
    """Clean all of these rows, page by page; how many were. What merely looks like the person is passed over, and keeps
    nobody from what is behind it."""
    count, after = 0, UUID(int=0)
    while True:
        with commit("people.erase"):
            page = list(rows.filter(pk__gt=after).order_by("pk")[:_PAGE])
            count += sum(map(clean, page))
        if len(page) < _PAGE:
            return count
        after = page[-1].pk


def _votes(who: Erased) -> int:
    rows = HumanVote.objects.filter(voter=who.id).exclude(name=who.pseudonym, email=who.email_then)
    pairs = list(rows.values_list("task_id", flat=True)[:_PAGE])
    return HumanVote.objects.filter(voter=who.id, task_id__in=pairs).update(name=who.pseudonym, email=who.email_then)


def _in_place(who: Erased) -> int:
    """What others said in their place, and mails about that."""
    rows = HumanVote.objects.filter(for_id=who.id).exclude(for_name=who.pseudonym, for_email=who.email_then)
    pairs = list(rows.values_list("task_id", flat=True)[:_PAGE])
    chosen = HumanVote.objects.filter(for_id=who.id, task_id__in=pairs)
    count = chosen.update(for_name=who.pseudonym, for_email=who.email_then)
    mails = HumanMail.objects.filter(for_id=who.id).exclude(for_name=who.pseudonym)
    ids = list(mails.values_list("pk", flat=True)[:_PAGE])
    return count + HumanMail.objects.filter(pk__in=ids).update(for_name=who.pseudonym)


def _answers(who: Erased) -> int:
    """What the run goes on with names those who answered. One that stands outside of the row goes with its run."""
    mine = HumanVote.objects.filter(Q(voter=who.id) | Q(for_id=who.id)).values("task_id")
    told = Q()
    for one in who.emails | who.names:
        told |= Q(answer__icontains=one)

    def clean(row: HumanTask) -> bool:
        answer: Any = loads_stored(row.answer or "{}")
        cleaned = dumps(who.cleaned_in(answer))
        return cleaned != row.answer and bool(HumanTask.objects.filter(pk=row.pk).update(answer=cleaned))

    return _walked(HumanTask.objects.filter(told, pk__in=mine, answer__startswith="{"), clean)


def _notes(who: Erased) -> int:
    mine = Q(by_id=who.id) & ~Q(by=who.pseudonym)
    told = Q()
    for email in who.emails:
        told |= Q(to__icontains=email)

    def clean(row: HumanNote) -> bool:
        before = (row.by, row.to, row.text)
        if row.by_id == who.id:
            row.by = who.pseudonym
        row.to = who.cleaned(row.to)
        if row.kind == "mail_failed":
            # What a mail server says of an address names it.
            row.text = who.cleaned(row.text)[:2000]
        if (row.by, row.to, row.text) == before:
            return False
        row.save(update_fields=["by", "to", "text"])
        return True

    return _walked(HumanNote.objects.filter(mine | told), clean)


def _pending(who: Erased) -> int:
    """What they said and what has not taken effect, or could not, names them, too, and so does what is kept of it for
    the record."""
    rows = PendingAnswer.objects.filter(voter=who.id).exclude(name=who.pseudonym, email=who.email_then)
    page = list(rows[:_PAGE])
    for row in page:
        record = dumps(who.cleaned_in(loads_stored(row.record))) if row.record else ""
        PendingAnswer.objects.filter(pk=row.pk).update(name=who.pseudonym, email=who.email_then, record=record)
    return len(page)


def _alerts(who: Erased) -> int:
    """What is still to be sent is sent to nobody."""
    ids = list(AlertMessage.objects.filter(route="mail", target__in=who.emails).values_list("pk", flat=True)[:_PAGE])
    AlertMessage.objects.filter(pk__in=ids, status="waiting").update(status="dropped")
    return AlertMessage.objects.filter(pk__in=ids).update(
        name=who.pseudonym, target=who.email_then, due_at=None, error=None
    )


def _channels(who: Erased) -> int:
    """Channels of alerts name people by their addresses."""
    told = Q()
    for email in who.emails:
        told |= Q(people__icontains=email)

    def clean(row: AlertChannel) -> bool:
        people: Any = loads_stored(row.people)
        left = [one for one in people if one not in who.emails]
        return left != people and bool(AlertChannel.objects.filter(pk=row.pk).update(people=dumps(left)))

    return _walked(AlertChannel.objects.filter(told), clean)


def _typed(who: Erased) -> int:
    """Why they had many runs gone on with, and the values that they typed for those whose turn has not come. What
    others typed stays: they may mean somebody else of that name."""

    def clean(row: BulkRetry) -> bool:
        reason = who.cleaned(row.reason)[:400]
        changed = reason != row.reason and bool(BulkRetry.objects.filter(pk=row.pk).update(reason=reason))
        for item in BulkRetryItem.objects.filter(bulk_id=row.pk, edits__isnull=False):
            edits = dumps(who.cleaned_in(loads_stored(item.edits or "null")))
            if edits != item.edits:
                # Its turn may come meanwhile: then it is the run's.
                same = BulkRetryItem.objects.filter(bulk_id=row.pk, place=item.place, edits=item.edits)
                changed = bool(same.update(edits=edits)) or changed
        return changed

    return _walked(BulkRetry.objects.filter(by=who.id), clean)


def _letter_notes(who: Erased) -> int:
    """What they wrote about groups of dead letters, and the address of a ticket that they put there."""
    count, after = 0, ""
    while True:
        with commit("people.erase"):
            rows = LetterGroup.objects.filter(noted_by=who.id, cause__gt=after).order_by("cause")
            page = list(rows[:_PAGE])
            # Of one cause there may be one row in each workspace: those that the page cuts apart come together.
            if len(page) == _PAGE and page[0].cause != page[-1].cause:
                page = [row for row in page if row.cause != page[-1].cause]
            for row in page:
                note, ticket = who.cleaned(row.note)[:MOST_NOTE], who.cleaned(row.ticket)[:MOST_TICKET]
                if (note, ticket) != (row.note, row.ticket):
                    mine = LetterGroup.objects.filter(workspace_id=row.workspace_id, cause=row.cause)
                    count += mine.filter(note=row.note, ticket=row.ticket).update(note=note, ticket=ticket)
        if not page:
            return count
        after = page[-1].cause


def _sendings(who: Erased) -> int:
    """What they sent to others' inboxes, with what they wrote to that; and whose address dead letters were sent to.
    What is with them still is with nobody: the ticker says so."""

    def clean(row: LetterSending) -> bool:
        before = (row.to, row.by_name, row.note)
        if row.by == who.id:
            row.by_name, row.note = who.pseudonym, who.cleaned(row.note)[:MOST_SENT_NOTE]
        if row.to in who.emails:
            row.to = who.email_then
        if (row.to, row.by_name, row.note) == before:
            return False
        row.save(update_fields=["to", "by_name", "note"])
        return True

    return _walked(LetterSending.objects.filter(Q(by=who.id) | Q(to__in=who.emails)), clean)


def _tags(who: Erased) -> int:
    """Words that they put on runs and that name them. A word is in its row's key: another row takes its place."""
    told = Q()
    for one in who.emails | who.names:
        told |= Q(folded__contains=folded(one))
    count = 0
    for workspace_id, word, tag in (
        RunTag.objects.filter(told, by=who.id).values_list("workspace_id", "folded", "tag").distinct()
    ):
        cleaned = who.cleaned(tag)[:LONGEST_TAG].strip()
        if cleaned == tag:
            continue
        rows = RunTag.objects.filter(workspace_id=workspace_id, folded=word, tag=tag, by=who.id)
        while True:
            with commit("people.erase"):
                queue_up(workspace_id)
                page = list(rows.values_list("run_id", flat=True)[:_PAGE])
                rows.filter(run_id__in=page).delete()
                made = [
                    RunTag(workspace_id=workspace_id, folded=folded(cleaned), run_id=one, tag=cleaned, by=who.id)
                    for one in page
                ]
                RunTag.objects.bulk_create(made, ignore_conflicts=True)
                count += len(page)
            if len(page) < _PAGE:
                break
    return count


def _mails(who: Erased) -> int:
    ids = list(HumanMail.objects.filter(email__in=who.emails).values_list("pk", flat=True)[:_PAGE])
    return HumanMail.objects.filter(pk__in=ids).update(
        name=who.pseudonym, email=who.email_then, token_sha256=None, due_at=None
    )


def _claims(who: Erased) -> int:
    rows = HumanTask.objects.filter(claimed_by=who.id).exclude(claimed_name=who.pseudonym)
    ids = list(rows.values_list("pk", flat=True)[:_PAGE])
    count = HumanTask.objects.filter(pk__in=ids).update(claimed_name=who.pseudonym)
    # Taken in the place of somebody who is away: the name says by whom, but others are called so, too.
    takes = HumanNote.objects.filter(task_id=OuterRef("pk"), kind="take").order_by("-at", "-id")
    theirs = HumanTask.objects.annotate(taker=Subquery(takes.values("by_id")[:1])).filter(taker=who.id)
    # Given again, the pseudonym is their name: what says so already is done.
    for name in who.names - {who.pseudonym}:
        found = theirs.filter(claimed_by__isnull=False, claimed_name__startswith=f"{name}{FOR}")
        ids = list(found.values_list("pk", flat=True)[: _PAGE - count])
        rest: Any = Concat(Value(who.pseudonym), Substr("claimed_name", len(name) + 1))
        count += HumanTask.objects.filter(pk__in=ids).update(claimed_name=Left(rest, 200))
    return count


def _asked(who: Erased) -> int:
    """Whom questions ask is told by addresses, each between commas."""
    count = 0
    for email in who.emails:
        for column in ("people", "barred", "away"):
            found = HumanTask.objects.filter(**{f"{column}__contains": f",{email},"})
            ids = list(found.values_list("pk", flat=True)[: _PAGE - count])
            there: Any = Replace(F(column), Value(f",{email},"), Value(f",{who.email_then},"))
            count += HumanTask.objects.filter(pk__in=ids).update(**{column: there})
    return count


def _changes(who: Erased) -> int:
    rows = ReviewChange.objects.filter(by=who.id).exclude(name=who.pseudonym, email=who.email_then)
    ids = list(rows.values_list("pk", flat=True)[:_PAGE])
    return ReviewChange.objects.filter(pk__in=ids).update(name=who.pseudonym, email=who.email_then)


def _handed(who: Erased) -> int:
    rows = Review.objects.filter(handed_by=who.id).exclude(handed_name=who.pseudonym)
    ids: list[UUID] = list(rows.values_list("pk", flat=True)[:_PAGE])
    return Review.objects.filter(pk__in=ids).update(handed_name=who.pseudonym)


def _rows(who: Erased) -> int:
    """Rows of lists say by name who changed them last; only those of lists that the person had a hand in."""
    lists = ReviewChange.objects.filter(by=who.id).values("review_id")
    rows = ReviewRow.objects.filter(review_id__in=lists, changed_by__in=who.names)
    pairs = list(rows.values_list("review_id", "seq")[:_PAGE])
    count = 0
    for review_id, seq in pairs:
        count += ReviewRow.objects.filter(review_id=review_id, seq=seq).update(changed_by=who.pseudonym)
    return count

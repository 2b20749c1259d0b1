"""What people do to a list that they review: change rows, hand it over, send it back, release it.

Every write locks the question and its list, and asks then who may: what somebody was allowed to when they opened the
page, in another session or in a link says nothing. A release takes the revision that the releaser saw; where a second
person has to release, nobody who had a hand in the list can, by whatever way they come (S117).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final, Literal
from uuid import UUID

from runtime import queue
from runtime.api.reviews import differs, found, hands_in, is_barred, judge_of, row_view, spec_of, totals_of, view_of
from runtime.contracts import JSON, AlreadyDecided, NotAsked, TaskRefused, Voter
from runtime.contracts.reviews import FourEyes, NotReady, ReviewChanged, ReviewView, RowBecame, RowChange
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSONRefused, dumps, loads_stored, normalise
from runtime.interpreter.asking import refuse_late, refuse_others
from runtime.interpreter.deciding import in_place_of, told_of
from runtime.interpreter.people import listed
from runtime.interpreter.stand_ins import letters
from runtime.interpreter.waiting import iso
from runtime.ports import PORTS
from runtime.sdk.reviews import Judge, misfit_text
from runtime.sdk.table_values import Misfit, Order, Sign
from runtime.store import reviews as store
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import HumanMail, HumanNote, HumanTask, HumanVote, Review, ReviewChange, ReviewRow, Run
from runtime.store.pauses import due_unless_stopped
from runtime.store.trail import said

__all__ = ["change_review_rows", "hand_review_over", "reject_review", "release_review", "send_review_back"]

MOST_CHANGES: Final = 500
_LONGEST_REASON: Final = 500
_LONGEST_COMMENT: Final = 2000
#: Mail about handing over is numbered behind all other mail about a question.
_BEHIND_OTHERS: Final = 2_000_000
_MOST_MAILS: Final = 500
_CHANGED_COLUMNS: Final = (
    "data", "prepared", "state", "reason", "rank", "problems", "amount", "currency", "sought", "version",
    "changed_by", "changed_at",
)  # fmt: skip


def change_review_rows(
    *,
    workspace_id: UUID,
    task_id: UUID,
    voter: Voter,
    changes: Sequence[RowChange],
    decimal: Sign = ".",
    dates: Order = "dmy",
) -> list[RowBecame]:
    """Put values into cells, accept, reject, and reopen rows. `decimal`, `dates`: how numbers and dates are written.
    What somebody else has changed meanwhile is left alone and told of; the others are changed in one go.

    Raises NotFound, NotAsked, AlreadyDecided, TaskRefused.
    """
    if len(changes) > MOST_CHANGES:
        raise TaskRefused({"changes": f"At most {MOST_CHANGES} rows can be changed at once."})
    found(workspace_id, task_id)
    with commit("review.change"):
        task, review = _held(workspace_id, task_id, voter)
        refuse_others(task, voter)
        _refuse_stage(review, "review")
        judge, now = judge_of(review), database_now()
        rows = {
            row.seq: row
            for row in ReviewRow.objects.select_for_update().filter(
                review_id=review.id, seq__in=[one.number - 1 for one in changes]
            )
        }
        became, written = [], []
        touched: dict[int, ReviewRow] = {}
        for change in changes:
            row = rows.get(change.number - 1)
            if row is None:
                became.append(RowBecame(change.number, "refused", None, "There is no such row."))
                continue
            one, notes = _changed(row, change, judge, voter, now, decimal, dates)
            became.append(one)
            written += notes
            if notes:
                touched[row.seq] = row
        if written:
            # One statement for all of them: whoever waits for the database waits for this.
            ReviewRow.objects.bulk_create(
                touched.values(),
                update_conflicts=True,
                unique_fields=["review_id", "seq"],
                update_fields=_CHANGED_COLUMNS,
            )
            ReviewChange.objects.bulk_create(written)
            Review.objects.filter(pk=review.id).update(revision=review.revision + 1)
            tell(rows=[seq + 1 for seq in sorted(touched)], revision=review.revision + 1)
        else:
            unchanged()
    return became


def _changed(
    row: ReviewRow, change: RowChange, judge: Judge, voter: Voter, now: int, decimal: Sign, dates: Order
) -> tuple[RowBecame, list[ReviewChange]]:
    if row.version != change.version:
        text = f"{row.changed_by} changed this row meanwhile."
        return RowBecame(change.number, "conflict", row_view(row, judge), text), []
    data: Any = loads_stored(row.data)
    values, wrong = _values(data, change.values, judge, decimal, dates)
    reason = change.reason.strip()
    state = row.state if change.state is None else change.state
    if state == "rejected" and change.state is not None and not reason:
        wrong["reason"] = "Say why it is rejected, in a few words."
    if len(reason) > _LONGEST_REASON:
        wrong["reason"] = f"A reason has at most {_LONGEST_REASON} characters."
    after = {**data, **values}
    judged = judge.look(after, row.seq)
    if change.state == "accepted" and judged.rank == 2:
        wrong["state"] = "It has to be mended or rejected: it cannot be accepted as it is."
    if wrong:
        return RowBecame(change.number, "refused", row_view(row, judge), " ".join(wrong.values()), wrong), []
    before = {name: data.get(name) for name in values}
    if values and change.state is None and state == "accepted":
        # What was accepted was the row as it stood.
        state = state if dumps([one.as_json() for one in judged.problems]) == row.problems else ""
    notes = []

    def note(kind: str, **what: Any) -> None:
        notes.append(
            ReviewChange(
                id=uuid7(), review_id=row.review_id, seq=row.seq, kind=kind, at=now, by=voter.id, name=voter.name[:200],
                email=voter.email.lower()[:254], **what,
            )
        )  # fmt: skip

    if values:
        note("edit", before=dumps(before), after=dumps(values))
    if change.state is not None and (change.state != row.state or reason != row.reason):
        note({"accepted": "accept", "rejected": "reject", "": "reopen"}[change.state], reason=reason)
    if notes:
        text = dumps(after)
        prepared = row.data if row.prepared is None else row.prepared
        row.data, row.prepared = text, None if text == prepared else prepared
        row.reason = reason if change.state is not None else row.reason if state else ""
        for name, value in store.verdict(judged, state).items():
            setattr(row, name, value)
        row.version, row.changed_by, row.changed_at = row.version + 1, voter.name[:200], now
    return RowBecame(change.number, "changed", row_view(row, judge)), notes


def _values(
    data: Mapping[str, JSON], given: Mapping[str, JSON], judge: Judge, decimal: Sign, dates: Order
) -> tuple[dict[str, JSON], dict[str, str]]:
    """What is put into cells, as their columns have it; and what cannot be."""
    values: dict[str, JSON] = {}
    wrong: dict[str, str] = {}
    for name, text in given.items():
        column = judge.column(name)
        if column is None or not column.editable:
            wrong[name] = "This cannot be changed here."
            continue
        try:
            value = judge.value(column, normalise(text), decimal, dates)
        except JSONRefused as error:
            wrong[name] = error.message
            continue
        except Misfit as misfit:
            wrong[name] = misfit_text(column, misfit)
            continue
        before = data.get(name)
        if isinstance(before, dict) and "amount" in before:
            value = {**before, "amount": value}
        if dumps(value) != dumps(before):
            values[name] = value
    return values, wrong


def hand_review_over(
    *, workspace_id: UUID, task_id: UUID, voter: Voter, revision: int, comment: str = ""
) -> ReviewView:
    """Hand it over for its release: nobody changes it any more. `revision`: as it was seen.

    Raises NotFound, NotAsked, AlreadyDecided, TaskRefused (`comment`), ReviewChanged, NotReady.
    """
    comment = _comment(comment, needed=False)
    _, seen = found(workspace_id, task_id)
    # Before the transaction: with a long list it takes a while, and the revision tells whether it still holds.
    sha256 = store.digest(seen.id)
    with commit("review.change"):
        task, review = _held(workspace_id, task_id, voter)
        absent = refuse_others(task, voter)[1]
        _refuse_stage(review, "review")
        if review.revision != revision or review.revision != seen.revision:
            raise _changed_meanwhile()
        spec = spec_of(review)
        if todo := ReviewRow.objects.filter(review_id=review.id, rank__gt=0).count():
            raise NotReady(f"{todo:,} rows still have to be mended, accepted or rejected.", code="rows_open", rows=todo)
        if differs(review, spec, totals_of(review, spec)):
            if spec["must_agree"]:
                raise NotReady("It is not what it has to be: the control totals differ.", code="totals_differ")
            if not comment:
                raise TaskRefused({"comment": "The control totals differ: say why."})
        now = database_now()
        _note(review, task, "hand_over", voter, now, comment)
        tell(**told_of(absent))
        barred: list[str] = list(spec["barred"])
        if spec["four_eyes"]:
            for who, (_, email) in hands_in(review).items():
                barred += [email, f"user:{who}"]
        _pass_on(task, spec["releasers"], tuple(dict.fromkeys(barred)))
        Review.objects.filter(pk=review.id).update(
            stage="release", revision=review.revision + 1, sha256=sha256, handed_by=voter.id,
            handed_name=voter.name[:200], handed_at=now, handed_comment=comment,
        )  # fmt: skip
        _mail(task, review, "release", spec["releasers"], barred, now)
    return view_of(*found(workspace_id, task_id), voter)


def send_review_back(*, workspace_id: UUID, task_id: UUID, voter: Voter, reason: str) -> ReviewView:
    """Give it back to those who review it; or take back what one has handed over oneself.

    Raises NotFound, NotAsked, AlreadyDecided, TaskRefused (`reason`).
    """
    reason = _comment(reason, needed=True, field="reason")
    found(workspace_id, task_id)
    with commit("review.change"):
        task, review = _held(workspace_id, task_id, voter)
        _refuse_stage(review, "release")
        own = review.handed_by == voter.id
        if not own:
            _refuse_barred(task, review, voter)
            refuse_others(task, voter)
        spec, now = spec_of(review), database_now()
        _note(review, task, "take_back" if own else "send_back", voter, now, reason)
        reviewers = list(spec["reviewers"])
        hands = hands_in(review)
        if reviewers and review.handed_by in hands:
            # Whoever looked through it in somebody's place goes on with that.
            reviewers = list(dict.fromkeys([*reviewers, hands[review.handed_by][1]]))
        _pass_on(task, reviewers, ())
        Review.objects.filter(pk=review.id).update(stage="review", revision=review.revision + 1, sha256="")
        if not own:
            to = [hands[review.handed_by][1]] if review.handed_by in hands else reviewers
            _mail(task, review, "send_back", to, (), now)
    return view_of(*found(workspace_id, task_id), voter)


def release_review(*, workspace_id: UUID, task_id: UUID, voter: Voter, revision: int, comment: str = "") -> ReviewView:
    """Release it: the run goes on with what is accepted. `revision`: as it was seen.

    Raises NotFound, NotAsked (FourEyes: they had a hand in it, or ask for it), AlreadyDecided, ReviewChanged.
    """
    return _decide(workspace_id, task_id, voter, "released", _comment(comment, needed=False), revision)


def reject_review(*, workspace_id: UUID, task_id: UUID, voter: Voter, reason: str) -> ReviewView:
    """Reject all of it: the run goes on by another way. Whoever is asked may, also who reviews.

    Raises NotFound, NotAsked, AlreadyDecided, TaskRefused (`reason`).
    """
    return _decide(workspace_id, task_id, voter, "rejected", _comment(reason, needed=True, field="reason"), None)


def _decide(
    workspace_id: UUID, task_id: UUID, voter: Voter, outcome: str, comment: str, revision: int | None
) -> ReviewView:
    run_id = found(workspace_id, task_id)[0].run_id
    with commit("human.decide"):
        # In the order in which a driver locks them.
        Run.objects.select_for_update().filter(pk=run_id).first()
        task, review = _held(workspace_id, task_id, voter)
        voter = _as_of_now(task, voter)
        if outcome == "released":
            _refuse_stage(review, "release")
            if review.revision != revision:
                raise _changed_meanwhile()
        if review.stage == "release":
            _refuse_barred(task, review, voter)
        standing, absent = refuse_others(task, voter)
        now = database_now()
        HumanVote.objects.create(
            task_id=task_id, voter=voter.id, name=voter.name[:200], at=now, outcome=outcome, comment=comment,
            email=voter.email.lower()[:254], via="inbox", admin=standing == "admin",
            **in_place_of(absent),
        )  # fmt: skip
        answer = dumps(_answer(review, outcome, comment, voter, now))
        HumanTask.objects.filter(pk=task_id).update(status="decided", closed_at=now, outcome=outcome, answer=answer)
        Review.objects.filter(pk=review.id).update(stage=outcome, revision=review.revision + 1)
        told = said("decide", f"user:{voter.id}", node=task.node_id, outcome=outcome, decided=True, attempts=[])
        Run.objects.filter(pk=run_id, finished_at__isnull=True).update(
            change=told, wake_at=due_unless_stopped(now), claims=0
        )
        tell(**told_of(absent))
    queue.ring([run_id])
    return view_of(*found(workspace_id, task_id), voter)


def _answer(review: Review, outcome: str, comment: str, voter: Voter, now: int) -> dict[str, JSON]:
    """What the run goes on with. The rows themselves stay where they are: a For each reads them from there."""
    spec = spec_of(review)
    rejected = store.chosen(review.id, "rejected").count()
    decided: dict[str, JSON] = {"by": voter.name, "at": iso(now), "comment": comment or None}
    made: dict[str, JSON] = {
        "outcome": outcome,
        "comment": comment or None,
        "accepted_count": review.rows - rejected if outcome == "released" else 0,
        "rejected_count": rejected if outcome == "released" else review.rows,
        outcome: decided,
    }
    if outcome != "released":
        return made
    totals: dict[str, JSON] = {
        one.currency: {
            "prepared": one.prepared.amount,
            "accepted": one.accepted.amount,
            "rejected": one.rejected.amount,
            "expected": one.expected,
        }
        for one in totals_of(review, spec)
    }
    reference: dict[str, JSON] = {"review": str(review.id), "sha256": review.sha256}
    handed_at = None if review.handed_at is None else iso(review.handed_at)
    return made | {
        "accepted": {**reference, "rows_of": "accepted", "rows": review.rows - rejected},
        "rejected": {**reference, "rows_of": "rejected", "rows": rejected},
        "changed_count": ReviewRow.objects.filter(review_id=review.id, prepared__isnull=False).count(),
        "totals": totals,
        "reviewed": {"by": review.handed_name, "at": handed_at, "comment": review.handed_comment or None},
        "hands": [name for name, _ in hands_in(review).values()],
        "sha256": review.sha256,
    }


# --- who, and when ------------------------------------------------------------------------------------------------


def _held(workspace_id: UUID, task_id: UUID, voter: Voter) -> tuple[HumanTask, Review]:
    """The question and its list, for change. Raises AlreadyDecided where nobody needs an answer any more."""
    task = HumanTask.objects.select_for_update().get(pk=task_id)
    review = found(workspace_id, task_id)[1]
    review = Review.objects.select_for_update().get(pk=review.pk)
    refuse_late(task, Run.objects.filter(pk=task.run_id).first(), voter, database_now())
    return task, review


def _as_of_now(task: HumanTask, voter: Voter) -> Voter:
    """The same person with the groups and the role that they have at this moment, and for whom they stand in. Raises
    NotAsked."""
    if PORTS.people.mark(workspace_id=task.workspace_id) is None:
        return voter
    now = PORTS.people.voter(workspace_id=task.workspace_id, email=voter.email.lower())
    if now is None or now.id != voter.id:
        raise NotAsked("You are no member of this workspace any more.")
    return replace(voter, groups=now.groups, role=now.role, stands_for=now.stands_for)


def _refuse_barred(task: HumanTask, review: Review, voter: Voter) -> None:
    if not is_barred(task, review, voter):
        return
    if voter.id in hands_in(review) and spec_of(review)["four_eyes"]:
        raise FourEyes("You changed this list, or handed it over: somebody else has to release it.")
    raise FourEyes("Whoever asks for it may not release it.")


def _refuse_stage(review: Review, stage: Literal["review", "release"]) -> None:
    if review.stage == stage:
        return
    if stage == "review":
        raise AlreadyDecided(
            f"{review.handed_name} has handed the list over. Nothing is changed unless it is sent back.",
            code="handed_over",
            by=review.handed_name,
        )
    raise AlreadyDecided("The list is being reviewed: it has to be handed over first.", code="not_handed_over")


def _changed_meanwhile() -> ReviewChanged:
    return ReviewChanged("Somebody changed the list since you looked at it. Look at it again.")


def _pass_on(task: HumanTask, people: Sequence[str], barred: Sequence[str]) -> None:
    """From now on it is for these."""
    HumanTask.objects.filter(pk=task.pk).update(
        people=listed(people), barred=listed(barred), away="", claimed_by=None, claimed_name="", stranded_at=None
    )


def _note(review: Review, task: HumanTask, kind: str, voter: Voter, now: int, text: str) -> None:
    ReviewChange.objects.create(
        review_id=review.id, kind=kind, at=now, by=voter.id, name=voter.name[:200], email=voter.email.lower()[:254],
        reason=text,
    )  # fmt: skip
    shown = "release" if kind == "hand_over" else kind
    HumanNote.objects.create(task_id=task.pk, kind=shown, at=now, by=voter.name[:200], by_id=voter.id, text=text)


def _mail(task: HumanTask, review: Review, kind: str, people: Sequence[str], barred: Sequence[str], now: int) -> None:
    """Tell those who are to act now, in the same commit."""
    spec: Any = loads_stored(task.spec)
    if not spec.get("mail") and PORTS.post is None:
        return
    known = PORTS.people.known(workspace_id=task.workspace_id, tokens=list(people))
    told = {
        person.email.lower(): person
        for one in known
        for person in one.people
        if person.email.lower() not in barred and f"user:{person.id}" not in barred
    }
    named = {one.token.lower() for one in known if "@" in one.token}
    rows = letters(task, number=_BEHIND_OTHERS + review.revision, kind=kind, people=told, named=named, now=now)
    HumanMail.objects.bulk_create(islice(rows, _MOST_MAILS), ignore_conflicts=True)


def _comment(text: str, *, needed: bool, field: str = "comment") -> str:
    text = text.strip()
    try:
        normalise(text)
    except JSONRefused as error:
        raise TaskRefused({field: error.message}) from None
    if needed and not text:
        raise TaskRefused({field: "Say why, in a few words."})
    if len(text) > _LONGEST_COMMENT:
        raise TaskRefused({field: f"At most {_LONGEST_COMMENT:,} characters."})
    return text

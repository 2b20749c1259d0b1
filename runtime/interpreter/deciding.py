"""How an answer of a person is weighed and put down: at once, or when an answer that could be taken back takes effect.

Both ways end in the one commit `human.decide`, which asks everything again under the row's lock (I13).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from runtime.contracts import JSON, Absent, AlreadyDecided, NotFound, RuntimeRefused, TaskRefused, Voter
from runtime.engine.containers import SKIP_NEEDS_ENGINE
from runtime.engine.jsonprofile import JSONRefused, dumps, loads_stored, normalise
from runtime.interpreter.asking import refuse_late, refuse_others
from runtime.interpreter.counting import able, approval, count
from runtime.interpreter.doubt_words import in_doubt, meant, said_as
from runtime.interpreter.four_eyes import refused_value
from runtime.interpreter.generations import Said, note_decision
from runtime.interpreter.generations import decided as decision
from runtime.interpreter.payloads import INLINE_CHARACTERS, MOST_BYTES, Reference, put_aside, too_large
from runtime.interpreter.people import GIVE_UP, USE_VALUE, called, choices_of
from runtime.interpreter.waiting import iso
from runtime.sdk.forms import FormField, check_form
from runtime.sdk.tasks import ANSWERED
from runtime.store import artifacts, beside
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.left_out import SKIP
from runtime.store.models import Attempt, HumanTask, HumanVote, PendingAnswer, Run
from runtime.store.pauses import due_unless_stopped
from runtime.store.statements import HELD
from runtime.store.trail import said

__all__ = [
    "Answer",
    "Checked",
    "TakenBack",
    "checked",
    "in_place_of",
    "is_small",
    "put_down",
    "refuse_pending",
    "row_of",
    "told_as",
    "told_of",
]

_LONGEST_COMMENT: Final = 2000


class TakenBack(RuntimeRefused):
    """The answer that was to take effect is no longer there."""

    code = "taken_back"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says. `outcome` as people call it; `answers`: of a form; `output`: the value to go on with."""

    outcome: str
    comment: str = ""
    answers: Mapping[str, JSON] = field(default_factory=dict)
    output: JSON = None


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer that fits its question. `outcome` as it is stored; `accepted`: what the run gets of it; `absent`: who
    is away, and in whose place it is given."""

    outcome: str
    comment: str
    accepted: JSON
    absent: Absent | None = None


def row_of(workspace_id: UUID, task_id: UUID) -> HumanTask:
    """One question. Raises NotFound."""
    row = HumanTask.objects.filter(workspace_id=workspace_id, pk=task_id).first()
    if row is None:
        raise NotFound("There is no such question.", code="task_not_found")
    return row


def checked(row: HumanTask, given: Answer, voter: Voter) -> Checked:
    """Whether this person may say that. Raises NotAsked, AlreadyDecided (`taken`), TaskRefused."""
    spec: Any = loads_stored(row.spec)
    absent = refuse_others(row, voter)[1]
    if row.kind == "review":
        # A list is changed, handed over and released by `reviewing.py` alone, which holds its rules.
        raise TaskRefused({"outcome": "A list is reviewed, and released by a second person, on its own page."})
    outcome = meant(spec, given.outcome)
    if row.kind == "exception" and outcome == USE_VALUE:
        _refuse_value(row, spec)
    comment = given.comment.strip()
    return Checked(outcome, comment, _accepted(row, spec, outcome, comment, given.answers, given.output), absent)


def put_down(
    row: HumanTask,
    given: Answer,
    voter: Voter,
    *,
    via: str,
    pending: PendingAnswer | None = None,
    along: Callable[[int], None] | None = None,
) -> bool:
    """Put an answer down, at once and for good; whether that decides the question. `pending`: the answer that takes
    effect by this, and is gone by the same commit. `along`: called within that commit, with its time (ms).

    Raises NotAsked, AlreadyDecided, TaskRefused; TakenBack where `pending` is no longer there.
    """
    found = checked(row, given, voter)
    spec: Any = loads_stored(row.spec)
    kept = _put_aside(row, _answer(row, found, (), voter, database_now()))
    try:
        return _put_down(row, spec, found, voter, kept, via, pending, along)
    except RuntimeRefused:
        if kept is not None:
            artifacts.discard(kept.artifact_id)
        raise


def _put_down(
    row: HumanTask,
    spec: Mapping[str, Any],
    found: Checked,
    voter: Voter,
    kept: Reference | None,
    via: str,
    pending: PendingAnswer | None,
    along: Callable[[int], None] | None,
) -> bool:
    task_id, outcome = row.id, found.outcome
    with commit("human.decide"):
        # In the order in which a driver locks them.
        run = Run.objects.select_for_update().filter(pk=row.run_id).first()
        row = HumanTask.objects.select_for_update().get(pk=task_id)
        # Under the lock that a time-out takes too: of the two the clock has decided, however long this waited for it.
        now = database_now()
        mine = PendingAnswer.objects.filter(task_id=task_id, voter=voter.id)
        if pending is not None and not mine.filter(pk=pending.pk, due_at__isnull=False).exists():
            raise TakenBack("This answer was taken back.")
        # What was to take effect in time has, however late the clock is looked at.
        refuse_late(row, run, voter, now if pending is None or pending.due_at is None else min(now, pending.due_at))
        # Somebody may have taken it meanwhile, or handed it over.
        standing, absent = refuse_others(row, voter)
        if pending is None:
            refuse_pending(row, spec, voter)
        # By deciding at once somebody also decides what they had given before.
        mine.delete()
        HumanVote.objects.create(
            task_id=task_id, voter=voter.id, name=voter.name[:200], at=now, outcome=outcome, comment=found.comment,
            email=voter.email.lower()[:254], via=via, admin=standing == "admin", **in_place_of(absent),
        )  # fmt: skip
        votes = list(HumanVote.objects.filter(task_id=task_id).order_by("at", "voter"))
        decided = _is_decided(row, spec, outcome, votes)
        attempts: list[Said] = []
        if decided:
            answer = kept.text() if kept else dumps(_answer(row, found, votes, voter, now))
            if row.kind == "exception":
                attempts = _note_doubt(row, outcome, voter, now)
            HumanTask.objects.filter(pk=task_id).update(status="decided", closed_at=now, outcome=outcome, answer=answer)
        told = said(
            "decide", f"user:{voter.id}", node=row.node_id, outcome=said_as(spec, outcome), decided=decided,
            attempts=attempts,
        )  # fmt: skip
        changes: dict[str, Any] = {"wake_at": due_unless_stopped(now), "claims": 0} if decided else {}
        if decided and row.kind == "exception" and outcome == SKIP and run is not None:
            # An older worker would take the word for a value to go on with (I30); a pause's share stays what it is.
            changes["min_engine"] = run.min_engine + max(0, SKIP_NEEDS_ENGINE - run.min_engine % HELD)
        Run.objects.filter(pk=row.run_id, finished_at__isnull=True).update(change=told, **changes)
        beside.tell(
            decided=decided,
            sha256_after=beside.digest(found.accepted),
            **told_of(absent),
            **told_as(spec, outcome),
        )
        if along is not None:
            along(now)
    return decided


def refuse_pending(row: HumanTask, spec: Mapping[str, Any], voter: Voter) -> None:
    """Raises AlreadyDecided where somebody else has given an answer that will decide it, and can still take it back:
    who was first is first. Where several have to say so, only what does not decide it alone stands beside others."""
    others = PendingAnswer.objects.filter(task_id=row.id, due_at__isnull=False).exclude(voter=voter.id)
    several = int(spec.get("needs", 1)) > 1 or spec.get("everyone")
    for one in others.order_by("at"):
        if several and row.kind == "approval" and one.outcome == spec["choices"][0]["id"]:
            continue
        raise AlreadyDecided(
            f"{one.name} is deciding this right now. Look again in a few seconds.",
            code="being_decided",
            by=one.name,
            outcome=said_as(spec, one.outcome),
        )


def is_small(row: HumanTask, found: Checked, voter: Voter) -> bool:
    """Whether it stands in its row, and in no file of its own."""
    return len(dumps(_answer(row, found, (), voter, 0))) <= INLINE_CHARACTERS


def _put_aside(row: HumanTask, answer: JSON) -> Reference | None:
    """Keep a large answer outside its row; before the transaction, which is no place for files. Raises TaskRefused."""
    text = dumps(answer)
    if row.kind == "approval" or len(text) <= INLINE_CHARACTERS:
        return None
    if too_large(text):
        raise TaskRefused({"output": f"An answer may have at most {MOST_BYTES // 2**20} MiB."})
    return put_aside(text, workspace_id=row.workspace_id, name="answer.json")


def _refuse_value(row: HumanTask, spec: Mapping[str, Any]) -> None:
    if (why := refused_value(row.run_id, row.node_id, in_doubt=in_doubt(spec))) is not None:
        raise TaskRefused({"output": why})


def _note_doubt(row: HumanTask, outcome: str, voter: Voter, now: int) -> list[Said]:
    """Put what a person said beside the attempt of which nobody knew whether it happened (I12); how that stands now."""
    if outcome in (GIVE_UP, SKIP):
        return []
    happened = outcome == USE_VALUE
    of_step = Attempt.objects.filter(run_id=row.run_id, node_id=row.node_id)
    tries = list(of_step.filter(generation=row.generation, attempt=row.attempt, status="in_doubt"))
    if happened and not tries:
        # What was sent again was refused: the word is about the call before that.
        tries = list(of_step.filter(status="abandoned").order_by("-generation", "-attempt")[:1])
    noted: list[Said] = []
    for found in tries:
        note_decision(found, happened=happened, who=f"user:{voter.id}", now=now)
        noted.append((found.node_id, found.generation, found.attempt, decision(happened)))
    return noted


def _accepted(
    row: HumanTask,
    spec: Mapping[str, Any],
    outcome: str,
    comment: str,
    answers: Mapping[str, JSON] | None,
    output: JSON,
) -> JSON:
    """What the run gets of it. Raises TaskRefused."""
    choice = next((one for one in choices_of(spec) if one["id"] == outcome), None)
    if choice is None:
        raise TaskRefused({"outcome": "There is no such answer to this question."})
    try:
        normalise(comment)
    except JSONRefused as error:
        raise TaskRefused({"comment": error.message}) from None
    if len(comment) > _LONGEST_COMMENT:
        raise TaskRefused({"comment": f"A comment has at most {_LONGEST_COMMENT:,} characters."})
    if choice["comment"] and not comment:
        raise TaskRefused({"comment": "Say why, in a few words."})
    if row.kind == "form":
        fields = [FormField.model_validate(one) for one in spec["fields"]]
        accepted, refused = check_form(fields, dict(answers or {}))
        if refused:
            raise TaskRefused({f"answers.{name}" if name else "answers": text for name, text in refused.items()})
        return accepted
    if row.kind == "exception" and outcome == USE_VALUE:
        try:
            return normalise(output)
        except JSONRefused as error:
            raise TaskRefused({"output": error.message}) from None
    return None


def _is_decided(row: HumanTask, spec: Mapping[str, Any], outcome: str, votes: Sequence[HumanVote]) -> bool:
    """An approval needs so many, or everybody who is asked now; a no, and every other answer, counts at once. Asked
    under the row's lock: whoever leaves behind it is counted by `worker.recounts`."""
    if row.kind != "approval" or outcome != spec["choices"][0]["id"]:
        return True
    everyone = spec.get("everyone")
    found = count(row.kind, spec, votes, able(row) if everyone else ())
    # Where nobody is left of those who all had to approve, it is for an admin, whose word is enough.
    return found.decided or bool(everyone and found.stranded)


def _answer(row: HumanTask, found: Checked, votes: Sequence[HumanVote], voter: Voter, now: int) -> JSON:
    outcome, comment, accepted = found.outcome, found.comment, found.accepted
    if row.kind == "exception":
        return accepted if outcome == USE_VALUE else {"outcome": outcome, **_by(found, voter, comment)}
    if row.kind == "form":
        assert isinstance(accepted, dict)
        return {**accepted, ANSWERED: {"at": iso(now), **_by(found, voter, comment)}}
    spec: Any = loads_stored(row.spec)
    return approval(spec, outcome, comment, votes)


def _by(found: Checked, voter: Voter, comment: str) -> dict[str, JSON]:
    in_place: dict[str, JSON] = {} if found.absent is None else {"for": found.absent.name}
    return {"by": voter.name, **in_place, "comment": comment or None}


def told_of(absent: Absent | None) -> dict[str, str]:
    """What the record of a deed says of that."""
    return {} if absent is None else {"in_place_of": absent.name}


def told_as(spec: Mapping[str, Any], outcome: str) -> dict[str, JSON]:
    """And of the name by which the builder had this answer shown."""
    name = called(spec, outcome)
    return {} if name is None else {"called": name}


def in_place_of(absent: Absent | None) -> dict[str, Any]:
    """The columns of a vote that say in whose place it was given."""
    if absent is None:
        return {}
    return {"for_id": absent.id, "for_name": absent.name[:200], "for_email": absent.email.lower()[:254]}

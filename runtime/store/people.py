# ruff: noqa: DJ001, DJ008
# NULL means "there is none", which an empty text is not; the rows are shown by views, never by str().
"""The rows of what people are asked: questions, answers, what happened meanwhile, and the mail about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from django.db import models
from django.db.models import Q

from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import dumps, loads_stored

#: Between the name of who did something and of who was away, where one column tells of both: which words stand
#: between them is for those to say who show it.
FOR: Final = "\x1f"


class Names(NamedTuple):
    """Who did something, and in whose place: empty where in nobody's."""

    by: str
    in_place_of: str

    @classmethod
    def read(cls, text: str) -> Names:
        """Of a column that tells of both."""
        by, _, in_place_of = text.partition(FOR)
        return cls(by, in_place_of)

    @property
    def text(self) -> str:
        """As a column tells of both; 200 characters at the most."""
        return f"{self.by[:99]}{FOR}{self.in_place_of[:99]}" if self.in_place_of else self.by[:200]

    @property
    def words(self) -> str:
        """In English, for sentences that no catalogue has."""
        return f"{self.by} for {self.in_place_of}" if self.in_place_of else self.by

    @property
    def params(self) -> dict[str, str]:
        """For sentences of a catalogue."""
        return {"by": self.by, "in_place_of": self.in_place_of} if self.in_place_of else {"by": self.by}


def refusal_text(why: str, params: Mapping[str, Any]) -> str:
    """Why an answer could not take effect, as its row tells of it: a sentence, and behind it the names that the same
    sentence of a catalogue needs."""
    named = {name: params[name][:200] for name in ("by", "in_place_of", "outcome") if isinstance(params.get(name), str)}
    return f"{why[:300]}{FOR}{dumps(named)}" if named else why[:1000]


def read_refusal(text: str) -> tuple[str, dict[str, str]]:
    """The sentence and the names of that."""
    why, _, named = text.partition(FOR)
    return why, cast("dict[str, str]", loads_stored(named)) if named else {}


def in_time(now: int) -> Q:
    """Questions whose time is not over at this moment of the database's clock; `HumanTask.is_too_late` of one row. Of a
    paused run a question may stay open behind its time."""
    return Q(ends_at__isnull=True) | Q(ends_at__gt=now)


class HumanTask(models.Model):
    """What people are asked for one step of a run: an approval, a form, or what to do about a failure.

    It is written in the commit that makes the run wait. status: `open` → `decided` | `late` | `cancelled`, once; the
    decision is one row's change, so of two people who decide at once the first counts (I13). `spec`: the question
    (`sdk.tasks`); `answer`: what the run goes on with; both JSON. `people`: e-mail addresses, `group:<id>`,
    `role:<role>`, each between commas; empty for everybody in the workspace. `barred`: who may not decide though
    asked; `away`: who has handed it over. `due_at`: when it should be answered; `ends_at`: when the run goes on
    without. `notice_at`: when the next of the spec's notices is due, `notices` of which were carried out (I18).
    `stranded_at`: since when those who are asked cannot decide it any more; then admins may. `claimed_name`: by whom it
    was taken, as `Names.text`. `worth`, `currency`: what it is about, or what its run is worth, in ten-thousandths, by
    which lists are sorted; NULL where neither is said.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField()
    run = models.ForeignKey("Run", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    node_id = models.CharField(max_length=64)
    generation = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    status = models.CharField(max_length=16, default="open")
    title = models.CharField(max_length=300)
    spec = models.TextField()
    people = models.TextField(default="")
    barred = models.TextField(default="", db_default="")
    away = models.TextField(default="", db_default="")
    due_at = models.BigIntegerField(null=True)
    ends_at = models.BigIntegerField(null=True)
    notice_at = models.BigIntegerField(null=True)
    notices = models.PositiveIntegerField(default=0, db_default=0)
    reminded_at = models.BigIntegerField(null=True)
    escalated_at = models.BigIntegerField(null=True)
    stranded_at = models.BigIntegerField(null=True)
    claimed_by = models.UUIDField(null=True)
    claimed_name = models.CharField(max_length=200, default="", db_default="")
    created_at = models.BigIntegerField()
    closed_at = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=64, null=True)
    answer = models.TextField(null=True)
    worth = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "node_id", "generation", "attempt"], name="humantask_once"),
        ]
        indexes = [
            models.Index(fields=["workspace_id", "id"], condition=models.Q(status="open"), name="humantask_open"),
            models.Index(fields=["workspace_id", "-id"], name="humantask_newest"),
            models.Index(
                fields=["workflow_id", "node_id", "-id"],
                condition=models.Q(status="decided"),
                name="humantask_alike",
            ),
            models.Index(
                fields=["notice_at"],
                condition=models.Q(status="open", notice_at__isnull=False),
                name="humantask_notice",
            ),
        ]

    @property
    def takers(self) -> Names:
        """Who has taken it, and in whose place."""
        return Names.read(self.claimed_name)

    def is_too_late(self, now: int) -> bool:
        """Whether its time is over at this moment of the database's clock: `in_time` says the opposite of rows."""
        return self.ends_at is not None and self.ends_at <= now


class HumanVote(models.Model):
    """What one person said to a task: at most once. `for_id`, `for_name`, `for_email`: in whose place, who was away and
    whose voice it is; NULL and empty for whoever was asked."""

    pk = models.CompositePrimaryKey("task_id", "voter")
    task = models.ForeignKey(HumanTask, on_delete=models.CASCADE, related_name="votes", db_index=False)
    voter = models.UUIDField()
    name = models.CharField(max_length=200)
    at = models.BigIntegerField()
    outcome = models.CharField(max_length=64)
    comment = models.CharField(max_length=2000, default="")
    email = models.CharField(max_length=254, default="", db_default="")
    via = models.CharField(max_length=8, default="inbox", db_default="inbox")
    admin = models.BooleanField(default=False, db_default=False)
    for_id = models.UUIDField(null=True)
    for_name = models.CharField(max_length=200, default="", db_default="")
    for_email = models.CharField(max_length=254, default="", db_default="")

    class Meta:
        indexes = [models.Index(fields=["voter", "at"], name="humanvote_of_voter")]

    @property
    def names(self) -> Names:
        """Who said so, and in whose place."""
        return Names(self.name, self.for_name)


class PendingAnswer(models.Model):
    """What a person has said to a task, and can still take back: it takes effect at `due_at`, by whoever ticks then.

    It is gone in the commit that makes a vote of it, or that takes it back. What could not take effect stays without
    `due_at`, with why (`refused`, as `refusal_text`; `refused_code`), until the person has read it. `voter_json`: by
    what else than their address they were asked; `answers` and `output` as they were given, JSON. `record`: what
    whoever accepted it wants to be put on record when it takes effect, JSON; the runtime reads nothing of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    task = models.ForeignKey(HumanTask, on_delete=models.CASCADE, related_name="+", db_index=False)
    workspace_id = models.UUIDField()
    voter = models.UUIDField()
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254)
    voter_json = models.TextField()
    outcome = models.CharField(max_length=64)
    comment = models.CharField(max_length=2000, default="", db_default="")
    answers = models.TextField(default="{}")
    output = models.TextField(default="null")
    at = models.BigIntegerField()
    due_at = models.BigIntegerField(null=True)
    record = models.TextField(default="")
    refused_code = models.CharField(max_length=64, null=True)
    refused = models.CharField(max_length=1000, null=True)
    refused_at = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "voter"], name="pendinganswer_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="pendinganswer_due"),
            models.Index(fields=["workspace_id", "voter"], name="pendinganswer_mine"),
        ]


class HumanSnooze(models.Model):
    """Until when a question is to be out of one person's list: it is back by itself."""

    pk = models.CompositePrimaryKey("task_id", "voter")
    task = models.ForeignKey(HumanTask, on_delete=models.CASCADE, related_name="+", db_index=False)
    voter = models.UUIDField()
    until = models.BigIntegerField()


class HumanNote(models.Model):
    """What happened to a question beside its answers: who was asked too, who handed it over, whom a mail
    missed, that nobody was left who can decide. `to`: of takes and returns as `Names.text`."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    task = models.ForeignKey(HumanTask, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16)
    at = models.BigIntegerField()
    by = models.CharField(max_length=200, default="")
    by_id = models.UUIDField(null=True)
    to = models.CharField(max_length=1000, default="")
    text = models.CharField(max_length=2000, default="")


class HumanMail(models.Model):
    """A message about a question to one of those it goes to; written with what causes it, and sent at least once.

    `due_at`: when the next try is due; NULL when it was sent, given up or is no longer needed. Each try has the same
    Message-ID, by which receivers know a repeat. `token_sha256`: the digest of the link's token. `for_id`, `for_name`,
    `for_until`: in whose place they get it, who is away until that day, `2026-12-03`; empty where nobody knows.
    kind `digest`: a mail that lists several questions, each of which has a row `listed` (`worker.digests`).
    kind `letters`: dead letters that were sent to their inbox (`sending`), and no question.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    task = models.ForeignKey(HumanTask, on_delete=models.CASCADE, related_name="+", db_index=False, null=True)
    sending = models.ForeignKey("LetterSending", on_delete=models.CASCADE, related_name="+", db_index=False, null=True)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=16)
    email = models.CharField(max_length=254)
    name = models.CharField(max_length=200, default="")
    language = models.CharField(max_length=12, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    status = models.CharField(max_length=8, default="waiting")
    due_at = models.BigIntegerField(null=True)
    tries = models.PositiveIntegerField(default=0)
    token_sha256 = models.CharField(max_length=64, null=True, unique=True)
    created_at = models.BigIntegerField()
    sent_at = models.BigIntegerField(null=True)
    error = models.CharField(max_length=400, null=True)
    for_id = models.UUIDField(null=True)
    for_name = models.CharField(max_length=200, default="", db_default="")
    for_until = models.CharField(max_length=10, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "number", "email"], name="humanmail_once"),
            models.UniqueConstraint(
                fields=["sending", "email"], condition=models.Q(sending__isnull=False), name="humanmail_letters_once"
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="humanmail_due")]

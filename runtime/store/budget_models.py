# ruff: noqa: DJ001, DJ008
# NULL means "there is none", as in `models.py`, which these rows belong to.
"""The rows of rate budgets: how many calls a connection takes, and whose turn it is."""

from __future__ import annotations

from django.db import models

from runtime.engine.ids import uuid7


class Budget(models.Model):
    """How many calls another system takes by one connection, for all workflows together.

    At most `calls` within any `period_ms`, and at most `at_once` under way; NULL: any number. `name`: the connection's.
    `used`: of the calls that have ended, how many count in which slice of time (`budget_window`). `clock`: the rank of
    the last turn that was given. `paused_until`: the other system said, with `paused_status`, that it takes none until
    then. `next_at`: when there may be room for one that waits; NULL where none does.

    `pauses`: where the other system refuses these credentials, whatever calls by them waits until somebody has repaired
    the connection, and does not fail. It is broken since `broken_at`, for `broken_reason`; `repaired_at`: it was so no
    more since then.

    Whoever changes anything of a budget, or of its turns, locks this row first.
    """

    connection_id = models.UUIDField(primary_key=True)
    workspace_id = models.UUIDField(db_index=True)
    name = models.CharField(max_length=120)
    calls = models.PositiveIntegerField(null=True)
    period_ms = models.PositiveIntegerField(null=True)
    at_once = models.PositiveIntegerField(null=True)
    used = models.TextField(default="")
    clock = models.BigIntegerField(default=0)
    paused_until = models.BigIntegerField(null=True)
    paused_status = models.PositiveSmallIntegerField(null=True)
    next_at = models.BigIntegerField(null=True)
    changed_at = models.BigIntegerField()
    pauses = models.BooleanField(default=False, db_default=False)
    broken_at = models.BigIntegerField(null=True)
    broken_reason = models.CharField(max_length=400, null=True)
    repaired_at = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="budget_due"),
        ]


class BudgetTurn(models.Model):
    """One call that a budget knows of: it `waits`; it is `given` a turn that nobody has taken up yet; or it is `taken`
    and under way, in the process `owner` under the lease `token`. When it has ended it is counted and the row goes.

    Turns are given by `rank`, in which the workflows that wait go round and round. `place`: 0 for the call that an
    attempt begins with; further ones are counted from 1.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    connection_id = models.UUIDField()
    workflow_id = models.UUIDField()
    run_id = models.UUIDField()
    node_id = models.CharField(max_length=64)
    generation = models.PositiveIntegerField()
    place = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=8)
    rank = models.BigIntegerField()
    asked_at = models.BigIntegerField()
    given_at = models.BigIntegerField(null=True)
    owner = models.CharField(max_length=64, null=True)
    token = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "node_id", "generation", "place", "connection_id"], name="turn_once_per_call"
            ),
        ]
        indexes = [
            models.Index(fields=["connection_id", "state", "rank", "id"], name="turn_next"),
            models.Index(fields=["connection_id", "workflow_id", "rank"], name="turn_of_workflow"),
        ]

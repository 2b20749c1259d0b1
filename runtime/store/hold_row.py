# ruff: noqa: DJ001, DJ008
# NULL means "there is none", as in `models.py`, which has this row too.
"""The row of a workflow that is paused and still accepts."""

from __future__ import annotations

from typing import Final

from django.db import models

__all__ = ["BREAKER_FAILURES", "BREAKER_MINUTES", "Hold"]

#: Failures in a row after which a workflow is paused, unless its settings say otherwise.
BREAKER_FAILURES: Final = 10
#: Within what time a share of failures counts.
BREAKER_MINUTES: Final = 15


class Hold(models.Model):
    """A workflow that is paused and still accepts: what starts is stored and held until somebody lets it go.

    While this row stands, runs that are accepted are held from the first moment (`INSERT_RUNS`), and none that has not
    begun may be claimed (`claims.py`). mode: `held` | `trying` (one run was let go, to see how it ends) | `draining`
    (they are let go in the order of acceptance; the row goes with the last of them). `cause`: `person` | `failures`;
    `facts` says of failures how many, and of what, as JSON. `open_runs`: what became of runs under way: `finish` |
    `hold`. `per_minute` and `at_once` are the speed; NULL is as fast as possible.
    """

    workflow_id = models.UUIDField(primary_key=True)
    workspace_id = models.UUIDField(db_index=True)
    since = models.BigIntegerField()
    by = models.CharField(max_length=64)
    cause = models.CharField(max_length=16)
    reason = models.CharField(max_length=400, default="")
    facts = models.TextField(default="{}")
    open_runs = models.CharField(max_length=8, default="finish")
    mode = models.CharField(max_length=16, default="held")
    #: The run that was let go to see how it ends, and how it did: `done` | `failed`.
    trial_run_id = models.UUIDField(null=True)
    trial = models.CharField(max_length=8, null=True)
    per_minute = models.PositiveIntegerField(null=True)
    at_once = models.PositiveIntegerField(null=True)
    drained_by = models.CharField(max_length=64, null=True)
    drained_from = models.BigIntegerField(null=True)
    #: With this version go those that were accepted by then and fit it; NULL: each with the one it came under.
    onto_version_id = models.UUIDField(null=True)
    #: How many were let go since then.
    let_go = models.PositiveIntegerField(default=0)

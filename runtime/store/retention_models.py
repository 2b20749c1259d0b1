# ruff: noqa: DJ001, DJ008
# As in `models.py`, which these rows belong to.
"""The rows of retention: for how long a workspace keeps what, how far it is with removing it, and what is held."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from runtime.engine.ids import uuid7


class Retention(models.Model):
    """For how long a workspace keeps what; one row a workspace, from its first rule on.

    `rules`: days by class (`contracts.retention`), JSON; a class that is not named is kept for ever. `began_at` and
    `ended_at`: of the last sweep; one that has begun and not ended is under way, and `state` says how far it is and
    what it has removed (JSON), written with each removal. `last`: what the last one that ended came to, JSON.
    `asked_at`, `asked_by`: somebody wants one now. `token`: rises whenever a process goes on with it, so that of two
    only one does. `whole_at`: when one last looked at everything, also at what earlier ones had been through.
    """

    workspace_id = models.UUIDField(primary_key=True)
    rules = models.TextField(default="{}")
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.BigIntegerField(default=0)
    began_at = models.BigIntegerField(null=True)
    ended_at = models.BigIntegerField(null=True)
    whole_at = models.BigIntegerField(null=True)
    asked_at = models.BigIntegerField(null=True)
    asked_by = models.UUIDField(null=True)
    state = models.TextField(default="{}")
    last = models.TextField(default="{}")
    token = models.BigIntegerField(default=0)


class LegalHold(models.Model):
    """Nothing of a workflow, or of the runs with a business key, is removed by a rule until this is lifted.

    Exactly one of `workflow_id` and `key` says what is held; `key` as it is shown.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField(null=True)
    key = models.CharField(max_length=200, null=True)
    reason = models.CharField(max_length=400)
    at = models.BigIntegerField()
    by = models.UUIDField(null=True)
    lifted_at = models.BigIntegerField(null=True)
    lifted_by = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace_id"], condition=Q(lifted_at=None), name="legalhold_standing")]

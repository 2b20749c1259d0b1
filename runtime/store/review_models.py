# ruff: noqa: DJ001, DJ008
# As in `models.py`, which these rows belong to.
"""The rows of lists that people review: the list, its rows, and each change of one."""

from __future__ import annotations

from django.db import models

from runtime.engine.ids import uuid7


class Review(models.Model):
    """A list that a step set down for people to look through, before anything is done with it.

    Its rows are written before its question (`HumanTask`) is, which names it. stage: `staging` → `review` ⇄ `release` →
    `released` | `rejected`. `spec`: how rows are judged, who reviews and who releases, JSON; `prepared`: what it came
    to when it was set down, JSON. `revision`: counts every change. `sha256`: of the lines that were handed over
    (`store/reviews.py`); while the stage is `release` none of them changes.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    run_id = models.UUIDField()
    node_id = models.CharField(max_length=64)
    generation = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField()
    stage = models.CharField(max_length=16, default="staging")
    revision = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    spec = models.TextField()
    prepared = models.TextField(default="{}")
    sha256 = models.CharField(max_length=64, default="")
    handed_by = models.UUIDField(null=True)
    handed_name = models.CharField(max_length=200, default="")
    handed_at = models.BigIntegerField(null=True)
    handed_comment = models.CharField(max_length=2000, default="")
    created_at = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run_id", "node_id", "generation", "attempt"], name="review_once"),
        ]


class ReviewRow(models.Model):
    """A row of such a list. `seq`: its number, from 0. `data`: as it is now, JSON; `prepared`: as it came, NULL while
    it is still so. state: empty, `accepted` or `rejected`. `rank`: 2 where it has to be mended or rejected, 1 where
    somebody has to accept or reject it, else 0. `amount`: as `batches.units_of` keeps it. `sought`: what it is found
    by. `version`: counts its changes.
    """

    pk = models.CompositePrimaryKey("review_id", "seq")
    review_id = models.UUIDField()
    seq = models.PositiveIntegerField()
    data = models.TextField()
    prepared = models.TextField(null=True)
    state = models.CharField(max_length=8, default="")
    reason = models.CharField(max_length=500, default="")
    rank = models.PositiveSmallIntegerField(default=0)
    problems = models.TextField(default="[]")
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=8, default="")
    sought = models.TextField(default="")
    version = models.PositiveIntegerField(default=0)
    changed_by = models.CharField(max_length=200, default="")
    changed_at = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["review_id", "-rank", "seq"], condition=models.Q(rank__gt=0), name="reviewrow_todo"),
        ]


class ReviewChange(models.Model):
    """What somebody did to such a list. `seq`: to which row; NULL: to all of it. kind: `edit`, `accept`, `reject`,
    `reopen`, `hand_over`, `send_back`, `take_back`. `before` and `after`: the cells that changed, JSON."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    review_id = models.UUIDField()
    seq = models.PositiveIntegerField(null=True)
    kind = models.CharField(max_length=16)
    at = models.BigIntegerField()
    by = models.UUIDField()
    name = models.CharField(max_length=200)
    email = models.CharField(max_length=254)
    before = models.TextField(default="")
    after = models.TextField(default="")
    reason = models.CharField(max_length=2000, default="")

    class Meta:
        indexes = [models.Index(fields=["review_id", "-id"], name="reviewchange_newest")]

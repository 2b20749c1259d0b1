# ruff: noqa: DJ008
# NULL means "there is none", which an empty text is not; the rows are shown by views, never by str().
"""The rows of processes: signs of life, who leads, and marks of commits."""

from __future__ import annotations

from django.db import models

__all__ = ["CommitMark", "Instance", "Leadership", "Process"]


class Process(models.Model):
    """A sign of life of a web, worker or ticker process; `boot_id` is also what its leases are owned by."""

    boot_id = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=16)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    engine = models.PositiveIntegerField(default=1)
    started_at = models.BigIntegerField()
    seen_at = models.BigIntegerField()
    stopped_at = models.BigIntegerField(null=True)
    running = models.PositiveIntegerField(default=0)


class CommitMark(models.Model):
    """The last transaction of one of the writers' connections: what a COMMIT without an answer is asked by (F25)."""

    link = models.CharField(max_length=32, primary_key=True)
    number = models.BigIntegerField()
    at = models.BigIntegerField()


class Leadership(models.Model):
    """Which ticker leads: one row a duty, held by a lease."""

    duty = models.CharField(max_length=32, primary_key=True)
    owner = models.CharField(max_length=64)
    token = models.BigIntegerField(default=0)
    expires_at = models.BigIntegerField()


class Instance(models.Model):
    """Facts of this installation: the epoch that a restore raises, and the secret that effect keys are made with.

    `beat` tells a restored backup from the present, and `held_since` says that one waits to be confirmed (`restores`).
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.PositiveIntegerField(default=1)
    beat = models.BigIntegerField(default=0, db_default=0)
    held_since = models.BigIntegerField(null=True)
    key_secret = models.CharField(max_length=64)
    created_at = models.BigIntegerField()

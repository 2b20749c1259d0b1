# ruff: noqa: DJ008
# As in `models.py`, which these rows belong to.
"""The rows of what people say about dead letters that failed alike, and of whose inbox dead letters were sent to."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import Q

from runtime.engine.ids import uuid7

__all__ = ["MOST_NOTE", "MOST_TICKET", "LetterGroup", "LetterSending", "SentLetter"]

MOST_NOTE: Final = 2_000
MOST_TICKET: Final = 500


class LetterGroup(models.Model):
    """What people have said about all that failed of one cause: a note and the address of a ticket, and that nobody is
    to be told of it for now. It stays while the workspace has letters of that cause, decided ones too: what comes of it
    again is met by what is known.

    `revision` counts changes of the note and the ticket, so that nobody writes over what they have not seen.
    `muted_at`: since when nobody is told; `muted_until`: until when, NULL: until somebody says otherwise.
    """

    pk = models.CompositePrimaryKey("workspace_id", "cause")
    workspace_id = models.UUIDField()
    cause = models.CharField(max_length=32)
    revision = models.PositiveIntegerField(default=0)
    note = models.TextField(default="")
    ticket = models.CharField(max_length=MOST_TICKET, default="")
    noted_at = models.BigIntegerField(null=True)
    noted_by = models.UUIDField(null=True)
    muted_at = models.BigIntegerField(null=True)
    muted_until = models.BigIntegerField(null=True)
    muted_by = models.UUIDField(null=True)


class LetterSending(models.Model):
    """Dead letters that were sent to the inbox of a person or of several: work is handed over, nothing of the runs is
    changed.

    `to`: an e-mail address, `group:<id>` or `role:<role>`. `total`: how many letters that were. Of the newest of them
    `workflow_id`, `version_id`, `node_id`, `code` and `title`; those in which the others differ are NULL or empty, and
    so is `cause`. `ended_as`: done (says the receiver) · taken_back (by the sender) · handed_on · settled (none of them
    waited for a decision any more) · left (nobody was there any more who could have seen it).
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    to = models.CharField(max_length=254)
    note = models.TextField(default="")
    total = models.PositiveIntegerField()
    cause = models.CharField(max_length=32, default="")
    workflow_id = models.UUIDField(null=True)
    version_id = models.UUIDField(null=True)
    node_id = models.CharField(max_length=64, default="")
    code = models.CharField(max_length=64, default="")
    title = models.CharField(max_length=200, default="")
    at = models.BigIntegerField()
    by = models.UUIDField(null=True)
    by_name = models.CharField(max_length=200, default="")
    ended_at = models.BigIntegerField(null=True)
    ended_as = models.CharField(max_length=16, default="")
    ended_by = models.UUIDField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "id"], condition=Q(ended_at__isnull=True), name="lettersending_open"),
            models.Index(fields=["workspace_id", "ended_at"], name="lettersending_ended"),
        ]


class SentLetter(models.Model):
    """A run that is with somebody: with one at a time. The row goes when its sending ends, or its run does."""

    run_id = models.UUIDField(primary_key=True)
    sending = models.ForeignKey(LetterSending, on_delete=models.CASCADE, related_name="letters")

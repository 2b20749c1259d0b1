# ruff: noqa: DJ008
# As in `models.py`, which these rows belong to.
"""The rows of what people say about dead letters that failed alike."""

from __future__ import annotations

from typing import Final

from django.db import models

__all__ = ["MOST_NOTE", "MOST_TICKET", "LetterGroup"]

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

"""A connection's row: what people may see stands in the open, the rest is sealed."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from builder.accounts.ids import new_id
from builder.accounts.models import User, Workspace


class Connection(models.Model):
    """A named, encrypted set of credentials of a known kind. Steps hold its id, never its secret."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    #: The fields as JSON, sealed by `crypto.py` with this row's workspace, id and kind as associated data.
    sealed = models.TextField()
    #: The id of the key that sealed it, so that rotation finds what is left to do.
    key_id = models.CharField(max_length=32, db_index=True)
    #: What may be shown again: the fields that are no secrets, and the last four characters of those that are.
    shown = models.JSONField(default=dict)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now)
    tested_at = models.DateTimeField(null=True)
    test_ok = models.BooleanField(null=True)
    test_detail = models.CharField(max_length=400, default="", blank=True)
    #: `test` or `production`; empty where nobody said so.
    environment = models.CharField(max_length=12, default="", db_default="", blank=True)
    #: The last day on which the other system takes it.
    expires_on = models.DateField(null=True)
    #: When a step last used it, to within five minutes.
    last_used_at = models.DateTimeField(null=True)
    #: When its secret was last replaced by a rotation.
    rotated_at = models.DateTimeField(null=True)
    #: Until when the secret before is accepted too, where there is one; null: until somebody ends it.
    previous_until = models.DateTimeField(null=True, db_index=True)
    #: While two secrets are accepted: when each of them last let somebody in, to within some seconds.
    secret_used_at = models.DateTimeField(null=True)
    previous_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="connection_name_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"

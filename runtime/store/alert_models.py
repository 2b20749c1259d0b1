# ruff: noqa: DJ001, DJ008
# NULL means "there is none", which an empty text is not; the rows are shown by views, never by str().
"""The rows of alerts: whom they tell, rules, what came of them, and the outbox. See `worker.alerts`."""

from __future__ import annotations

from django.db import models

from runtime.engine.ids import uuid7

__all__ = ["AlertChannel", "AlertEpisode", "AlertMessage", "AlertRule"]


class AlertChannel(models.Model):
    """Whom rules tell: people by mail, and a chat by its connection, which holds what is secret."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField(db_index=True)
    name = models.CharField(max_length=80)
    #: Tokens of people, as questions have them: a JSON list.
    people = models.TextField(default="[]")
    mail_id = models.UUIDField(null=True)
    hook_id = models.UUIDField(null=True)
    language = models.CharField(max_length=12, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    #: `contracts.alerts.QuietHours` as JSON.
    quiet = models.TextField(null=True)
    created_at = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace_id", "name"], name="alertchannel_name_once")]


class AlertRule(models.Model):
    """What is watched. `since`, `episode_id`: it alerts. `judged_at`: until when arrivals were looked for."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    kind = models.CharField(max_length=24)
    workflow_id = models.UUIDField(null=True)
    connection_id = models.UUIDField(null=True)
    limit = models.FloatField(default=0)
    minutes = models.PositiveIntegerField(default=10)
    least = models.PositiveIntegerField(default=1)
    #: `contracts.alerts.Arrival` as JSON.
    arrival = models.TextField(null=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    #: Ids as a JSON list.
    channels = models.TextField(default="[]")
    urgent = models.BooleanField(default=False)
    recovered = models.BooleanField(default=True)
    enabled = models.BooleanField(default=True)
    created_at = models.BigIntegerField()
    created_by = models.UUIDField(null=True)
    changed_at = models.BigIntegerField()
    since = models.BigIntegerField(null=True)
    episode_id = models.UUIDField(null=True)
    judged_at = models.BigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "id"], name="alertrule_of_workspace"),
            models.Index(fields=["id"], condition=models.Q(enabled=True), name="alertrule_enabled"),
        ]


class AlertEpisode(models.Model):
    """An alert from when it began until it was over. `rule`, `measure`: as they were, as JSON."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    rule_id = models.UUIDField()
    rule = models.TextField()
    measure = models.TextField()
    began_at = models.BigIntegerField()
    ended_at = models.BigIntegerField(null=True)
    ended_by = models.CharField(max_length=12, null=True)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "-id"], name="alertepisode_newest"),
            models.Index(fields=["began_at"], name="alertepisode_oldest"),
        ]


class AlertMessage(models.Model):
    """What one address or connection is told: written with the change of state that causes it, sent at least once.

    `slot_at`: when it was first due: what comes soon after another message to the same waits, so that a storm becomes
    one message. `bundle`: those that went out as one, under one name, by which receivers know a repeat. `facts`: what
    it says, as JSON. `due_at`: when the next try is due; NULL: it was sent, given up, or nobody is there any more.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField()
    episode_id = models.UUIDField(null=True)
    channel_id = models.UUIDField()
    kind = models.CharField(max_length=12)
    route = models.CharField(max_length=4)
    #: An address, or the id of a connection in hex.
    target = models.CharField(max_length=254)
    mail_id = models.UUIDField(null=True)
    name = models.CharField(max_length=200, default="")
    language = models.CharField(max_length=12, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    facts = models.TextField(default="{}")
    status = models.CharField(max_length=8, default="waiting")
    slot_at = models.BigIntegerField()
    due_at = models.BigIntegerField(null=True)
    tries = models.PositiveIntegerField(default=0)
    bundle = models.UUIDField(null=True)
    created_at = models.BigIntegerField()
    sent_at = models.BigIntegerField(null=True)
    error = models.CharField(max_length=400, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["episode_id", "kind", "channel_id", "route", "target"],
                condition=models.Q(episode_id__isnull=False),
                name="alertmessage_once",
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="alertmessage_due"),
            models.Index(fields=["workspace_id", "route", "target", "slot_at"], name="alertmessage_slot"),
            models.Index(fields=["channel_id", "-id"], name="alertmessage_of_channel"),
            models.Index(fields=["created_at"], name="alertmessage_oldest"),
        ]

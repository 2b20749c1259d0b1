# NULL means "there is none", as in `models.py`, which these rows belong to.
"""What people decided about the times of a schedule, beside what its workflow says."""

from __future__ import annotations

from django.db import models

from runtime.engine.ids import uuid7


class ScheduleSetting(models.Model):
    """Of one schedule (a trigger): until when it is paused, and by how much its starts come later.

    `paused_until` in the past means that it is paused no more. `delay_ms`: every start comes so much behind its time,
    so that not all schedules start in the same minute; it stays the start of its time.

    Whoever changes this, or a `ScheduleChange`, locks the trigger's row first, as the tick does when it writes down
    when the schedule is due next (`store.planned`).
    """

    trigger_id = models.UUIDField(primary_key=True)
    workspace_id = models.UUIDField(db_index=True)
    paused_until = models.BigIntegerField(null=True)
    paused_at = models.BigIntegerField(null=True)
    paused_by = models.UUIDField(null=True)
    delay_ms = models.PositiveIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"schedule {self.trigger_id}"


class ScheduleChange(models.Model):
    """One time (`instant`) of a schedule that is left out, or that starts at another moment (`to`). It stays when it is
    past, and says what was done."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField(db_index=True)
    trigger_id = models.UUIDField()
    instant = models.BigIntegerField()
    to = models.BigIntegerField(null=True)
    by = models.UUIDField(null=True)
    at = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trigger_id", "instant"], name="schedule_change_once"),
        ]

    def __str__(self) -> str:
        return f"{self.instant} of {self.trigger_id}"

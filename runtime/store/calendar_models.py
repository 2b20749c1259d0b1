"""The rows of business calendars."""

from __future__ import annotations

from django.db import models

from runtime.engine.ids import uuid7

__all__ = ["BusinessCalendar"]


class BusinessCalendar(models.Model):
    """On which days people of a workspace work (`contracts.calendars`). `key`: by which settings name it; it stays what
    it was when the calendar is called something else."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    workspace_id = models.UUIDField(db_index=True)
    key = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    #: One sign for each day of the week, 1 where it is worked; Monday first.
    weekdays = models.CharField(max_length=7, default="1111100")
    country = models.CharField(max_length=2, default="")
    region = models.CharField(max_length=20, default="")
    #: `contracts.calendars.CalendarDay` as a JSON list.
    days = models.TextField(default="[]")
    close = models.CharField(max_length=20, default="")
    is_default = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.BigIntegerField()
    changed_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "key"], name="calendar_key_once"),
            models.UniqueConstraint(fields=["workspace_id", "name"], name="calendar_name_once"),
            models.UniqueConstraint(
                fields=["workspace_id"], condition=models.Q(is_default=True), name="calendar_one_default"
            ),
        ]

    def __str__(self) -> str:
        return f"calendar {self.key}"

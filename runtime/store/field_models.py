# ruff: noqa: DJ008
# As in `models.py`, which these rows belong to.
"""The rows that runs are found by."""

from __future__ import annotations

from typing import Final

from django.db import models

#: Runs that stand in lists by themselves, as opposed to those of a container's body (`parts.IS_ITEM`).
IS_LISTED: Final = models.Q(parent_run_id__isnull=True) | ~models.Q(trigger_node=models.F("parent_node"))

#: What runs are found by that stands in their own rows.
SEARCH_INDEXES: Final = (
    # What lists filter by stands in the index itself, on PostgreSQL: a rare find costs no look at each run.
    models.Index(
        fields=["workspace_id", "-id"],
        include=["workflow_id", "version", "status", "mode", "started_by", "accepted_at", "finished_at"],
        condition=IS_LISTED,
        name="run_newest",
    ),
    models.Index(fields=["workflow_id", "-id"], name="run_newest_of_workflow"),
    # Those that somebody may have to look after; what goes well never comes here.
    models.Index(
        fields=["workspace_id", "status", "-id"],
        condition=IS_LISTED & ~models.Q(status__in=("accepted", "running", "completed")),
        name="run_by_status",
    ),
    models.Index(
        models.F("workspace_id"),
        models.F("finished_at") - models.F("accepted_at"),
        models.F("id"),
        condition=IS_LISTED & models.Q(finished_at__isnull=False),
        name="run_by_duration",
    ),
    # What others are called stands in `RunField`.
    models.Index(
        fields=["workspace_id", "business_key"],
        opclasses=["uuid_ops", "varchar_pattern_ops"],
        condition=models.Q(business_key__isnull=False, parent_run_id__isnull=False),
        name="run_item_by_key",
    ),
)


class RunField(models.Model):
    """One value by which a run is found: its business key (`name` is `key`), or a field that its version names.

    `shown`: as people see it. `folded`: as it is searched, letters in one case. `number`: as it is compared and sorted,
    in ten-thousandths, of a date in milliseconds; NULL where it is neither. Rows of one name stand in the order of
    their runs, so the newest are found first; on PostgreSQL the key's index holds the values, too (`0029_run_search`).
    """

    pk = models.CompositePrimaryKey("workspace_id", "name", "run_id")
    workspace_id = models.UUIDField()
    name = models.CharField(max_length=32)
    run_id = models.UUIDField()
    shown = models.CharField(max_length=200)
    folded = models.CharField(max_length=200)
    number = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace_id", "name", "number", "run_id"],
                condition=models.Q(number__isnull=False),
                name="runfield_by_number",
            ),
        ]

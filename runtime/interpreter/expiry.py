"""Runs whose data a rule of retention has removed: they are over for good, and whoever asks is told since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from runtime.store.models import Run

__all__ = ["data_removed_at", "expired"]


def expired(at: int) -> str:
    """What is said of data that was removed then."""
    day = datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
    return f"The data of this run expired on {day}: a rule of the workspace removed it, so it cannot be gone on with."


def data_removed_at(row: Mapping[str, Any]) -> int | None:
    """When data of an ended run, or of runs that it has begun for its steps, was removed; None where all is there."""
    if row["values_removed_at"] is not None:
        return int(row["values_removed_at"])
    own = Run.objects.filter(parent_run_id=row["id"], detached=False, values_removed_at__isnull=False)
    found = own.values_list("values_removed_at", flat=True).first()
    return None if found is None else int(found)

"""Rows that are made where there are none, and locked either way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.db.models import Model

__all__ = ["locked"]

M = TypeVar("M", bound=Model)


def locked(fresh: M, *, by: Sequence[str]) -> M:
    """The row of a workspace that is told by these fields, under its lock: `fresh` where there is none, as it was
    otherwise. Of two at once the second waits here. The caller holds the transaction.

    It writes what is there, where something is: an insert that only leaves it alone would also do so where somebody is
    about to remove it.
    """
    rows = type(fresh)._default_manager
    rows.bulk_create([fresh], update_conflicts=True, unique_fields=by, update_fields=["workspace_id"])
    return rows.select_for_update().get(**{name: getattr(fresh, name) for name in by})

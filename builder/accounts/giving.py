"""Changing some fields of a row and leaving the others to whoever changes them at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

__all__ = ["give"]


def give(row: Model, values: Mapping[str, Any]) -> None:
    """Write those of these fields that are given: those that are not None. The rest may have been changed since the row
    was read."""
    given = {field: value for field, value in values.items() if value is not None}
    for field, value in given.items():
        setattr(row, field, value)
    row.save(update_fields=list(given))

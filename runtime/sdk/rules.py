"""Deciding by rules inside a step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from runtime.engine.conditions import ConditionError, evaluate_group, fits
from runtime.sdk.errors import PermanentError


def decide(group: Mapping[str, Any], now_ms: int) -> bool:
    """Whether a resolved group of rules holds; raises PermanentError when it cannot be decided."""
    try:
        return evaluate_group(group, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms))
    except ConditionError as error:
        raise _undecided(error) from None


def is_case(value: Any, wanted: Any) -> bool:
    """Whether a value is the one that a way names; raises PermanentError when that cannot be said."""
    try:
        return fits(value, wanted)
    except ConditionError as error:
        raise _undecided(error) from None


def _undecided(error: ConditionError) -> PermanentError:
    return PermanentError("This cannot be decided", error.message, "condition", detail=error.path)

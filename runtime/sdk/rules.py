"""Deciding by rules inside a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.engine.conditions import ConditionError, evaluate_group
from runtime.sdk.errors import PermanentError


def decide(group: Mapping[str, Any]) -> bool:
    """Whether a resolved group of rules holds; raises PermanentError when it cannot be decided."""
    try:
        return evaluate_group(group)
    except ConditionError as error:
        raise PermanentError("This cannot be decided", error.message, "condition", detail=error.path) from None

"""What people call one of a step's runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from runtime.engine.jsonprofile import JSON, dumps

if TYPE_CHECKING:
    from runtime.interpreter.own_look import Look

logger = logging.getLogger(__name__)

_LONGEST: Final = 200


def label(look: Look, index: int, item: JSON) -> str | None:
    """By the step's setting; None where it says nothing, or cannot be worked out."""
    driver, node = look.driver, look.node
    prepared = driver.version.step(node.id).prepared
    if prepared is None or not prepared.raw.get("label"):
        return None
    try:
        context = driver.values.context(None, 1, driver.since)
        made = prepared.deferred("label", {**context, "item": item, "index": index})
    except Exception as error:
        # A name that cannot be worked out must not stop what it names.
        logger.info("run %s: no label for item %d (%s)", driver.claimed.run_id, index, type(error).__name__)
        return None
    return None if made in (None, "") else (made if isinstance(made, str) else dumps(made))[:_LONGEST]

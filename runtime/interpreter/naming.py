"""What people call a run, and the fields they find it by: worked out when the steps are done that say it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from runtime.engine.naming import KEY, Naming, Worth, key_worth
from runtime.engine.state import StepKey, StepStatus
from runtime.interpreter.records import Asked
from runtime.sdk import PreparedStep

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

logger = logging.getLogger(__name__)

_SUCCEEDED = StepStatus.SUCCEEDED


def take_key_of_start(driver: Driver, asked: Asked) -> None:
    """The business key as the start itself says it, unless the workflow says it from the start on."""
    prepared: PreparedStep[Any] | None = asked.step.prepared
    if prepared is None or "business_key" not in asked.step.type.config.model_fields:
        return
    naming = driver.version.graph.naming
    if naming is not None and KEY in naming.at_start:
        return
    try:
        worth = key_worth(prepared.deferred("business_key", driver.values.context(None, 1, driver.since)))
    except Exception as error:
        # A key that cannot be worked out must not stop the business it names.
        logger.info("run %s: no business key (%s)", driver.claimed.run_id, type(error).__name__)
        return
    if worth is not None:
        driver.business_key = worth.shown
        driver.unit.worths += (worth,)


def take_after(driver: Driver, naming: Naming, steps: Iterable[StepKey]) -> None:
    """What these steps, which stand otherwise than before, say of the run's names."""
    names: dict[str, None] = {}
    by_id = driver.version.graph.by_id
    for key in steps:
        node = by_id.get(key.node)
        if node is not None and driver.state.steps[key].status is _SUCCEEDED:
            is_start = node.id == driver.claimed.trigger_node
            names.update(dict.fromkeys(naming.names_after(node.key, is_start=is_start)))
    if not names:
        return
    context = driver.values.context(None, 1, driver.since)
    found: list[Worth] = []
    for name in names:
        if any(driver.values.is_away(step) for step in naming.reads(name)):
            continue
        try:
            worth = naming.worth(name, context)
        except Exception as error:
            logger.info("run %s: no “%s” (%s)", driver.claimed.run_id, name, type(error).__name__)
            continue
        if worth is not None:
            found.append(worth)
            if name == KEY:
                driver.business_key = worth.shown
    written = {worth.name for worth in found}
    driver.unit.worths = (*(one for one in driver.unit.worths if one.name not in written), *found)

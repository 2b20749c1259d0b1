"""What the entries of a list are worth, by the settings of their container: read as each begins and as it ends.

An amount that cannot be worked out stops nothing: the entry counts as one without an amount, which whoever looks at the
control totals is told.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from runtime.engine.state import RunStatus
from runtime.store.batches import units_of
from runtime.store.records import AmountWrite, PostedWrite

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver
    from runtime.sdk.prepared import PreparedStep

logger = logging.getLogger(__name__)

_LONGEST: Final = 8


def note(driver: Driver, node: str, index: int, item: Any) -> None:
    """What this entry is worth joins the commit that begins its run, where the container asks for it."""
    prepared = driver.version.step(node).prepared
    if prepared is None or not prepared.raw.get("amount"):
        return
    context = {**driver.values.context(None, 1, driver.since), "item": item, "index": index}
    driver.unit.amounts += (AmountWrite(node, index, *worth(prepared, context)),)


def worth(prepared: PreparedStep[Any], context: Mapping[str, Any]) -> tuple[int | None, str]:
    """The amount, as it is kept, and the currency of an entry, by its container's settings."""
    return units_of(_worked_out(prepared, "amount", context)), _currency(prepared, "currency", context)


def posted(driver: Driver) -> PostedWrite | None:
    """What the run of an entry has posted, as it ends: what its container says, where it ended well; nothing where it
    did not."""
    around = driver.version.around
    if around is None or driver.parent is None:
        return None
    prepared = around.prepared
    if prepared is None or not prepared.raw.get("posted"):
        return None
    node, index = driver.claimed.trigger_node, driver.place
    if driver.state.status is not RunStatus.COMPLETED:
        return PostedWrite(driver.parent, node, index, None, "")
    context = driver.values.context(None, 1, driver.since)
    amount = units_of(_worked_out(prepared, "posted", context))
    return PostedWrite(driver.parent, node, index, amount, _currency(prepared, "currency", context))


def _currency(prepared: PreparedStep[Any], field: str, context: Mapping[str, Any]) -> str:
    found = _worked_out(prepared, field, context)
    return found.strip().upper()[:_LONGEST] if isinstance(found, str) else ""


def _worked_out(prepared: PreparedStep[Any], field: str, context: Mapping[str, Any]) -> Any:
    try:
        return prepared.deferred(field, context)
    except Exception as error:
        logger.info("%s cannot be worked out (%s)", field, type(error).__name__)
        return None

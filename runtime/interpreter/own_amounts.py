"""What the entries of a list are worth, by the settings of their container: read as each begins and as it ends.

An amount that cannot be worked out stops nothing: the entry counts as one without an amount, which whoever looks at the
control totals is told.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist

from runtime.engine.expressions import Reference
from runtime.engine.jsonprofile import JSON, loads_stored
from runtime.engine.state import Outcome, RunStatus
from runtime.interpreter.payloads import document, reference_in
from runtime.interpreter.versions import Version, container_of, parsed
from runtime.interpreter.waiting import iso
from runtime.store import artifacts
from runtime.store.batches import units_of
from runtime.store.children import Outer, outer_of
from runtime.store.models import Run
from runtime.store.records import AmountWrite, PostedWrite

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver
    from runtime.sdk.prepared import PreparedStep

logger = logging.getLogger(__name__)

_LONGEST: Final = 8
_FIELDS: Final = ("amount", "currency")


def note(driver: Driver, node: str, index: int, item: Any) -> None:
    """What this entry is worth joins the commit that begins its run, where the container asks for it."""
    prepared = driver.version.step(node).prepared
    if prepared is None or not prepared.raw.get("amount"):
        return
    context = {**driver.values.context(None, 1, driver.since), "item": item, "index": index}
    driver.unit.amounts += (AmountWrite(node, index, *worth(prepared, context)),)


def anew(run: Mapping[str, Any], item: JSON, now: int) -> tuple[int | None, str] | None:
    """What an entry is worth that is given something else (`id`, `parent_run_id`, `parent_node`, `item_index`,
    `version_id` of its run), from the rows of the run around it; None where its container does not ask."""
    version = parsed(run["version_id"])
    around = container_of(version.graph, run["parent_node"])
    prepared = None if around is None else around.prepared
    if prepared is None or not prepared.raw.get("amount"):
        return None
    own = {"item": item, "index": run["item_index"]}
    reads = [one for name in _FIELDS if (told := prepared.deferred_formulas.get(name)) for one in told.references]
    if all(one.root in own for one in reads):
        return worth(prepared, {**own, "vars": {}})
    return worth(prepared, {**_around(run, version, reads, now), **own})


def _around(run: Mapping[str, Any], version: Version, reads: Sequence[Reference], now: int) -> dict[str, Any]:
    """What the formulas of its container read of the runs around an entry; large data only where it is read."""
    row = Run.objects.values("id", "started_at", "mode").get(pk=run["parent_run_id"])
    known = {"id": str(row["id"]), "started_at": iso(row["started_at"] or now), "now": iso(now), "mode": row["mode"]}
    context: dict[str, Any] = {"vars": {}, "error": None, "trigger": None, "steps": {}}
    context["run"] = {**known, "version": version.number, "attempt": 1}
    keys = {one.key for one in reads if one.root == "steps"}
    outer, all_of_it = outer_of([run["id"]]).get(run["id"]), None in keys
    trigger = any(one.root == "trigger" for one in reads)
    found: list[Outer] = []
    while outer is not None:
        found.insert(0, outer)
        outer = outer.beyond
    for one in found:
        for node, text in (one.texts or {}).items():
            if (key := version.keys.get(node)) is not None and (all_of_it or key in keys):
                context["steps"][key] = _document(text)
            if trigger and node == one.trigger_node:
                context["trigger"] = _document(text)
    return context


def _document(text: str) -> JSON:
    reference = reference_in(text)
    if reference is None:
        return document(text)
    try:
        return loads_stored(artifacts.read(reference.artifact_id))
    except (artifacts.ArtifactDamaged, ObjectDoesNotExist, OSError) as error:
        logger.info("artifact %s cannot be read for an amount (%s)", reference.artifact_id, type(error).__name__)
        return None


def worth(prepared: PreparedStep[Any], context: Mapping[str, Any]) -> tuple[int | None, str]:
    """The amount, as it is kept, and the currency of an entry, by its container's settings."""
    return units_of(_worked_out(prepared, "amount", context)), _currency(prepared, "currency", context)


def posted(driver: Driver) -> PostedWrite | None:
    """What the run of an entry has posted, as it ends: what its container says, where it ended well; nothing where it
    did not, or was left out."""
    around = driver.version.around
    if around is None or driver.parent is None:
        return None
    prepared = around.prepared
    if prepared is None or not prepared.raw.get("posted"):
        return None
    node, index = driver.claimed.trigger_node, driver.place
    if driver.state.status is not RunStatus.COMPLETED or driver.state.outcome == Outcome.SKIPPED:
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

"""Runs of a step that the process which begins them carries out itself.

They are leased to it with their first row, and begun behind that commit: nobody has to be rung, nothing is claimed and
nothing read, and their ends are heard of here. What there is no room for is anybody's, as every run is; so is all that
is left when the process dies, once the leases have run out (I16).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from runtime.store import children
from runtime.store.children import Outer
from runtime.store.records import ChildWrite, Claimed

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver
    from runtime.interpreter.own_runs import Fan

#: Of one run at most so many, where others can help.
_MOST_HERE: Final = 32
_ROOM_MS: Final = 250


def room(driver: Driver, fan: Fan, wanted: int, at_hand: int) -> int:
    """How many of these entries may be begun now, new ones or some of an earlier try; `at_hand`: so many there are.

    Where that is fewer than could be, the step waits for room, and looks again a little later.
    """
    tally = fan.tally
    wanted = min(wanted, at_hand - tally.count + tally.before - len(fan.asked))
    free = driver.shell.room_for_items(driver, wanted, tally.moving) if wanted > 0 else 0
    fan.room_at = driver.shell.now_ms() + _ROOM_MS if free < wanted else None
    return free


async def make_ready(driver: Driver, fan: Fan) -> None:
    """Read once what the runs of this step know from outside; it stands as long as the step is at work."""
    if fan.outer is None and driver.shell.room() > 0:
        run_id, trigger = driver.claimed.run_id, driver.claimed.trigger_node
        texts, beyond = await driver.shell.ask(lambda: children.around_of(run_id))
        # What shares the coming commit stands in no row yet.
        texts |= {node: record.output for node, record in driver.records.items() if record.output is not None}
        fan.outer = Outer(run_id, fan.node, 0, "null", trigger, driver.counts_from, texts, beyond)


def taken(driver: Driver, fan: Fan, child: ChildWrite) -> ChildWrite:
    """This run, leased to this process where that has room for it."""
    if fan.outer is None or child.delay_ms:
        return child
    already = sum(one.lease_owner is not None for one in driver.unit.children)
    most = driver.shell.room()
    if not driver.shell.is_alone:
        most = min(most, _MOST_HERE - driver.shell.parts_of(driver.claimed.run_id))
    if already >= most:
        return child
    outer = replace(fan.outer, index=child.item_index, item=child.item)
    return child._replace(lease_owner=driver.shell.worker, outer=outer)


def set_out(driver: Driver, begun: Sequence[ChildWrite]) -> None:
    """Behind the commit: begin those that were leased with it."""
    if leased := [_claimed(driver, one) for one in begun if one.lease_owner is not None]:
        driver.shell.set_out(leased)


def here(driver: Driver) -> int:
    """How many of this run's own are carried out here, or will be in a moment."""
    coming = sum(one.lease_owner is not None for one in driver.unit.children)
    return coming + driver.shell.parts_of(driver.claimed.run_id)


def _claimed(driver: Driver, child: ChildWrite) -> Claimed:
    return Claimed(
        run_id=child.id,
        workspace_id=driver.claimed.workspace_id,
        workflow_id=child.workflow_id,
        version_id=child.version_id,
        event_id=None,
        trigger_node=child.trigger_node,
        mode=child.mode,
        status="accepted",
        outcome=None,
        generation=1,
        seq=0,
        token=1,
        claims=1,
        cancel_requested_at=None,
        accepted_at=driver.shell.now_ms(),
        started_at=None,
        min_engine=child.min_engine,
        error=None,
        outer=child.outer,
    )

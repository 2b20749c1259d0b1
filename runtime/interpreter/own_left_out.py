"""What a list's result says of the items that people left out (`store.left_out`)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

from runtime.engine.jsonprofile import JSON
from runtime.interpreter.waiting import iso
from runtime.store import left_out
from runtime.store.left_out import LeftOut

if TYPE_CHECKING:
    from runtime.interpreter.own_look import Look

#: So many are named.
_MOST_NAMED: Final = 100


async def summed(look: Look) -> tuple[dict[str, JSON], str]:
    """How the items of a list that has come to its end add up, as its result has it (`total` = `done` + `failed` +
    `left_out`), and in short for its card. Of those that were left out the first are named with who said so and why."""
    tally, driver = look.fan.tally, look.driver
    count, named = 0, list[JSON]()
    if tally.done:
        count, named = await driver.shell.ask(partial(_read, driver.claimed.run_id, look.node.id))
    done = tally.done - count
    output: dict[str, JSON] = {"total": tally.count, "done": done, "failed": tally.failed}
    if count:
        output |= {"left_out": count, "left_out_items": named}
    note = f"{done} of {tally.count}" + (f", {tally.failed} failed" if tally.failed else "")
    return output, note + (f", {count} skipped" if count else "")


def _read(run_id: UUID, node: str) -> tuple[int, list[JSON]]:
    count = left_out.by_step(run_id, [node]).get(node, 0)
    if not count:
        return 0, []
    first = left_out.first_of(run_id, node, limit=_MOST_NAMED)
    said = left_out.said(run for run, _, _ in first)
    return count, [
        {"number": index + 1, "key": label, **({} if run not in said else told(said[run]))}
        for run, index, label in first
    ]


def told(one: LeftOut) -> dict[str, JSON]:
    """Who left an item out, why and when, as data has it."""
    in_place: dict[str, JSON] = {"for": one.in_place_of} if one.in_place_of else {}
    return {"by": one.by, **in_place, "reason": one.reason, "at": iso(one.at)}

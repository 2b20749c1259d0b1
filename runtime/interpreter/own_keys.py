"""By what the entries of a list are known again, and what becomes of those that are (`sdk.sources.Paged`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from runtime.engine.jsonprofile import JSON, dumps
from runtime.interpreter import own_errors
from runtime.sdk.sources import Page, Paged
from runtime.store import readings
from runtime.store.records import PassedOverWrite

if TYPE_CHECKING:
    from runtime.interpreter.own_look import Look

_LONGEST_KEY: Final = 200
_LONGEST_PLACE: Final = 100


@dataclass(slots=True)
class Known:
    """What a page comes to. `fresh`: what is to be done; `keys`: by what these are known, each with its number;
    `passed_over`: the others."""

    fresh: list[JSON]
    keys: list[tuple[str, int]] = field(default_factory=list)
    passed_over: list[PassedOverWrite] = field(default_factory=list)


async def sort_out(look: Look, page: Page, paged: Paged, *, skipped: int, first: int) -> Known:
    """Which entries of this page are to be done. `skipped`: so many were passed over before; `first`: the number of the
    next that is done. Raises what refuses the list."""
    driver, node, ask = look.driver, look.fan.node, look.driver.shell.ask
    given = _keys(look, page, paged, first)
    digests = [hashlib.sha256(dumps(key).encode()).hexdigest() for key in given]
    run_id, workflow_id = driver.claimed.run_id, driver.claimed.workflow_id
    had = set[str]() if paged.twice == "do" else await ask(partial(readings.had, run_id, node, digests))
    done = {}
    if paged.done_before != "do":
        done = await ask(partial(readings.done_before, workflow_id, node, digests, but=run_id))
    found = Known([])
    for index, (item, key, digest) in enumerate(zip(page.items, given, digests, strict=True)):
        where = _where(look, page, index)
        name = (key if isinstance(key, str) else dumps(key))[:_LONGEST_KEY]
        number = skipped + len(found.passed_over)
        if digest in had:
            if paged.twice == "fail":
                raise own_errors.twice(where)
            found.passed_over.append(PassedOverWrite(number, where[:_LONGEST_PLACE], name))
        elif digest in done:
            if paged.done_before == "fail":
                raise own_errors.done_before(where, name, done[digest][0])
            found.passed_over.append(PassedOverWrite(number, where[:_LONGEST_PLACE], name, *done[digest]))
        else:
            if paged.twice != "do":
                had.add(digest)
            found.keys.append((digest, first + len(found.fresh)))
            found.fresh.append(item)
    return found


def _keys(look: Look, page: Page, paged: Paged, first: int) -> list[JSON]:
    driver = look.driver
    prepared = driver.version.step(look.fan.node).prepared
    assert prepared is not None
    context = driver.values.context(None, 1, driver.since)
    found: list[JSON] = []
    for index, item in enumerate(page.items):
        if paged.key_column:
            key = item.get(paged.key_column) if isinstance(item, dict) else None
        else:
            key = prepared.deferred("item_key", {**context, "item": item, "index": first + index})
        if key in (None, ""):
            raise own_errors.no_key(_where(look, page, index), paged.key_column)
        found.append(key)
    return found


def _where(look: Look, page: Page, index: int) -> str:
    reading = look.fan.reading
    number = 1 if reading is None else reading.pages + 1
    return page.places[index] if page.places else f"number {index + 1} on page {number}"

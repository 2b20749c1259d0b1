"""Entries that a step reads a page at a time: what is at hand, where to go on, and when the next page is asked for.

What a page held, and the cursor behind it, are stored in the commit that begins the first runs of its entries; entries
without a run stay there until they have one. So a page is read once, however often the process dies behind it, and one
that was read and not stored is read again: nothing of it had begun. A page is asked for when the entries at hand run
low; so there are never more of them than two pages hold.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from runtime.engine.jsonprofile import JSON, dumps, normalise
from runtime.engine.state import StepError
from runtime.interpreter import own_errors, own_keys
from runtime.interpreter.attempts import failed as failure_of
from runtime.interpreter.attempts import timed_out
from runtime.interpreter.outcomes import Failed, NotYet
from runtime.interpreter.outputs import document_of
from runtime.interpreter.own_keys import Known
from runtime.interpreter.payloads import INLINE_CHARACTERS
from runtime.interpreter.records import Asked
from runtime.sdk import OwnRuns, StepFailure
from runtime.sdk.sources import Page, Paged
from runtime.store import readings
from runtime.store.records import ReadingWrite

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver
    from runtime.interpreter.own_look import Look
    from runtime.interpreter.own_runs import Fan


#: So many entries of a page are gone through in one go.
_AT_ONCE: Final = 10


@dataclass(slots=True)
class Reading:
    """How far a step has read. `base`: the number of the first of `items`, which have no run yet or had none when the
    page was stored."""

    cursor: JSON = None
    pages: int = 0
    skipped: int = 0
    base: int = 0
    items: list[JSON] = field(default_factory=list)
    is_over: bool = False
    #: How many there will be, where that is known.
    total: int | None = None
    most_items: int = 0
    #: Tries at the next page that failed, when the first was, and when the next is due.
    tries: int = 0
    since: int = 0
    due: int | None = None
    #: By how much the tries at it so far, and the present one, began later than they were due. ms
    late: int = 0
    late_now: int = 0
    #: Why nothing more is read; what was begun is done to its end first.
    broken: StepError | None = None

    @property
    def at_hand(self) -> int:
        """The number behind the last entry that may have a run."""
        return min(self.base + len(self.items), self.most_items)

    def item(self, number: int) -> JSON:
        if number < self.base:
            raise LookupError(f"Entry {number} has a run already.")
        return self.items[number - self.base]

    def document(self) -> JSON:
        return {
            "cursor": self.cursor,
            "pages": self.pages,
            "skipped": self.skipped,
            "base": self.base,
            "items": self.items,
            "is_over": self.is_over,
            "total": self.total,
            "tries": self.tries,
            "since": self.since,
            "due": self.due,
        } | ({"late": self.late} if self.late else {})


async def take_in(look: Look, paged: Paged) -> Reading:
    """How far the reading is, with what was read since."""
    fan, driver = look.fan, look.driver
    if fan.reading is None:
        text = await driver.shell.ask(partial(readings.state_of, driver.claimed.run_id, fan.node))
        kept: Any = {} if text is None else await document_of(text, driver.shell.fetch)
        fan.reading = Reading(**kept, most_items=paged.most_items)
    reading, page = fan.reading, fan.page
    if isinstance(page, NotYet):
        # Nothing was asked and nothing failed.
        reading.due, fan.turn = page.due_at, page.said
    elif isinstance(page, StepError):
        reading = await _take_failure(look, reading, page)
    elif page is not None:
        reading = await _take_page(look, reading, page, paged)
    # What could not be stored is taken in anew: nothing of it may begin before.
    fan.reading, fan.page = reading, None
    count = fan.tally.count
    if reading.is_over and count >= reading.at_hand:
        left = reading.base + len(reading.items) > reading.at_hand
        reading.broken = own_errors.too_many_items(look.node.name, paged.most_items) if left else None
    elif count >= reading.most_items:
        reading.broken = own_errors.too_many_items(look.node.name, paged.most_items)
    return reading


def may_fail(spec: OwnRuns, reading: Reading | None) -> int | None:
    """So many of the runs may fail; None: any number."""
    percent = None if spec.paged is None else spec.paged.percent
    if percent is None or reading is None or reading.total is None:
        return spec.may_fail
    return reading.total * percent // 100


def has_more(look: Look, reading: Reading | None, at_hand: int) -> bool:
    """Whether something is left that has not begun, or has to be gone on with."""
    tally = look.fan.tally
    unread = reading is not None and not reading.is_over and reading.broken is None
    return unread or tally.count < at_hand or tally.before > len(look.fan.asked)


def want(look: Look, reading: Reading, spec: OwnRuns, *, too_many: bool) -> None:
    """Ask for the next page where what is at hand runs low and nobody is at it. `too_many` failed: for none more."""
    driver, fan, paged = look.driver, look.fan, spec.paged
    assert paged is not None
    if too_many:
        reading.due = None
        return
    if fan.opens_at is not None:
        return
    left = reading.at_hand - fan.tally.count
    if reading.is_over or reading.broken is not None or left >= spec.at_a_time or fan.node in driver.tasks:
        return
    if reading.at_hand >= reading.most_items or (reading.due is not None and reading.due > look.at):
        return
    if reading.pages >= paged.most_pages:
        reading.broken = own_errors.too_many_pages(look.node.name, paged.most_pages)
        return
    fan.turn = None
    reading.late_now = 0 if reading.due is None else look.at - reading.due
    # Somebody is at it: it is not due any more, or all would look for it without a pause until it has come.
    reading.due = None
    driver.tasks[fan.node] = driver.shell.task(driver, _read(driver, fan.node, fan.attempt, paged, reading.cursor))


def due(driver: Driver) -> int | None:
    """When a page that could not be read is tried again, or further runs may begin."""
    found = []
    for fan in driver.fans.values():
        if fan.opens_at is not None:
            # No page is asked for before either.
            found.append(fan.opens_at)
        elif fan.reading is not None and fan.reading.due is not None and not fan.reading.is_over:
            found.append(fan.reading.due)
    return min(found, default=None)


def leave_off(driver: Driver, fan: Fan) -> None:
    """Nothing more is read or begun: no time is waited for any more."""
    # One that is cut off before it began does not take itself from the list.
    if (task := driver.tasks.pop(fan.node, None)) is not None:
        task.cancel()
    fan.opens_at = fan.room_at = None
    if fan.reading is not None:
        fan.reading.due = None


async def _read(driver: Driver, node: str, attempt: int, paged: Paged, cursor: JSON) -> None:
    step = driver.version.step(node)
    asked = Asked(step, attempt, None, None, "", driver.shell.now_ms(), "", driver.claimed.generation, patient=False)
    context = driver.shell.context(driver, asked)
    limit_seconds = step.node.settings.timeout_seconds
    found: Page | StepError | NotYet
    try:
        async with asyncio.timeout(limit_seconds) as limit:
            page = await paged.source.read_page(cursor, context)
        found = replace(page, items=await _normalised(page.items))
    except NotYet as later:
        found = later
    except TimeoutError as error:
        late = limit.expired()
        found = _error_of(timed_out(step, limit_seconds) if late else failure_of(error, context, step))
    except Exception as error:
        found = _error_of(failure_of(error, context, step))
    finally:
        driver.tasks.pop(node, None)
    driver.call_ended(node, found if isinstance(found, StepError) else None)
    fan = driver.fans.get(node)
    if fan is not None:
        fan.page, fan.due = found, True
    driver.wake()


async def _normalised(items: Sequence[object]) -> tuple[JSON, ...]:
    """A few at a time: others on this loop do not wait for a whole page."""
    found: list[JSON] = []
    for start in range(0, len(items), _AT_ONCE):
        found += map(normalise, items[start : start + _AT_ONCE])
        await asyncio.sleep(0)
    return tuple(found)


def _error_of(ending: object) -> StepError:
    if isinstance(ending, Failed):
        return ending.error
    return StepError("store_away", "The database was away", "It is read again.", retryable=True, kind="infrastructure")


async def _take_page(look: Look, before: Reading, page: Page, paged: Paged) -> Reading:
    reading = replace(before)
    begun = max(look.fan.tally.count - reading.base, 0)
    count, left = reading.base + begun, reading.items[begun:]
    found = Known(list(page.items))
    if paged.keyed:
        try:
            found = await own_keys.sort_out(look, page, paged, skipped=reading.skipped, first=count + len(left))
        except StepFailure as refused:
            reading.broken = StepError(refused.code, refused.title, refused.message, kind="data")
            return reading
    reading.items = left + found.fresh
    reading.base, reading.cursor, reading.pages = count, page.next, reading.pages + 1
    reading.skipped += len(found.passed_over)
    reading.is_over = page.next is None
    reading.tries, reading.since, reading.due, reading.late = 0, 0, None, 0
    reading.total = count + len(reading.items) if reading.is_over else page.total
    if paged.total_with_twice and page.total is not None and not reading.is_over:
        reading.total = page.total - reading.skipped
    await _store(look, reading, found)
    return reading


async def _take_failure(look: Look, before: Reading, error: StepError) -> Reading:
    """As of any step: tried again as its settings say, and given up then."""
    reading = replace(before)
    policy = look.node.settings.retry
    reading.tries += 1
    reading.since = reading.since or look.at
    reading.late += reading.late_now
    delay = policy.delay_ms(reading.tries, jitter=random.random(), retry_after_seconds=error.retry_after_seconds)
    spent = look.at + delay - reading.since - reading.late
    late = policy.total_seconds is not None and spent > policy.total_seconds * 1000
    if not error.retryable or reading.tries >= policy.attempts or late:
        # A retry of the run begins with all its tries.
        reading.broken, reading.tries, reading.since, reading.due, reading.late = error, 0, 0, None, 0
    else:
        reading.due = look.at + delay
    await _store(look, reading, None)
    return reading


async def _store(look: Look, reading: Reading, known: Known | None) -> None:
    """What was read shares the coming commit, with the runs that it begins."""
    shell, claimed, unit = look.driver.shell, look.driver.claimed, look.driver.unit
    text = dumps(reading.document())
    if len(text) > INLINE_CHARACTERS:
        name = f"{look.node.key}-page-{reading.pages}.json"
        text = (await shell.keep(workspace_id=claimed.workspace_id, text=text, name=name)).text()
    keys, passed_over = ((), ()) if known is None else (tuple(known.keys), tuple(known.passed_over))
    unit.readings += (ReadingWrite(look.fan.node, text, reading.total, reading.skipped, keys, passed_over),)
    unit.names["bulk.page"] = None
    unit.dirty = True

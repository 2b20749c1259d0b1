"""Steps that have things done by runs of their own: begin these, hear of their ends, and end with the last of them.

Nothing about it is remembered: which runs there are, and how they stand, is read from their rows at each look. So a
step is carried on from wherever it was left, by whoever looks next; and a run that ends knocks at the one around it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from runtime.contracts import StoreUnavailable
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.engine.state import RunState, RunStatus, StepError, StepState, StepStatus
from runtime.interpreter import own_hands, own_pages
from runtime.interpreter.called_versions import Called
from runtime.interpreter.outcomes import NotYet
from runtime.interpreter.own_look import Look
from runtime.interpreter.own_pages import Reading
from runtime.interpreter.records import Asked, Record
from runtime.sdk import OwnRuns
from runtime.sdk.sources import Page
from runtime.store import children
from runtime.store.children import Child, Outer, Tally
from runtime.store.records import RunWrite

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

logger = logging.getLogger(__name__)

#: How long a run waits for a knock that got lost, where its own runs move, and where they wait for something.
_LOOK_MS: Final = 15_000
_LOOK_SELDOM_MS: Final = 60_000
_AGAIN_SECONDS: Final = 1.0
#: How long a lease is held for runs that are carried out in this process, until it is thought over again; and how soon
#: runs of other processes are looked at meanwhile.
_HOLD_MS: Final = 1_000
_ELSEWHERE_MS: Final = 60


@dataclass(slots=True)
class Fan:
    """One such step, as far as this driver knows it."""

    node: str
    attempt: int
    #: None until it has been read from the step's settings.
    spec: OwnRuns | None = None
    #: There may be something new.
    due: bool = True
    #: When there was something new.
    at: int = 0
    #: Runs that ended before this try at the step began are gone on with.
    since: int = 0
    tally: Tally = field(default_factory=Tally)
    #: Runs that ended here since they were counted, and whether well; whether there may be more to know than that; and
    #: when they were counted.
    heard: dict[UUID, bool] = field(default_factory=dict)
    doubt: bool = True
    counted_at: int = 0
    #: That the list is still the same as at the first try has been seen.
    compared: bool = False
    #: Somebody said that its runs may do something a second time.
    may: bool = False
    #: With which versions runs of other workflows are gone on with.
    called: Called = field(default_factory=dict)
    #: Runs still to be undone, by workspace and id; and how many somebody has to look at first.
    left: list[tuple[UUID, UUID]] | None = None
    asks: list[UUID] = field(default_factory=list)
    #: Runs of an earlier try that cannot go on before somebody has decided.
    asked: dict[UUID, Child] = field(default_factory=dict)
    #: How far it has read, where it reads page by page; and what was read since.
    reading: Reading | None = None
    page: Page | StepError | NotYet | None = None
    #: The next page waits for its turn at a connection: at which.
    turn: dict[str, Any] | None = None
    #: Further ones may not begin before then.
    opens_at: int | None = None
    #: What its runs know from outside, but for their item; None until one of them is begun here.
    outer: Outer | None = None
    #: When to look whether there is room for more of its runs.
    room_at: int | None = None


def is_waited_for(step: StepState | None) -> bool:
    """Whether a step waits for runs of its own."""
    return step is not None and step.status is StepStatus.WAITING and step.wait_kind == "children"


def found(state: RunState, records: dict[str, Record]) -> dict[str, Fan]:
    """The steps of a loaded run that wait so."""
    if state.tally is not None and not state.tally.children:
        return {}
    fans = {}
    for key, step in state.steps.items():
        if key.generation == state.generation and is_waited_for(step):
            fans[key.node] = Fan(key.node, step.attempt, since=_since(records.get(key.node)))
    return fans


def take_up(driver: Driver, asked: Asked, spec: OwnRuns) -> None:
    """The step has been told to wait: what it begins shares the commit."""
    node = asked.step.node.id
    if is_waited_for(driver.state.step(node)):
        driver.fans[node] = Fan(node, asked.attempt, spec, since=asked.at)


def wait_document(asked: Asked, spec: OwnRuns) -> str:
    """What the row of the waiting step says; how many runs there will be, where that is known."""
    total = len(spec.items) if spec.kind in ("items", "call") and spec.paged is None else None
    return dumps({"kind": "children", "until": None, "since": asked.at, "total": total})


def next_look(driver: Driver) -> int | None:
    """When to look again although nobody knocked."""
    due = _due(driver)
    fans = [fan for fan in driver.fans.values() if fan.tally.open]
    if not fans:
        return due
    look = driver.shell.now_ms() + (_LOOK_SELDOM_MS if all(fan.tally.still for fan in fans) else _LOOK_MS)
    return look if due is None else min(look, due)


def _due(driver: Driver) -> int | None:
    """When something is to be done that no run has to end for."""
    rooms = [fan.room_at for fan in driver.fans.values() if fan.room_at is not None]
    return min((at for at in (own_pages.due(driver), *rooms) if at is not None), default=None)


def held_until(driver: Driver) -> int | None:
    """Until when the lease is kept although only runs of its own can move the run; None where it goes back.

    What is done in this process moves it soon, and so does what moved it a moment ago: to let go of it, knock at it and
    claim it anew would cost more. Where there is room for nothing else it makes way.
    """
    due = _due(driver)
    moves = [fan for fan in driver.fans.values() if fan.tally.open and not fan.tally.still]
    if not moves or driver.shell.is_full:
        return due
    held = _held_until(driver, moves)
    return due if held is None else held if due is None else min(held, due)


def _held_until(driver: Driver, moves: list[Fan]) -> int | None:
    now = driver.shell.now_ms()
    here = own_hands.here(driver)
    if here:
        return now + (_ELSEWHERE_MS if here < sum(fan.tally.open for fan in moves) else _HOLD_MS)
    held = max(fan.at for fan in moves) + _HOLD_MS if driver.shell.is_alone else 0
    return held if held > now else None


def stir(driver: Driver) -> None:
    """Time has passed: those that other processes carry out may have ended, of which nobody tells here."""
    due = own_pages.due(driver)
    if due is not None and due <= driver.shell.now_ms():
        hear(driver)
    if any(fan.room_at is not None and fan.room_at <= driver.shell.now_ms() for fan in driver.fans.values()):
        look_anew(driver)
    opened = sum(fan.tally.open for fan in driver.fans.values())
    if opened and not driver.shell.is_alone and opened > own_hands.here(driver):
        hear(driver)


def hear(driver: Driver, ended: tuple[str, UUID, bool] | None = None) -> bool:
    """A run of this one's own has ended. False where this driver will not look any more. `ended`: for which step, which
    it was, and whether it ended well; where that is not known, whoever looks counts anew."""
    if driver.is_leaving or not driver.fans:
        return False
    for fan in driver.fans.values():
        fan.due = True
        if ended is not None and fan.node == ended[0]:
            fan.heard[ended[1]] = ended[2]
        else:
            fan.doubt = True
    driver.wake()
    return True


def sees_to_many(driver: Driver) -> bool:
    """Whether it goes through a list."""
    return any(fan.spec is None or fan.spec.kind == "items" for fan in driver.fans.values())


def page_may_be_read(driver: Driver, node: str) -> bool:
    """The turn of this step's next page may have come. Whether it waits for that."""
    fan = driver.fans.get(node)
    if fan is None or fan.turn is None or fan.reading is None:
        return False
    fan.turn = fan.reading.due = None
    return hear(driver)


def set_out(driver: Driver, unit: RunWrite) -> None:
    """Behind the commit: begin what was leased to this process with it."""
    if unit.children:
        own_hands.set_out(driver, unit.children)


def look_anew(driver: Driver) -> None:
    """There may be room for more."""
    if not driver.is_leaving and driver.fans:
        for fan in driver.fans.values():
            fan.due = True
        driver.wake()


def is_due(driver: Driver) -> bool:
    """Whether there is something to look at, here and now."""
    return not driver.stops and any(fan.due for fan in driver.fans.values())


async def look(driver: Driver) -> bool:
    """Look after the steps of which there may be news. Whether there was something to do."""
    acted = False
    if driver.stops:
        return False
    for fan in tuple(driver.fans.values()):
        if not is_waited_for(driver.state.step(fan.node)):
            driver.fans.pop(fan.node, None)
        elif driver.state.ending is not None and driver.base.ending is None:
            # What makes the run end is committed first: were it lost, its own runs would have ended for nothing.
            fan.due = True
        elif fan.due and not driver.unit.children:
            # What the coming commit begins stands in no row yet: whoever counted now would begin it once more.
            fan.due = False
            try:
                acted |= await Look(driver, fan).take()
            except StoreUnavailable:
                # Nothing is lost: the rows say the same when there is a database again (I19).
                fan.due = acted = True
                await asyncio.sleep(_AGAIN_SECONDS)
    return acted


async def knock(driver: Driver) -> None:
    """The run has ended: tell the one around it, which looks for itself if this gets lost."""
    parent = driver.parent
    node, well = driver.graph.container, driver.state.status is RunStatus.COMPLETED
    ended = None if node is None else (node, driver.claimed.run_id, well)
    if parent is None or driver.shell.hears(parent, ended):
        return
    try:
        await driver.shell.ask(lambda: children.knock(parent))
    except StoreUnavailable:
        return
    driver.shell.nudge(parent)


def _since(record: Record | None) -> int:
    if record is None or record.wait is None:
        return 0
    said: Any = loads_stored(record.wait)
    return int(said.get("since") or 0)

"""What is said of a run that waits for its turn at a connection whose calls are limited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from runtime.engine.jsonprofile import loads_stored
from runtime.engine.state import TURN
from runtime.interpreter.waiting import iso
from runtime.store.budgets import Limits

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

_PERIODS: Final = {1_000: "second", 60_000: "minute", 3_600_000: "hour", 86_400_000: "day"}


def in_turn(limits: Limits, paused_until: int | None, broken: str | None = None) -> dict[str, Any]:
    """Of a step that waits for its turn at a connection: at which, and what that says in words."""
    said = {"connection": str(limits.connection_id), "connection_name": limits.name, "calls": limits.calls}
    said |= {"period_ms": limits.period_ms, "at_once": limits.at_once, "paused_until": paused_until}
    if broken is not None:
        why = f": {broken}" if broken else "."
        return {**said, "broken": broken, "text": f"Waits for the connection “{limits.name}”, which is broken{why}"}
    why = f"takes {_many(limits)}"
    if paused_until is not None:
        why = f"asked for a pause until {iso(paused_until)}"
    return {**said, "text": f"Waits for its turn: “{limits.name}” {why}"}


def _many(limits: Limits) -> str:
    period = _PERIODS.get(limits.period_ms or 0, f"{(limits.period_ms or 0) // 1000} seconds")
    calls = "call" if limits.calls == 1 else "calls"
    once = f"{limits.at_once} at a time"
    if limits.calls is None:
        return once
    return f"{limits.calls} {calls} a {period}" + ("" if limits.at_once is None else f", {once}")


def said(driver: Driver, waiting: dict[str, Any]) -> dict[str, Any]:
    """A cause to wait, which says at which connection where it is for a turn."""
    node = str(waiting["node"])
    if waiting["kind"] == TURN:
        record = driver.records.get(node)
        known: Any = {} if record is None or record.wait is None else loads_stored(record.wait)
        return {**waiting, **{name: value for name, value in known.items() if name not in ("kind", "until", "late_ms")}}
    fan = driver.fans.get(node)
    if fan is None:
        return waiting
    if fan.opens_at is not None and not fan.tally.open:
        name = driver.graph.by_id[node].name
        said = {"until": fan.opens_at, "goes_on_at": fan.opens_at}
        return {**waiting, **said, "text": f"“{name}” goes on at {iso(fan.opens_at)}, when further ones may begin"}
    return waiting if fan.turn is None else {**waiting, **fan.turn}

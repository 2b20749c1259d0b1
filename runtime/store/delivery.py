"""Telling everybody what became of a batch: those who waited for their units, and who watches runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from runtime.contracts import StoreUnavailable
from runtime.ports import LiveSink
from runtime.store import units
from runtime.store.tickets import Ticket

__all__ = ["deliver_all", "expire", "publish"]

logger = logging.getLogger("millrace.store.writer")


def publish(sink: LiveSink, batch: units.Batch) -> None:
    """Tell who watches runs. Never raises."""
    try:
        if sink.listening() and (touched := batch.touched()):
            sink.publish(touched)
    except Exception:
        logger.exception("The live sink raised; the news is lost, the rows are not.")


def expire(future: asyncio.Future[Any]) -> None:
    """Answer whoever has waited long enough."""
    if not future.done():
        future.set_exception(StoreUnavailable("The database did not answer in time."))


def deliver_all(tickets: Sequence[Ticket], here: asyncio.AbstractEventLoop | None = None) -> None:
    """Answer every ticket; one call into each loop however many of its coroutines wait. `here`: the loop whose thread
    this is."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Ticket]] = {}
    for ticket in tickets:
        if ticket.loop is None:
            _deliver([ticket])
        elif ticket.loop in by_loop:
            by_loop[ticket.loop].append(ticket)
        else:
            by_loop[ticket.loop] = [ticket]
    for loop, theirs in by_loop.items():
        if loop is here:
            _deliver(theirs)
            continue
        try:
            loop.call_soon_threadsafe(_deliver, theirs)
        except RuntimeError:
            logger.debug("A loop ended before its answers came.")


def _deliver(tickets: Sequence[Ticket]) -> None:
    for ticket in tickets:
        future = ticket.future
        if future.done():
            continue
        if ticket.error is not None:
            future.set_exception(ticket.error)
        else:
            future.set_result(ticket.result)

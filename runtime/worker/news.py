"""News from elsewhere for runs that are driven here: cancels, pauses, what people answered, and tries that are not
waited for any longer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, TypeAlias
from uuid import UUID

from runtime.contracts import StoreUnavailable
from runtime.interpreter import Driver, hurry, own_runs
from runtime.worker import loads

#: By run: its driver, its task, the token of its lease.
Driving: TypeAlias = Mapping[UUID, tuple[Driver | None, Any, int]]


async def look(driving: Driving, run_ids: Sequence[UUID], readers: Executor) -> None:
    """Read what there is of these runs and tell their drivers; what cannot be read now is read at the next bell."""
    asking = [run_id for run_id in run_ids if (driver := _driver(driving, run_id)) is not None and driver.asks_people]
    trying = [run_id for run_id in run_ids if (driver := _driver(driving, run_id)) and hurry.tries_again(driver)]
    try:
        loop = asyncio.get_running_loop()
        cancelled, paused, answers, due = await loop.run_in_executor(readers, loads.news, list(run_ids), asking, trying)
    except StoreUnavailable:
        return
    # What people said came before a cancel: none is taken after one.
    for run_id, given in answers.items():
        if (driver := _driver(driving, run_id)) is not None:
            driver.answers_seen(given)
    for one in due:
        if (driver := _driver(driving, one.run_id)) is not None:
            hurry.hear(driver, one.node_id, one.generation, one.attempt)
    for run_id in run_ids:
        if (driver := _driver(driving, run_id)) is not None:
            own_runs.hear(driver)
    for run_id in cancelled:
        if (driver := _driver(driving, run_id)) is not None:
            driver.cancel_seen()
    for run_id in paused:
        if (driver := _driver(driving, run_id)) is not None:
            driver.pause_seen()


def _driver(driving: Driving, run_id: UUID) -> Driver | None:
    entry = driving.get(run_id)
    return None if entry is None else entry[0]

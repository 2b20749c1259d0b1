from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from runtime.worker import context as contexts
from runtime.worker.context import StepContext


def made(seconds: float) -> StepContext:
    nothing: Any = None
    return StepContext(
        claimed=nothing, doors=nothing, node_key="a", attempt=1, idempotency_key="k", now_ms=0,
        timeout_seconds=seconds, event=None,
    )  # fmt: skip


@pytest.mark.parametrize("seconds", [0.1, 1, 30, 86_400])
def test_a_step_gives_up_before_it_is_cut_off(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(contexts, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    context = made(seconds)
    assert 0 < context.timeout_seconds < seconds
    assert context.timeout_seconds >= min(seconds - 1, seconds * 0.8) - 1e-9


async def test_the_time_of_opening_a_connection_is_part_of_the_steps_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(contexts, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    context = made(30)
    with pytest.raises(Exception, match="connection"):
        await context.connection("no such id")
    clock[0] += 12
    assert context.timeout_seconds == 17
    clock[0] += 60
    assert context.timeout_seconds > 0

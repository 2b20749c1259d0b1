"""Short ways to write a rule and to run a step."""

from __future__ import annotations

from typing import Any

from runtime.catalog import CATALOG
from runtime.sdk.testing import run_step


def rule(left: Any, op: str, right: Any = None, kind: str | None = None) -> dict[str, Any]:
    return {"left": left, "op": op, "right": right, **({"type": kind} if kind else {})}


def step(name: str, config: dict[str, Any], data: Any = None) -> Any:
    node = CATALOG.get(name)
    assert node is not None
    return run_step(node, config, data=data)

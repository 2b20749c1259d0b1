"""The law of live updates, as the browser applies it: a snapshot with its changes equals a fresh snapshot."""

from __future__ import annotations

from typing import Any


def apply_change(snapshot: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The snapshot after the change. One that is contained already changes nothing; there must be no gap before it."""
    if change["run"] != snapshot["run"]["id"] or change["seq"] <= snapshot["seq"]:
        return snapshot
    if change["after"] > snapshot["seq"]:
        raise ValueError(f"a gap: the change begins after {change['after']}, the snapshot ends at {snapshot['seq']}")
    fresh = {(step["node"], step["generation"]): step for step in change["steps"] if step["seq"] > snapshot["seq"]}
    steps = [fresh.pop((step["node"], step["generation"]), step) for step in snapshot["steps"]]
    return {
        **snapshot,
        "run": {**snapshot["run"], **change["state"], "seq": change["seq"]},
        "steps": [*steps, *fresh.values()],
        "seq": change["seq"],
    }


def apply_all(snapshot: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    """The snapshot after all changes, in order."""
    for change in changes:
        snapshot = apply_change(snapshot, change)
    return snapshot


def comparable(snapshot: dict[str, Any]) -> dict[str, Any]:
    """The snapshot with its steps in one order: which came first does not matter to anybody."""
    return {**snapshot, "steps": sorted(snapshot["steps"], key=lambda step: (step["node"], step["generation"]))}

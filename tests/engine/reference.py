"""A second engine, written to be obviously right instead of fast.

It does not follow facts. It asks of each step, backwards and by recursion, what must have become of it, given what
each step does when it is tried. Where a run ends early (a step fails for good, Stop, Fail) it answers as if nothing
had ended it, and says which ends there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from runtime.engine.graph import Graph

#: What one try of a step does. `flaky` is a failure that may be tried again, `broken` one that may not; of `doubt`
#: it is found out later, by looking it up or by asking people, that it was done.
Try = Literal["ok", "flaky", "broken", "doubt", "timer", "event", "human", "stop", "fail"]


@dataclass(frozen=True)
class Behaviour:
    """What the tries of a step do, in order (the last one for ever after), and by which ports it goes on."""

    tries: tuple[Try, ...] = ("ok",)
    ports: tuple[str, ...] = ("out",)


@dataclass(frozen=True)
class Fate:
    """What becomes of a step. `attempts` is 0 when it never ran."""

    what: Literal["succeeded", "failed", "skipped", "passed"]
    ports: tuple[str, ...] = ()
    attempts: int = 0
    ends: Literal["stop", "fail"] | None = None


def fates(graph: Graph, start: str, behaviours: Mapping[str, Behaviour]) -> dict[str, Fate]:
    """The fate of every step of a run that begins at `start` and is not ended early."""

    @cache
    def fate(name: str) -> Fate:
        settings = graph.by_id[name].settings
        if name != start:
            arriving = [edge for edge in graph.edges if edge.target == name]
            if not any(edge.source_handle in fate(edge.source).ports for edge in arriving):
                return Fate("skipped")
            if settings.disabled:
                return Fate("passed", (any_way(name),))
        behaviour = behaviours[name]
        number = 0
        while True:
            number += 1
            this = behaviour.tries[min(number, len(behaviour.tries)) - 1]
            if this == "flaky" and number < settings.retry.attempts:
                continue
            if this == "stop":
                return Fate("succeeded", (), number, ends="stop")
            if this == "fail":
                return Fate("failed", (), number, ends="fail")
            if this not in ("flaky", "broken"):
                return Fate("succeeded", behaviour.ports, number)
            if settings.on_failure == "continue":
                return Fate("failed", (any_way(name),), number)
            if settings.on_failure == "error_port" and "error" in handles(name):
                return Fate("failed", ("error",), number)
            return Fate("failed", (), number, ends="fail")

    def handles(name: str) -> list[str]:
        return [edge.source_handle for edge in graph.edges if edge.source == name]

    def any_way(name: str) -> str:
        ways = [handle for handle in handles(name) if handle != "error"]
        return "out" if "out" in ways or not ways else ways[0]

    return {node.id: fate(node.id) for node in graph.nodes}


def possible_ends(found: Mapping[str, Fate]) -> set[tuple[str, str | None]]:
    """Every (status, outcome) the run may have. More than one when a failure races with a stop: whichever is first
    keeps the other from being reached, unless both run at once, when the failure counts."""
    stops = any(fate.ends == "stop" for fate in found.values())
    fails = any(fate.ends == "fail" for fate in found.values())
    if stops and fails:
        return {("completed", "stopped"), ("dead_lettered", None)}
    if fails:
        return {("dead_lettered", None)}
    if stops:
        return {("completed", "stopped")}
    failures = any(fate.what == "failed" for fate in found.values())
    return {("completed", "done_with_failures" if failures else "done")}

"""The figures once more, by a script of its own: plain SQL over the rows and plain arithmetic over all durations.

It shares nothing with what is tested but the tables.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

ENDED = {"completed": "completed", "dead_lettered": "failed", "cancelled": "cancelled", "compensated": "undone"}


@dataclass
class Recount:
    """Counts and all durations of one range, of one workflow or of all."""

    counts: Counter[str] = field(default_factory=Counter)
    durations: list[int] = field(default_factory=list)
    without_people: list[int] = field(default_factory=list)


def recount(begin: int, end: int) -> dict[str, Recount]:
    """By workflow (32 hex digits), and `all`: what happened from `begin` until `end`."""
    found: defaultdict[str, Recount] = defaultdict(Recount)

    def count(workflow: Any, at: int, name: str) -> None:
        if begin <= at < end:
            for one in (_hex(workflow), "all"):
                found[one].counts[name] += 1

    parents = {_hex(run): _hex(parent) for run, parent in _all("SELECT id, parent_run_id FROM store_run") if parent}
    spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for run, created, closed in _all("SELECT run_id, created_at, closed_at FROM store_humantask"):
        one: str | None = _hex(run)
        while one is not None:
            spans[one].append((created, 10**18 if closed is None else closed))
            one = parents.get(one)
    runs = {
        _hex(row[0]): row[1:]
        for row in _all(
            """SELECT id, workflow_id, accepted_at, started_at FROM store_run
            WHERE mode = 'live' AND NOT (parent_run_id IS NOT NULL AND trigger_node = parent_node)"""
        )
    }
    trail = _all("SELECT run_id, status_before, status, generation, moment FROM store_transition")
    moments = {(_hex(run), generation): at for run, _, status, generation, at in trail if status in ENDED}
    for run, generation, at in _all("SELECT run_id, generation, at FROM store_replay"):
        spans[_hex(run)].append((moments[_hex(run), generation - 1], at))
    for run, before, status, _, moment in trail:
        if _hex(run) not in runs or moment is None:
            continue
        workflow, accepted, started = runs[_hex(run)]
        if before == "accepted" and status != "accepted":
            count(workflow, moment if started is None else started, "started")
        if status not in ENDED:
            continue
        count(workflow, moment, ENDED[status])
        if status == "completed" and begin <= moment < end:
            waited = sum(until - since for since, until in _marks(spans[_hex(run)], accepted, moment))
            for one in (_hex(workflow), "all"):
                found[one].durations.append(moment - accepted)
                found[one].without_people.append(moment - accepted - waited)
    for workflow, at in _all(
        "SELECT workflow_id, received_at FROM store_event WHERE verdict = 'accepted' AND source = 'webhook'"
    ):
        count(workflow, at, "received")
    for workflow, at, conflict in _all("SELECT workflow_id, received_at, conflict FROM store_delivery"):
        count(workflow, at, "conflicts" if conflict else "duplicates")
    for workflow, at in _all("SELECT workflow_id, at FROM store_deadletter"):
        count(workflow, at, "letters")
    return dict(found)


def quantile(values: list[int], share: float) -> int:
    """The value at rank share × (n - 1) of all of them, in order."""
    return sorted(values)[math.floor(share * (len(values) - 1))]


def _marks(spans: list[tuple[int, int]], begin: int, end: int) -> list[tuple[int, int]]:
    """The stretches between begin and end that any of the spans covers: cut at every edge, each piece asked."""
    edges = sorted({begin, end, *(min(max(edge, begin), end) for span in spans for edge in span)})
    return [
        (left, right)
        for left, right in itertools.pairwise(edges)
        if any(since <= left and right <= until for since, until in spans)
    ]


def _all(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _hex(value: Any) -> str:
    return str(value).replace("-", "")

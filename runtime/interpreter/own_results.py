"""What the runs of a step came to, put together; and whether they were given the same as now."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

from runtime.engine.graph import Graph
from runtime.engine.jsonprofile import JSON, dumps
from runtime.engine.state import Outcome
from runtime.interpreter import again
from runtime.interpreter.outputs import document_of
from runtime.interpreter.payloads import MOST_BYTES, reference_in
from runtime.sdk import OwnRuns
from runtime.store import children
from runtime.store.children import Child

if TYPE_CHECKING:
    from runtime.interpreter.driver import Driver

#: Results are read by so many.
_CHUNK: Final = 100


async def collected(driver: Driver, node: str, rows: Sequence[Child]) -> list[JSON] | None:
    """What each of these runs gave, in their order; None where that is too much together."""
    found: list[JSON] = []
    size = 0
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        given = await of(driver, node, chunk)
        found += [given.get(row.id) for row in chunk]
        size += sum(len(dumps(value)) for value in given.values())
        if size > MOST_BYTES:
            return None
    return found


async def of(driver: Driver, node: str, rows: Sequence[Child]) -> dict[UUID, JSON]:
    """What the last steps of these runs of a step gave, each by the version that it was done on."""
    body = driver.graph.bodies.get(node)
    found: dict[UUID, JSON] = {}
    for version in {row.version_id: None for row in rows}:
        same = [row for row in rows if row.version_id == version]
        graph = body if body is not None and version == driver.claimed.version_id else None
        if graph is None:
            graph = await driver.shell.ask(partial(again.graph_of, same[0].id))
        found |= await _ends(driver, same, graph)
    return found


async def _ends(driver: Driver, rows: Sequence[Child], graph: Graph) -> dict[UUID, JSON]:
    """What runs of this graph came to: what their last step gave; of several, each by its key."""
    ends = [node for node in graph.order if not graph.after[node] and node not in graph.undoes]
    wanted = [row for row in rows if row.status == "completed" and row.outcome != Outcome.SKIPPED]
    texts = await driver.shell.ask(lambda: children.outputs(wanted, ends))
    made: dict[UUID, JSON] = {}
    for run_id, by_node in texts.items():
        given = {
            graph.by_id[node].key: await document_of(by_node[node], driver.shell.fetch)
            for node in ends
            if node in by_node
        }
        made[run_id] = next(iter(given.values())) if len(given) == 1 else (given or None)
    return made


def that_differs(run_id: UUID, node: str, spec: OwnRuns) -> int | None:
    """The first item that is not what its run was given; of a call the last run, where that was given something else,
    or to another workflow."""
    if spec.kind == "call":
        last = children.last(run_id, node, with_item=True)
        if last is None or (last.workflow_id == spec.workflow_id and _is_same(last, spec.items[0])):
            return None
        return last.index
    for row in children.read(run_id, node):
        if row.index >= len(spec.items) or not _is_same(row, spec.items[row.index]):
            return row.index
    return None


def _is_same(row: Child, item: JSON) -> bool:
    """Whether this is what the run was given."""
    if row.item is None:
        return True
    text, kept = dumps(item), reference_in(row.item)
    return text == row.item if kept is None else hashlib.sha256(text.encode()).hexdigest() == kept.sha256

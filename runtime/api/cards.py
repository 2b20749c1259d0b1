"""What the cards of a run are made of: the values that decided, and what came of questions and calls.

Read from the rows when somebody looks: nothing is worked out or written for it while a run goes. Whoever shows it masks
it first; of a value it is known by which names it stands where it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.db.models.functions import Length

from runtime.contracts import NotFound
from runtime.contracts.looking_back import CardSource
from runtime.engine.expressions import ExpressionError, Reference, compile_template
from runtime.engine.jsonprofile import loads_stored
from runtime.interpreter.payloads import reference_in
from runtime.store.models import Run, StepRun, Version

__all__ = ["cards"]

#: Larger documents are not read for a line on a card.
_MOST_CHARACTERS: Final = 32_768
#: So many steps of a run have lines, in the order of its document.
_MOST: Final = 200
_Place: TypeAlias = tuple[str, str, tuple[str | int, ...]]
#: By step type without its version, what its own output tells.
_TELLS: Final = {
    "people.approval": "people", "people.ask": "people", "people.review": "people", "http.request": "http",
    "email.send": "mail",
}  # fmt: skip


def cards(*, workspace_id: UUID, run_id: UUID) -> list[CardSource]:
    """Of steps that are done: what a line on their card can be made of. Nothing of a run whose data is gone. Raises
    NotFound."""
    columns = "version_id", "trigger_node", "values_removed_at"
    run = Run.objects.filter(workspace_id=workspace_id, pk=run_id).values(*columns).first()
    if run is None:
        raise NotFound("There is no such run.", code="run_not_found")
    if run["values_removed_at"] is not None:
        return []
    graph: Any = loads_stored(Version.objects.values_list("graph", flat=True).get(pk=run["version_id"]))
    nodes = [node for node in graph["nodes"] if isinstance(node, dict)]
    wanted = dict(list(_wanted(nodes, str(run["trigger_node"])))[:_MOST])
    done = _done(run_id, wanted)
    sources = {node: (source, done[node]["generation"]) for node, (source, _, _) in wanted.items() if node in done}
    outputs = _outputs(run_id, sources)
    found = []
    for node, (_, kind, path) in wanted.items():
        if (row := done.get(node)) is None or node not in outputs:
            continue
        began, ended = row["started_at"], row["finished_at"]
        took = None if began is None or ended is None else max(0, ended - began)
        found.append(CardSource(node, row["generation"], kind, outputs[node], path, took))
    return found


def _wanted(nodes: Iterable[Mapping[str, Any]], start: str) -> Iterator[tuple[str, _Place]]:
    """By step: whose output tells of it, as what, and at which place."""
    by_key = {str(node.get("key")): str(node.get("id")) for node in nodes}
    for node in nodes:
        name = str(node.get("type")).partition("@")[0]
        identity = str(node.get("id"))
        if name in _TELLS:
            yield identity, (identity, _TELLS[name], ())
        elif (text := _compared(name, node.get("config"))) and (plain := _plain(text)) is not None:
            source = start if plain.key is None else by_key.get(plain.key)
            if source is not None:
                yield identity, (source, "value", plain.path)


def _plain(text: str) -> Reference | None:
    """What this text picks out of the start or of another step, where it does nothing else."""
    try:
        template = compile_template(text)
    except ExpressionError:
        return None
    if template.single is None or not template.single.plain or len(template.references) != 1:
        return None
    found = template.references[0]
    return found if found.path and (found.root == "trigger" or found.key is not None) else None


def _compared(name: str, config: Any) -> str | None:
    """What a step compares that compares one thing: as its settings say it."""
    if not isinstance(config, dict):
        return None
    if name == "flow.switch":
        value = config.get("value")
        return value if config.get("mode", "value") == "value" and isinstance(value, str) else None
    group = config.get("conditions") if name in ("flow.decision", "flow.continue_if") else None
    rules = group.get("rules") if isinstance(group, dict) else None
    if not isinstance(rules, list) or len(rules) != 1 or not isinstance(rules[0], dict):
        return None
    left = rules[0].get("left")
    return left if isinstance(left, str) else None


def _done(run_id: UUID, nodes: Iterable[str]) -> dict[str, dict[str, Any]]:
    rows = StepRun.objects.filter(run_id=run_id, node_id__in=list(nodes), status="succeeded").order_by("generation")
    found = rows.values("node_id", "generation", "started_at", "finished_at")
    return {row["node_id"]: dict(row) for row in found}


def _outputs(run_id: UUID, sources: Mapping[str, tuple[str, int]]) -> dict[str, Any]:
    """By step, what the step that tells of it gave last up to that go; not what is large, or kept elsewhere. `sources`:
    which step tells of it, and in which go it was done."""
    rows = StepRun.objects.filter(run_id=run_id, status="succeeded", output__isnull=False)
    given: dict[str, list[tuple[int, int]]] = {}
    told = rows.filter(node_id__in={source for source, _ in sources.values()}).annotate(size=Length("output"))
    for node, generation, size in told.order_by("generation").values_list("node_id", "generation", "size"):
        given.setdefault(node, []).append((generation, size))
    chosen: dict[str, tuple[str, int]] = {}
    for node, (source, go) in sources.items():
        # What was given in a later go was compared by nobody yet.
        generation, size = next((one for one in reversed(given.get(source, ())) if one[0] <= go), (0, 0))
        if generation and size <= _MOST_CHARACTERS:
            chosen[node] = source, generation
    nodes: dict[int, set[str]] = {}
    for source, generation in chosen.values():
        nodes.setdefault(generation, set()).add(source)
    texts: dict[tuple[str, int], str] = {}
    for generation, some in nodes.items():
        for node, text in rows.filter(generation=generation, node_id__in=some).values_list("node_id", "output"):
            if text and reference_in(text) is None:
                texts[node, generation] = text
    values = {key: loads_stored(text) for key, text in texts.items()}
    return {node: values[key] for node, key in chosen.items() if key in values}

"""Whether a document is sound as a drawing: fields, limits, ids, links, no circles. Needs no catalog.

Takes any JSON (and anything else) and never raises. What it accepts is what `GRAPH_SCHEMA` accepts, plus the rules a
schema cannot say; it is written by hand because it runs at every save and its words are read by people.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from runtime.engine import schema
from runtime.engine.findings import Findings
from runtime.engine.naming_check import structural_naming
from runtime.engine.nesting import structural_nesting
from runtime.engine.problems import Problem

_ID: Final = re.compile(schema.ID_PATTERN[1:-1])
_KEY: Final = re.compile(schema.KEY_PATTERN[1:-1])
_TYPE: Final = re.compile(schema.TYPE_PATTERN[1:-1])
_HANDLE: Final = re.compile(schema.HANDLE_PATTERN[1:-1])

#: More circles than this need not be named one by one.
_MAX_CIRCLES: Final = 10


def structural_problems(document: object) -> list[Problem]:
    """Everything that keeps the document from being a graph. Only errors, in the document's order."""
    found = Findings()
    if not isinstance(document, Mapping):
        found.error("document.not_an_object", "This is not a workflow: a JSON object is needed here.")
        return found
    _head(document, found)
    nodes, edges = document.get("nodes"), document.get("edges")
    nodes_readable = _list_of("nodes", nodes, schema.MAX_NODES, "steps", found)
    edges_readable = _list_of("edges", edges, schema.MAX_EDGES, "links", found)
    if not (nodes_readable and edges_readable):
        # Anything more would only be an echo: every link would seem to lead nowhere.
        return found
    assert isinstance(nodes, list)
    assert isinstance(edges, list)
    for index, item in enumerate(nodes):
        _node(item, f"nodes[{index}]", found)
    for index, item in enumerate(edges):
        _edge(item, f"edges[{index}]", found)
    _annotations(document.get("annotations"), found)
    structural_naming(document.get("naming"), found)
    names = _unique(nodes, found)
    pairs = _ends(edges, names, found)
    _circles(names, pairs, found)
    structural_nesting(nodes, names, pairs, found)
    return found


def node_name(item: Mapping[str, Any]) -> str:
    """How people call a step: its name, else its key, else its id."""
    for field in ("name", "key", "id"):
        value = item.get(field)
        if isinstance(value, str) and value.strip():
            return value
    return "a step"


def _head(document: Mapping[str, Any], found: Findings) -> None:
    _unknown_fields(document, schema.DOCUMENT_FIELDS, "", None, None, found)
    if document.get("format") != schema.FORMAT:
        found.error(
            "document.format",
            f"This is not a Millrace workflow: “format” must be “{schema.FORMAT}”.",
            field="format",
            expected=schema.FORMAT,
        )
    version = document.get("version")
    if not _is_number(version) or version != schema.FORMAT_VERSION:
        found.error(
            "document.version",
            "This workflow was written by another version of Millrace. Open it with that version, or export it again.",
            field="version",
            expected=schema.FORMAT_VERSION,
        )
    if "ui" in document and not isinstance(document["ui"], Mapping):
        found.error("field.type", "“ui” must be an object.", field="ui", expected="object")


def _list_of(name: str, value: object, limit: int, word: str, found: Findings) -> bool:
    if not isinstance(value, list):
        found.error("document.list_missing", f"“{name}” must be a list of {word}.", field=name)
        return False
    if len(value) > limit:
        found.error(
            f"document.too_many_{name}",
            f"A workflow holds at most {limit:,} {word}; this one has {len(value):,}. Split it into several workflows.",
            field=name,
            limit=limit,
            count=len(value),
        )
        return False
    return True


def _node(item: object, path: str, found: Findings) -> None:
    if not isinstance(item, Mapping):
        found.error("node.not_an_object", "A step must be an object.", field=path)
        return
    given_id = item.get("id")
    node = given_id if isinstance(given_id, str) else None
    at = Place(found, node=node, prefix="step." if node else f"{path}.")
    at.unknown_fields(item, schema.NODE_FIELDS, "")
    at.text(item, "id", _ID, "an id of letters, digits, - and _ (at most 64)", required=True)
    at.text(item, "key", _KEY, "a short name of letters, digits and _, not beginning with a digit", required=True)
    at.text(item, "type", _TYPE, "a step type such as http.request@1", required=True, longest=100)
    at.text(item, "name", None, "a text", longest=schema.MAX_NAME)
    at.text(item, "notes", None, "a text", longest=schema.MAX_TEXT, nullable=True)
    at.object(item, "config")
    at.object(item, "ui")
    at.point(item, "position")
    at.text(item, "parent", _ID, "the id of a step", nullable=True)
    within = Place(found, node=node, prefix="" if node else f"{path}.")
    if within.object(item, "settings"):
        _settings(item["settings"], within)


def _settings(settings: Mapping[str, Any], at: Place) -> None:
    at.unknown_fields(settings, schema.SETTINGS_FIELDS, "settings.")
    if "disabled" in settings and not isinstance(settings["disabled"], bool):
        at.error("field.type", "“disabled” must be true or false.", "settings.disabled", expected="boolean")
    at.number(settings, "timeout_seconds", schema.TIMEOUT_BOUNDS, "settings.")
    at.choice(settings, "on_failure", schema.ON_FAILURE, "settings.")
    at.choice(settings, "undo", schema.UNDO, "settings.")
    if at.object(settings, "retry", "settings."):
        retry = settings["retry"]
        at.unknown_fields(retry, schema.RETRY_FIELDS, "settings.retry.")
        at.choice(retry, "strategy", schema.STRATEGIES, "settings.retry.")
        for name, bounds in schema.RETRY_BOUNDS.items():
            if not (name == "total_seconds" and retry.get(name, 0) is None):
                at.number(retry, name, bounds, "settings.retry.", whole=name == "attempts")


def _edge(item: object, path: str, found: Findings) -> None:
    if not isinstance(item, Mapping):
        found.error("edge.not_an_object", "A link must be an object.", field=path)
        return
    given_id = item.get("id")
    edge = given_id if isinstance(given_id, str) else None
    at = Place(found, edge=edge, prefix="" if edge else f"{path}.")
    at.unknown_fields(item, schema.EDGE_FIELDS, "")
    for name in ("id", "source", "target"):
        at.text(item, name, _ID, "an id of letters, digits, - and _ (at most 64)", required=True)
    for name in ("sourceHandle", "targetHandle"):
        at.text(item, name, _HANDLE, "the name of a port", nullable=True)
    at.object(item, "ui")


def _annotations(value: object, found: Findings) -> None:
    if value is None:
        return
    if not _list_of("annotations", value, schema.MAX_ANNOTATIONS, "notes", found):
        return
    assert isinstance(value, list)
    for index, item in enumerate(value):
        at = Place(found, prefix=f"annotations[{index}].")
        if not isinstance(item, Mapping):
            at.error("field.type", "A note must be an object.", "", expected="object")
            continue
        at.text(item, "id", _ID, "an id of letters, digits, - and _ (at most 64)", required=True)
        at.text(item, "text", None, "a text", longest=schema.MAX_TEXT)
        at.text(item, "tint", None, "a colour", longest=40, nullable=True)
        at.text(item, "attached_to", None, "the id of a step", longest=64, nullable=True)
        at.point(item, "position")
        at.object(item, "size")


class Place:
    """Where in the document we are, and the checks of single fields there."""

    __slots__ = ("edge", "found", "node", "prefix")

    def __init__(self, found: Findings, *, node: str | None = None, edge: str | None = None, prefix: str = "") -> None:
        self.found, self.node, self.edge, self.prefix = found, node, edge, prefix

    def error(self, code: str, message: str, field: str, **params: Any) -> None:
        path = (self.prefix + field).rstrip(".")
        self.found.error(code, message, node=self.node, edge=self.edge, field=path, **params)

    def unknown_fields(self, item: Mapping[str, Any], known: tuple[str, ...], below: str) -> None:
        _unknown_fields(item, known, self.prefix + below, self.node, self.edge, self.found)

    def text(
        self,
        item: Mapping[str, Any],
        name: str,
        pattern: re.Pattern[str] | None,
        wanted: str,
        *,
        required: bool = False,
        nullable: bool = False,
        longest: int | None = None,
    ) -> None:
        if name not in item:
            if required:
                self.error("field.missing", f"“{name}” is missing: give {wanted}.", name, name=name)
            return
        value = item[name]
        if value is None and nullable:
            return
        if not isinstance(value, str) or (pattern is not None and not pattern.fullmatch(value)):
            self.error("field.format", f"“{name}” must be {wanted}.", name, name=name)
        elif longest is not None and len(value) > longest:
            self.error("field.too_long", f"“{name}” has more than {longest:,} characters.", name, limit=longest)

    def object(self, item: Mapping[str, Any], name: str, below: str = "") -> bool:
        """Whether there is a readable object by that name."""
        if name not in item:
            return False
        if isinstance(item[name], Mapping):
            return True
        self.error("field.type", f"“{name}” must be an object.", below + name, expected="object")
        return False

    def point(self, item: Mapping[str, Any], name: str) -> None:
        if self.object(item, name):
            self.unknown_fields(item[name], schema.POINT_FIELDS, f"{name}.")
            for axis in schema.POINT_FIELDS:
                if not _is_number(item[name].get(axis)):
                    message = f"“{name}” needs the numbers x and y."
                    self.error("field.type", message, f"{name}.{axis}", expected="number")

    def number(
        self, item: Mapping[str, Any], name: str, bounds: tuple[float, float], below: str, *, whole: bool = False
    ) -> None:
        if name not in item:
            return
        value, (lowest, highest) = item[name], bounds
        if _is_number(value) and lowest <= value <= highest and (not whole or value == int(value)):
            return
        kind = "a whole number" if whole else "a number"
        message = f"“{name}” must be {kind} from {lowest:,} to {highest:,}."
        self.error("field.range", message, below + name, name=name, lowest=lowest, highest=highest)

    def choice(self, item: Mapping[str, Any], name: str, choices: tuple[str, ...], below: str) -> None:
        if name in item and not (isinstance(item[name], str) and item[name] in choices):
            message = f"“{name}” must be one of: {', '.join(choices)}."
            self.error("field.choice", message, below + name, name=name, choices=list(choices))


def _unknown_fields(
    item: Mapping[str, Any],
    known: tuple[str, ...],
    below: str,
    node: str | None,
    edge: str | None,
    found: Findings,
) -> None:
    for name in item:
        if name not in known:
            shown = str(name)[:80]
            found.error(
                "field.unknown",
                f"This version of Millrace does not know “{shown}”. Remove it, or open the workflow with a newer one.",
                node=node,
                edge=edge,
                field=below + shown,
                name=shown,
            )


def _is_number(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, Decimal) and value.is_finite()


def _unique(nodes: list[Any], found: Findings) -> dict[str, str]:
    """Names by id of all steps that have an id; complains of ids and keys that stand twice."""
    names: dict[str, str] = {}
    keys: dict[str, str] = {}
    for item in nodes:
        if not isinstance(item, Mapping):
            continue
        node, key, name = item.get("id"), item.get("key"), node_name(item)
        if isinstance(node, str):
            if node in names:
                found.error(
                    "node.duplicate_id",
                    f"Two steps have the id “{node}”. Delete one of them and add it anew.",
                    node=node,
                    field="step.id",
                    id=node,
                )
            names.setdefault(node, name)
        if isinstance(key, str):
            # Keys that differ only in case look alike in an expression, and a file system may not tell them apart.
            first = keys.setdefault(key.casefold(), name)
            if first is not name:
                found.error(
                    "node.duplicate_key",
                    f"“{first}” and “{name}” both use the short name “{key}”. Rename one of them.",
                    node=node if isinstance(node, str) else None,
                    field="step.key",
                    key=key,
                    first=first,
                    second=name,
                )
    return names


def _ends(edges: list[Any], names: dict[str, str], found: Findings) -> list[tuple[str, str, str | None]]:
    """The (source, target, edge id) of every link that joins two steps; complains of the others."""
    pairs: list[tuple[str, str, str | None]] = []
    ids: set[str] = set()
    for item in edges:
        if not isinstance(item, Mapping):
            continue
        given_id, source, target = item.get("id"), item.get("source"), item.get("target")
        edge = given_id if isinstance(given_id, str) else None
        if edge is not None:
            if edge in ids:
                message = f"Two links have the id “{edge}”. Delete one of them and draw it anew."
                found.error("edge.duplicate_id", message, edge=edge, field="id", id=edge)
            ids.add(edge)
        lost = False
        for end, value in (("source", source), ("target", target)):
            if isinstance(value, str) and value not in names:
                lost = True
                message = "A link leads to a step that is not there. Delete the link."
                if end == "source":
                    message = "A link comes from a step that is not there. Delete the link."
                found.error("edge.dangling", message, edge=edge, field=end, end=end, id=value)
        if lost or not isinstance(source, str) or not isinstance(target, str):
            continue
        if source == target:
            found.error(
                "edge.self_loop",
                f"“{names[source]}” is linked to itself. Delete the link; use For each or Repeat until to do it again.",
                node=source,
                edge=edge,
                step=names[source],
            )
        else:
            pairs.append((source, target, edge))
    return pairs


def _circles(names: dict[str, str], pairs: list[tuple[str, str, str | None]], found: Findings) -> None:
    """One problem per circle, on the link that was drawn last; it is then thought away and the search goes on."""
    pairs = list(pairs)
    for _ in range(_MAX_CIRCLES):
        circle = _one_circle(pairs)
        if not circle:
            return
        last = max(circle)
        source, target, edge = pairs.pop(last)
        shown = [names[pairs_source] for pairs_source in (source, target)]
        found.error(
            "graph.cycle",
            f"The link from “{shown[0]}” back to “{shown[1]}” goes round in a circle. Delete it; to go back, use "
            "For each or Repeat until.",
            edge=edge,
            source=shown[0],
            target=shown[1],
        )


def _one_circle(pairs: list[tuple[str, str, str | None]]) -> list[int]:
    """Indexes of the links of some circle, or nothing. Takes away what is not on a circle, then walks backwards."""
    sources = [source for source, _, _ in pairs]
    targets = [target for _, target, _ in pairs]
    on_circle = _trimmed(sources, targets, set(range(len(pairs))))
    on_circle = _trimmed(targets, sources, on_circle)
    if not on_circle:
        return []
    into: dict[str, int] = {}
    for index in on_circle:
        into.setdefault(targets[index], index)
    walked: dict[str, int] = {}
    path: list[int] = []
    place = targets[min(on_circle)]
    while place not in walked:
        walked[place] = len(path)
        path.append(into[place])
        place = sources[into[place]]
    return path[walked[place] :]


def _trimmed(sources: list[str], targets: list[str], links: set[int]) -> set[int]:
    """The links left after taking away, again and again, those whose source nothing leads to."""
    incoming: dict[str, int] = {}
    leaving: dict[str, list[int]] = {}
    for index in links:
        incoming.setdefault(sources[index], 0)
        incoming[targets[index]] = incoming.get(targets[index], 0) + 1
        leaving.setdefault(sources[index], []).append(index)
    free = [node for node, count in incoming.items() if not count]
    left = set(links)
    for node in free:
        for index in leaving.get(node, ()):
            left.discard(index)
            incoming[targets[index]] -= 1
            if not incoming[targets[index]]:
                free.append(targets[index])
    return left

"""The format of a graph document, as JSON Schema and as the tables the checks are made of."""

from __future__ import annotations

from typing import Any, Final

FORMAT: Final = "millrace.workflow"
FORMAT_VERSION: Final = 1

MAX_NODES: Final = 2_000
MAX_EDGES: Final = 4_000
MAX_ANNOTATIONS: Final = 500
MAX_NAME: Final = 200
MAX_TEXT: Final = 10_000

ID_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"
KEY_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
TYPE_PATTERN: Final = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+@[1-9][0-9]{0,5}$"
HANDLE_PATTERN: Final = r"^[A-Za-z0-9_.:-]{1,64}$"

STRATEGIES: Final = ("exponential", "fixed", "linear")
ON_FAILURE: Final = ("stop", "continue", "error_port", "undo", "person")
UNDO: Final = ("nothing",)

#: Lowest and highest value of each number in `settings`. 30 days bound everything that is a time.
MONTH_SECONDS: Final = 2_592_000
RETRY_BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "attempts": (1, 100),
    "first_seconds": (0, MONTH_SECONDS),
    "factor": (1, 100),
    "cap_seconds": (0, MONTH_SECONDS),
    "jitter": (0, 0.5),
    "total_seconds": (1, MONTH_SECONDS),
}
TIMEOUT_BOUNDS: Final[tuple[float, float]] = (0.1, 86_400)

DOCUMENT_FIELDS: Final = ("format", "version", "nodes", "edges", "annotations", "naming", "ui")
NODE_FIELDS: Final = ("id", "key", "name", "type", "config", "position", "settings", "notes", "parent", "ui")
EDGE_FIELDS: Final = ("id", "source", "sourceHandle", "target", "targetHandle", "ui")
ANNOTATION_FIELDS: Final = ("id", "text", "position", "size", "tint", "attached_to")
SETTINGS_FIELDS: Final = ("disabled", "retry", "timeout_seconds", "on_failure", "fallback", "undo")
RETRY_FIELDS: Final = ("attempts", "strategy", "first_seconds", "factor", "cap_seconds", "jitter", "total_seconds")
POINT_FIELDS: Final = ("x", "y")


def _number(bounds: tuple[float, float]) -> dict[str, Any]:
    return {"type": "number", "minimum": bounds[0], "maximum": bounds[1]}


_POINT: Final = {
    "type": "object",
    "properties": {"x": {"type": "number"}, "y": {"type": "number"}},
    "required": ["x", "y"],
    "additionalProperties": False,
}

_RETRY: Final = {
    "type": "object",
    "properties": {
        "attempts": {**_number(RETRY_BOUNDS["attempts"]), "type": "integer"},
        "strategy": {"enum": list(STRATEGIES)},
        "first_seconds": _number(RETRY_BOUNDS["first_seconds"]),
        "factor": _number(RETRY_BOUNDS["factor"]),
        "cap_seconds": _number(RETRY_BOUNDS["cap_seconds"]),
        "jitter": _number(RETRY_BOUNDS["jitter"]),
        "total_seconds": {**_number(RETRY_BOUNDS["total_seconds"]), "type": ["number", "null"]},
    },
    "additionalProperties": False,
}

_SETTINGS: Final = {
    "type": "object",
    "properties": {
        "disabled": {"type": "boolean"},
        "retry": _RETRY,
        "timeout_seconds": _number(TIMEOUT_BOUNDS),
        "on_failure": {"enum": list(ON_FAILURE)},
        "fallback": {"description": "The step's output when it failed and the run carries on."},
        "undo": {"enum": list(UNDO), "description": "Says that there is nothing to undo of this step."},
    },
    "additionalProperties": False,
}

_NODE: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": ID_PATTERN},
        "key": {"type": "string", "pattern": KEY_PATTERN, "description": "Names the output in expressions."},
        "name": {"type": "string", "maxLength": MAX_NAME},
        "type": {"type": "string", "pattern": TYPE_PATTERN, "maxLength": 100},
        "config": {"type": "object"},
        "position": _POINT,
        "settings": _SETTINGS,
        "notes": {"type": ["string", "null"], "maxLength": MAX_TEXT},
        "parent": {
            "type": ["string", "null"],
            "pattern": ID_PATTERN,
            "description": "The container in whose body this step stands.",
        },
        "ui": {"type": "object", "description": "Whatever the canvas wants to remember. Means nothing to a run."},
    },
    "required": ["id", "key", "type"],
    "additionalProperties": False,
}

_EDGE: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": ID_PATTERN},
        "source": {"type": "string", "pattern": ID_PATTERN},
        "sourceHandle": {"type": ["string", "null"], "pattern": HANDLE_PATTERN, "default": "out"},
        "target": {"type": "string", "pattern": ID_PATTERN},
        "targetHandle": {"type": ["string", "null"], "pattern": HANDLE_PATTERN, "default": "in"},
        "ui": {"type": "object"},
    },
    "required": ["id", "source", "target"],
    "additionalProperties": False,
}

_ANNOTATION: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": ID_PATTERN},
        "text": {"type": "string", "maxLength": MAX_TEXT},
        "position": _POINT,
        "size": {"type": "object"},
        "tint": {"type": ["string", "null"], "maxLength": 40},
        "attached_to": {"type": ["string", "null"], "maxLength": 64},
    },
    "required": ["id"],
}

_NAMING: Final = {
    "type": ["object", "null"],
    "description": "What people call a run, and the fields that they find it by.",
    "properties": {
        "key": {"type": ["string", "null"], "maxLength": 2_000, "description": "A formula. Empty: the start says it."},
        "fields": {
            "type": ["array", "null"],
            "maxItems": 5,
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "pattern": r"^[a-z][a-z0-9_]{0,31}$"},
                    "label": {"type": ["string", "null"], "maxLength": 60},
                    "kind": {"enum": ["text", "number", "amount", "date"]},
                    "value": {"type": ["string", "null"], "maxLength": 2_000, "description": "A formula."},
                    "currency": {"type": ["string", "null"], "maxLength": 2_000},
                },
                "required": ["name"],
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}

GRAPH_SCHEMA: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Millrace workflow graph",
    "description": "Steps and links of one workflow. That ids are unique, links lead somewhere and nothing goes round "
    "in a circle is checked besides.",
    "type": "object",
    "properties": {
        "format": {"const": FORMAT},
        "version": {"const": FORMAT_VERSION},
        "nodes": {"type": "array", "items": _NODE, "maxItems": MAX_NODES},
        "edges": {"type": "array", "items": _EDGE, "maxItems": MAX_EDGES},
        "annotations": {"type": ["array", "null"], "items": _ANNOTATION, "maxItems": MAX_ANNOTATIONS},
        "naming": _NAMING,
        "ui": {"type": "object"},
    },
    "required": ["format", "version", "nodes", "edges"],
    "additionalProperties": False,
}

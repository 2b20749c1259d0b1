"""A small catalog for checks: what the real one promises, without its node types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_READS = re.compile(r"\{\{\s*([a-z]+)(?:\.([A-Za-z0-9_]+))?")


@dataclass(frozen=True)
class Reads:
    root: str
    key: str | None
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Type:
    type: str
    title: str = "A step"
    is_trigger: bool = False
    has_error_port: bool = True
    ways: tuple[str, ...] = ("out",)
    required: tuple[str, ...] = ()
    is_action: bool = False

    def writes(self, config: Mapping[str, Any]) -> bool:
        return self.is_action and config.get("method") != "GET"

    def ports(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        if "cases" not in self.ways:
            return self.ways
        return (*(case["id"] for case in config["cases"]), "otherwise")

    def problems(self, config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        return [(name, "field.required", f"“{name}” is empty.") for name in self.required if not config.get(name)]

    def warnings(self, config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        return [("url", "url.key", "The key stands in the address.")] if "key=" in str(config.get("url")) else []

    def references(self, config: Mapping[str, Any]) -> list[tuple[str, Reads]]:
        return [
            (path, Reads(found[1], found[2] if found[1] == "steps" else None))
            for path, text in texts(config)
            for found in _READS.finditer(text)
        ]


def texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from texts(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, f"{path}[{index}]")


@dataclass
class Catalog:
    types: dict[str, Type] = field(default_factory=dict)

    def get(self, type: str, /) -> Type | None:
        return self.types.get(type)


CATALOG = Catalog(
    {
        made.type: made
        for made in (
            Type("trigger.manual@1", "Button", is_trigger=True, has_error_port=False),
            Type("data.step@1"),
            Type("flow.decision@1", "Decision", ways=("yes", "no")),
            Type("flow.switch@1", "Switch", ways=("cases",)),
            Type("flow.stop@1", "Stop", has_error_port=False, ways=()),
            Type("http.request@1", "HTTP request", required=("url",), is_action=True),
        )
    }
)

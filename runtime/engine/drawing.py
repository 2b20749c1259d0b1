"""A draft as the check reads it: steps and links as far as they make sense, and what it asks of the step types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from runtime.engine.graph import UNDO_PORT


class ReferenceView(Protocol):
    """What an expression reads: `steps.order.total` has root `steps` and key `order`."""

    @property
    def root(self) -> str: ...
    @property
    def key(self) -> str | None: ...
    @property
    def path(self) -> tuple[str | int, ...]: ...


class StepTypeInfo(Protocol):
    """What `check` asks of a step type. Field paths are relative to the config: `url`, `headers[0].value`."""

    @property
    def type(self) -> str: ...
    @property
    def is_trigger(self) -> bool: ...
    @property
    def title(self) -> str: ...
    @property
    def is_action(self) -> bool:
        """It does something outside, so that it can be undone, or can undo."""
        ...

    def writes(self, config: Mapping[str, Any]) -> bool:
        """Whether, with these settings, it changes something outside."""
        ...

    @property
    def has_error_port(self) -> bool: ...

    def ports(self, config: Mapping[str, Any]) -> Sequence[str]:
        """The named ways out, `error` left out."""
        ...

    def problems(self, config: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
        """(field path, code, message) of everything missing or malformed."""
        ...

    def warnings(self, config: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
        """(field path, code, message) of what works and is unwise."""
        ...

    def references(self, config: Mapping[str, Any]) -> Sequence[tuple[str, ReferenceView]]:
        """(field path, reference) of everything its expressions read."""
        ...


class CatalogView(Protocol):
    def get(self, type: str, /) -> StepTypeInfo | None: ...


@dataclass(slots=True)
class Link:
    id: str | None
    source: str
    handle: str
    target: str
    target_handle: str


@dataclass(slots=True)
class Step:
    """A step as far as it can be read. `info` is None for an unknown type; then nothing is said about its inside."""

    id: str
    key: str | None
    name: str
    config: Mapping[str, Any]
    settings: Mapping[str, Any]
    info: StepTypeInfo | None
    is_trigger: bool = False
    ports: tuple[str, ...] | None = None
    out: list[Link] = field(default_factory=list)
    into: list[Link] = field(default_factory=list)
    #: The container in whose body it stands, as the document says.
    parent: str | None = None
    is_container: bool = False
    #: The steps in its body.
    body: list[str] = field(default_factory=list)

    @property
    def undo_links(self) -> list[Link]:
        """The links from here to what undoes this step."""
        return [link for link in self.out if link.handle == UNDO_PORT]

    @property
    def undoes(self) -> str | None:
        """The step that this one undoes."""
        return next((link.source for link in self.into if link.handle == UNDO_PORT), None)

    @property
    def disabled(self) -> bool:
        return self.settings.get("disabled") is True


@dataclass(slots=True)
class Drawing:
    steps: dict[str, Step]
    by_key: dict[str, Step]
    reachable: set[str] = field(default_factory=set)
    suggestions: int = 0

    def after(self, node: str) -> list[str]:
        """What follows a step: where its links lead, and what its body begins with."""
        step = self.steps[node]
        return [link.target for link in step.out] + [one for one in step.body if not self.steps[one].into]

    def around(self, node: str) -> set[str]:
        """The containers around a step."""
        found: set[str] = set()
        parent = self.steps[node].parent
        while parent is not None and parent not in found:
            found.add(parent)
            parent = self.steps[parent].parent if parent in self.steps else None
        return found

"""What a step type is: one object that the palette, the form, the check, the runtime, the docs and the tests read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from runtime.engine import containers
from runtime.engine.expressions.references import Reference
from runtime.engine.jsonprofile import JSON
from runtime.sdk import schema as schemas
from runtime.sdk.context import Context
from runtime.sdk.effects import EFFECT_NOTES, EffectClass
from runtime.sdk.fields import Config
from runtime.sdk.prepared import PreparedStep, formulas_of, visible
from runtime.sdk.probes import Probe
from runtime.sdk.results import Outcome
from runtime.sdk.words import Words, shorten

C = TypeVar("C", bound=Config)

Category: TypeAlias = Literal["start", "app", "logic", "loop", "people", "data"]

#: The second line of a card that is not filled in yet.
NEEDS_SETUP = "Needs set-up"


@dataclass(frozen=True, slots=True)
class Port:
    """A named way out of a step."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class PortsFrom:
    """Ways out that a person makes in the settings: one for each entry of the list ``field``, then ``plus``."""

    field: str
    id: str
    label: str
    plus: tuple[Port, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A filled-in step that the docs, the tests and the try-it panel share.

    ``context``: what its formulas read. ``input``: what ``run`` gets as step input. ``event``: for triggers, the
    arguments of an ``EventView``.
    """

    config: Mapping[str, JSON]
    output: JSON
    title: str = ""
    context: Mapping[str, JSON] = field(default_factory=dict)
    input: JSON = None
    event: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NodeType(Generic[C]):
    """One version of one step type. A node file makes exactly one, named ``NODE``.

    ``name`` and ``version`` make the type that graphs store: ``http.request@1``. ``run`` is a plain function (with
    ``inline`` when it only computes and is cheap: it is then called on the loop) or a coroutine function for I/O.
    ``effect`` is a class or a function of the settings as stored. ``summary`` writes the card's second line.
    ``extra_problems`` adds checks across fields, on settings as stored: (field path, code, message).
    ``check_input``: for starts with a form, what came as typed data and what does not fit (field name → sentence),
    so that a start can be refused before it becomes a run. ``read``: settings as stored → settings as they are meant,
    before the formulas in them are looked at; never raises. ``extra_warnings``: like ``extra_problems``, for what
    works and yet is unwise.
    """

    name: str
    version: int
    category: Category
    icon: str
    title: str
    description: str
    config: type[C]
    run: Callable[[C, JSON, Context], Outcome | Awaitable[Outcome]]
    effect: EffectClass | Callable[[Mapping[str, Any]], EffectClass]
    summary: Callable[[Mapping[str, Any], Words], str]
    examples: tuple[Example, ...]
    synonyms: tuple[str, ...] = ()
    trigger: bool = False
    inline: bool = False
    out: tuple[Port, ...] = (Port("out", "Next"),)
    ports_from: PortsFrom | None = None
    fails: bool = True
    badge: str = ""
    effect_note: str = ""
    extra_problems: Callable[[Mapping[str, Any]], list[tuple[str, str, str]]] | None = None
    check_input: Callable[[C, JSON], tuple[JSON, dict[str, str]]] | None = None
    defaults: Mapping[str, JSON] = field(default_factory=dict)
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    extra_warnings: Callable[[Mapping[str, Any]], list[tuple[str, str, str]]] | None = None
    #: How it is found out whether the effect happened, where these settings make it ``queryable``.
    probe: Probe[C] | None = None
    #: Nobody draws it: the engine puts it where it is needed, and the palette does not show it.
    hidden: bool = False

    # --- what the check asks (runtime.engine.check.StepTypeInfo) ------------------------------------------------

    @cached_property
    def type(self) -> str:
        """The name that graphs store, like ``http.request@1``."""
        return f"{self.name}@{self.version}"

    @property
    def is_trigger(self) -> bool:
        return self.trigger

    @property
    def has_error_port(self) -> bool:
        """Whether a failure can be routed: triggers and the steps that end a run on purpose cannot."""
        return self.fails and not self.trigger

    def ports(self, config: Mapping[str, Any]) -> tuple[str, ...]:
        """The ids of the named ways out with these settings, without ``error``."""
        return tuple(port.id for port in self.port_list(config))

    def port_list(self, config: Mapping[str, Any]) -> tuple[Port, ...]:
        """The ways out with these settings, with their labels. Never raises, whatever the draft holds."""
        made = self.ports_from
        if made is None:
            return self.out
        entries = config.get(made.field)
        found: list[Port] = []
        if isinstance(entries, list):
            for position, entry in enumerate(entries, start=1):
                if isinstance(entry, Mapping) and isinstance(entry.get(made.id), str) and entry[made.id]:
                    label = entry.get(made.label)
                    found.append(Port(entry[made.id], label if isinstance(label, str) and label else f"Way {position}"))
        return (*found, *made.plus)

    def problems(self, config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """What is wrong with settings as stored, formulas not worked out: (field path, code, message)."""
        return schemas.problems(self, self._meant(config))

    def warnings(self, config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """What is unwise in settings as stored, though it works: (field path, code, message). Never raises."""
        if self.extra_warnings is None:
            return []
        try:
            return self.extra_warnings(self.filled(config))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            return []  # a draft of any shape; what is wrong with it is said as a problem

    def references(self, config: Mapping[str, Any]) -> list[tuple[str, Reference]]:
        """What the formulas in these settings read: (field path, reference). Broken ones are left to ``problems``."""
        return [
            (path, reference)
            for path, template, _deferred in formulas_of(
                self.expression_fields, self.deferred_fields, self._meant(config)
            )
            for reference in template.references
        ]

    # --- what the runtime asks ------------------------------------------------------------------------------------

    def prepare(self, config: Mapping[str, Any]) -> PreparedStep[C]:
        """Compile these settings once for a step of a version; cheap to keep, safe to share between runs.

        Raises PermanentError when a formula cannot be compiled or fixed settings are refused.
        """
        return PreparedStep.make(self, self._meant(config))

    def _meant(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        """The settings that count: read as this type reads them, without those that are not on the form."""
        return visible(self.config, config if self.read is None else self.read(config))

    @property
    def is_action(self) -> bool:
        """It does something outside: it can be undone, and can undo."""
        return self.category == "app"

    def writes(self, config: Mapping[str, Any]) -> bool:
        """Whether, with these settings as stored, it changes something outside."""
        return self.effect_of(config).writes

    def effect_of(self, config: Mapping[str, Any]) -> EffectClass:
        """The effect class with these settings as stored."""
        return self.effect if isinstance(self.effect, EffectClass) else self.effect(self.filled(config))

    # --- what people see ------------------------------------------------------------------------------------------

    def summarise(self, config: Mapping[str, Any], words: Words) -> str:
        """The card's second line, at most 60 characters; never raises, whatever the draft holds."""
        try:
            text = self.summary(self.filled(config), words)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ArithmeticError):
            text = ""
        return shorten(text) or NEEDS_SETUP

    @cached_property
    def start_config(self) -> dict[str, JSON]:
        """What a new step's settings start with."""
        return {**schemas.defaults_of(self.config), **self.defaults}

    def filled(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """These settings with every setting that is not stored standing at what it starts with."""
        return {**self.start_config, **config}

    @cached_property
    def config_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of the settings, with ``x-ui`` hints."""
        return schemas.config_schema(self.config)

    @cached_property
    def expression_fields(self) -> tuple[tuple[str, ...], ...]:
        """Paths of the fields that may hold formulas, ``*`` for every entry of a list; all below them may too."""
        return schemas.marked_fields(self.config, "expression")

    @cached_property
    def deferred_fields(self) -> tuple[tuple[str, ...], ...]:
        """The formula fields that are not worked out before ``run``."""
        return schemas.marked_fields(self.config, "deferred")

    @cached_property
    def connection_kinds(self) -> tuple[str, ...]:
        return schemas.connection_kinds(self.config)

    def spec(self) -> dict[str, Any]:
        """Everything the front end needs, as JSON."""
        effect = self.effect if isinstance(self.effect, EffectClass) else self.effect(self.start_config)
        return {
            "type": self.type,
            "name": self.name,
            "version": self.version,
            "category": self.category,
            "icon": self.icon,
            "title": self.title,
            "description": self.description,
            "synonyms": list(self.synonyms),
            "effect": effect.value,
            "effect_note": self.effect_note or EFFECT_NOTES[effect],
            "trigger": self.trigger,
            "ports": [{"id": port.id, "label": port.label} for port in self.out],
            "ports_from": self.ports_from
            and {
                "field": self.ports_from.field,
                "id": self.ports_from.id,
                "label": self.ports_from.label,
                "plus": [{"id": port.id, "label": port.label} for port in self.ports_from.plus],
            },
            "has_error_port": self.has_error_port,
            "config_schema": self.config_schema,
            "expression_fields": [".".join(path) for path in self.expression_fields],
            "output_sample": self.examples[0].output,
            "connection_kinds": list(self.connection_kinds),
            "examples": [
                {
                    "title": example.title,
                    "config": dict(example.config),
                    "context": dict(example.context),
                    "input": example.input,
                    "output": example.output,
                }
                for example in self.examples
            ],
            "defaults": dict(self.start_config),
            "badge": self.badge,
            "container": containers.is_container(self.type),
        }

"""How a step type finds out whether its effect happened, before anybody sends it again.

A step type whose effect class is ``queryable`` with some settings offers a ``Probe``. The engine uses it when nobody
knows how an attempt ended. Settings whose names begin with ``look_up_`` are formulas that are worked out then
(``deferred``), and know ``look_up``: ``look_up.key``, under which the effect was asked for, and what the other system
answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from runtime.engine.expressions import ExpressionError, compile_template
from runtime.engine.expressions.errors import Unsolved
from runtime.engine.jsonprofile import JSON
from runtime.sdk.context import Context
from runtime.sdk.errors import PermanentError
from runtime.sdk.fields import Config
from runtime.sdk.results import Result

C = TypeVar("C", bound=Config)
C_contra = TypeVar("C_contra", bound=Config, contravariant=True)

#: The longest pause between two looks.
LONGEST_PAUSE_SECONDS: Final = 300.0


class Happened(NamedTuple):
    """It happened; ``result`` is what the step gives. Its ``request`` and ``response`` are those of the look-up."""

    result: Result


class DidNotHappen(NamedTuple):
    """It did not happen, for certain: it may be sent. ``request`` and ``response``: summaries of the look-up."""

    request: JSON = None
    response: JSON = None


#: What a look-up says. One that cannot tell raises StepFailure: RetryableError where another look may tell.
Verdict = Happened | DidNotHappen


class Work(Protocol):
    """Works out the formulas in a setting, at any depth, with what the other system answered beside what the step
    knows. ``spare``: a formula that fails stays in its place for ``rules.decide``. Raises PermanentError."""

    def __call__(self, value: Any, answer: Mapping[str, JSON] | None = None, *, spare: bool = False) -> Any: ...


class Look(Protocol[C_contra]):
    """Asks the other system, once. It changes nothing there."""

    def __call__(
        self, config: C_contra, step_input: JSON, context: Context, work_out: Work, /
    ) -> Awaitable[Verdict]: ...


class Patience(NamedTuple):
    """How long it is tried: so many looks, the first after so long, each pause twice as long as the one before."""

    looks: int
    first_seconds: float

    def seconds(self, before: int) -> float:
        """The pause after this many looks."""
        return float(min(self.first_seconds * 2**before, max(LONGEST_PAUSE_SECONDS, self.first_seconds)))


@dataclass(frozen=True, slots=True)
class Probe(Generic[C]):
    """See the module's text."""

    look: Look[C]
    patience: Callable[[C], Patience]


def working_out(known: Mapping[str, Any], key: str) -> Work:
    """A ``Work`` over the data that a step's formulas know. ``key``: of the effect."""

    def work_out(value: Any, answer: Mapping[str, JSON] | None = None, *, spare: bool = False) -> Any:
        return _worked_out(value, {**known, "look_up": {"key": key, **(answer or {})}}, spare)

    return work_out


def _worked_out(value: Any, known: Mapping[str, Any], spare: bool) -> Any:
    if isinstance(value, list):
        return [_worked_out(item, known, spare) for item in value]
    if isinstance(value, Mapping):
        return {name: _worked_out(item, known, spare) for name, item in value.items()}
    if not isinstance(value, str) or "{{" not in value:
        return value
    try:
        return compile_template(value).evaluate(known)
    except ExpressionError as error:
        if spare:
            return Unsolved(value, error)
        raise PermanentError(
            "A formula of the look-up could not be worked out", error.message, "formula", detail=value[:500]
        ) from None

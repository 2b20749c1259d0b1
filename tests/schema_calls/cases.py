"""Calls made up from the published document by Schemathesis: its coverage phase, and data by chance that fits and not.

The document holds no links and no examples; what its stateful phase would follow are the objects of `town.py` here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


def load(document: dict[str, Any], number: int) -> Any:
    """The document, ready to make calls up with this seed."""
    return schemathesis.openapi.from_dict(document, config=schemathesis.Config(seed=number))


def operations(schema: Any) -> list[Any]:
    """Every operation of the document. Raises what Schemathesis finds wrong with one."""
    return [found.ok() for found in schema.get_all_operations()]


def covering(schema: Any, operation: Any) -> dict[GenerationMode, list[Any]]:
    """The calls of the coverage phase: each bound, each missing part, each wrong type, by whether they fit."""
    found: dict[GenerationMode, list[Any]] = {mode: [] for mode in MODES}
    generation = schema.config.generation_for(operation=operation)
    for case in schema.iter_coverage_cases(operation, generation_modes=list(MODES), generation_config=generation):
        found[case.meta.generation.mode].append(case)
    return found


def fuzzed(operation: Any, mode: GenerationMode, most: int, number: int) -> list[Any]:
    """Up to so many calls by chance; fewer where the operation offers nothing to vary."""
    cases: list[Any] = []

    @seed(number)
    @settings(
        max_examples=most,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def draw(case: Any) -> None:
        cases.append(case)

    try:
        draw()
    except Unsatisfiable:
        return []
    return cases


def all_of(schema: Any, operation: Any, number: int, most: int) -> Iterator[Any]:
    """Everything of the coverage phase, then so many by chance that fit and so many that do not."""
    for cases in covering(schema, operation).values():
        yield from cases
    for mode in MODES:
        yield from fuzzed(operation, mode, most, number)


def some_of(schema: Any, operation: Any, number: int) -> list[Any]:
    """Three: one that fits and two that do not, always the same of a seed."""
    dice = random.Random(f"{number} {operation.label}")
    found = covering(schema, operation)
    fitting, wrong = found[GenerationMode.POSITIVE], found[GenerationMode.NEGATIVE]
    return [*dice.sample(fitting, min(1, len(fitting))), *dice.sample(wrong, min(2, len(wrong)))]

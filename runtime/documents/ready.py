"""The designs that come with Millrace, each with sample data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from runtime.documents.model import Design, design_of
from runtime.engine.jsonprofile import loads

NAMES: Final = ("invoice", "statement", "report_card", "remittance_advice", "delivery_note")


@dataclass(frozen=True, slots=True)
class Ready:
    """`stored` is the design as JSON, `design` the same read; `sample` is data for it."""

    name: str
    stored: dict[str, Any]
    design: Design
    sample: dict[str, Any]


def stored(name: str) -> dict[str, Any]:
    """One of `NAMES` as it is kept: its `name`, `design` and `sample`."""
    told: Any = loads(Path(__file__).with_name("designs").joinpath(f"{name}.json").read_bytes())
    return dict(told)


@lru_cache(maxsize=len(NAMES))
def ready(name: str) -> Ready:
    """One of `NAMES`."""
    told = stored(name)
    return Ready(told["name"], told["design"], design_of(told["design"]), told["sample"])

"""The figures of each test, shown at the end of the report whatever came of it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence

import pytest

#: One JSON line each, in the order they came.
LINES: list[str] = []


def tell(fault: str, database: str, **figures: object) -> None:
    """Note the figures of a test."""
    LINES.append(json.dumps({"fault": fault, "database": database, **figures}))


def seed() -> int:
    """`MILLRACE_FAULTS_SEED` (hexadecimal), or a new one each time; it is told with the figures."""
    given = os.environ.get("MILLRACE_FAULTS_SEED", "").strip()
    return int(given, 16) if given else secrets.randbits(32)


def everything() -> bool:
    """Whether all of it is run (`MILLRACE_FAULTS=full`, what `make faults` says) or a sample of a few minutes."""
    return os.environ.get("MILLRACE_FAULTS", "").strip() == "full"


only_in_full = pytest.mark.skipif(not everything(), reason="part of `make faults`, not of the sample")


def number(name: str, sample: int, full: int) -> int:
    """How many: `MILLRACE_FAULTS_<NAME>` where it is set."""
    given = os.environ.get(f"MILLRACE_FAULTS_{name}", "").strip()
    return int(given) if given else full if everything() else sample


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2) if ordered else 0.0

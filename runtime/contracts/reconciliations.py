"""What reconciling two lists found, as the front door shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from runtime.contracts.batches import CountAndSum
from runtime.contracts.files import FileView

#: The groups of which each row is in one, in the order in which they are told.
GROUPS: Final = ("matched", "differing", "only_a", "only_b", "twice")


@dataclass(frozen=True, slots=True)
class ReconciledTotal:
    """One currency. `a`, `b`: all rows of each list, which are the sums of its `groups`; `difference`: a less b."""

    currency: str
    a: CountAndSum
    b: CountAndSum
    difference: Decimal
    groups: Mapping[str, tuple[CountAndSum, CountAndSum]]


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    """What a step found. `counts`: of each group how many; `within`: so many matched with a difference; `excel`, `csv`:
    the report, where one was made and is there still."""

    run_id: UUID
    node: str
    key: str
    name: str
    workflow_id: UUID
    a_name: str
    b_name: str
    a_count: int
    b_count: int
    within: int
    counts: Mapping[str, int]
    totals: tuple[ReconciledTotal, ...]
    excel: FileView | None
    csv: FileView | None


@dataclass(frozen=True, slots=True)
class ReconciledView:
    """Rows that belong together, or one that is alone. `at`: tells it from others of its group; the rest as the step
    hands it on."""

    at: int
    group: str
    why: str
    key: str
    currency: str
    a_amount: Decimal | None
    b_amount: Decimal | None
    difference: Decimal | None
    days: int | None
    missing: tuple[str, ...]
    a: tuple[Any, ...]
    b: tuple[Any, ...]
    a_places: tuple[str, ...]
    b_places: tuple[str, ...]

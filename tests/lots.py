"""What is drawn by lot where `make test` runs a sample: each time something else, and the same again with its lot.

`make test ALL=1` runs everything. In the sample every test is there, that of a screen in one shape. By lot is drawn

- on which of the two databases a test runs that takes long (`SLOW`), and which half of the builder's tests, which have
  all been run on SQLite, runs on PostgreSQL again;
- in which of its shapes (a phone or a desk, light or dark, a language) a test of a screen runs.
"""

from __future__ import annotations

import os
import secrets
import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import pytest

#: The variable that holds the lot, in hexadecimal; without it nothing is left out.
VARIABLE: Final = "MILLRACE_TEST_LOT"
#: Modules whose tests take seconds each, most of them because something has to pass before it can be seen.
SLOW: Final = frozenset({
    "live/socket", "runtime/asked_now", "runtime/backfills", "runtime/batches", "runtime/budgets",
    "runtime/bulk_retries", "runtime/datatable_groups", "runtime/edited_retries", "runtime/figures",
    "runtime/holding_paused", "runtime/interpreter_steps", "runtime/interpreter_waits", "runtime/lists_disturbed",
    "runtime/money_found", "runtime/muted_letters", "runtime/overlap", "runtime/own_runs", "runtime/own_runs_again",
    "runtime/own_runs_control", "runtime/own_runs_held", "runtime/own_runs_pauses", "runtime/pages",
    "runtime/pausing", "runtime/pending_answers", "runtime/people", "runtime/people_late", "runtime/people_leaving",
    "runtime/people_notices", "runtime/planned_items", "runtime/reconciliations", "runtime/retention",
    "runtime/reviews_at_scale", "runtime/schedule_changes", "runtime/sent_letters", "runtime/skipped_items",
    "runtime/stand_in_digests", "runtime/stand_ins", "runtime/stands_by_hand", "runtime/standstills",
    "runtime/storage", "runtime/taken_back", "runtime/ticker_schedules", "runtime/turns", "runtime/undoing",
    "runtime/upload_runs",
})  # fmt: skip
#: Words of a parameter's name that say in which shape a screen is looked at.
SHAPES: Final = frozenset({"phone", "desk", "desktop", "light", "dark", "390", "1440", "en", "de", "wide", "narrow"})


def draw() -> str:
    """A new lot, or the one that the environment names."""
    return os.environ.get(VARIABLE, "").strip() or f"{secrets.randbits(32):08x}"


def sample(items: Sequence[pytest.Item], lot: str, database: str) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Those that run with this lot on this database, and those that do not."""
    groups = [_shaped(item) for item in items]
    shapes: dict[str, list[str]] = defaultdict(list)
    for item, group in zip(items, groups, strict=True):
        if group:
            shapes[group].append(item.nodeid)
    chosen = {group: sorted(names)[_number(lot, group) % len(names)] for group, names in shapes.items()}
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item, group in zip(items, groups, strict=True):
        runs = chosen[group] == item.nodeid if group else database in _databases(item, lot)
        (kept if runs else left).append(item)
    return kept, left


def _databases(item: pytest.Item, lot: str) -> tuple[str, ...]:
    """On which databases the test runs."""
    folder, _, module = item.nodeid.partition("::")[0].removeprefix("tests/").removesuffix(".py").rpartition("/")
    drawn = ("sqlite", "postgres")[_number(lot, item.nodeid) % 2]
    if folder.split("/")[0] == "builder":
        return ("sqlite", drawn)
    return (drawn,) if f"{folder}/{module.removeprefix('test_')}" in SLOW else ("sqlite", "postgres")


def _shaped(item: pytest.Item) -> str:
    """The name that all shapes of a test of a screen have in common; empty where it has but one."""
    name, _, parameters = item.nodeid.partition("[")
    if not name.startswith("tests/browser/") or not parameters:
        return ""
    words = parameters.removesuffix("]").split("-")
    others = [word for word in words if word not in SHAPES]
    return f"{name}[{'-'.join(others)}]" if len(others) < len(words) else ""


def _number(lot: str, name: str) -> int:
    return zlib.crc32(f"{lot} {name}".encode())

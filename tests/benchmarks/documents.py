"""How many documents one processor draws in a second."""

from __future__ import annotations

import time
from typing import Any

from runtime.documents.draw import draw
from runtime.documents.ready import ready
from tests.benchmarks.figures import Figure

DRAWN = 300
ROWS = 30


def statements() -> Figure:
    """Different statements of thirty rows with Latin and Greek letters, by the processor's time."""
    found = ready("statement")
    data = [_statement(found.sample, number) for number in range(DRAWN + 1)]
    first = draw(found.design, data.pop())
    began = time.process_time()
    size = sum(len(draw(found.design, one)) for one in data)
    spent = time.process_time() - began
    details = {"cpu_ms": round(spent * 1000 / DRAWN, 2), "kb": round(size / DRAWN / 1024, 1), "first": len(first)}
    return Figure("documents_per_s", DRAWN / spent, "documents/s", details)


def _statement(sample: dict[str, Any], number: int) -> dict[str, Any]:
    entries = [
        {
            "date": f"2026-{1 + (number + row) % 12:02}-{1 + row % 28:02}",
            "reference": f"R-{number}-{row}",
            "text": f"Entry {chr(65 + number % 26)}{chr(0x3B1 + number * row % 17)} {number * row}",
            "charge": (number * 37 + row * 11) % 9000,
            "payment": None,
        }
        for row in range(ROWS)
    ]
    return {**sample, "number": f"C-{number}", "entries": entries}

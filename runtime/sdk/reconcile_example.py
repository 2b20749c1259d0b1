"""The example of reconciling two lists, with all that comes of it."""

from __future__ import annotations

from typing import Final

from runtime.engine.jsonprofile import JSON
from runtime.sdk.nodetype import Example

__all__ = ["EXAMPLE"]


def _file(number: int, name: str, size: int, sha256: str) -> dict[str, JSON]:
    id_ = f"0199a7f0-0000-7000-8000-0000000000f{number}"
    return {"id": id_, "name": name, "mime": "application/x-ndjson", "size": size, "sha256": sha256}


def _none(a: int = 0, worth: int = 0) -> dict[str, JSON]:
    return {"a": {"count": a, "amount": worth}, "b": {"count": 0, "amount": 0}}


_EMPTY: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_ALONE: Final[dict[str, JSON]] = {
    "group": "only_a",
    "why": "",
    "key": "INV-3",
    "currency": "EUR",
    "a_amount": 70,
    "b_amount": None,
    "difference": None,
    "days": None,
    "missing": [],
    "a": [{"Reference": "INV-3", "Amount": 70}],
    "b": [],
    "a_places": ["entry 3"],
    "b_places": [],
}

#: A payment that fits, one within the tolerance, and one that nobody knows.
EXAMPLE: Final = Example(
    title="A bank statement and the open items",
    config={
        "a_name": "Bank statement",
        "a_items": "{{ trigger.statement }}",
        "b_name": "Open items",
        "b_items": "{{ trigger.items }}",
        "keys": [{"a": "Reference", "b": "invoice"}],
        "a_amount": "Amount",
        "b_amount": "open",
        "tolerance": 1,
        "currency": "EUR",
        "excel": False,
        "csv": False,
    },
    context={
        "trigger": {
            "statement": [
                {"Reference": "INV-1", "Amount": 100},
                {"Reference": "INV-2", "Amount": 49},
                {"Reference": "INV-3", "Amount": 70},
            ],
            "items": [{"invoice": "INV-1", "open": 100}, {"invoice": "INV-2", "open": 50}],
        }
    },
    output={
        "all_matched": False,
        "within_tolerance": 1,
        "a": {"name": "Bank statement", "count": 3},
        "b": {"name": "Open items", "count": 2},
        "totals": [
            {
                "currency": "EUR",
                "a": {"count": 3, "amount": 219},
                "b": {"count": 2, "amount": 150},
                "difference": 69,
                "matched": {"a": {"count": 2, "amount": 149}, "b": {"count": 2, "amount": 150}},
                "differing": _none(),
                "only_a": _none(1, 70),
                "only_b": _none(),
                "twice": _none(),
            }
        ],
        "matched": {
            "count": 2,
            "first": [
                {
                    "group": "matched",
                    "why": "",
                    "key": "INV-1",
                    "currency": "EUR",
                    "a_amount": 100,
                    "b_amount": 100,
                    "difference": 0,
                    "days": None,
                    "missing": [],
                    "a": [{"Reference": "INV-1", "Amount": 100}],
                    "b": [{"invoice": "INV-1", "open": 100}],
                    "a_places": ["entry 1"],
                    "b_places": ["entry 1"],
                },
                {
                    "group": "matched",
                    "why": "tolerance",
                    "key": "INV-2",
                    "currency": "EUR",
                    "a_amount": 49,
                    "b_amount": 50,
                    "difference": -1,
                    "days": None,
                    "missing": [],
                    "a": [{"Reference": "INV-2", "Amount": 49}],
                    "b": [{"invoice": "INV-2", "open": 50}],
                    "a_places": ["entry 2"],
                    "b_places": ["entry 2"],
                },
            ],
            "file": _file(2, "matched.jsonl", 514, "bd7914c117207070762798d574c79d083a08c15e3f19e7162804affcdfc56762"),
        },
        "differing": {"count": 0, "first": [], "file": _file(3, "differing.jsonl", 0, _EMPTY)},
        "only_a": {
            "count": 1,
            "first": [_ALONE],
            "file": _file(4, "only_a.jsonl", 216, "6b45bf3e600559a93094aabcd53f06d210ab7167e572013e59ac1092bd11741e"),
        },
        "only_b": {"count": 0, "first": [], "file": _file(5, "only_b.jsonl", 0, _EMPTY)},
        "twice": {"count": 0, "first": [], "file": _file(6, "twice.jsonl", 0, _EMPTY)},
        "rest": {
            "count": 1,
            "first": [_ALONE],
            "file": _file(7, "rest.jsonl", 216, "6b45bf3e600559a93094aabcd53f06d210ab7167e572013e59ac1092bd11741e"),
        },
    },
)

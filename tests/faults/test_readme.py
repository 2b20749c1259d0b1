"""The table of README.md says which fault is broken where: it is complete, and what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LAST_FAULT = 47


def rows() -> dict[int, str]:
    """By fault, the line of the table that is about it."""
    found: dict[int, str] = {}
    for line in (HERE / "README.md").read_text().splitlines():
        if line.startswith("| F"):
            for number in re.findall(r"\bF(\d+)", line.split("|")[1]):
                assert int(number) not in found, f"F{number} stands there twice"
                found[int(number)] = line
    return found


def test_every_fault_has_a_line() -> None:
    assert sorted(rows()) == list(range(1, LAST_FAULT + 1))


def test_what_the_table_names_is_there() -> None:
    for line in rows().values():
        for name in re.findall(r"`((?:tests/)?[\w/]+\.py)`", line):
            assert (ROOT / name if name.startswith("tests/") else HERE / name).exists(), name


def test_every_test_of_a_fault_is_in_the_table() -> None:
    named = "".join(rows().values())
    about_itself = {"test_check.py", "test_readme.py"}
    assert {path.name for path in HERE.glob("test_*.py") if path.name not in named} == about_itself


def test_what_needs_everything_says_so() -> None:
    for path in HERE.glob("test_*.py"):
        mark = re.search(r"^pytestmark = \[(.*?)\]", path.read_text(), re.DOTALL | re.MULTILINE)
        if mark is None or "only_in_full" not in mark[1]:
            continue
        for line in rows().values():
            if f"`{path.name}`" in line:
                assert re.search(rf"`{path.name}` \(\*full\*", line), f"{path.name}: {line}"

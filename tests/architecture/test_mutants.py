"""The wrong lines of `make mutants` are still wrong versions of lines that stand, and the tests still there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.faults import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_the_line_that_a_mutant_changes_stands_there_once(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    assert mutant.old != mutant.new


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_the_test_that_notices_a_mutant_is_there(mutant: Mutant) -> None:
    path, _, name = mutant.test.partition(" -k ")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert all(part.strip("() ") in text for part in name.replace(" or ", " and ").split(" and "))

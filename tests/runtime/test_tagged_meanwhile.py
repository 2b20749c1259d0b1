"""Words are put on runs that somebody works at, removes, or takes names out of: nobody waits, none is left over."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest
from django.db import connection, transaction

from runtime.contracts.people import Erased
from runtime.engine.ids import uuid7
from runtime.store import retention_runs, tags
from runtime.store.erasing import erase_person
from runtime.store.models import Run, RunTag
from tests.meanwhile import while_open
from tests.runtime.machine import WORKSPACE, Machine, fields, flow


def tag(runs: Sequence[UUID], word: str = "late") -> tags.Changed:
    return tags.change(WORKSPACE, runs, {word: word}, [], uuid7())


@pytest.fixture
def run(machine: Machine) -> UUID:
    return machine.run(flow("start -> note", fields("note", a="b"))).id


def test_whoever_works_at_a_run_does_not_wait_until_many_have_their_words(run: UUID) -> None:
    def work() -> list[UUID]:
        with transaction.atomic():
            # As workers do who look for work: what is locked they leave to others.
            rows = Run.objects.filter(pk=run).select_for_update(skip_locked=connection.vendor == "postgresql")
            return list(rows.values_list("pk", flat=True))

    assert while_open(lambda: tag([run]), work) == [run]


def test_a_word_on_a_run_that_is_being_removed_goes_with_it(run: UUID) -> None:
    def remove() -> None:
        with transaction.atomic():
            retention_runs.remove([run])

    while_open(lambda: tag([run]), remove)
    assert not RunTag.objects.exists()


def test_a_run_that_somebody_is_removing_takes_no_word_any_more(run: UUID) -> None:
    def put() -> tags.Changed:
        with transaction.atomic():
            return tag([run])

    assert while_open(lambda: retention_runs.remove([run]), put).found == 0
    assert not RunTag.objects.exists()


def test_a_word_of_somebody_who_is_erased_does_not_come_back_to_a_run_that_is_being_removed(run: UUID) -> None:
    who = Erased(uuid7(), frozenset({"Viktoria V."}), frozenset({"vv@example.org"}), "P 1", "p1@erased.invalid")
    tags.change(WORKSPACE, [run], {"ask viktoria v.": "ask Viktoria V."}, [], who.id)
    assert while_open(lambda: retention_runs.remove([run]), lambda: erase_person(who)) == 0
    assert not RunTag.objects.exists()

from __future__ import annotations

import time

import pytest
from django.db import connection

from runtime.engine.ids import uuid7
from runtime.store import reads
from runtime.store.dialect import database_now, durability_problems, open_link
from tests.runtime.rows import a_version

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_tests_database_keeps_its_promises() -> None:
    assert durability_problems() == []


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
def test_sqlite_that_forgets_after_a_power_cut_is_named(level: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a setting of SQLite")
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={level}")
        try:
            (problem,) = durability_problems()
        finally:
            cursor.execute("PRAGMA synchronous=FULL")
    assert "synchronous" in problem


def test_postgresql_that_forgets_after_a_power_cut_is_named() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a setting of PostgreSQL")
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        try:
            (problem,) = durability_problems()
        finally:
            cursor.execute("SET synchronous_commit = on")
    assert "synchronous_commit=off" in problem


def test_the_writers_connection_is_durable_whatever_django_was_told() -> None:
    link = open_link()
    try:
        if connection.vendor == "sqlite":
            assert link.query("PRAGMA synchronous") == [(2,)]
            assert link.query("PRAGMA journal_mode") == [("wal",)]
        else:
            assert link.query("SHOW synchronous_commit") == [("on",)]
            assert link.query("SHOW fsync") == [("on",)]
    finally:
        link.close()


def test_the_clock_is_the_databases_and_counts_milliseconds() -> None:
    link = open_link()
    try:
        ((in_sql,),) = link.query("SELECT {now}")
        assert abs(database_now() - time.time() * 1000) < 2_000
        assert abs(in_sql - database_now()) < 1_000
        assert abs(link.now() - database_now()) < 1_000
    finally:
        link.close()


def test_reading_what_is_not_there_gives_nothing() -> None:
    missing = uuid7()
    assert reads.event(missing) is None
    assert reads.run_end(missing) is None
    assert reads.version_graph(missing) is None
    assert reads.load_runs([]) == {}
    assert reads.load_runs([missing]) == {missing: reads.RunRows((), (), ())}


def test_a_versions_graph_comes_back_as_its_text() -> None:
    graph = '{"z":1,"a":{"ü":[1.10]}}'
    assert reads.version_graph(a_version(graph).id) == graph

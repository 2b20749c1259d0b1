"""Between two tests nothing is left: no row of one is ever seen by another, on any database."""

from __future__ import annotations

from django.db import connection

from runtime.store.models import Run
from runtime.store.transitions import Transition
from tests import databases
from tests.runtime.machine import Machine, fields, flow


def test_nothing_that_a_run_has_written_stands_once_the_tables_were_emptied(idle_machine: Machine) -> None:
    idle_machine.start()
    run = idle_machine.run(flow("start -> note", fields("note", a="b")))
    idle_machine.stop()
    assert Transition.objects.filter(run_id=run.id).exists()
    databases.empty()
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - databases.KEPT
    assert [table for table in sorted(tables) if _has_rows(table)] == []
    assert not Run.objects.exists()


def _has_rows(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")
        return bool(cursor.fetchone() != (0,))

"""However many runs fail: they stand in as many groups as they have causes, and that costs a few statements."""

from __future__ import annotations

from typing import Literal

from django.db import connection
from django.test.utils import CaptureQueriesContext

from runtime import api
from runtime.engine.jsonprofile import dumps
from runtime.store.dialect import database_now
from runtime.store.models import DeadLetter, Deployment, Run, RunField
from tests.runtime.machine import WORKSPACE
from tests.runtime.rows import WORKFLOW, a_version

MANY, CAUSES = 10_000, 12
NAMED = {"fields": [{"name": "amount", "label": "Amount", "value": "{{ trigger.amount }}", "kind": "amount"}]}


def failed(count: int = MANY) -> int:
    """So many failed runs of twelve causes, by plain SQL; when they are counted from, ms."""
    graph = {"format": "millrace.workflow", "version": 1, "nodes": [], "edges": [], "naming": NAMED}
    version = a_version(dumps(graph))
    Deployment.objects.create(workflow_id=WORKFLOW, workspace_id=WORKSPACE, version=version, changed_at=1)
    sqlite, now = connection.vendor == "sqlite", database_now()
    counted = (
        f"WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {count - 1})"
        if sqlite
        else f"WITH s AS (SELECT generate_series(0, {count - 1}) AS n)"
    )
    run = "printf('%032x', n + 1)" if sqlite else "CAST(lpad(to_hex(n + 1), 32, '0') AS uuid)"
    workspace, workflow, of = (
        f"'{one.hex}'" if sqlite else f"CAST('{one}' AS uuid)" for one in (WORKSPACE, WORKFLOW, version.pk)
    )
    no = "0" if sqlite else "false"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_run (id, workspace_id, workflow_id, version_id, trigger_node, mode, started_by, status,"
            " generation, seq, detached, lease_token, claims, cancel_undo, min_engine, accepted_at, finished_at)"
            f" {counted} SELECT {run}, {workspace}, {workflow}, {of}, 'start', 'live', 'api', 'dead_lettered',"
            f" 1, 1, {no}, 0, 0, {no}, 1, {now} - n, {now} - n FROM s"
        )
        cursor.execute(
            "INSERT INTO store_deadletter (run_id, generation, workspace_id, workflow_id, node_id, cause, code, title,"
            f" message, pattern, at) {counted} SELECT {run}, 1, {workspace}, {workflow}, 'ask',"
            f" 'cause' || (n % {CAUSES}), 'http_500', 'Not well', 'It answered 500.', 'It answered …',"
            f" {now} - n * 40000 FROM s"
        )
        cursor.execute(
            "INSERT INTO store_runfield (workspace_id, name, run_id, shown, folded, number, currency)"
            f" {counted} SELECT {workspace}, 'amount', {run}, '10', '10', 100000, 'EUR' FROM s"
        )
    return now


def test_ten_thousand_of_twelve_causes_are_twelve_groups_for_a_few_statements(db: None) -> None:
    failed()
    assert DeadLetter.objects.count() == Run.objects.count() == RunField.objects.count() == MANY
    with CaptureQueriesContext(connection) as asked:
        groups = api.dead_letter_groups(workspace_id=WORKSPACE)
    assert (len(groups), sum(group.count for group in groups)) == (CAUSES, MANY)
    assert len(asked) <= 3
    with CaptureQueriesContext(connection) as asked:
        figures = api.letter_figures(workspace_id=WORKSPACE)
    assert len(asked) <= 5
    assert len(figures) == CAUSES
    # One each 40 seconds: all of them came within the last five days.
    assert sum(sum(one.days) for one in figures.values()) == MANY
    assert [one.days[:2] for one in figures.values()] == [(0, 0)] * CAUSES


def test_what_failed_runs_are_worth_is_added_up_by_cause_and_currency(db: None) -> None:
    failed(24)
    figures = api.letter_figures(workspace_id=WORKSPACE)
    assert {cause: one.worth for cause, one in figures.items()} == {
        f"cause{number}": {"EUR": 200_000} for number in range(CAUSES)
    }
    assert [api.amount_text(number) for number in (200_000, -12_345, 5)] == ["20.00", "-1.2345", "0.0005"]


def test_those_that_failed_before_a_moment_are_counted(db: None) -> None:
    now = failed(24)
    count = api.letters_before(workspace_id=WORKSPACE, cause="cause0", moment=now - 12 * 40_000 + 1)
    assert count == 1


def test_many_are_written_as_a_file_a_page_at_a_time(db: None) -> None:
    many = 2_000
    failed(many)
    told = api.LettersTold(
        mask=lambda value: value,
        workflow=lambda _: "Supplier invoices",
        step=lambda _, node: node,
        address=lambda run_id: f"https://millrace.example.com/runs/{run_id}",
    )
    forms: tuple[Literal["csv", "json"], ...] = ("csv", "json")
    for form in forms:
        lines, largest, asked = 0, 0, 0
        with CaptureQueriesContext(connection) as statements:
            for portion in api.export_letters(workspace_id=WORKSPACE, format=form, told=told):
                lines += portion.count(b"https://millrace.example.com/runs/")
                largest = max(largest, len(portion))
                asked = max(asked, len(statements))
        assert lines == many
        assert largest < 256 * 1024, "no more is held than a portion"
        assert asked < many / 20, "a few statements for each page of two hundred"

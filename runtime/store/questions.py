"""How questions to people are written and closed, in the commit of the step that asks."""

from __future__ import annotations

from typing import Final

from runtime.store.dialect import Statement

__all__ = ["CLOSE_TASKS", "INSERT_TASKS"]

INSERT_TASKS: Final = Statement(
    columns=(
        ("u_id", "uuid"),
        ("u_workspace_id", "uuid"),
        ("u_workflow_id", "uuid"),
        ("u_run_id", "uuid"),
        ("u_node_id", "text"),
        ("u_generation", "int"),
        ("u_attempt", "int"),
        ("u_kind", "text"),
        ("u_title", "text"),
        ("u_spec", "text"),
        ("u_people", "text"),
        ("u_due_at", "int"),
        ("u_ends_at", "int"),
        ("u_barred", "text"),
        ("u_notice_at", "int"),
        ("u_worth", "int"),
        ("u_currency", "text"),
        ("u_worth_field", "text"),
    ),
    body="""
    INSERT INTO store_humantask (id, workspace_id, workflow_id, run_id, node_id, generation, attempt, kind, status,
        title, spec, people, due_at, ends_at, barred, notice_at, worth, currency, created_at)
    SELECT u_id, u_workspace_id, u_workflow_id, u_run_id, u_node_id, u_generation, u_attempt, u_kind, 'open', u_title,
        u_spec, u_people, u_due_at, u_ends_at, u_barred, u_notice_at, COALESCE(u_worth, f.number),
        CASE WHEN u_worth IS NOT NULL THEN COALESCE(u_currency, '') WHEN f.number IS NOT NULL THEN f.currency
            ELSE '' END, {now}
    FROM u LEFT JOIN store_runfield AS f
        ON u_worth IS NULL AND f.workspace_id = u_workspace_id AND f.name = u_worth_field AND f.run_id = u_run_id
    WHERE true
    ON CONFLICT DO NOTHING""",
)

CLOSE_TASKS: Final = Statement(
    columns=(("u_run_id", "uuid"), ("u_node_id", "text"), ("u_generation", "int"), ("u_status", "text")),
    body="""
    UPDATE store_humantask SET status = u_status, closed_at = {now} FROM u
    WHERE run_id = u_run_id AND node_id = u_node_id AND generation = u_generation AND status = 'open'""",
)

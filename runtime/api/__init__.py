"""The runtime's front door: synchronous, keyword-only functions that take and give `runtime.contracts`.

Every function is bound to a workspace: another workspace's objects are as absent as missing ones. Reads see committed
rows only and may be called from any thread; writes return once they are durable.
"""

from __future__ import annotations

from runtime.api.asking import may_decide, may_hand_over, may_take
from runtime.api.backfills import backfill, backfill_plan, backfills, stop_backfill
from runtime.api.batch_checks import batch_checks, check_batch, note_batch_check
from runtime.api.batches import batch, batch_files, batch_passed_over, keep_manifest, manifest
from runtime.api.budgets import budgets, end_pause, name_budget, set_budget
from runtime.api.bulk_retries import (
    bulk_retries,
    bulk_retry,
    bulk_retry_items,
    go_on_with_bulk,
    start_bulk_retry,
    stop_bulk_retry,
)
from runtime.api.causes import because
from runtime.api.corrections import correct_entries, failed_entries, failed_runs, walk_failed
from runtime.api.datatable_files import columns_like_file, export_table, import_rows, look_at_table_file
from runtime.api.datatables import (
    add_table,
    change_table,
    count_table_rows,
    delete_table_row,
    remove_table,
    save_table_row,
    table,
    table_row,
    table_rows,
    tables,
)
from runtime.api.dead_letters import dead_letter_count, dead_letter_groups, dead_letters, retry_each, solve_dead_letters
from runtime.api.documents import design_model, preview_document, ready_designs
from runtime.api.doubts import in_doubt
from runtime.api.events import event, events
from runtime.api.exporting import export
from runtime.api.files import add_file, archive, file, files, files_total, open_file, remove_file
from runtime.api.handing import give_back, hand_over, take
from runtime.api.health import orphans, system_health
from runtime.api.items import items
from runtime.api.links import link
from runtime.api.mending import error_file, mended
from runtime.api.pausing import held_versions, hold_workflow, let_go, pause_run, resume_run, set_breaker
from runtime.api.previews import functions, preview, samples, schedule_preview
from runtime.api.publishing import (
    check,
    deployment,
    deployments,
    disable,
    enable,
    live_graphs_naming,
    publish,
    retire,
    triggers,
    version,
    version_graph,
    versions,
    workflows_started_by,
)
from runtime.api.reconciliations import reconciled, reconciliation
from runtime.api.repeats import repeat_figures, repeats
from runtime.api.restoring import confirm_restored, held_runs, hold_restored, restored
from runtime.api.retrying import replay_as_new, retries, retry, retry_items, retry_plan
from runtime.api.reviewing import (
    change_review_rows,
    hand_review_over,
    reject_review,
    release_review,
    send_review_back,
)
from runtime.api.reviews import review, review_changes, review_lines, review_rows
from runtime.api.runs import cancel, changes, run, runs, snapshot, statistics, step
from runtime.api.starting import start_run, start_test
from runtime.api.tasks import decide, task, task_count, tasks
from runtime.api.trail import trail, trail_faults
from runtime.api.undoing import undo, undo_plan
from runtime.api.uploads import check_upload, look_at_upload
from runtime.api.waits import resume, resume_link, send_event, waits

__all__ = [
    "add_file",
    "add_table",
    "archive",
    "backfill",
    "backfill_plan",
    "backfills",
    "batch",
    "batch_checks",
    "batch_files",
    "batch_passed_over",
    "because",
    "budgets",
    "bulk_retries",
    "bulk_retry",
    "bulk_retry_items",
    "cancel",
    "change_review_rows",
    "change_table",
    "changes",
    "check",
    "check_batch",
    "check_upload",
    "columns_like_file",
    "confirm_restored",
    "correct_entries",
    "count_table_rows",
    "dead_letter_count",
    "dead_letter_groups",
    "dead_letters",
    "decide",
    "delete_table_row",
    "deployment",
    "deployments",
    "design_model",
    "disable",
    "enable",
    "end_pause",
    "error_file",
    "event",
    "events",
    "export",
    "export_table",
    "failed_entries",
    "failed_runs",
    "file",
    "files",
    "files_total",
    "functions",
    "give_back",
    "go_on_with_bulk",
    "hand_over",
    "hand_review_over",
    "held_runs",
    "held_versions",
    "hold_restored",
    "hold_workflow",
    "import_rows",
    "in_doubt",
    "items",
    "keep_manifest",
    "let_go",
    "link",
    "live_graphs_naming",
    "look_at_table_file",
    "look_at_upload",
    "manifest",
    "may_decide",
    "may_hand_over",
    "may_take",
    "mended",
    "name_budget",
    "note_batch_check",
    "open_file",
    "orphans",
    "pause_run",
    "preview",
    "preview_document",
    "publish",
    "ready_designs",
    "reconciled",
    "reconciliation",
    "reject_review",
    "release_review",
    "remove_file",
    "remove_table",
    "repeat_figures",
    "repeats",
    "replay_as_new",
    "restored",
    "resume",
    "resume_link",
    "resume_run",
    "retire",
    "retries",
    "retry",
    "retry_each",
    "retry_items",
    "retry_plan",
    "review",
    "review_changes",
    "review_lines",
    "review_rows",
    "run",
    "runs",
    "samples",
    "save_table_row",
    "schedule_preview",
    "send_event",
    "send_review_back",
    "set_breaker",
    "set_budget",
    "snapshot",
    "solve_dead_letters",
    "start_bulk_retry",
    "start_run",
    "start_test",
    "statistics",
    "step",
    "stop_backfill",
    "stop_bulk_retry",
    "system_health",
    "table",
    "table_row",
    "table_rows",
    "tables",
    "take",
    "task",
    "task_count",
    "tasks",
    "trail",
    "trail_faults",
    "triggers",
    "undo",
    "undo_plan",
    "version",
    "version_graph",
    "versions",
    "waits",
    "walk_failed",
    "workflows_started_by",
]

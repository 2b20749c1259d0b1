"""The runtime's front door: synchronous, keyword-only functions that take and give `runtime.contracts`.

Every function is bound to a workspace: another workspace's objects are as absent as missing ones. Reads see committed
rows only and may be called from any thread; writes return once they are durable.
"""

from __future__ import annotations

from runtime.api.alerts import (
    add_alert_channel,
    add_alert_rule,
    alert_channel,
    alert_channels,
    alert_countries,
    alert_episodes,
    alert_past,
    alert_problems,
    alert_rule,
    alert_rules,
    alerts_active,
    change_alert_channel,
    change_alert_rule,
    remove_alert_channel,
    remove_alert_rule,
    tell_another_instead,
    try_alert_channel,
    try_alert_rule,
)
from runtime.api.asking_now import ask_now, ask_now_of_task
from runtime.api.backfills import backfill, backfill_plan, backfills, stop_backfill
from runtime.api.batch_checks import batch_checks, check_batch, note_batch_check
from runtime.api.batch_results import walk_items, walk_results
from runtime.api.batches import batch, batch_files, batch_passed_over, keep_manifest, manifest
from runtime.api.broken import (
    broken_for,
    connection_repaired,
    connection_states,
    forget_connection,
    pause_if_broken,
)
from runtime.api.budgets import budgets, end_pause, name_budget, set_budget
from runtime.api.bulk_retries import (
    bulk_retries,
    bulk_retry,
    bulk_retry_items,
    go_on_with_bulk,
    plan_bulk,
    start_bulk_retry,
    stop_bulk_retry,
)
from runtime.api.calendars import (
    add_calendar,
    alerts_by_calendar,
    calendar,
    calendar_countries,
    calendar_names,
    calendar_year,
    calendars,
    change_calendar,
    ics_days,
    remove_calendar,
)
from runtime.api.cards import cards
from runtime.api.causes import because
from runtime.api.comparing import Compared, compare, compare_step, last_good
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
from runtime.api.dead_letters import (
    dead_letter_count,
    dead_letter_groups,
    dead_letters,
    last_solved,
    retry_each,
    solve_dead_letters,
)
from runtime.api.documents import design_model, preview_document, ready_designs
from runtime.api.edited_retries import editable_letters
from runtime.api.erasing import erase_person
from runtime.api.events import event, events
from runtime.api.exporting import export
from runtime.api.figures import figures, figures_state, hours
from runtime.api.file_previews import preview_file
from runtime.api.files import add_file, archive, file, files, files_total, open_file, remove_file
from runtime.api.fixing import check_fix, fix, fix_and_retry
from runtime.api.handing import comment, give_back, given_away, hand_over, leave_to_admins, snooze, take
from runtime.api.health import orphans, someone_works, system_health
from runtime.api.items import items
from runtime.api.letter_figures import amount_text, letter_figures, letters_before
from runtime.api.letter_files import Told as LettersTold
from runtime.api.letter_files import count_letters, export_letters
from runtime.api.letter_groups import (
    is_ticket,
    letter_group,
    letter_groups_said,
    mute_letters,
    muted_groups,
    note_letters,
    unmute_letters,
)
from runtime.api.links import link
from runtime.api.listed_files import csv_portions, walk_named_runs, walk_runs
from runtime.api.looking_back import playback
from runtime.api.mending import error_file, mended
from runtime.api.pausing import held_versions, hold_workflow, let_go, pause_run, resume_run, set_breaker
from runtime.api.pending import Given, decide_later, given, take_back
from runtime.api.previews import functions, preview, samples, schedule_preview
from runtime.api.publishing import (
    check,
    deployment,
    deployments,
    disable,
    enable,
    graphs_live_within,
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
from runtime.api.recording import Ask, Facts, ask, digest, keeping, passing, redacted
from runtime.api.reminding import remind
from runtime.api.repeats import repeat_figures, repeats
from runtime.api.replaying_events import replay_event
from runtime.api.restoring import confirm_restored, held_runs, hold_restored, restored
from runtime.api.retention import (
    legal_hold,
    legal_holds,
    lift_legal_hold,
    retention,
    retention_days,
    retention_preview,
    retention_stored,
    set_legal_hold,
    set_retention,
    sweep_now,
)
from runtime.api.retrying import replay_as_new, retries, retry, retry_items, retry_plan
from runtime.api.reviewing import (
    change_review_rows,
    hand_review_over,
    reject_review,
    release_review,
    send_review_back,
)
from runtime.api.reviews import review, review_changes, review_lines, review_rows
from runtime.api.run_times import times
from runtime.api.runs import cancel, changes, run, snapshot, statistics, step
from runtime.api.schedule_changes import (
    move_start,
    pause_schedule,
    put_start_back,
    resume_schedule,
    skip_start,
    spread_schedules,
)
from runtime.api.schedules import collisions, schedule_calendar, schedules
from runtime.api.searching import (
    count_runs,
    day_typed,
    find_runs,
    number_typed,
    runs,
    searched_fields,
    standing_at,
    usual_durations,
    versions_numbered,
    versions_using,
)
from runtime.api.sendings import (
    end_sending,
    letters_with,
    open_sendings,
    pass_letters_on,
    received,
    runs_with,
    send_letters,
    sending,
    sendings,
    sendings_to,
)
from runtime.api.standing import run_stands, standing, take_up
from runtime.api.starting import start_run, start_test
from runtime.api.tagging import tag_run, tag_runs, tags_used
from runtime.api.tasks import (
    alike,
    answered_since,
    asked_alone,
    asked_among,
    decide,
    open_among,
    said_in,
    same_since,
    task,
    task_count,
    tasks,
)
from runtime.api.timelines import timeline
from runtime.api.trail import trail, trail_faults, trail_from
from runtime.api.undoing import undo, undo_plan
from runtime.api.undoing_asked import asked_undo_plan, undo_from_question
from runtime.api.uploads import check_upload, look_at_upload
from runtime.api.waits import resume, resume_link, send_event, try_now, waits
from runtime.interpreter.asking import may_decide, may_hand_over, may_leave, may_take, stands_in_for
from runtime.interpreter.doubt_words import in_doubt

# Several to a line: it says once more what is imported above.
__all__ = [
    "Ask", "Compared", "Facts", "Given", "LettersTold", "add_alert_channel", "add_alert_rule", "add_calendar",
    "add_file", "add_table", "alert_channel", "alert_channels", "alert_countries", "alert_episodes", "alert_past",
    "alert_problems", "alert_rule", "alert_rules", "alerts_active", "alerts_by_calendar", "alike", "amount_text",
    "answered_since", "archive", "ask", "ask_now", "ask_now_of_task", "asked_alone", "asked_among", "asked_undo_plan",
    "backfill", "backfill_plan", "backfills", "batch", "batch_checks", "batch_files", "batch_passed_over", "because",
    "broken_for", "budgets", "bulk_retries", "bulk_retry", "bulk_retry_items", "calendar", "calendar_countries",
    "calendar_names", "calendar_year", "calendars", "cancel", "cards", "change_alert_channel", "change_alert_rule",
    "change_calendar", "change_review_rows", "change_table", "changes", "check", "check_batch", "check_fix",
    "check_upload", "collisions", "columns_like_file", "comment", "compare", "compare_step", "confirm_restored",
    "connection_repaired", "connection_states", "correct_entries", "count_letters", "count_runs", "count_table_rows",
    "csv_portions", "day_typed", "dead_letter_count", "dead_letter_groups", "dead_letters", "decide", "decide_later",
    "delete_table_row", "deployment", "deployments", "design_model", "digest", "disable", "editable_letters", "enable",
    "end_pause", "end_sending", "erase_person", "error_file", "event", "events", "export", "export_letters",
    "export_table", "failed_entries", "failed_runs", "figures", "figures_state", "file", "files", "files_total",
    "find_runs", "fix", "fix_and_retry", "forget_connection", "functions", "give_back", "given", "given_away",
    "go_on_with_bulk", "graphs_live_within", "hand_over", "hand_review_over", "held_runs", "held_versions",
    "hold_restored", "hold_workflow", "hours", "ics_days", "import_rows", "in_doubt", "is_ticket", "items",
    "keep_manifest", "keeping", "last_good",
    "last_solved", "leave_to_admins", "legal_hold", "legal_holds", "let_go", "letter_figures", "letter_group",
    "letter_groups_said", "letters_before", "letters_with", "lift_legal_hold", "link", "live_graphs_naming",
    "look_at_table_file", "look_at_upload", "manifest", "may_decide", "may_hand_over", "may_leave", "may_take",
    "mended", "move_start", "mute_letters", "muted_groups", "name_budget", "note_batch_check", "note_letters",
    "number_typed", "open_among", "open_file", "open_sendings", "orphans", "pass_letters_on", "passing",
    "pause_if_broken", "pause_run", "pause_schedule", "plan_bulk", "playback", "preview", "preview_document",
    "preview_file", "publish", "put_start_back", "ready_designs", "received", "reconciled", "reconciliation",
    "redacted", "reject_review", "release_review", "remind", "remove_alert_channel", "remove_alert_rule",
    "remove_calendar", "remove_file", "remove_table", "repeat_figures", "repeats", "replay_as_new", "replay_event",
    "restored", "resume", "resume_link", "resume_run", "resume_schedule", "retention", "retention_days",
    "retention_preview", "retention_stored", "retire", "retries", "retry", "retry_each", "retry_items", "retry_plan",
    "review", "review_changes", "review_lines", "review_rows", "run", "run_stands", "runs", "runs_with", "said_in",
    "same_since", "samples", "save_table_row", "schedule_calendar", "schedule_preview", "schedules", "searched_fields",
    "send_event", "send_letters", "send_review_back", "sending", "sendings", "sendings_to", "set_breaker", "set_budget",
    "set_legal_hold", "set_retention", "skip_start", "snapshot", "snooze", "solve_dead_letters", "someone_works",
    "spread_schedules", "standing", "standing_at", "stands_in_for", "start_bulk_retry", "start_run", "start_test",
    "statistics", "step", "stop_backfill", "stop_bulk_retry", "sweep_now", "system_health", "table", "table_row",
    "table_rows", "tables", "tag_run", "tag_runs", "tags_used", "take", "take_back", "take_up", "task", "task_count",
    "tasks", "tell_another_instead", "timeline", "times", "trail", "trail_faults", "trail_from", "triggers",
    "try_alert_channel", "try_alert_rule", "try_now", "undo", "undo_from_question", "undo_plan", "unmute_letters",
    "usual_durations", "version", "version_graph", "versions", "versions_numbered", "versions_using", "waits",
    "walk_failed", "walk_items", "walk_named_runs", "walk_results", "walk_runs", "workflows_started_by",
]  # fmt: skip

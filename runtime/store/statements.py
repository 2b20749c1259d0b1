"""The hot path's SQL, one statement a kind of row, written once for both databases.

Each works on the batch relation `u` (see `dialect.Statement`); its column names begin with `u_` so that no name is
ambiguous. A write to a run names the lease token it holds (I14) and never touches a run that has ended (I6).
"""

from __future__ import annotations

import re
from typing import Final

from runtime.store.dialect import NOTHING_IS_NOT_WHOLE, Statement

LEASE_MS: Final = 15_000
# Claims without progress after which a run is parked instead of tried again (I20).
MOST_CLAIMS: Final = 5
# After so many it may be this run that kills its process, or one beside it. It is tried in small company from now on,
# at last alone, so that no other run is set aside for it (I20).
SUSPECT_CLAIMS: Final = 3
# What this code can run; a run accepted under a newer one waits for a newer worker (I30).
# 2 knows further generations (`engine.replay`), 3 knows how to undo (`engine.undo`), 4 how to ask people, 5 runs of a
# run (`engine.containers`), how to wait for links and events, questions to groups, and the settings that
# `engine.needs` names.
ENGINE: Final = 6
# Added to what a run needs while somebody has paused it, and while its workflow holds it: no worker is as new as that,
# whatever it knows of pausing.
HELD: Final = 1_000_000
# What a unit may be refused for: `unless` is the sum of these.
UNLESS_CANCELLED: Final = 1
UNLESS_PAUSED: Final = 2

_RUNS_TO_ADVANCE: Final = Statement(
    columns=(("u_id", "uuid"), ("u_token", "int"), ("u_unless", "int")),
    body="""
    SELECT json_group_array(json_array(id, seq + 1, cancel_requested_at, paused_at)) FROM u JOIN store_run ON id = u_id
    WHERE lease_token = u_token AND finished_at IS NULL AND (u_unless % 2 = 0 OR cancel_requested_at IS NULL)
        AND (u_unless < 2 OR paused_at IS NULL)""",
    returns=True,
)

# A lease holder that lets go looks again at `u_wake_at`, or sooner if somebody knocked meanwhile: then `wake_at`
# stands before the end of the lease, where the claim had put it.
ADVANCE_RUNS: Final = Statement(
    columns=(
        ("u_id", "uuid"),
        ("u_token", "int"),
        ("u_status", "text"),
        ("u_outcome", "text"),
        ("u_error", "text"),
        ("u_waiting", "text"),
        ("u_business_key", "text"),
        ("u_started_at", "int"),
        ("u_finished_at", "int"),
        ("u_wake_at", "int"),
        ("u_generation", "int"),
        ("u_release", "int"),
        ("u_progress", "int"),
        ("u_unless", "int"),
        ("u_change", "text"),
    ),
    body="""
    UPDATE store_run AS r SET
        status = u_status, outcome = u_outcome, error = u_error, waiting = u_waiting, generation = u_generation,
        business_key = COALESCE(u_business_key, business_key),
        started_at = COALESCE(started_at, u_started_at), finished_at = u_finished_at,
        seq = seq + 1,
        change = CASE WHEN u_change IS NULL THEN change ELSE (seq + 1) || ':' || u_change END,
        claims = CASE WHEN u_progress = 1 THEN 0 ELSE claims END,
        lease_token = lease_token + u_release,
        lease_owner = CASE WHEN u_release = 1 THEN NULL ELSE lease_owner END,
        lease_expires_at = CASE WHEN u_release = 1 THEN NULL ELSE lease_expires_at END,
        wake_at = CASE
            WHEN u_finished_at IS NOT NULL OR (u_release = 1 AND r.paused_at IS NOT NULL) THEN NULL
            WHEN u_release = 0 THEN wake_at
            WHEN wake_at < lease_expires_at AND (u_wake_at IS NULL OR wake_at < u_wake_at) THEN wake_at
            ELSE u_wake_at END
    FROM u
    WHERE r.id = u_id AND r.lease_token = u_token AND r.finished_at IS NULL
        AND (u_unless % 2 = 0 OR r.cancel_requested_at IS NULL) AND (u_unless < 2 OR r.paused_at IS NULL)
    RETURNING {key:id}, seq, cancel_requested_at, paused_at""",
    returns=True,
    asks=_RUNS_TO_ADVANCE,
)

READ_FENCES: Final = Statement(
    columns=(("u_id", "uuid"),),
    body="""SELECT {key:id}, lease_token, cancel_requested_at, finished_at, paused_at
    FROM u JOIN store_run ON id = u_id""",
    returns=True,
)

UPSERT_STEPS: Final = Statement(
    columns=(
        ("u_run_id", "uuid"),
        ("u_node_id", "text"),
        ("u_generation", "int"),
        ("u_node_key", "text"),
        ("u_status", "text"),
        ("u_attempt", "int"),
        ("u_ports", "text"),
        ("u_note", "text"),
        ("u_input", "text"),
        ("u_output", "text"),
        ("u_error", "text"),
        ("u_wait", "text"),
        ("u_due_at", "int"),
        ("u_commit_seq", "int"),
        ("u_seq", "int"),
        ("u_started_at", "int"),
        ("u_finished_at", "int"),
        ("u_token", "int"),
    ),
    body="""
    INSERT INTO store_steprun AS s (run_id, node_id, generation, node_key, status, attempt, ports, note, input, output,
        error, wait, due_at, commit_seq, seq, started_at, finished_at, token)
    SELECT u_run_id, u_node_id, u_generation, u_node_key, u_status, u_attempt, u_ports, u_note, u_input, u_output,
        u_error, u_wait, u_due_at, u_commit_seq, u_seq, u_started_at, u_finished_at, u_token
    FROM u WHERE true
    ON CONFLICT (run_id, node_id, generation) DO UPDATE SET
        status = excluded.status, attempt = excluded.attempt, ports = excluded.ports, note = excluded.note,
        input = COALESCE(excluded.input, s.input), output = COALESCE(excluded.output, s.output),
        error = excluded.error, wait = excluded.wait, due_at = excluded.due_at, commit_seq = excluded.commit_seq,
        seq = excluded.seq, started_at = excluded.started_at, finished_at = excluded.finished_at,
        token = excluded.token""",
)

UPSERT_ATTEMPTS: Final = Statement(
    columns=(
        ("u_run_id", "uuid"),
        ("u_node_id", "text"),
        ("u_generation", "int"),
        ("u_attempt", "int"),
        ("u_status", "text"),
        ("u_effect_class", "text"),
        ("u_effect_key", "text"),
        ("u_key_epoch", "int"),
        ("u_request_digest", "text"),
        ("u_lease_token", "int"),
        ("u_worker", "text"),
        ("u_started_at", "int"),
        ("u_finished_at", "int"),
        ("u_request", "text"),
        ("u_response", "text"),
        ("u_error", "text"),
    ),
    body="""
    INSERT INTO store_attempt AS a (run_id, node_id, generation, attempt, status, effect_class, effect_key, key_epoch,
        request_digest, lease_token, worker, started_at, finished_at, request, response, error, stamp)
    SELECT u_run_id, u_node_id, u_generation, u_attempt, u_status, u_effect_class, u_effect_key, u_key_epoch,
        u_request_digest, u_lease_token, u_worker, u_started_at, u_finished_at, u_request, u_response, u_error,
        CASE WHEN u_status = 'failed' THEN {stamp} END FROM u WHERE true
    ON CONFLICT (run_id, node_id, generation, attempt) DO UPDATE SET stamp = COALESCE(a.stamp, excluded.stamp),
        status = excluded.status, finished_at = excluded.finished_at, error = excluded.error,
        request = COALESCE(excluded.request, a.request), response = COALESCE(excluded.response, a.response)""",
)


# `ADVANCE_RUNS` and one step of each run (`v`, whose columns are empty where there is none) in one statement, all or
# nothing: so COMMIT may follow at once, and what comes of each run is known behind it. The step takes its run's seq.
# SQLite cannot say what that is: there the unit says it (`u_seq`), and a run that is being cancelled or paused is not.
_STEP_COLUMNS: Final = tuple(
    (f"v{name[1:]}", kind) for name, kind in UPSERT_STEPS.columns if name not in ("u_run_id", "u_seq", "u_token")
)
_STEP_OF_EACH: Final = re.sub(r"\bu_", "v_", UPSERT_STEPS.body)
ADVANCE_ALL: Final = Statement(
    columns=(*ADVANCE_RUNS.columns, ("u_seq", "int"), *_STEP_COLUMNS),
    body=f""", a AS ({ADVANCE_RUNS.body.partition("RETURNING")[0]}
        RETURNING r.id AS a_id, r.seq AS a_seq, r.cancel_requested_at AS a_cancel, r.paused_at AS a_pause,
            u_token AS a_token,
            {", ".join(name for name, _ in _STEP_COLUMNS)}),
    s AS ({
        _STEP_OF_EACH.replace("v_run_id", "a_id")
        .replace("v_seq", "a_seq")
        .replace("v_token", "a_token")
        .replace("FROM u WHERE true", "FROM a WHERE v_node_id IS NOT NULL")
    })
    SELECT {{key:a_id}}, a_seq, a_cancel, a_pause, whole
    FROM (SELECT 1 / ((SELECT count(*) FROM a) = (SELECT count(*) FROM u))::int AS whole) AS w LEFT JOIN a ON true""",
    returns=True,
    whole=True,
    each=(
        ADVANCE_RUNS.body.partition("RETURNING")[0].replace("FROM u", "")
        + " AND r.seq = u_seq - 1 AND r.cancel_requested_at IS NULL AND r.paused_at IS NULL",
        NOTHING_IS_NOT_WHOLE,
        _STEP_OF_EACH.replace("v_run_id", "u_id")
        .replace("v_seq", "u_seq")
        .replace("v_token", "u_token")
        .replace("FROM u WHERE true", "WHERE v_node_id IS NOT NULL"),
    ),
    echoes=("u_id", "u_seq"),
)

# The further steps of runs that were advanced in the same transaction.
FURTHER_STEPS: Final = Statement(
    columns=tuple(column for column in UPSERT_STEPS.columns if column[0] != "u_seq"),
    body=UPSERT_STEPS.body.replace("u_seq", "(SELECT r.seq FROM store_run AS r WHERE r.id = u_run_id)"),
)

# What `ADVANCE_ALL` returned, for when its answer got lost.
READ_ADVANCED: Final = Statement(
    columns=(("u_id", "uuid"),),
    body="SELECT {key:id}, seq, cancel_requested_at, paused_at FROM u JOIN store_run ON id = u_id",
    returns=True,
)

UPSERT_TIMERS: Final = Statement(
    columns=(
        ("u_run_id", "uuid"),
        ("u_node_id", "text"),
        ("u_generation", "int"),
        ("u_kind", "text"),
        ("u_due_at", "int"),
    ),
    body="""
    INSERT INTO store_timer (run_id, node_id, generation, kind, due_at, created_at)
    SELECT u_run_id, u_node_id, u_generation, u_kind, u_due_at, {now} FROM u WHERE true
    ON CONFLICT (run_id, node_id, generation, kind) DO UPDATE SET due_at = excluded.due_at""",
)

CLEAR_TIMERS: Final = Statement(
    columns=(("u_run_id", "uuid"), ("u_node_id", "text"), ("u_generation", "int"), ("u_kind", "text")),
    body="""
    DELETE FROM store_timer
    WHERE (run_id, node_id, generation, kind) IN (SELECT u_run_id, u_node_id, u_generation, u_kind FROM u)""",
    postgresql="""
    DELETE FROM store_timer USING u
    WHERE run_id = u_run_id AND node_id = u_node_id AND generation = u_generation AND kind = u_kind""",
)

INSERT_RESPONSES: Final = Statement(
    columns=(("u_run_id", "uuid"), ("u_status", "int"), ("u_headers", "text"), ("u_body", "bytes")),
    body="""
    INSERT INTO store_response (run_id, status, headers, body, created_at)
    SELECT u_run_id, u_status, u_headers, u_body, {now} FROM u WHERE true
    ON CONFLICT (run_id) DO NOTHING""",
)

INSERT_DEAD_LETTERS: Final = Statement(
    columns=(
        ("u_run_id", "uuid"),
        ("u_generation", "int"),
        ("u_workspace_id", "uuid"),
        ("u_workflow_id", "uuid"),
        ("u_node_id", "text"),
        ("u_cause", "text"),
        ("u_code", "text"),
        ("u_title", "text"),
        ("u_message", "text"),
        ("u_pattern", "text"),
    ),
    body="""
    INSERT INTO store_deadletter (run_id, generation, workspace_id, workflow_id, node_id, cause, code, title, message,
        pattern, at, stamp)
    SELECT u_run_id, u_generation, u_workspace_id, u_workflow_id, u_node_id, u_cause, u_code, u_title, u_message,
        u_pattern, {now}, {stamp} FROM u WHERE true
    ON CONFLICT (run_id, generation) DO NOTHING""",
)

# A link that was used before the step came to its wait has left the row as it shall stand.
INSERT_WAITS: Final = Statement(
    columns=(
        ("u_id", "uuid"),
        ("u_workspace_id", "uuid"),
        ("u_workflow_id", "uuid"),
        ("u_run_id", "uuid"),
        ("u_node_id", "text"),
        ("u_generation", "int"),
        ("u_kind", "text"),
        ("u_title", "text"),
        ("u_name", "text"),
        ("u_key", "text"),
        ("u_since", "int"),
        ("u_due_at", "int"),
    ),
    body="""
    INSERT INTO store_signalwait (id, workspace_id, workflow_id, run_id, node_id, generation, kind, status, title, name,
        key, since, due_at, created_at)
    SELECT u_id, u_workspace_id, u_workflow_id, u_run_id, u_node_id, u_generation, u_kind, 'open', u_title, u_name,
        u_key, u_since, u_due_at, {now} FROM u WHERE true
    ON CONFLICT (run_id, node_id, generation) DO UPDATE SET title = excluded.title""",
)

CLOSE_WAITS: Final = Statement(
    columns=(("u_run_id", "uuid"), ("u_node_id", "text"), ("u_generation", "int"), ("u_status", "text")),
    body="""
    UPDATE store_signalwait SET status = u_status, closed_at = {now} FROM u
    WHERE run_id = u_run_id AND node_id = u_node_id AND generation = u_generation AND status = 'open'""",
)

INSERT_EVENTS: Final = Statement(
    columns=(
        ("u_id", "uuid"),
        ("u_workspace_id", "uuid"),
        ("u_workflow_id", "uuid"),
        ("u_trigger_id", "uuid"),
        ("u_source", "text"),
        ("u_received_at", "int"),
        ("u_method", "text"),
        ("u_path", "text"),
        ("u_query", "text"),
        ("u_headers", "text"),
        ("u_content_type", "text"),
        ("u_body", "bytes"),
        ("u_body_artifact_id", "uuid"),
        ("u_body_size", "int"),
        ("u_body_sha256", "text"),
        ("u_dedupe_key", "text"),
        ("u_signature", "text"),
        ("u_verdict", "text"),
        ("u_reason", "text"),
        ("u_parse_error", "text"),
        ("u_run_id", "uuid"),
    ),
    body="""
    INSERT INTO store_event (id, workspace_id, workflow_id, trigger_id, source, received_at, method, path, query,
        headers, content_type, body, body_artifact_id, body_size, body_sha256, dedupe_key, signature, verdict, reason,
        parse_error, run_id, duplicates, stamp)
    SELECT u_id, u_workspace_id, u_workflow_id, u_trigger_id, u_source, u_received_at, u_method, u_path, u_query,
        u_headers, u_content_type, u_body, u_body_artifact_id, u_body_size, u_body_sha256, u_dedupe_key, u_signature,
        u_verdict, u_reason, u_parse_error, u_run_id, 0,
        CASE WHEN u_verdict = 'accepted' AND u_source IN ('webhook', 'manual') THEN {stamp} END
    FROM u WHERE true
    ON CONFLICT DO NOTHING""",
)

# Those that were stored this moment: one that is handed in again, since its commit was answered to nobody, has its run.
FRESH_EVENTS: Final = Statement(
    columns=(("u_id", "uuid"),),
    body="""
    SELECT {key:id} FROM u JOIN store_event ON id = u_id
    WHERE NOT EXISTS (SELECT 1 FROM store_run AS r
        WHERE r.event_id = u_id AND r.parent_run_id IS NULL AND r.replay_of IS NULL)""",
    returns=True,
)

STORED_EVENTS: Final = Statement(
    columns=(("u_id", "uuid"),),
    body="SELECT {key:id} FROM u JOIN store_event ON id = u_id",
    returns=True,
)

# Due at once by the database's clock, whatever the accepting machine believes the time to be. Of a workflow that is
# paused and still accepts it is held instead, and leased to nobody.
INSERT_RUNS: Final = Statement(
    columns=(
        ("u_id", "uuid"),
        ("u_workspace_id", "uuid"),
        ("u_workflow_id", "uuid"),
        ("u_version_id", "uuid"),
        ("u_event_id", "uuid"),
        ("u_trigger_node", "text"),
        ("u_mode", "text"),
        ("u_started_by", "text"),
        ("u_accepted_at", "int"),
        ("u_min_engine", "int"),
        ("u_lease_owner", "text"),
        ("u_leased", "int"),
    ),
    body=f"""
    INSERT INTO store_run (id, workspace_id, workflow_id, version_id, event_id, trigger_node, mode, started_by, status,
        generation, seq, lease_owner, lease_token, lease_expires_at, wake_at, claims, min_engine, held, accepted_at)
    SELECT u_id, u_workspace_id, u_workflow_id, u_version_id, u_event_id, u_trigger_node, u_mode, u_started_by,
        'accepted', 1, 0, CASE WHEN h.since IS NULL THEN u_lease_owner END,
        CASE WHEN h.since IS NULL THEN u_leased ELSE 0 END,
        CASE WHEN h.since IS NULL AND u_leased = 1 THEN {{now}} + {LEASE_MS} END,
        CASE WHEN h.since IS NULL THEN {{now}} + u_leased * {LEASE_MS} END,
        CASE WHEN h.since IS NULL THEN u_leased ELSE 0 END,
        CASE WHEN h.since IS NULL THEN u_min_engine ELSE u_min_engine + {HELD} END,
        CASE WHEN h.since IS NOT NULL THEN 1 END, u_accepted_at
    FROM u LEFT JOIN store_hold AS h ON h.workflow_id = u_workflow_id AND u_mode = 'live'""",
)

# Those that whoever begins them takes up himself are leased to him from the first moment, as if he had claimed them.
# A call of a workflow that is paused and still accepts is held, as whatever else starts it; items go with their run.
INSERT_CHILDREN: Final = Statement(
    columns=(
        ("u_parent_run_id", "uuid"),
        ("u_workspace_id", "uuid"),
        ("u_id", "uuid"),
        ("u_workflow_id", "uuid"),
        ("u_version_id", "uuid"),
        ("u_trigger_node", "text"),
        ("u_mode", "text"),
        ("u_min_engine", "int"),
        ("u_parent_node", "text"),
        ("u_item_index", "int"),
        ("u_item", "text"),
        ("u_business_key", "text"),
        ("u_delay_ms", "int"),
        ("u_detached", "int"),
        ("u_lease_owner", "text"),
        ("u_leased", "int"),
    ),
    body=f"""
    INSERT INTO store_run (id, workspace_id, workflow_id, version_id, trigger_node, mode, started_by, status,
        generation, seq, lease_owner, lease_token, lease_expires_at, wake_at, claims, min_engine, held, accepted_at,
        parent_run_id, parent_node, item_index, item, business_key, detached)
    SELECT u_id, u_workspace_id, u_workflow_id, u_version_id, u_trigger_node, u_mode, 'run', 'accepted',
        1, 0, u_lease_owner, u_leased, CASE WHEN u_leased = 1 THEN {{now}} + {LEASE_MS} END,
        CASE WHEN h.since IS NULL THEN {{now}} + u_delay_ms + u_leased * {LEASE_MS} END, u_leased,
        CASE WHEN h.since IS NULL THEN u_min_engine ELSE u_min_engine + {HELD} END,
        CASE WHEN h.since IS NOT NULL THEN 1 END, {{now}},
        u_parent_run_id, u_parent_node, u_item_index, u_item, u_business_key, u_detached = 1
    FROM u LEFT JOIN store_hold AS h
        ON h.workflow_id = u_workflow_id AND u_mode = 'live' AND u_trigger_node <> u_parent_node
    WHERE true
    ON CONFLICT DO NOTHING""",
)

# The two in one. The run's columns begin with `v_`; returned are the ids of the events that were stored this moment,
# whose runs are stored with them. On SQLite it is all or nothing.
_THEIR_RUN: Final = re.sub(r"\bu_", "v_", INSERT_RUNS.body)
ACCEPT: Final = Statement(
    columns=(*INSERT_EVENTS.columns, *((f"v{name[1:]}", kind) for name, kind in INSERT_RUNS.columns)),
    body=f"""
    , e AS ({INSERT_EVENTS.body} RETURNING id),
    r AS ({_THEIR_RUN} WHERE v_id IS NOT NULL AND u_id = ANY (ARRAY(SELECT id FROM e)))
    SELECT {{key:id}} FROM e""",
    returns=True,
    each=(
        INSERT_EVENTS.body.replace("FROM u", ""),
        NOTHING_IS_NOT_WHOLE,
        _THEIR_RUN.replace("FROM u", "FROM (SELECT 1 AS one) AS u") + " WHERE v_id IS NOT NULL",
    ),
    echoes=("u_id",),
)

FIND_EVENTS: Final = Statement(
    columns=(("u_trigger_id", "uuid"), ("u_dedupe_key", "text")),
    body="""
    SELECT {key:id}, {key:run_id}, {key:trigger_id}, dedupe_key, body_sha256, received_at
    FROM u JOIN store_event ON trigger_id = u_trigger_id AND dedupe_key = u_dedupe_key""",
    returns=True,
)

# A key whose time is over may be used again. Of two that do so at once the second finds nothing left to do.
RETIRE_KEYS: Final = Statement(
    columns=(("u_id", "uuid"),),
    body="""
    UPDATE store_event SET past_key = dedupe_key, dedupe_key = NULL FROM u
    WHERE id = u_id AND dedupe_key IS NOT NULL""",
)

INSERT_DELIVERIES: Final = Statement(
    columns=(
        ("u_id", "uuid"),
        ("u_event_id", "uuid"),
        ("u_received_at", "int"),
        ("u_workspace_id", "uuid"),
        ("u_workflow_id", "uuid"),
        ("u_conflict", "int"),
        ("u_body_sha256", "text"),
        ("u_body", "bytes"),
        ("u_body_artifact_id", "uuid"),
        ("u_headers", "text"),
    ),
    body="""
    INSERT INTO store_delivery (id, event_id, received_at, workspace_id, workflow_id, conflict, body_sha256, body,
        body_artifact_id, headers, stamp)
    SELECT u_id, u_event_id, u_received_at, u_workspace_id, u_workflow_id, u_conflict = 1, u_body_sha256,
        u_body, u_body_artifact_id, u_headers, {stamp} FROM u""",
)

COUNT_DUPLICATES: Final = Statement(
    columns=(("u_id", "uuid"), ("u_more", "int")),
    body="UPDATE store_event SET duplicates = duplicates + u_more FROM u WHERE id = u_id",
)

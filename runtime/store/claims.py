"""Leases: who may advance a run, until when, and what happens to one that kills its workers.

A claim, its rising token and its count are one statement, so they are committed together (I14, I20). A claimed run's
`wake_at` stands at the end of its lease: the index of due runs shows an abandoned one exactly when it may be taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from runtime.engine.jsonprofile import dumps
from runtime.store.dialect import Link, Statement
from runtime.store.records import Claimed
from runtime.store.statements import ENGINE, LEASE_MS, MOST_CLAIMS

__all__ = ["claim_due", "claim_these", "void_foreign_leases"]

_DUE: Final = """r.wake_at <= {now} AND (r.lease_expires_at IS NULL OR r.lease_expires_at <= {now})
            AND r.finished_at IS NULL"""
# For runs that are named: by the primary key. COALESCE keeps the planner off the index of everything that is due,
# which may be long and of which its statistics know nothing.
_NAMED_DUE: Final = _DUE.replace("r.wake_at <=", f"COALESCE(r.wake_at, {2**63 - 1}) <=")
_TAKE: Final = f"""
    UPDATE store_run SET
        status = CASE WHEN claims >= {MOST_CLAIMS} THEN 'parked' ELSE status END,
        seq = CASE WHEN claims >= {MOST_CLAIMS} THEN seq + 1 ELSE seq END,
        lease_token = lease_token + 1,
        lease_owner = CASE WHEN claims >= {MOST_CLAIMS} THEN NULL ELSE d_owner END,
        lease_expires_at = CASE WHEN claims >= {MOST_CLAIMS} THEN NULL ELSE {{now}} + {LEASE_MS} END,
        wake_at = CASE WHEN claims >= {MOST_CLAIMS} THEN NULL ELSE {{now}} + {LEASE_MS} END,
        claims = claims + 1
    FROM due WHERE store_run.id = d_id
    RETURNING {{key:id}}, {{key:workspace_id}}, {{key:workflow_id}}, {{key:version_id}}, {{key:event_id}}, trigger_node,
        mode, status, outcome, generation, seq, lease_token, claims, cancel_requested_at, accepted_at, started_at,
        min_engine, error"""

_CLAIM_THESE: Final = Statement(
    columns=(("u_id", "uuid"), ("u_owner", "text"), ("u_engine", "int")),
    body=f"""
    , due AS (
        SELECT r.id AS d_id, u_owner AS d_owner FROM u JOIN store_run AS r ON r.id = u_id
        WHERE {_NAMED_DUE} AND r.min_engine <= u_engine
        {{skip_locked}})
    {_TAKE}""",
    returns=True,
)
_CLAIM_DUE: Final = f"""
    WITH due AS (
        SELECT r.id AS d_id, CAST(%s AS varchar(64)) AS d_owner FROM store_run AS r
        WHERE {_DUE} AND r.min_engine <= CAST(%s AS integer)
        ORDER BY r.wake_at LIMIT CAST(%s AS integer)
        {{skip_locked}})
    {_TAKE}"""

_VOID: Final = """
    UPDATE store_run SET lease_owner = NULL, lease_expires_at = NULL, lease_token = lease_token + 1, wake_at = {now}
    WHERE wake_at IS NOT NULL AND lease_owner IS NOT NULL AND lease_owner <> %s
    RETURNING {key:id}"""

_PARK: Final = Statement(
    columns=(("u_id", "uuid"), ("u_error", "text"), ("u_waiting", "text")),
    body="UPDATE store_run SET error = u_error, waiting = u_waiting FROM u WHERE id = u_id",
)
_RUNNING_STEPS: Final = Statement(
    columns=(("u_id", "uuid"),),
    body="""
    SELECT {key:run_id}, node_key FROM u JOIN store_steprun ON run_id = u_id
    WHERE status IN ('running', 'ready', 'retrying')""",
    returns=True,
)


def claim_these(link: Link, run_ids: Sequence[UUID], owner: str) -> tuple[list[Claimed], list[Claimed]]:
    """Claim those of these runs that are due and free; returns (claimed, parked)."""
    rows = link.batch(_CLAIM_THESE, [(link.key(run_id), owner, ENGINE) for run_id in sorted(set(run_ids))])
    return _sorted_out(link, rows)


def claim_due(link: Link, limit: int, owner: str) -> tuple[list[Claimed], list[Claimed]]:
    """Claim up to `limit` runs that are due and free, the longest waiting first; returns (claimed, parked)."""
    return _sorted_out(link, link.query(_CLAIM_DUE, (owner, ENGINE, limit)))


def void_foreign_leases(link: Link, owner: str) -> int:
    """Make every run leased by somebody else due at once; for the one process that has the database to itself (I16)."""
    return len(link.query(_VOID, (owner,)))


def _sorted_out(link: Link, rows: list[tuple[Any, ...]]) -> tuple[list[Claimed], list[Claimed]]:
    claimed: list[Claimed] = []
    parked: list[Claimed] = []
    unkey = link.unkey
    for row in rows:
        one = Claimed(
            run_id=unkey(row[0]),
            workspace_id=unkey(row[1]),
            workflow_id=unkey(row[2]),
            version_id=unkey(row[3]),
            event_id=None if row[4] is None else unkey(row[4]),
            trigger_node=row[5],
            mode=row[6],
            status=row[7],
            outcome=row[8],
            generation=row[9],
            seq=row[10],
            token=row[11],
            claims=row[12],
            cancel_requested_at=row[13],
            accepted_at=row[14],
            started_at=row[15],
            min_engine=row[16],
            error=row[17],
        )
        (parked if one.claims > MOST_CLAIMS else claimed).append(one)
    if parked:
        _explain(link, parked)
    return claimed, parked


def _explain(link: Link, parked: list[Claimed]) -> None:
    steps: dict[Any, list[str]] = {}
    for run_key, node_key in link.batch(_RUNNING_STEPS, [(link.key(one.run_id),) for one in parked]):
        steps.setdefault(run_key, []).append(node_key)
    now = link.now()
    rows = []
    for one in parked:
        names = sorted(steps.get(link.key(one.run_id), []))
        where = f" It was at {', '.join(names)}." if names else ""
        error = {
            "code": "worker_dies_here",
            "title": "The process working on this run died again and again",
            "message": f"{one.claims - 1} attempts ended without progress, so the run was set aside.{where}",
            "detail": None,
            "retryable": False,
            "retry_after_seconds": None,
            "http_status": None,
            "kind": "infrastructure",
            "steps": list(names),
        }
        waiting = {"kind": "parked", "since": now, "until": None, "text": "Set aside: its worker dies here."}
        rows.append((link.key(one.run_id), dumps(error), dumps(waiting)))
    link.batch(_PARK, rows)

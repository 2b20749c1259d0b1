"""Leases: who may advance a run, until when, and what happens to one that kills its workers.

A claim, its rising token and its count are one statement, so they are committed together (I14, I20). A claimed run's
`wake_at` stands at the end of its lease: the index of due runs shows an abandoned one exactly when it may be taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from runtime.engine.jsonprofile import dumps
from runtime.store.dialect import ColumnKind, FarLink, Link, Statement
from runtime.store.reads import event_row
from runtime.store.records import Claimed, EventRow
from runtime.store.statements import ENGINE, LEASE_MS, MOST_CLAIMS, SUSPECT_CLAIMS
from runtime.store.tickets import Wanted
from runtime.store.turns import ROUNDS, Turns

__all__ = [
    "claim_later",
    "claim_some",
    "claim_these",
    "claimed_anyway",
    "void_foreign_leases",
]

_DUE: Final = """r.wake_at <= {now} AND (r.lease_expires_at IS NULL OR r.lease_expires_at <= {now})
            AND r.finished_at IS NULL
            AND (r.status <> 'accepted' OR r.held = 0 OR r.mode <> 'live' OR r.cancel_requested_at IS NOT NULL
                OR r.trigger_node = r.parent_node
                OR NOT EXISTS (SELECT 1 FROM store_hold AS h WHERE h.workflow_id = r.workflow_id))"""
# The last condition: nothing begins of a workflow that is held, also what was accepted before, unless it was let go or
# is an item of a run that is under way.
# For runs that are named: by the primary key. COALESCE keeps the planner off the index of everything that is due,
# which may be long and of which its statistics know nothing.
_NAMED_DUE: Final = _DUE.replace("r.wake_at <=", f"COALESCE(r.wake_at, {2**63 - 1}) <=")
_RUN: Final = """{key:id}, {key:workspace_id}, {key:workflow_id}, {key:version_id}, {key:event_id}, trigger_node,
        mode, status, outcome, generation, seq, lease_token, claims, cancel_requested_at, accepted_at, started_at,
        min_engine, error"""
_RUN_IDS: Final = 5
_TAKE: Final = f"""
    UPDATE store_run SET
        status = CASE WHEN claims >= {MOST_CLAIMS} AND status <> 'compensating' THEN 'parked' ELSE status END,
        seq = CASE WHEN claims >= {MOST_CLAIMS} THEN seq + 1 ELSE seq END,
        lease_token = lease_token + 1,
        lease_owner = CASE WHEN claims >= {MOST_CLAIMS} THEN NULL ELSE d_owner END,
        lease_expires_at = CASE WHEN claims >= {MOST_CLAIMS} THEN NULL ELSE {{now}} + {LEASE_MS} END,
        wake_at = CASE WHEN claims >= {MOST_CLAIMS} THEN NULL ELSE {{now}} + {LEASE_MS} END,
        claims = claims + 1
    FROM due WHERE store_run.id = d_id
    RETURNING {_RUN}"""

_NAMED: Final[tuple[tuple[str, ColumnKind], ...]] = (("u_id", "uuid"), ("u_owner", "text"), ("u_engine", "int"))
_CLAIM_THESE: Final = Statement(
    columns=_NAMED,
    body=f"""
    , due AS (
        SELECT r.id AS d_id, u_owner AS d_owner FROM u JOIN store_run AS r ON r.id = u_id
        WHERE {_NAMED_DUE} AND r.min_engine <= u_engine AND r.claims < {SUSPECT_CLAIMS}
        {{skip_locked}})
    {_TAKE}""",
    returns=True,
)
_CLAIM_DUE: Final = f"""
    WITH due AS (
        SELECT r.id AS d_id, CAST(%s AS varchar(64)) AS d_owner FROM store_run AS r
        WHERE {_DUE} AND r.min_engine <= CAST(%s AS integer) AND r.claims {{suspects}} {SUSPECT_CLAIMS}
        ORDER BY r.wake_at LIMIT CAST(%s AS integer)
        {{skip_locked}})
    {_TAKE}"""
_OTHERS_DUE: Final = _CLAIM_DUE.replace("{suspects}", "<")
_NEW_SUSPECTS_DUE: Final = _CLAIM_DUE.replace("{suspects}", "=")
_SUSPECTS_DUE: Final = _CLAIM_DUE.replace("{suspects}", ">")

#: Of a larger body the event is read when there is time for it.
_SMALL_BODY: Final = 16_384
_EVENT_COLUMNS: Final = EventRow._fields
_EVENT: Final = ", ".join(
    f"{{key:e_{name}}}" if name == "id" or name.endswith("_id") else f"e_{name}" for name in _EVENT_COLUMNS
)
# For PostgreSQL, with nothing to follow: what starts is brought with its event.
_CLAIM_AT_ONCE: Final = Statement(
    columns=_NAMED,
    body=f"""
    , due AS (
        SELECT r.id AS d_id, u_owner AS d_owner, CASE WHEN r.seq = 0 THEN r.event_id END AS d_event
        FROM u JOIN store_run AS r ON r.id = u_id
        WHERE {_NAMED_DUE} AND r.min_engine <= u_engine AND r.claims < {SUSPECT_CLAIMS}
        {{skip_locked}}),
    begun AS (
        SELECT d_id, d_owner, {", ".join(f"e.{name} AS e_{name}" for name in _EVENT_COLUMNS)}
        FROM due LEFT JOIN store_event AS e ON e.id = d_event AND e.body_size <= {_SMALL_BODY})
    UPDATE store_run SET
        lease_token = lease_token + 1, lease_owner = d_owner, claims = claims + 1,
        lease_expires_at = {{now}} + {LEASE_MS}, wake_at = {{now}} + {LEASE_MS}
    FROM begun WHERE id = d_id
    RETURNING {_EVENT}, {_RUN}""",
    returns=True,
)
_CLAIMED: Final = Statement(
    columns=(("u_id", "uuid"), ("u_owner", "text")),
    body=f"SELECT {_RUN} FROM u JOIN store_run ON id = u_id WHERE lease_owner = u_owner AND lease_expires_at > {{now}}",
    returns=True,
)

_VOID: Final = """
    UPDATE store_run SET lease_owner = NULL, lease_expires_at = NULL, lease_token = lease_token + 1, wake_at = {now}
    WHERE wake_at IS NOT NULL AND lease_owner IS NOT NULL AND lease_owner <> %s
    RETURNING {key:id}"""

_PARK: Final = Statement(
    columns=(("u_id", "uuid"), ("u_error", "text"), ("u_waiting", "text")),
    # What the run failed of before stays: whether it is undone goes by that.
    body="UPDATE store_run SET error = COALESCE(error, u_error), waiting = u_waiting FROM u WHERE id = u_id",
)
_RUNNING_STEPS: Final = Statement(
    columns=(("u_id", "uuid"),),
    body="""
    SELECT {key:run_id}, node_key FROM u JOIN store_steprun ON run_id = u_id
    WHERE status IN ('running', 'ready', 'retrying')""",
    returns=True,
)


def claim_these(link: Link, run_ids: Sequence[UUID], owner: str) -> tuple[list[Claimed], list[Claimed]]:
    """Claim those of these runs that are due and free; returns (claimed, parked). Suspects stay for the sweep, which
    comes upon what is due: `claim_suspects`."""
    rows = link.batch(_CLAIM_THESE, _named(link, run_ids, owner))
    return _sorted_out(link, rows)


def claim_due(link: Link, limit: int, owner: str) -> tuple[list[Claimed], list[Claimed]]:
    """Claim up to `limit` runs that are due and free, the longest waiting first; returns (claimed, parked)."""
    return _sorted_out(link, link.query(_OTHERS_DUE, (owner, ENGINE, limit)))


def claim_suspects(link: Link, limit: int, owner: str) -> tuple[list[Claimed], list[Claimed]]:
    """Claim runs that were claimed `SUSPECT_CLAIMS` times without progress: one alone that has been tried in company
    since, else up to `limit` of those that have not; returns (claimed, parked)."""
    set_aside: list[Claimed] = []
    while True:
        claimed, parked = _sorted_out(link, link.query(_SUSPECTS_DUE, (owner, ENGINE, 1)))
        set_aside += parked
        if claimed:
            return claimed, set_aside
        if not parked:
            break
    claimed, parked = _sorted_out(link, link.query(_NEW_SUSPECTS_DUE, (owner, ENGINE, limit)))
    return claimed, set_aside + parked


def claim_some(link: Link, wanted: Wanted) -> tuple[list[Claimed], list[Claimed]]:
    """Claim what is due and free, as far as it is wanted; returns (claimed, parked)."""
    claimed: list[Claimed] = []
    parked: list[Claimed] = []
    if wanted.suspects:
        claimed, parked = claim_suspects(link, min(wanted.limit, wanted.suspects), wanted.owner)
    if (left := wanted.limit - len(claimed)) > 0:
        more = (
            claim_due(link, left, wanted.owner)
            if wanted.turns is None
            else claim_in_turn(link, left, wanted.owner, wanted.turns)
        )
        claimed, parked = claimed + more[0], parked + more[1]
    return claimed, parked


def claim_in_turn(link: Link, limit: int, owner: str, turns: Turns) -> tuple[list[Claimed], list[Claimed]]:
    """Like `claim_due` where much is due: of each workflow the run that waits longest, a few times over, and what room
    is left for those that wait longest of all (I21)."""
    claimed: list[Claimed] = []
    parked: list[Claimed] = []
    for _ in range(ROUNDS):
        left = limit - len(claimed) - len(parked)
        chosen = turns.next(link, left) if left > 0 else []
        if not chosen:
            break
        for found, some in zip((claimed, parked), claim_these(link, chosen, owner), strict=True):
            found += some
    if (left := limit - len(claimed) - len(parked)) > 0:
        for found, some in zip((claimed, parked), claim_due(link, left, owner), strict=True):
            found += some
    return claimed, parked


def void_foreign_leases(link: Link, owner: str) -> int:
    """Make every run leased by somebody else due at once; for the one process that has the database to itself (I16)."""
    return len(link.query(_VOID, (owner,)))


def claim_later(link: FarLink, run_ids: Sequence[UUID], owner: str) -> Callable[[], list[Claimed]]:
    """Claim those of these runs that are due and free with the coming `commit`; asked behind that, returns them."""
    if not run_ids:
        return list
    rows = link.batch_later(_CLAIM_AT_ONCE, _named(link, run_ids, owner))
    return lambda: [_begun(link, row) for row in rows()]


def claimed_anyway(link: Link, run_ids: Sequence[UUID], owner: str) -> list[Claimed]:
    """What `claim_later` brought, where the answer was lost: none of these runs was leased before."""
    return [_claimed(link, row) for row in link.batch(_CLAIMED, [(link.key(run_id), owner) for run_id in run_ids])]


def _named(link: Link, run_ids: Sequence[UUID], owner: str) -> list[tuple[Any, ...]]:
    return [(link.key(run_id), owner, ENGINE) for run_id in sorted(set(run_ids))]


def _sorted_out(link: Link, rows: list[tuple[Any, ...]]) -> tuple[list[Claimed], list[Claimed]]:
    claimed: list[Claimed] = []
    parked: list[Claimed] = []
    for row in rows:
        one = _claimed(link, row)
        (parked if one.claims > MOST_CLAIMS else claimed).append(one)
    if parked:
        _explain(link, parked)
    return claimed, parked


def _claimed(link: Link, row: tuple[Any, ...], event: EventRow | None = None) -> Claimed:
    """From the columns `_RUN`."""
    ids = [None if value is None else link.unkey(value) for value in row[:_RUN_IDS]]
    return Claimed._make((*ids, *row[_RUN_IDS:], event, None))


def _begun(link: Link, row: tuple[Any, ...]) -> Claimed:
    """From the columns `_EVENT`, `_RUN`."""
    count = len(_EVENT_COLUMNS)
    if row[0] is None:
        return _claimed(link, row[count:])
    return _claimed(link, row[count:], event_row(row, link.unkey))


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

"""For how long a workspace keeps what: its rules, what they would remove, legal holds, and how much is stored."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Sum

from runtime.contracts import NotFound
from runtime.contracts.retention import (
    CLASSES,
    MOST_DAYS,
    HoldRefused,
    LegalHoldView,
    RetentionOutdated,
    RetentionPreview,
    RetentionView,
    Stored,
    Sweep,
)
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.store.beside import tell, unchanged
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import File, LegalHold, Retention, Version
from runtime.store.retention import Pass, locked, rules_of

__all__ = [
    "legal_hold",
    "legal_holds",
    "lift_legal_hold",
    "retention",
    "retention_days",
    "retention_preview",
    "retention_stored",
    "set_legal_hold",
    "set_retention",
    "sweep_now",
]

#: So long a look at what would be removed takes at most.
_PREVIEW_SECONDS: Final = 3.0
#: How many rows are looked at to say how large one is.
_SAMPLE: Final = 500
_STORED_SECONDS: Final = 60.0
_stored: dict[UUID, tuple[float, dict[str, Stored]]] = {}


def retention(*, workspace_id: UUID) -> RetentionView:
    """The rules of a workspace, and how its last sweep went."""
    row = Retention.objects.filter(pk=workspace_id).first() or Retention(workspace_id=workspace_id)
    state: Any = loads_stored(row.state)
    last: Any = loads_stored(row.last)
    going = row.began_at is not None and row.ended_at is None
    return RetentionView(
        rules=rules_of(row),
        revision=row.revision,
        last=Sweep(last["began_at"], last["ended_at"], last["removed"], last["kept"]) if last else None,
        under_way=Sweep(row.began_at or 0, None, state.get("removed", {}), state.get("kept", {})) if going else None,
        waits=row.asked_at is not None,
    )


def retention_days(name: str) -> dict[UUID, int]:
    """By workspace, for how many days what is of this class is kept; those without such a rule are left out."""
    rows = Retention.objects.exclude(rules="{}")
    found = {row.workspace_id: rules_of(row).get(name) for row in rows}
    return {workspace_id: days for workspace_id, days in found.items() if days is not None}


def set_retention(*, workspace_id: UUID, rules: Mapping[str, int], revision: int) -> RetentionView:
    """Set the rules in place of those with this revision: days by class. Raises RetentionOutdated, ValueError."""
    wrong = [name for name, days in rules.items() if name not in CLASSES or not 1 <= days <= MOST_DAYS]
    if wrong:
        raise ValueError(f"{wrong[0]}: from 1 to {MOST_DAYS} days.")
    with commit("retention.change"):
        row = locked(workspace_id)
        if row.revision != revision:
            raise RetentionOutdated("Somebody changed these rules meanwhile. Look at them again.")
        before = rules_of(row)
        after = {name: rules[name] for name in CLASSES if name in rules}
        if before == after:
            unchanged()
        else:
            row.rules, row.revision, row.changed_at = dumps(after), row.revision + 1, database_now()
            row.save(update_fields=["rules", "revision", "changed_at"])
            names = [name for name in CLASSES if before.get(name) != after.get(name)]
            tell(
                id=str(workspace_id),
                before={name: before.get(name) for name in names},
                after={name: after.get(name) for name in names},
            )
    return retention(workspace_id=workspace_id)


def sweep_now(*, workspace_id: UUID, by: UUID | None) -> RetentionView:
    """Have what the rules let go removed now; within some seconds it begins. Raises RuntimeRefused without rules."""
    with commit("retention.change"):
        row = Retention.objects.select_for_update().filter(pk=workspace_id).first()
        if row is None or not rules_of(row):
            raise HoldRefused("There is no rule yet: nothing would be removed.", code="no_rules")
        if row.asked_at is not None:
            unchanged()
        else:
            Retention.objects.filter(pk=workspace_id).update(asked_at=database_now(), asked_by=by)
    return retention(workspace_id=workspace_id)


def retention_preview(*, workspace_id: UUID, rules: Mapping[str, int] | None = None) -> RetentionPreview:
    """What these rules, by default the workspace's, would remove now, as far as could be counted in a moment."""
    look = Pass(workspace_id, dry=True, rules=rules)
    until = time.monotonic() + _PREVIEW_SECONDS
    more = True
    while more and time.monotonic() < until:
        more = look.step()
    removes = {name: look.removed[name] for name in CLASSES if name in look.rules and name != "drafts"}
    return RetentionPreview(removes, {name: count for name, count in look.kept.items() if count}, not more)


# --- legal holds ------------------------------------------------------------------------------------------------------


def legal_holds(*, workspace_id: UUID) -> list[LegalHoldView]:
    """Those that stand, the newest first."""
    rows = LegalHold.objects.filter(workspace_id=workspace_id, lifted_at=None).order_by("-id")
    return [_hold(row) for row in rows]


def set_legal_hold(
    *, workspace_id: UUID, workflow_id: UUID | None, key: str | None, reason: str, by: UUID | None
) -> LegalHoldView:
    """Keep all of a workflow, or of the runs with this key, whatever the rules say. Raises HoldRefused."""
    key = (key or "").strip() or None
    if (workflow_id is None) == (key is None):
        raise HoldRefused("Say what is held: a workflow, or a key of runs.", code="hold_of_nothing")
    if (
        workflow_id is not None
        and not Version.objects.filter(workspace_id=workspace_id, workflow_id=workflow_id).exists()
    ):
        raise NotFound("This workflow has never run: there is nothing to hold.", code="workflow_not_found")
    with commit("retention.hold"):
        # A sweep that is about to remove some of it ends first, or sees this; and nobody sets the same twice.
        locked(workspace_id)
        standing = LegalHold.objects.filter(workspace_id=workspace_id, lifted_at=None)
        if standing.filter(workflow_id=workflow_id, key=key).exists():
            raise HoldRefused("This is held already.", code="held_already")
        row = LegalHold.objects.create(
            workspace_id=workspace_id, workflow_id=workflow_id, key=key, reason=reason, at=database_now(), by=by
        )
        tell(id=str(row.pk), name=key or "")
    return _hold(row)


def lift_legal_hold(*, workspace_id: UUID, hold_id: UUID, by: UUID | None) -> None:
    """Let the rules count for it again. Raises NotFound."""
    with commit("retention.hold"):
        row = LegalHold.objects.filter(workspace_id=workspace_id, pk=hold_id, lifted_at=None)
        if not row.update(lifted_at=database_now(), lifted_by=by):
            raise NotFound("There is no such hold.", code="hold_not_found")


def legal_hold(*, workspace_id: UUID, hold_id: UUID) -> LegalHoldView:
    """One of them, also a lifted one. Raises NotFound."""
    row = LegalHold.objects.filter(workspace_id=workspace_id, pk=hold_id).first()
    if row is None:
        raise NotFound("There is no such hold.", code="hold_not_found")
    return _hold(row)


def _hold(row: LegalHold) -> LegalHoldView:
    return LegalHoldView(row.pk, row.workflow_id, row.key, row.reason, row.at, row.by)


# --- how much there is ------------------------------------------------------------------------------------------------


def retention_stored(*, workspace_id: UUID) -> dict[str, Stored]:
    """How much there is by class: files exactly, rows by the size of the newest few hundred. Kept for a minute."""
    known = _stored.get(workspace_id)
    if known is not None and time.monotonic() - known[0] < _STORED_SECONDS:
        return known[1]
    files = File.objects.filter(workspace_id=workspace_id, removed_at=None).aggregate(
        count=Count("pk"), size=Sum("size")
    )
    found = {
        "files": Stored(files["count"], int(files["size"] or 0)),
        **{name: _estimated(workspace_id, *sql) for name, sql in _ESTIMATES.items()},
    }
    _stored[workspace_id] = time.monotonic(), found
    return found


_LISTED: Final = "(r.parent_run_id IS NULL OR r.trigger_node <> r.parent_node)"
_SIZE: Final = "LENGTH(COALESCE({0}.input, '')) + LENGTH(COALESCE({0}.output, ''))"
_CALL: Final = "LENGTH(COALESCE({0}.request, '')) + LENGTH(COALESCE({0}.response, ''))"


def _of_runs(condition: str, table: str, size: str) -> tuple[str, str]:
    """How many such runs there are, and how large the rows of the newest few are together."""
    newest = (
        f"SELECT r.id FROM store_run AS r WHERE r.workspace_id = %s AND {condition} ORDER BY r.id DESC LIMIT {_SAMPLE}"
    )
    return (
        f"SELECT COUNT(*) FROM store_run AS r WHERE r.workspace_id = %s AND {condition}",
        f"SELECT COUNT(*), COALESCE(SUM({size}), 0) FROM ({newest}) AS n LEFT JOIN {table} AS s ON s.run_id = n.id",
    )


def _runs_of(condition: str) -> tuple[str, str]:
    newest = (
        f"SELECT r.id, LENGTH(COALESCE(r.error, '')) AS size FROM store_run AS r WHERE r.workspace_id = %s "
        f"AND {_LISTED} AND {condition} ORDER BY r.id DESC LIMIT {_SAMPLE}"
    )
    # A run's own row, and those of its trail and steps without their data.
    rows = f"SELECT COUNT(*) FROM store_steprun AS s WHERE s.run_id IN (SELECT id FROM ({newest}) AS k)"
    return (
        f"SELECT COUNT(*) FROM store_run AS r WHERE r.workspace_id = %s AND {_LISTED} AND {condition}",
        f"SELECT COUNT(*), COALESCE(SUM(n.size + 600), 0) + 300 * ({rows}) FROM ({newest}) AS n",
    )


_ESTIMATES: Final = {
    "done": _runs_of("r.mode = 'live' AND r.status = 'completed'"),
    "failed": _runs_of("r.mode = 'live' AND r.finished_at IS NOT NULL AND r.status <> 'completed'"),
    "tests": _runs_of("r.mode = 'test' AND r.finished_at IS NOT NULL"),
    "values": _of_runs(_LISTED, "store_steprun", _SIZE.format("s")),
    "items": _of_runs(f"NOT {_LISTED}", "store_steprun", _SIZE.format("s")),
    "calls": _of_runs("1 = 1", "store_attempt", _CALL.format("s")),
    "starts": (
        "SELECT COUNT(*) FROM store_event AS e WHERE e.workspace_id = %s AND e.removed_at IS NULL",
        "SELECT COUNT(*), COALESCE(SUM(n.size), 0) FROM (SELECT e.body_size + LENGTH(e.headers) AS size "
        f"FROM store_event AS e WHERE e.workspace_id = %s AND e.removed_at IS NULL ORDER BY e.id DESC LIMIT {_SAMPLE}"
        ") AS n",
    ),
}


def _estimated(workspace_id: UUID, count_sql: str, sample_sql: str) -> Stored:
    mine = workspace_id if connection.vendor == "postgresql" else workspace_id.hex
    with connection.cursor() as cursor:
        cursor.execute(count_sql, [mine])
        count = int(cursor.fetchone()[0])
        cursor.execute(sample_sql, [mine] * sample_sql.count("%s"))
        _, size = cursor.fetchone()
    looked_at = min(count, _SAMPLE)
    return Stored(count, int(size) * count // looked_at if looked_at else 0)

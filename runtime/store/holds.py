"""What a workflow that is paused and still accepts does to its runs: they are held, and let go in order (I42).

A start of a schedule whose runs must not overlap is held also without that, from when somebody resumes it until it is
its turn (I33).

Every function but `end` is part of a transaction that its caller holds. Runs are told apart by `Run.held`: 1 while they
are held, 0 once they were let go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.store.commits import commit
from runtime.store.models import Backfill, Event, Hold, Run, Trigger, Version
from runtime.store.parts import IS_ITEM
from runtime.store.statements import HELD
from runtime.store.trail import said

__all__ = [
    "GATHER",
    "TAKES_TURNS",
    "Overlap",
    "ahead",
    "at_work",
    "end",
    "gather",
    "held_runs",
    "let_go",
    "let_go_strays",
    "let_paused_go",
    "overlap_of",
    "starts_of",
    "take_turns",
    "under_way",
]

Overlap = Literal["allow", "skip", "queue", "cancel"]

#: Runs that one transaction holds at most.
GATHER: Final = 5_000

#: Starts of a schedule that go one after another where its runs must not overlap: those of the clock, and of past times
#: that somebody asked for one after another.
TAKES_TURNS: Final = Q(started_by="schedule") | Exists(
    Event.objects.filter(
        Exists(Backfill.objects.filter(pk=OuterRef("backfill_id"), together=False)), pk=OuterRef("event_id")
    )
)
_TAKES_TURNS: Final = """(started_by = 'schedule' OR EXISTS (
                    SELECT 1 FROM store_event AS e JOIN store_backfill AS b ON b.id = e.backfill_id
                    WHERE e.id = store_run.event_id AND NOT b.together))"""

# Runs that somebody paused by themselves are nobody's turn; of a schedule whose runs must not overlap it is only one's.
_FIRST: Final = """
            SELECT id FROM store_run
            WHERE workflow_id = %s AND held = 1 AND finished_at IS NULL AND paused_at IS {paused}
                AND NOT ({takes_turns} AND trigger_node IN (SELECT value FROM {nodes})
                    AND {id} NOT IN (SELECT value FROM {turns}))
            ORDER BY id LIMIT %s"""
# The first waits longest: who is claimed by the time it waits goes in the order of acceptance.
_LET_GO: Final = """
    UPDATE store_run SET held = 0, min_engine = min_engine - %s, claims = 0, change = %s, wake_at = %s + d.place
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place
        FROM ({first}) AS first_ones) AS d
    WHERE store_run.id = d.id AND store_run.held = 1 AND store_run.paused_at IS NULL
    RETURNING store_run.id"""
# Those among them that go with another version than they came under: before they are let go, in the same commit.
_MOVE: Final = """
    UPDATE store_run SET version_id = %s, change = %s,
        min_engine = CASE WHEN min_engine %% %s < %s THEN min_engine - min_engine %% %s + %s ELSE min_engine END
    WHERE version_id <> %s AND accepted_at <= %s AND trigger_node IN (SELECT value FROM {starts})
        AND id IN ({first})"""
_LIST: Final = {"sqlite": "json_each(%s)", "postgresql": "json_array_elements_text(%s::json) AS t(value)"}
_STRAYS: Final = """
    UPDATE store_run SET held = 0, min_engine = min_engine - %s, claims = 0, change = %s,
        wake_at = CASE WHEN paused_at IS NULL THEN %s END
    WHERE workflow_id = %s AND held = 1 AND finished_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM store_hold AS h WHERE h.workflow_id = store_run.workflow_id)
        AND NOT ({takes_turns} AND paused_at IS NULL AND trigger_node IN (SELECT value FROM {nodes})
            AND {id} NOT IN (SELECT value FROM {turns}))
    RETURNING id"""


def gather(workflow_id: UUID, now: int, *, who: str, also_let_go: bool = False) -> int:
    """Hold what was accepted before, or at the very moment, and has not begun; how many, at most `GATHER`.

    Until then no claim takes it either: this is for order, and keeps it out of the way of what is due. `also_let_go`:
    what was let go and nobody has taken yet is held again. `who` paused the workflow is on record. What somebody paused
    by itself is held too: once it is resumed it goes in its turn.
    """
    others = Q(held__isnull=True) | Q(held=0) if also_let_go else Q(held__isnull=True)
    waiting = Run.objects.exclude(IS_ITEM).filter(
        _not_begun(now), others, Q(wake_at__isnull=False) | Q(paused_at__isnull=False), workflow_id=workflow_id
    )
    chosen = list(waiting.order_by("id").values_list("id", flat=True)[:GATHER])
    count = 0
    for start in range(0, len(chosen), 500):
        count += _hold(waiting.filter(pk__in=chosen[start : start + 500]), said("hold", who))
    return count


def _not_begun(now: int) -> Q:
    """Runs that nobody has begun or is about to, and that nobody cancelled."""
    return Q(
        Q(lease_owner__isnull=True) | Q(lease_expires_at__lte=now),
        mode="live",
        status="accepted",
        finished_at__isnull=True,
        cancel_requested_at__isnull=True,
    )


def _hold(runs: QuerySet[Run], change: str) -> int:
    """Hold these runs, which no worker has; how many."""
    return runs.update(
        held=1,
        wake_at=None,
        lease_owner=None,
        lease_expires_at=None,
        lease_token=F("lease_token") + 1,
        claims=0,
        min_engine=F("min_engine") + HELD,
        change=change,
    )


def let_go(
    hold: Hold, count: int, now: int, *, who: str, in_turn: Mapping[str, UUID | None] | None = None
) -> list[UUID]:
    """Let so many held runs go, those first that were accepted first; their ids in this order. `who` is on record.

    `in_turn`: by the node of a schedule, the one of its runs that may go, if any may; the others let those behind pass.
    """
    if count <= 0:
        return []
    chosen = _chosen(hold.workflow_id, count, in_turn or {})
    if hold.onto_version_id is not None:
        _move(hold, hold.onto_version_id, chosen, who)
    # In the past by as much as there are, so that none is due later than it was let go.
    sql = _LET_GO.format(first=_first())
    return sorted(_uuid(row[0]) for row in _returned(sql, [HELD, said("let_go", who), now - count, *chosen]))


def let_paused_go(hold: Hold, *, who: str) -> None:
    """Hold no longer what somebody paused by itself: it is nobody's turn, goes when it is resumed, and nothing waits
    for it meanwhile."""
    paused = held_runs(hold.workflow_id).filter(paused_at__isnull=False)
    if paused.exists():
        if hold.onto_version_id is not None:
            _move(hold, hold.onto_version_id, _chosen(hold.workflow_id, GATHER, {}), who, paused="NOT NULL")
        paused.update(held=0, claims=0, min_engine=F("min_engine") - HELD, change=said("let_go", who))


def _chosen(workflow_id: UUID, count: int, turns: Mapping[str, UUID | None]) -> list[Any]:
    """The parameters of `_first`."""
    going = [str(_key(run_id)) for run_id in turns.values() if run_id is not None]
    return [_key(workflow_id), dumps(list(turns)), dumps(going), count]


def _first(paused: str = "NULL") -> str:
    return _with_turns(_FIRST, paused=paused)


def _with_turns(sql: str, **more: str) -> str:
    rows = _LIST[connection.vendor]
    key = "id::text" if connection.vendor == "postgresql" else "id"
    return sql.format(nodes=rows, turns=rows, id=key, takes_turns=_TAKES_TURNS, **more)


def _move(hold: Hold, version_id: UUID, chosen: list[Any], who: str, paused: str = "NULL") -> None:
    """Put the first held runs onto that version, where they came by a start that it has too and by when it was chosen:
    what is accepted later comes under the version that is live then."""
    version = Version.objects.filter(pk=version_id).values_list("number", "graph", "min_engine").first()
    if version is None:
        return
    number, graph, needed = version
    sql = _MOVE.format(starts=_LIST[connection.vendor], first=_first(paused))
    change = said("set_version", who, version=number)
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            [
                *(_key(version_id), change, HELD, needed, HELD, needed, _key(version_id)),
                *(hold.drained_from or 0, dumps(starts_of(graph)), *chosen),
            ],
        )


def starts_of(graph: str) -> list[str]:
    """The ids of the starts of this graph."""
    document: Any = loads_stored(graph)
    return [node["id"] for node in document["nodes"] if str(node["type"]).startswith("trigger.")]


def let_go_strays(workflow_id: UUID, now: int, in_turn: Mapping[str, UUID | None]) -> list[UUID]:
    """Let runs go whose workflow is not paused: accepted at the very moment when its hold ended, or held until it is
    their turn. `in_turn` as in `let_go`."""
    chosen = _chosen(workflow_id, 0, in_turn)[:3]
    gone = _returned(_with_turns(_STRAYS), [HELD, said("let_go", "millrace"), now, *chosen])
    return sorted(_uuid(row[0]) for row in gone)


def take_turns(runs: QuerySet[Run], now: int) -> None:
    """Hold those of these runs, which somebody has just resumed, that are starts of a schedule whose runs must not
    overlap, and have not begun: another may have begun meanwhile, for nothing waited for them. The ticker lets
    each go in its turn. The caller holds the transaction."""
    schedules = Trigger.objects.filter(workflow_id__in=runs.values("workflow_id"), type__startswith="trigger.schedule@")
    of_schedule = Q(pk__in=[])
    for trigger in schedules:
        if overlap_of(trigger) != "allow":
            of_schedule |= Q(workflow_id=trigger.workflow_id, trigger_node=trigger.node_id)
    fresh = runs.exclude(held=1).filter(_not_begun(now), of_schedule, TAKES_TURNS, paused_at__isnull=True)
    # Whether the workflow works again is tried with this one, whatever else runs.
    tried = Hold.objects.filter(mode="trying", trial_run_id__isnull=False)
    _hold(fresh.exclude(pk__in=tried.values("trial_run_id")), said("hold", "millrace"))


def overlap_of(trigger: Trigger) -> Overlap:
    """What this schedule says of starts that meet an earlier one."""
    config: Any = loads_stored(trigger.config)
    overlap: Overlap = config.get("overlap", "allow")
    return overlap


def held_runs(workflow_id: UUID) -> QuerySet[Run]:
    """Runs that wait to be let go."""
    return Run.objects.filter(workflow_id=workflow_id, held=1, finished_at__isnull=True)


def under_way(workflow_id: UUID) -> QuerySet[Run]:
    """Runs that were let go and have not ended, but for those that were paused before they began."""
    aside = Q(status="accepted", paused_at__isnull=False)
    return Run.objects.filter(workflow_id=workflow_id, held=0, finished_at__isnull=True).exclude(aside)


def at_work(workflow_id: UUID) -> QuerySet[Run]:
    """Those of them that do something, or wait for runs of their own that may."""
    idle = Q(status__in=("waiting_timer", "waiting_human", "parked"))
    own = Run.objects.filter(parent_run_id=OuterRef("pk"), finished_at__isnull=True)
    return under_way(workflow_id).exclude(idle).exclude(Q(status="waiting_event") & ~Exists(own))


def ahead(hold: Hold) -> bool:
    """Whether anything is still to go before what is accepted from now on."""
    return (
        held_runs(hold.workflow_id).exists()
        or under_way(hold.workflow_id).filter(status="accepted", cancel_requested_at__isnull=True).exists()
    )


def end(workflow_id: UUID) -> None:
    """Accept as always again, where everything was let go and nothing is left to go first; a transaction of its own."""
    hold = Hold.objects.filter(pk=workflow_id, mode="draining").first()
    if hold is None or ahead(hold):
        return
    with commit("hold.end"):
        hold = Hold.objects.select_for_update().filter(pk=workflow_id, mode="draining").first()
        if hold is not None and not ahead(hold):
            hold.delete()


def _returned(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _key(value: UUID) -> Any:
    return value if connection.vendor == "postgresql" else value.hex


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)

"""After a restore: what the backup does not know of, and the word that lets its runs go on (I39).

These functions are for whoever runs the installation, across all workspaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal
from uuid import UUID

from runtime.catalog import CATALOG
from runtime.contracts import HeldRun, HeldStep, Hold
from runtime.engine.graph import Node, parse
from runtime.engine.jsonprofile import loads_stored
from runtime.sdk import EffectClass
from runtime.store import restores
from runtime.store.commits import commit
from runtime.store.dialect import database_now
from runtime.store.models import Attempt, Instance, Run, StepRun, Trigger, Version
from runtime.store.planned import plan_of
from runtime.store.queued import leave_out, queued

_PAGE: Final = 200
#: A step that came to one of these did what it was to do, or never will.
_DECIDED: Final = ("succeeded", "failed", "skipped", "cancelled")


def hold_restored() -> bool:
    """Say that this database is a restored backup: nothing is begun until `confirm_restored`. False where that is so
    already."""
    return Instance.objects.filter(pk=1).exists() and restores.hold("somebody said so")


def restored() -> Hold | None:
    """The restored backup that waits to be confirmed, if there is one."""
    found = Instance.objects.filter(pk=1, held_since__isnull=False).first()
    if found is None or found.held_since is None:
        return None
    return Hold(found.held_since, found.epoch, _held(found.held_since).count(), _past_schedules().count())


def held_runs() -> Iterator[HeldRun]:
    """The runs of the backup that were open, the oldest first, each with every step that may have been sent since.

    Of a step with an intent nobody knows how it ended; of one without, whether it was begun after the backup.
    """
    found = Instance.objects.filter(pk=1, held_since__isnull=False).first()
    if found is None or found.held_since is None:
        return
    effects: dict[UUID, dict[str, tuple[Node, EffectClass]]] = {}
    after: UUID | None = None
    while True:
        page = _held(found.held_since).order_by("id")
        runs = list((page if after is None else page.filter(id__gt=after))[:_PAGE])
        if not runs:
            return
        after = runs[-1].id
        missing = {run.version_id for run in runs} - effects.keys()
        for version_id, graph in Version.objects.filter(id__in=missing).values_list("id", "graph"):
            effects[version_id] = dict(_writing(graph))
        decided, begun = _known([run.id for run in runs])
        for run in runs:
            steps = [
                HeldStep(node.id, node.name, effect.value, (run.id, node.id, run.generation) in begun)
                for node, effect in effects[run.version_id].values()
                if (run.id, node.id, run.generation) not in decided
            ]
            cancelled = run.cancel_requested_at is not None
            yield HeldRun(
                run.id, run.workspace_id, run.workflow_id, run.status, run.accepted_at, cancelled, tuple(steps)
            )


def confirm_restored(*, schedules: Literal["skip", "run"] = "skip") -> bool:
    """Let everything go on; False where nothing waited for it. Schedules whose instant has passed wait for the next one
    where they `skip`, and starts that waited are left out, since they may have taken place after the backup; else their
    own rule for missed starts decides."""
    if restored() is None:
        # Of an installation that is at work no start is skipped, whoever says it.
        return False
    if schedules == "skip":
        for trigger in _past_schedules():
            with commit("schedule.tick"):
                following = plan_of(trigger).next_at(database_now())
                Trigger.objects.filter(pk=trigger.pk, next_fire_at=trigger.next_fire_at).update(next_fire_at=following)
        # So may those have that waited for their turn; a person can ask for them again.
        with commit("schedule.release"):
            leave_out(queued(), "A backup was restored while it waited.")
    return restores.release()


def _held(since: int) -> Any:
    return Run.objects.filter(finished_at__isnull=True, accepted_at__lt=since)


def _past_schedules() -> Any:
    return Trigger.objects.filter(next_fire_at__lte=database_now(), enabled=True)


def _writing(graph: str) -> Iterator[tuple[str, tuple[Node, EffectClass]]]:
    """The steps of a graph that change something outside; those of which nobody can say it count among them."""
    document: Any = loads_stored(graph)
    for node in parse(document).nodes:
        node_type = CATALOG.get(node.type)
        try:
            effect = EffectClass.UNSAFE if node_type is None else node_type.effect_of(node.config)
        except (KeyError, TypeError, ValueError, AttributeError):
            effect = EffectClass.UNSAFE
        if effect.writes:
            yield node.id, (node, effect)


def _known(run_ids: list[UUID]) -> tuple[set[tuple[UUID, str, int]], set[tuple[UUID, str, int]]]:
    """Of these runs: the steps that came to an end, and those with an intent and no result."""
    key = ("run_id", "node_id", "generation")
    decided = StepRun.objects.filter(run_id__in=run_ids, status__in=_DECIDED).values_list(*key)
    begun = Attempt.objects.filter(run_id__in=run_ids, status="intent").values_list(*key)
    return set(decided), set(begun)

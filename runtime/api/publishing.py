"""Versions, what is live, and its armed starts."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, Q, QuerySet

from runtime.api.cursors import MOST, decode_number, encode_number, page_size
from runtime.api.held import holds_of
from runtime.catalog import CATALOG
from runtime.contracts import (
    BreakerView,
    CheckReport,
    DeploymentView,
    GraphHasProblems,
    NotFound,
    Page,
    StillHeld,
    TriggerView,
    VersionView,
)
from runtime.engine import check as checking
from runtime.engine.graph import ERROR_PORT, Graph, Node, canonical, digest, parse
from runtime.engine.ids import uuid7
from runtime.engine.jsonprofile import JSONRefused, dumps, loads_stored
from runtime.engine.needs import engine_needed
from runtime.engine.problems import Problem
from runtime.sdk.calendars import OWN_SIGN
from runtime.sdk.prepared import visible
from runtime.store.beside import tell, unchanged
from runtime.store.calendars import calendar_gone, calendars_in
from runtime.store.commits import commit
from runtime.store.dialect import database_now, queue_up
from runtime.store.models import Deployment, Hold, Run, Trigger, Version
from runtime.store.pauses import WITH_WORKFLOW
from runtime.store.planned import Plan, plan_of, plans_of

WEBHOOK: Final = "trigger.webhook"
SCHEDULE: Final = "trigger.schedule"
_SHOWN_FIRES: Final = 10
#: So many versions of one range of time are read at most: of more, the earlier ones name hardly anything else.
_MOST_WITHIN: Final = 50
#: Which setting of which steps may name a calendar of the workspace.
_BY_CALENDAR: Final = ((SCHEDULE, "calendar"), ("people.", "country"))


def check(*, graph: Mapping[str, Any]) -> CheckReport:
    """What is wrong with a graph, what its steps do in words, and their ways out. Takes any document, never raises."""
    return CheckReport(
        problems=checking.check(graph, CATALOG),
        summaries=CATALOG.summaries(graph),
        ports=_ports(graph),
    )


def publish(
    *, workspace_id: UUID, workflow_id: UUID, graph: Mapping[str, Any], by: UUID | None, note: str = ""
) -> VersionView:
    """Make this graph the live version and arm its starts, in one commit. Addresses of starts that stay, stay.

    Raises GraphHasProblems with everything that stops it.
    """
    refuse_problems(graph)
    text, sha256 = canonical(graph), digest(graph)
    drawn = parse(graph)
    _refuse_unknown_calendars(workspace_id, drawn)
    version_id = uuid7()
    with commit("version.publish"):
        now = database_now()
        # Two publishes of one workflow follow each other, the first two as well, which have no row to lock yet.
        queue_up(workflow_id)
        before = Deployment.objects.select_for_update().filter(pk=workflow_id).first()
        if before is not None and before.workspace_id != workspace_id:
            raise _no_such_workflow()
        was = None if before is None else before.version.graph_sha256
        last = Version.objects.filter(workflow_id=workflow_id, kind="live").aggregate(last=Max("number"))["last"]
        created = Version.objects.create(
            id=version_id,
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            number=(last or 0) + 1,
            kind="live",
            graph=text,
            graph_sha256=sha256,
            min_engine=engine_needed(drawn),
            note=note[:400],
            created_at=now,
            created_by=by,
        )
        if before is None:
            Deployment.objects.create(
                workflow_id=workflow_id, workspace_id=workspace_id, version=created, enabled=True, changed_at=now
            )
        else:
            before.version = created
            before.retired = False
            before.changed_at = now
            before.save(update_fields=["version", "retired", "changed_at"])
        _arm(workspace_id, workflow_id, created, drawn.triggers, now)
        tell(version=created.number, sha256_before=was, sha256_after=sha256)
    return _version_view(created, created.id)


def enable(*, workspace_id: UUID, workflow_id: UUID) -> DeploymentView:
    """Let the live version take starts. Schedules begin from now; what was missed while off stays missed."""
    with commit("deployment.change"):
        now = database_now()
        _switch(workspace_id, workflow_id, now, enabled=True)
        for trigger in _locked_triggers(workflow_id).filter(enabled=True, type__startswith=SCHEDULE):
            trigger.next_fire_at = plan_of(trigger).next_at(now)
            trigger.save(update_fields=["next_fire_at"])
    return _deployment_or_raise(workspace_id, workflow_id)


def disable(*, workspace_id: UUID, workflow_id: UUID) -> DeploymentView:
    """Take no more starts. Runs that have begun go on."""
    with commit("deployment.change"):
        _switch(workspace_id, workflow_id, database_now(), enabled=False)
        Trigger.objects.filter(workflow_id=workflow_id).update(next_fire_at=None)
    return _deployment_or_raise(workspace_id, workflow_id)


def retire(*, workspace_id: UUID, workflow_id: UUID) -> None:
    """The workflow is deleted: disarm its starts for good. Its runs go on and stay on record. Idempotent. Raises
    StillHeld while anything waits for it to be let go on."""
    with commit("deployment.change"):
        # First: so what is accepted at this very moment waits for this, and then finds no hold, or is seen here.
        Hold.objects.filter(pk=workflow_id, workspace_id=workspace_id).delete()
        stopped = Run.objects.filter(workflow_id=workflow_id, workspace_id=workspace_id, finished_at__isnull=True)
        waiting = stopped.filter(Q(held=1) | Q(paused_by=WITH_WORKFLOW)).count()
        if waiting:
            raise StillHeld(
                f"{waiting} {'run waits' if waiting == 1 else 'runs wait'} for this workflow to go on. Let them go, or"
                " cancel them, and then delete it.",
                runs=waiting,
            )
        Deployment.objects.filter(pk=workflow_id, workspace_id=workspace_id).update(
            enabled=False, retired=True, changed_at=database_now()
        )
        Trigger.objects.filter(workflow_id=workflow_id, workspace_id=workspace_id).update(
            enabled=False, next_fire_at=None
        )


def deployment(*, workspace_id: UUID, workflow_id: UUID) -> DeploymentView | None:
    """What is live of a workflow; None before its first publish."""
    return deployments(workspace_id=workspace_id, workflow_ids=[workflow_id]).get(workflow_id)


def deployments(*, workspace_id: UUID, workflow_ids: Sequence[UUID]) -> dict[UUID, DeploymentView]:
    """What is live of these workflows, by workflow; those never published are absent."""
    rows = Deployment.objects.filter(workspace_id=workspace_id, workflow_id__in=list(workflow_ids), retired=False)
    found = {row.workflow_id: row for row in rows}
    views = {
        row.id: _version_view(row, row.id)
        for row in Version.objects.filter(id__in=[row.version_id for row in found.values()]).defer("graph")
    }
    held = holds_of(workspace_id, list(found))
    return {
        workflow_id: DeploymentView(
            workflow_id=workflow_id,
            enabled=row.enabled,
            version=views.get(row.version_id),
            hold=held.get(workflow_id),
            breaker=BreakerView(row.breaker_failures, row.breaker_percent, row.breaker_minutes),
        )
        for workflow_id, row in found.items()
    }


def versions(
    *, workspace_id: UUID, workflow_id: UUID, after: str | None = None, limit: int = MOST
) -> Page[VersionView]:
    """The published versions, newest first. Raises BadCursor."""
    chosen = Version.objects.filter(workspace_id=workspace_id, workflow_id=workflow_id, kind="live")
    last = decode_number(after)
    if last is not None:
        chosen = chosen.filter(number__lt=last)
    size = page_size(limit)
    rows = list(chosen.defer("graph").order_by("-number")[: size + 1])
    live = _live_version(workspace_id, workflow_id)
    views = [_version_view(row, live) for row in rows[:size]]
    return Page(views, encode_number(views[-1].number) if len(rows) > size else None)


def version(*, workspace_id: UUID, workflow_id: UUID, number: int) -> VersionView:
    """One published version. Raises NotFound."""
    row = (
        Version.objects.filter(workspace_id=workspace_id, workflow_id=workflow_id, kind="live", number=number)
        .defer("graph")
        .first()
        if 0 < number < 2**31
        else None
    )
    if row is None:
        raise NotFound("There is no such version of this workflow.", code="version_not_found")
    return _version_view(row, _live_version(workspace_id, workflow_id))


def version_graph(*, workspace_id: UUID, version_id: UUID) -> dict[str, Any]:
    """The graph document of a version, also of a test. Raises NotFound."""
    text = Version.objects.filter(workspace_id=workspace_id, id=version_id).values_list("graph", flat=True).first()
    if text is None:
        raise NotFound("There is no such version.", code="version_not_found")
    found: Any = loads_stored(text)
    return dict(found)


def triggers(*, workspace_id: UUID, workflow_id: UUID) -> list[TriggerView]:
    """The starts of the live version, in the order in which they were first armed."""
    enabled = Deployment.objects.filter(pk=workflow_id, workspace_id=workspace_id, enabled=True, retired=False).exists()
    found = []
    now = database_now()
    rows = list(Trigger.objects.filter(workspace_id=workspace_id, workflow_id=workflow_id, enabled=True).order_by("id"))
    plans = plans_of(row for row in rows if row.type.startswith(SCHEDULE))
    for row in rows:
        config = CATALOG.filled(row.type, loads_stored(row.config))
        scheduled = row.type.startswith(SCHEDULE)
        found.append(
            TriggerView(
                id=row.id,
                node_id=row.node_id,
                node_key=row.node_key,
                type=row.type,
                enabled=enabled,
                path=f"/hooks/{row.slug}" if row.type.startswith(WEBHOOK) else None,
                next_fires=_coming(plans[row.pk], now) if scheduled and enabled else [],
                config=config,
            )
        )
    return found


def workflows_started_by(*, workspace_id: UUID, trigger: str) -> set[UUID]:
    """The workflows whose live version has a start of this kind, such as `trigger.called`."""
    armed = Trigger.objects.filter(workspace_id=workspace_id, type__startswith=f"{trigger}@", enabled=True)
    return set(armed.values_list("workflow_id", flat=True))


def live_graphs_naming(*, workspace_id: UUID, text: str) -> dict[UUID, dict[str, Any]]:
    """The live graphs in which this text stands, such as the id of something, by workflow."""
    rows = Deployment.objects.filter(workspace_id=workspace_id, version__graph__contains=text)
    found: Any = {
        workflow: loads_stored(graph) for workflow, graph in rows.values_list("workflow_id", "version__graph")
    }
    return dict(found)


def graphs_live_within(*, workspace_id: UUID, workflow_id: UUID, begin: int, end: int) -> Iterator[str]:
    """The graphs, as JSON, of the versions of this workflow that were live at some time from `begin` until `end` (ms,
    not included), the newest first; of very many the newest."""
    live = Version.objects.filter(workspace_id=workspace_id, workflow_id=workflow_id, kind="live", created_at__lt=end)
    first = live.filter(created_at__lte=begin).order_by("-number").values("number")[:1]
    rows = live.filter(Q(created_at__gt=begin) | Q(number=first)).order_by("-number")
    yield from rows.values_list("graph", flat=True)[:_MOST_WITHIN].iterator(chunk_size=20)


# --- shared with starting.py ---------------------------------------------------------------------------------------


def refuse_problems(graph: Mapping[str, Any]) -> None:
    """Raise GraphHasProblems where something stops this graph from running."""
    problems = checking.check(graph, CATALOG)
    try:
        canonical(graph)
    except JSONRefused as refused:
        problems = [
            *problems,
            Problem(severity="error", code=refused.code, message=f"The workflow cannot be kept: {refused}."),
        ]
    if any(problem.severity == "error" for problem in problems):
        raise GraphHasProblems(problems)


def start_of(graph: Graph, wanted: str | None) -> Node | None:
    """The start step named by id or key; without a name the button, else the only start there is."""
    if wanted is not None:
        return next((node for node in graph.triggers if wanted in (node.id, node.key)), None)
    buttons = [node for node in graph.triggers if node.type.startswith("trigger.manual")]
    if buttons:
        return buttons[0]
    return graph.triggers[0] if len(graph.triggers) == 1 else None


# --- inside --------------------------------------------------------------------------------------------------------


def _refuse_unknown_calendars(workspace_id: UUID, graph: Graph) -> None:
    """Raise GraphHasProblems where a step goes by a calendar that this workspace does not have."""
    problems = []
    here = None
    for node in graph.nodes:
        setting = next((setting for kind, setting in _BY_CALENDAR if node.type.startswith(kind)), "")
        known = CATALOG.get(node.type)
        if not setting or known is None:
            continue
        # What is not on the form, such as the working days of a due date in hours, counts for nothing.
        named = str(visible(known.config, node.config).get(setting) or "")
        if named.startswith(OWN_SIGN) and here is None:
            here = calendars_in([workspace_id])
        gone = calendar_gone(workspace_id, named, here)
        if gone is not None:
            problems.append(Problem("error", "no_such_calendar", gone, node=node.id, field=setting))
    if problems:
        raise GraphHasProblems(problems)


def _coming(plan: Plan, now: int) -> list[int]:
    """When it starts next."""
    return [one.at for one in islice((one for one in plan.starts(now) if one.fate == "start"), _SHOWN_FIRES)]


def _locked_triggers(workflow_id: UUID) -> QuerySet[Trigger]:
    """Its starts, locked in the order in which everybody locks them: when one is due next may be changed at this very
    moment, by the ticker or by somebody, and what is written here must not undo that."""
    return Trigger.objects.select_for_update(no_key=True).filter(workflow_id=workflow_id).order_by("id")


def _arm(workspace_id: UUID, workflow_id: UUID, version: Version, starts: Sequence[Node], now: int) -> None:
    known = {row.node_id: row for row in _locked_triggers(workflow_id)}
    enabled = Deployment.objects.filter(pk=workflow_id, enabled=True).exists()
    for node in starts:
        armed = not node.settings.disabled
        scheduled = node.type.startswith(SCHEDULE)
        row = known.pop(node.id, None)
        # Whole: whoever reads it at the door must not guess what was left out.
        config = dumps(CATALOG.filled(node.type, node.config))
        next_fire_at = row.next_fire_at if row is not None else None
        if not (scheduled and armed and enabled):
            next_fire_at = None
        changed = row is None or row.config != config
        if row is None:
            row = Trigger(
                id=uuid7(),
                workspace_id=workspace_id,
                workflow_id=workflow_id,
                node_id=node.id,
                slug=secrets.token_urlsafe(16),
            )
        row.node_key, row.type, row.config, row.version = node.key, node.type, config, version
        if scheduled and armed and enabled and (changed or next_fire_at is None):
            next_fire_at = plan_of(row).next_at(now)
        row.enabled, row.next_fire_at = armed, next_fire_at
        row.save()
    # Starts that are no more keep their row: should the step come back, so does its address.
    Trigger.objects.filter(pk__in=[row.pk for row in known.values()]).update(enabled=False, next_fire_at=None)


def _switch(workspace_id: UUID, workflow_id: UUID, now: int, *, enabled: bool) -> None:
    here = Deployment.objects.filter(pk=workflow_id, workspace_id=workspace_id, retired=False)
    if here.filter(enabled=enabled).exists():
        unchanged()
    if not here.update(enabled=enabled, changed_at=now):
        raise _no_such_workflow()


def _deployment_or_raise(workspace_id: UUID, workflow_id: UUID) -> DeploymentView:
    found = deployment(workspace_id=workspace_id, workflow_id=workflow_id)
    if found is None:
        raise _no_such_workflow()
    return found


def _no_such_workflow() -> NotFound:
    return NotFound("This workflow has no live version.", code="not_published")


def _live_version(workspace_id: UUID, workflow_id: UUID) -> UUID | None:
    return (
        Deployment.objects.filter(pk=workflow_id, workspace_id=workspace_id, retired=False)
        .values_list("version_id", flat=True)
        .first()
    )


def _version_view(row: Version, live: UUID | None) -> VersionView:
    return VersionView(
        id=row.id,
        workflow_id=row.workflow_id,
        number=row.number,
        note=row.note,
        graph_sha256=row.graph_sha256,
        created_at=row.created_at,
        created_by=row.created_by,
        live=row.id == live,
    )


def _ports(graph: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Each step's ways out, the one for failures included."""
    found = CATALOG.ports(graph)
    for node in graph["nodes"] if found else ():
        node_type = CATALOG.get(str(node.get("type"))) if isinstance(node, Mapping) else None
        if node_type is not None and node_type.has_error_port:
            found[str(node.get("id"))].append({"id": ERROR_PORT, "label": "If it fails"})
    return found

"""Looking back on runs: how one stood at each moment, and how it differs from another or from the last good one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import maybe, stamp
from builder.api.links import without_links
from builder.api.operation import ApiView, Call, View, operation
from builder.api.sensitive import MARK, Masking, masking
from builder.connections.models import Connection
from builder.workflows import documents, selectors, services, shapes
from builder.workflows.differences import differences
from builder.workflows.shapes import RunShape, StepShape
from runtime import api as runtime_api
from runtime.api import Compared
from runtime.contracts.looking_back import FieldDifference, PlaybackFrame

_LONGEST: Final = 300


class PlaybackStepView(View):
    """How a step stood from a moment on. `wait`: what it waits for, `until` when."""

    node: str
    generation: int
    attempt: int
    status: str
    ports: list[str]
    wait: str | None
    until: str | None


class PlaybackFrameView(View):
    """A moment at which something changed, and how the run and these steps stood from then on.

    `kind`: accepted · changed · worked · started (a step began) · pause · resume · retried · undone · decide · …;
    `by`: the name of the person, or the program, that did it; null where a worker did.
    """

    at: str
    generation: int
    status: str
    kind: str
    by: str | None
    steps: list[PlaybackStepView]


class ItemsPointView(View):
    """How many of a step's own runs had started, were done and had failed from a moment on."""

    at: str
    started: int
    done: int
    failed: int


class PlaybackItemsView(View):
    """A step that has runs of its own, and how these stood over time; at most 240 points, however many runs."""

    node: str
    points: list[ItemsPointView]


class PlaybackView(View):
    """A run as a film. `whole`: false where what came first is drawn together into the first frame."""

    frames: list[PlaybackFrameView]
    items: list[PlaybackItemsView]
    whole: bool


class FieldDifferenceView(View):
    """A value that two runs do not share. `change`: added (only this run has it) · removed · changed; `path`: the names
    and numbers that lead to it."""

    path: list[str | int]
    change: str
    here: Any
    there: Any


class ChangedStepView(View):
    """A step that two versions have set up otherwise, and in which fields."""

    step: str
    fields: list[str]


class VersionChangeView(View):
    """The versions of two runs, where they are not the same: 0 is a test. Of steps, their names; `links`: how many
    differ."""

    here: int
    there: int
    added: list[str]
    removed: list[str]
    changed: list[ChangedStepView]
    links: int


class ConnectionChangeView(View):
    """A connection that steps use. `change`: changed (since the other run, `at`) · added (only this run's version uses
    it) · removed · deleted (there is none such any more)."""

    id: UUID
    name: str
    steps: list[str]
    change: str
    at: str | None


class ComparedStepView(View):
    """A step of either run. `differs`: status · way (how it went on) · duration · input · output · error; empty where
    it does not. `times`: how many times as long it took as in the other run, where that differs."""

    node: str
    name: str
    here: StepShape | None
    there: StepShape | None
    differs: list[str]
    times: float | None


class ComparisonView(View):
    """Two runs of one workflow. `first`: the step at which they first went apart; null where no step differs."""

    here: RunShape
    there: RunShape
    version: VersionChangeView | None
    connections: list[ConnectionChangeView]
    start: list[FieldDifferenceView]
    steps: list[ComparedStepView]
    first: str | None


class SinceGoodView(View):
    """What differs from the last run that was good; null where there has been none before this one."""

    found: ComparisonView | None


class StepComparisonView(View):
    """In which values a step of two runs differs; at most 200 of each."""

    input: list[FieldDifferenceView]
    output: list[FieldDifferenceView]


class Playback(ApiView):
    @operation(Action.RUN_SEE, answer=PlaybackView)
    def get(self, call: Call, *, run_id: UUID) -> PlaybackView:
        """How the run stood at each moment, the oldest first, from what is on record of it."""
        found = runtime_api.playback(workspace_id=call.workspace.id, run_id=run_id)
        people = names_of({who for frame in found.frames if (who := shapes.person_in(frame.by or "")) is not None})
        return PlaybackView(
            frames=[_frame(frame, people) for frame in found.frames],
            items=[
                PlaybackItemsView(
                    node=node,
                    points=[
                        ItemsPointView(at=stamp(one.at), started=one.started, done=one.done, failed=one.failed)
                        for one in points
                    ],
                )
                for node, points in found.items.items()
            ],
            whole=found.whole,
        )


class SinceGood(ApiView):
    @operation(Action.RUN_SEE, answer=SinceGoodView)
    def get(self, call: Call, *, run_id: UUID) -> SinceGoodView:
        """What differs from the last run of the same workflow, before this one, that was done and had nothing fail."""
        good = runtime_api.last_good(workspace_id=call.workspace.id, run_id=run_id)
        return SinceGoodView(found=None if good is None else _compared(call, run_id, good))


class Compare(ApiView):
    @operation(Action.RUN_SEE, answer=ComparisonView, also=(409,))
    def get(self, call: Call, *, run_id: UUID, other_id: UUID) -> ComparisonView:
        """Two runs of one workflow beside each other."""
        return _compared(call, run_id, other_id)


class CompareStep(ApiView):
    @operation(Action.RUN_SEE, answer=StepComparisonView, also=(409,))
    def get(self, call: Call, *, run_id: UUID, other_id: UUID, node_id: str) -> StepComparisonView:
        """In which values a step of two runs differs."""
        went_in, came_out = runtime_api.compare_step(
            workspace_id=call.workspace.id, run_id=run_id, other_id=other_id, node_id=node_id
        )
        return StepComparisonView(input=_fields(call, went_in), output=_fields(call, came_out))


def _frame(frame: PlaybackFrame, people: Mapping[UUID, str]) -> PlaybackFrameView:
    return PlaybackFrameView(
        at=stamp(frame.at),
        generation=frame.generation,
        status=frame.status,
        kind=frame.kind,
        by=shapes.who(frame.by, people),
        steps=[
            PlaybackStepView(
                node=one.node,
                generation=one.generation,
                attempt=one.attempt,
                status=one.status,
                ports=list(one.ports),
                wait=one.wait,
                until=maybe(one.until),
            )
            for one in frame.steps
        ],
    )


def _compared(call: Call, run_id: UUID, other_id: UUID) -> ComparisonView:
    found = runtime_api.compare(workspace_id=call.workspace.id, run_id=run_id, other_id=other_id)
    here, there = selectors.shaped(workspace_id=call.workspace.id, views=[found.here, found.there])
    names = _names(found)
    return ComparisonView(
        here=here,
        there=there,
        version=_version(found),
        connections=_connections(call, found, names),
        start=_fields(call, found.start),
        steps=_steps(found, names),
        first=found.first,
    )


def _names(found: Compared) -> dict[str, str]:
    """The names of the steps of either version."""
    return {
        str(node.get("id")): str(node.get("name") or node.get("key") or "")
        for graph in (found.graphs[1], found.graphs[0])
        for node in documents.nodes_of(graph)
    }


def _version(found: Compared) -> VersionChangeView | None:
    if found.here.version_id == found.there.version_id:
        return None
    told: Mapping[str, Any] = differences(found.graphs[1], found.graphs[0])
    return VersionChangeView(
        here=found.here.version,
        there=found.there.version,
        added=list(told.get("added", ())),
        removed=list(told.get("removed", ())),
        changed=[
            ChangedStepView(step=str(one["step"]), fields=[str(name) for name in one["fields"]])
            for one in told.get("changed", ())
        ],
        links=int(told.get("links", 0)),
    )


def _connections(call: Call, found: Compared, names: Mapping[str, str]) -> list[ConnectionChangeView]:
    """Which connections the runs were not alike in: what stands in them is nobody's to see here."""
    fields = services.connection_fields()
    used: list[dict[UUID, list[str]]] = [{}, {}]
    for uses, graph in zip(used, found.graphs, strict=True):
        for node, _, connection_id, _ in documents.connections_named(graph, fields):
            if connection_id is not None:
                uses.setdefault(connection_id, []).append(names.get(node, node))
    rows = {row.id: row for row in Connection.objects.filter(workspace=call.workspace, pk__in={*used[0], *used[1]})}
    told = []
    for one in {**used[0], **used[1]}:
        row = rows.get(one)
        since = min(found.here.accepted_at, found.there.accepted_at)
        at = None if row is None else int(row.updated_at.timestamp() * 1000)
        change = (
            "deleted"
            if row is None
            else "added"
            if one not in used[1]
            else "removed"
            if one not in used[0]
            else "changed"
            if at is not None and at > since
            else None
        )
        if change is not None:
            told.append(
                ConnectionChangeView(
                    id=one,
                    name="" if row is None else row.name,
                    steps=used[0].get(one) or used[1][one],
                    change=change,
                    at=maybe(at) if change == "changed" else None,
                )
            )
    return told


def _steps(found: Compared, names: Mapping[str, str]) -> list[ComparedStepView]:
    differs = {one.node: list(one.differs) for one in found.differing}
    here, there = found.steps
    told = []
    for node in {**names, **here, **there}:
        ours, theirs = (None if node not in one else shapes.step(one[node]) for one in (here, there))
        if ours is None and theirs is None:
            continue
        times = None
        if "duration" in differs.get(node, ()) and ours is not None and theirs is not None:
            times = round((ours.duration_ms or 1) / max(theirs.duration_ms or 1, 1), 2)
        told.append(
            ComparedStepView(
                node=node,
                name=names.get(node, node),
                here=ours,
                there=theirs,
                differs=differs.get(node, []),
                times=times,
            )
        )
    return told


def _fields(call: Call, found: Sequence[FieldDifference]) -> list[FieldDifferenceView]:
    hides = masking(call)
    return [
        FieldDifferenceView(
            path=[without_links(call, one) if isinstance(one, str) else one for one in field.path],
            change=field.change,
            here=_told(call, hides, field, field.here, "removed"),
            there=_told(call, hides, field, field.there, "added"),
        )
        for field in found
    ]


def _told(call: Call, hides: Masking, field: FieldDifference, value: Any, missing: str) -> Any:
    """The value as the asker is shown it; of a sensitive one, no more than that there is one."""
    if field.change == missing:
        return None
    if hides.is_sensitive(field.path):
        return {MARK: []}
    return _short(without_links(call, hides.masked(value)))


def _short(value: Any) -> Any:
    return value[:_LONGEST] + "…" if isinstance(value, str) and len(value) > _LONGEST else value

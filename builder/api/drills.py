"""The plug-pull drill of a workflow: start one, and see how it goes."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import Refusal
from builder.api.runs import NodeName
from builder.api.versions import has_problems
from builder.api.workflows import find, graph_refused
from builder.workflows import drills, services
from builder.workflows.models import Drill
from runtime.contracts import GraphHasProblems


class DrillBody(Body):
    """The graph to drill, null for the saved draft; what to hand to the run; and whether the other systems know a call
    by its key, so that the same call twice counts once."""

    graph: dict[str, Any] | None = None
    trigger: NodeName | None = None
    input: Any = None
    keys_count: bool = True


class DrillBeyond(View):
    """The step that the undisturbed run did not get past: it failed there, or still waits. Nothing behind it was
    drilled. `step` is empty where no single step can be named."""

    step: str
    why: Literal["failed", "waits"]


class DrillAdvice(View):
    """What to look at in a step. Done twice: `mail_repeats` (it says that its mail server knows a repeat), `key` (the
    other system did not heed its key), `again`. Nobody could know whether it happened: `doubt_mail`, `doubt_look_up`
    (looked up in vain), `doubt_call`; each with `_person` where the step asks a person and the run waits.
    """

    step: str
    what: str


class DrillRound(View):
    """One boundary at which the worker was killed: the commit it had just made, of which step, and what came of it.

    `point`: `run.begin` (the start) · `step.intent` (before the call of this step) · `step.effect` (the call is made,
    its result not written down) · `step.result` (this step's result is written down) · `step.retry_scheduled` (before
    another try) · `timer.create`, `human.create`, `wait.begin`, `child.start` (it begins to wait for a time, for
    people, for something from outside, for runs of its own). `duplicates`: by the steps' names.

    `finished`: it ended as the undisturbed run did. `asks`: it stopped to ask a person, since nobody could know what
    had happened. `undo`: everything was undone; null where nothing was to undo. `beyond`: it got as far as the
    undisturbed run, which did not go all the way either: not finished.
    """

    round: int
    point: str
    step: str | None = None
    killed: bool
    status: str
    finished: bool
    asks: bool
    calls: int
    duplicates: dict[str, int]
    undo: bool | None
    beyond: DrillBeyond | None = None
    advice: list[DrillAdvice] = []


class DrillView(View):
    """A drill and what came of it so far. `total`: how many rounds there will be, once that is known. `beyond`: where
    the undisturbed run got no further; the drill then says nothing of what lies behind."""

    id: UUID
    status: Literal["running", "done", "failed"]
    error: str
    started_at: str
    finished_at: str | None
    total: int | None
    finished: int
    asks: int
    duplicates: int
    careless: list[str]
    undo_complete: bool | None
    beyond: DrillBeyond | None
    rounds: list[DrillRound]


class LatestDrill(View):
    """The newest drill, null where there was none."""

    drill: DrillView | None


class DrillOf(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=LatestDrill)
    def get(self, call: Call, *, workflow_id: UUID) -> LatestDrill:
        """The newest plug-pull drill, also while it is under way."""
        found = drills.latest(find(call, workflow_id))
        return LatestDrill(drill=None if found is None else _view(found))

    @operation(
        Action.WORKFLOW_TEST,
        body=DrillBody,
        answer=LatestDrill,
        status=202,
        also=(409,),
        repeat="stored_apart",
        does="workflow.drilled",
    )
    def post(self, call: Call, *, workflow_id: UUID, body: DrillBody) -> LatestDrill:
        """Run the workflow in a sandbox whose process is killed at every step boundary in turn. Reaches nobody."""
        try:
            drill = drills.start(
                workflow=find(call, workflow_id),
                graph=body.graph,
                trigger_node=body.trigger,
                input=body.input,
                keys_count=body.keys_count,
                by=call.person,
                within=call.deed.together(),
            )
        except services.GraphRefused as error:
            raise graph_refused(error) from error
        except GraphHasProblems as error:
            raise has_problems(error) from error
        except drills.DrillUnderWay as error:
            raise Refusal(409, "drill_under_way", "Another drill is under way here. Wait until it is over.") from error
        return LatestDrill(drill=_view(drill))


def _view(drill: Drill) -> DrillView:
    found = drills.summary(drill)
    return DrillView(
        id=drill.id,
        status=drill.status,
        error=drill.error,
        started_at=stamp(_ms(drill.started_at)),
        finished_at=None if drill.finished_at is None else stamp(_ms(drill.finished_at)),
        total=drill.total,
        finished=found["finished"],
        asks=found["asks"],
        duplicates=found["duplicates"],
        careless=found["careless"],
        undo_complete=found["undo_complete"],
        beyond=None if found["beyond"] is None else DrillBeyond(**found["beyond"]),
        rounds=[
            DrillRound(**{name: one[name] for name in DrillRound.model_fields if name in one})
            for one in found["rounds"]
        ],
    )


def _ms(moment: Any) -> int:
    return int(moment.timestamp() * 1000)

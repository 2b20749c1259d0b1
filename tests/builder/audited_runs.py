"""For each deed that is done to the list of runs, or to one of its waits, a request that does it: see `audited`."""

from __future__ import annotations

from runtime.store.models import StepRun
from tests.builder.audited import Act, does, run_of, run_view, short
from tests.builder.audited_letters import SCENARIOS
from tests.builder.conftest import World

__all__ = ["SCENARIOS"]


def _tagging(world: World) -> Act:
    run = run_of(world).rpartition("/")[2]
    return Act(world.as_rosa, "POST", f"{world.here}/runs/tags", {"runs": [run], "add": ["quarter-end"]})


short("run.tagged", lambda world: Act(world.as_rosa, "POST", f"{run_of(world)}/tags", {"add": ["quarter-end"]}))
short("runs.tagged", _tagging)
short("runs.exported", lambda world: Act(world.as_vera, "POST", f"{world.here}/runs/export", {"search": {}}))
short(
    "profile.run_view_chosen",
    lambda world: Act(world.as_vera, "PUT", f"{world.here}/runs/views", {"view": run_view(world).rpartition("/")[2]}),
)


@does("run.tried_now")
def _(world: World) -> Act:
    path = run_of(world)
    StepRun.objects.create(
        run_id=path.rpartition("/")[2], node_id="n_pay", node_key="pay", status="retrying", attempt=1, seq=1,
        due_at=9_000_000_000_000,
    )  # fmt: skip
    return Act(world.as_rosa, "POST", f"{path}/steps/n_pay/try-now", {"attempt": 1})


short("run.taken_up", lambda world: Act(world.as_rosa, "POST", f"{run_of(world, status='parked')}/take-up", {}))

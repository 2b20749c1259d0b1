"""For each deed that is done to the list of runs a request that does it: see `audited`."""

from __future__ import annotations

from tests.builder.audited import Act, run_of, run_view, short
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

"""Who sees where a run stands, who may take it up again, and who may not wait for its next try."""

from __future__ import annotations

from runtime.store.models import Run, StepRun
from tests.builder.audited import run_of
from tests.builder.conftest import World


def test_a_run_that_was_set_aside_says_so_and_a_reviewer_takes_it_up(world: World) -> None:
    path = run_of(world, status="parked", waiting='{"kind":"parked","since":1795000000000,"until":null,"text":"x"}')
    stuck = world.as_vera.get(f"{path}/standing").body["stuck"]
    assert (stuck["reason"], stuck["since"], stuck["may_take_up"]) == ("set_aside", "2026-11-18T11:06:40.000Z", True)
    assert world.as_vera.post(f"{path}/take-up").status == 403
    assert world.as_rosa.post(f"{path}/take-up").status == 200
    assert Run.objects.get(pk=path.rpartition("/")[2]).wake_at is not None
    assert world.as_mallory.get(f"{path}/standing").status == 404


def test_a_reviewer_does_not_wait_for_the_next_try_and_is_told_when_it_has_begun(world: World) -> None:
    path = run_of(world)
    StepRun.objects.create(
        run_id=path.rpartition("/")[2], node_id="n_pay", node_key="pay", status="retrying", attempt=2, seq=1,
        due_at=9_000_000_000_000,
    )  # fmt: skip
    here = f"{path}/steps/n_pay/try-now"
    assert world.as_vera.post(here, {"attempt": 2}).status == 403
    early = world.as_rosa.post(here, {"attempt": 1})
    assert (early.status, early.code) == (409, "already_trying")
    assert world.as_rosa.post(here, {"attempt": 2}).status == 200
    assert world.as_rosa.post(here, {"attempt": 2}).status == 200
    assert world.as_rosa.post(here, {"attempt": 0}).status == 422

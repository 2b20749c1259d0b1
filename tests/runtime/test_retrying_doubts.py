"""A dead letter at an effect of which nobody knows whether it happened: people say so first, each time (I12)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from runtime import api
from runtime.contracts import Decision, RetryRefused
from runtime.engine.ids import uuid7
from tests.runtime.fixtures import World
from tests.runtime.machine import WORKSPACE, Machine, detail, fields, flow, unsafe_post
from tests.runtime.test_retrying import INVOICE, attempts, fates, go_on, planned


@pytest.fixture
def doubtful(machine: Machine, world: World) -> UUID:
    """A run that stands at an effect of which nobody knows whether it happened."""
    graph = flow(
        "start -> pay -> after",
        unsafe_post("pay", f"{world.url}/with/drop/invoices", INVOICE),
        fields("after", number="{{ steps.pay.body.id }}"),
    )
    run = machine.run(graph)
    assert run.status == "dead_lettered"
    assert fates(planned(run.id)) == {"start": "kept", "pay": "asks", "after": "next"}
    return run.id


def test_an_effect_in_doubt_is_not_sent_again_before_somebody_has_said_so(
    machine: Machine, world: World, doubtful: UUID
) -> None:
    with pytest.raises(RetryRefused) as caught:
        go_on(doubtful)
    assert "whether this happened" in caught.value.fields["pay"]
    assert len(world.invoices(str(doubtful))) == 1


def test_it_happened_goes_on_with_the_result_that_a_person_entered(
    machine: Machine, world: World, doubtful: UUID
) -> None:
    who = uuid7()
    go_on(doubtful, decisions={"pay": Decision(True, {"body": {"id": "R-17"}})}, by=who)
    ended = machine.finish(doubtful)
    assert ended.status == "completed", ended.error
    assert detail(doubtful, "after").output == {"number": "R-17"}
    (attempt,) = attempts(doubtful, "pay")
    assert attempt.status == "succeeded"
    assert attempt.request is not None
    assert f"user:{who}" in attempt.request, "who decided stands beside what was decided"
    assert len(world.invoices(str(doubtful))) == 1


def test_send_it_again_sends_it_once_more(machine: Machine, world: World, doubtful: UUID) -> None:
    go_on(doubtful, decisions={"pay": Decision(False)})
    assert machine.finish(doubtful).status == "dead_lettered", "its answer is lost each time"
    first, second = attempts(doubtful, "pay")
    assert (first.status, second.status) == ("abandoned", "in_doubt")
    assert (first.effect_key, first.request_digest) == (second.effect_key, second.request_digest)
    assert len(world.invoices(str(doubtful))) == 2, "without a key each call counts"


def test_send_it_again_may_send_something_else(machine: Machine, world: World, doubtful: UUID) -> None:
    before: Any = detail(doubtful, "pay").input
    edited = {**before, "url": f"{world.url}/invoices"}
    go_on(doubtful, decisions={"pay": Decision(False)}, edits={"pay": edited})
    assert machine.finish(doubtful).status == "completed"
    first, second = attempts(doubtful, "pay")
    assert first.effect_key != second.effect_key


def test_a_refusal_of_what_was_sent_again_says_nothing_of_the_first_call(
    machine: Machine, world: World, doubtful: UUID
) -> None:
    before: Any = detail(doubtful, "pay").input
    refused = {**before, "url": f"{world.url}/with/fail=422/invoices"}
    go_on(doubtful, decisions={"pay": Decision(False)}, edits={"pay": refused})
    assert machine.finish(doubtful).status == "dead_lettered"
    assert [one.status for one in attempts(doubtful, "pay")] == ["abandoned", "failed"]
    # The word was for one more call, not for every later one.
    assert [(step.fate, step.why) for step in planned(doubtful).steps if step.key == "pay"] == [("asks", "in_doubt")]
    with pytest.raises(RetryRefused):
        go_on(doubtful, edits={"pay": {**before, "url": f"{world.url}/invoices"}})
    (outcome,) = api.retry_each(workspace_id=WORKSPACE, run_ids=[doubtful])
    assert outcome.outcome != "retried"
    assert len(world.invoices(str(doubtful))) == 1
    go_on(doubtful, decisions={"pay": Decision(True, {"body": {"id": "R-17"}})})
    assert machine.finish(doubtful).status == "completed"
    assert detail(doubtful, "after").output == {"number": "R-17"}
    assert [one.status for one in attempts(doubtful, "pay")] == ["succeeded", "failed"]
    assert len(world.invoices(str(doubtful))) == 1

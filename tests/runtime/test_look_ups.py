"""Nobody knows whether it happened: it is looked up first, and nothing that happened is sent again (I12)."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import UUID

from runtime import api
from runtime.contracts import Voter
from runtime.engine.ids import uuid7
from runtime.store.models import Attempt, Run
from runtime.store.transitions import Transition
from tests.runtime.fixtures import World
from tests.runtime.machine import (
    RETRY_SOON,
    WORKSPACE,
    Machine,
    cut_short,
    detail,
    flow,
    look,
    post,
    rung_and_swept,
    step,
    wait_until,
)

INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}
SOMEBODY = Voter(uuid7(), "Ada", "ada@example.com", (), "admin", True)


def looked_up(key: str, url: str, at: str, *, looking: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """A POST that the other side does as often as it is asked, and of which it can be asked whether it did."""
    made = post(key, url, INVOICE, **{"retry": RETRY_SOON, **settings})
    made["config"] |= {"in_doubt": "look_up", "look_up_url": at, "look_up_after": 0.1, **(looking or {})}
    return made


def by_key(world: World, behaviour: str = "") -> str:
    return f"{world.url}{behaviour}/invoices/by-key/{{{{ look_up.key }}}}"


def attempts(run_id: UUID, node: str = "pay") -> list[Attempt]:
    return list(Attempt.objects.filter(run_id=run_id, node_id=node).order_by("attempt"))


def decision(attempt: Attempt) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(attempt.request or "{}")["in_doubt"]
    return found


def sent(world: World, run_id: UUID, node: str = "pay") -> list[dict[str, Any]]:
    key = attempts(run_id, node)[0].effect_key
    assert key is not None
    return [call for call in world.calls(key) if call["method"] == "POST"]


def lookups(world: World, run_id: UUID, node: str = "pay") -> int:
    key = attempts(run_id, node)[0].effect_key
    return len(world.ask("GET", f"/calls?path=/invoices/by-key/{key}")["items"])


def test_a_lost_answer_is_looked_up_and_what_happened_is_taken_over(any_machine: Machine, world: World) -> None:
    pay = looked_up("pay", f"{world.url}/with/drop;ignore/invoices", by_key(world))
    run = any_machine.run(flow("start -> pay -> after", pay))
    assert run.status == "completed", run.error
    (attempt,) = attempts(run.id)
    assert (attempt.status, attempt.effect_class, attempt.error) == ("succeeded", "queryable", None)
    assert len(sent(world, run.id)) == 1, "it was sent once"
    (invoice,) = world.invoices(str(run.id))
    assert detail(run.id, "pay").output["body"]["id"] == invoice["id"]  # type: ignore[call-overload, index]
    found = decision(attempt)
    assert (found["policy"], found["decided_by"], found["found"]) == ("look_up", "look_up", "happened")
    assert [one["found"] for one in found["looked"]] == ["happened"]
    assert found["decided_at"] > run_began(run.id)


def test_what_did_not_happen_is_sent_again_with_the_same_key(any_machine: Machine, world: World) -> None:
    pay = looked_up("pay", f"{world.url}/with/reset*1;ignore/invoices", by_key(world))
    run = any_machine.run(flow("start -> pay", pay))
    assert run.status == "completed", run.error
    first, second = attempts(run.id)
    assert (first.status, second.status) == ("failed", "succeeded")
    assert first.effect_key == second.effect_key
    assert decision(first)["found"] == "did_not_happen"
    assert [call["applied"] for call in sent(world, run.id)] == [False, True]
    assert len(world.invoices(str(run.id))) == 1


def test_a_call_cut_off_by_a_crash_is_looked_up_first(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    pay = looked_up("pay", f"{world.url}/with/slow=6000*1;ignore/invoices", by_key(world))
    run_id = idle_machine.begin(flow("start -> pay", pay))
    wait_until(lambda: bool(attempts(run_id)) and bool(sent(world, run_id)))
    idle_machine.crash()
    idle_machine.start()
    run = idle_machine.finish(run_id)
    assert run.status == "completed", run.error
    (attempt,) = attempts(run_id)
    assert (attempt.attempt, attempt.status) == (1, "succeeded")
    assert decision(attempt)["found"] == "happened"
    assert len(sent(world, run_id)) == 1


def test_a_call_that_a_crash_kept_from_leaving_is_sent_and_costs_no_try(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    # The first call is thrown away; the crash comes before anybody says so.
    pay = looked_up(
        "pay", f"{world.url}/with/slow=6000*1;reset*1;ignore/invoices", by_key(world), retry={"attempts": 1}
    )  # fmt: skip
    run_id = idle_machine.begin(flow("start -> pay", pay))
    wait_until(lambda: bool(attempts(run_id)) and bool(sent(world, run_id)))
    idle_machine.crash()
    idle_machine.start()
    run = idle_machine.finish(run_id)
    assert run.status == "completed", run.error
    (attempt,) = attempts(run_id)
    assert (attempt.attempt, attempt.status) == (1, "succeeded"), "the same attempt was made again"
    assert decision(attempt)["found"] == "did_not_happen"
    assert [call["applied"] for call in sent(world, run_id)] == [False, True]


def test_a_look_up_cut_off_by_a_crash_is_made_again(idle_machine: Machine, world: World) -> None:
    idle_machine.start()
    pay = looked_up("pay", f"{world.url}/with/drop;ignore/invoices", by_key(world, "/with/slow=3000"))
    run_id = idle_machine.begin(flow("start -> pay", pay))
    wait_until(lambda: bool(attempts(run_id)) and lookups(world, run_id) == 1)
    shown = detail(run_id, "pay").step
    assert (shown.status, (shown.wait or {})["kind"]) == ("running", "look_up")
    idle_machine.crash()
    idle_machine.start()
    run = idle_machine.finish(run_id)
    assert run.status == "completed", run.error
    assert lookups(world, run_id) == 2
    assert len(sent(world, run_id)) == 1


def test_a_look_up_has_its_own_tries_and_says_what_the_run_waits_for(machine: Machine, world: World) -> None:
    pay = looked_up(
        "pay", f"{world.url}/with/drop;ignore/invoices", by_key(world, "/with/fail=503*2"),
        looking={"look_up_after": 1.5}, retry={"attempts": 1},
    )  # fmt: skip
    run_id = machine.begin(flow("start -> pay", pay))
    waiting = machine.until(run_id, lambda run: (run.waiting or {}).get("kind") == "look_up").waiting
    assert waiting is not None
    assert waiting["until"] is not None
    assert "looked up" in waiting["text"]
    assert api.orphans() == []
    run = machine.finish(run_id)
    assert run.status == "completed", run.error
    (attempt,) = attempts(run_id)
    assert [one["found"] for one in decision(attempt)["looked"]] == ["could_not_tell", "could_not_tell", "happened"]
    assert len(sent(world, run_id)) == 1


def test_where_no_look_up_can_tell_a_person_is_asked_with_what_was_said(machine: Machine, world: World) -> None:
    pay = looked_up(
        "pay", f"{world.url}/with/drop*1;ignore/invoices", by_key(world, "/with/fail=503"),
        looking={"look_up_times": 2},
    )  # fmt: skip
    run_id = machine.begin(flow("start -> pay", pay))
    machine.until(run_id, lambda run: run.status == "waiting_human")
    (task,) = api.tasks(workspace_id=WORKSPACE, run_id=run_id).items
    assert "2 times" in task.spec["text"]
    assert "503" in task.spec["text"]
    (attempt,) = attempts(run_id)
    assert attempt.status == "in_doubt"
    assert decision(attempt)["found"] == "could_not_tell"
    assert len(decision(attempt)["looked"]) == 2
    assert len(sent(world, run_id)) == 1, "nothing is sent before somebody says so"
    api.decide(workspace_id=WORKSPACE, task_id=task.id, outcome="send_again", voter=SOMEBODY)
    assert machine.finish(run_id).status == "completed"
    first, second = attempts(run_id)
    assert (first.status, second.status) == ("abandoned", "succeeded")
    assert first.effect_key == second.effect_key
    assert decision(first)["decided_by"] == f"user:{SOMEBODY.id}"
    assert len(decision(first)["looked"]) == 2, "what the look-ups said stays on record"


def test_a_refused_look_up_asks_a_person_at_once(machine: Machine, world: World) -> None:
    pay = looked_up("pay", f"{world.url}/with/drop;ignore/invoices", by_key(world, "/with/fail=403"))
    run_id = machine.begin(flow("start -> pay", pay))
    machine.until(run_id, lambda run: run.status == "waiting_human")
    assert lookups(world, run_id) == 1


def test_the_answer_is_judged_by_a_condition_and_gives_what_is_said(machine: Machine, world: World) -> None:
    filled = {"match": "all", "rules": [{"left": "{{ look_up.body.id }}", "op": "is_not_empty", "type": "text"}]}
    looking = {"look_up_found": filled, "look_up_output": {"number": "{{ look_up.body.id }}", "for": "{{ run.id }}"}}
    pay = looked_up("pay", f"{world.url}/with/drop;ignore/invoices", by_key(world), looking=looking)
    run = machine.run(flow("start -> pay", pay))
    assert run.status == "completed", run.error
    (invoice,) = world.invoices(str(run.id))
    output: Any = detail(run.id, "pay").output
    assert output["body"] == {"number": invoice["id"], "for": str(run.id)}
    never = {"match": "all", "rules": [{"left": "{{ look_up.body.id }}", "op": "eq", "right": "x", "type": "text"}]}
    other = looked_up(
        "pay", f"{world.url}/with/drop;ignore/invoices", by_key(world), looking={"look_up_found": never},
        retry={"attempts": 1},
    )  # fmt: skip
    run = machine.run(flow("start -> pay", other))
    assert run.status == "dead_lettered", "it did not happen, and there is no try left"
    assert run.error is not None
    assert run.error["code"] == "connection_lost"
    assert [attempt.status for attempt in attempts(run.id)] == ["failed"]


def test_an_undo_step_is_looked_up_too(any_machine: Machine, world: World) -> None:
    undo = looked_up("back", f"{world.url}/with/drop;ignore/invoices", by_key(world))
    pay = post("pay", f"{world.url}/invoices", INVOICE)
    run = any_machine.run(flow("start -> pay -> fail, pay:undo -> back", pay, undo, fail_and_undo()))
    assert run.status == "compensated", run.error
    (attempt,) = attempts(run.id, "back")
    assert attempt.status == "succeeded"
    assert len(sent(world, run.id, "back")) == 1


def test_an_undo_step_of_which_nothing_can_tell_is_named_as_still_to_be_done(machine: Machine, world: World) -> None:
    undo = looked_up("back", f"{world.url}/with/drop;ignore/invoices", by_key(world, "/with/fail=403"))
    pay = post("pay", f"{world.url}/invoices", INVOICE)
    run = machine.run(flow("start -> pay -> fail, pay:undo -> back", pay, undo, fail_and_undo()))
    assert run.status == "dead_lettered", "while undoing nobody is waited for"
    assert run.error is not None
    assert "Nobody knows whether undone" in run.error["message"]
    (attempt,) = attempts(run.id, "back")
    assert attempt.status == "in_doubt"


def test_what_did_not_happen_needs_no_undo(machine: Machine, world: World) -> None:
    pay = looked_up(
        "pay", f"{world.url}/with/reset;ignore/invoices", by_key(world), retry={"attempts": 1}, on_failure="undo"
    )
    back = post("back", f"{world.url}/invoices", INVOICE)
    run = machine.run(flow("start -> pay, pay:undo -> back", pay, back))
    assert run.status == "compensated", run.error
    assert attempts(run.id, "back") == [], "it was looked up: nothing is there to be undone"


def test_a_run_that_is_cancelled_during_the_look_up_keeps_what_it_found(machine: Machine, world: World) -> None:
    pay = looked_up("pay", f"{world.url}/with/drop;ignore/invoices", by_key(world, "/with/slow=5000"))
    run_id = machine.begin(flow("start -> pay -> after", pay))
    wait_until(lambda: bool(attempts(run_id)) and lookups(world, run_id) == 1)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    run = machine.finish(run_id)
    assert run.status == "cancelled"
    assert detail(run_id, "pay").step.status == "succeeded"
    assert attempts(run_id)[0].status == "succeeded"


def test_a_paused_run_is_looked_up_when_it_goes_on(machine: Machine, world: World) -> None:
    pay = looked_up(
        "pay", f"{world.url}/with/drop;ignore/invoices", by_key(world), looking={"look_up_after": 600}
    )  # fmt: skip
    run_id = machine.begin(flow("start -> pay", pay))
    machine.until(run_id, lambda run: (run.waiting or {}).get("kind") == "look_up")
    api.pause_run(workspace_id=WORKSPACE, run_id=run_id)
    cut_short(run_id)
    rung_and_swept(machine, run_id)
    assert lookups(world, run_id) == 0
    api.resume_run(workspace_id=WORKSPACE, run_id=run_id)
    assert machine.finish(run_id).status == "completed"
    assert lookups(world, run_id) == 1


def test_the_trail_tells_of_the_doubt_and_of_its_end(machine: Machine, world: World) -> None:
    pay = looked_up("pay", f"{world.url}/with/drop;ignore/invoices", by_key(world))
    run = machine.run(flow("start -> pay", pay))
    said = [
        one[3]
        for detail in Transition.objects.filter(run_id=run.id).order_by("number").values_list("detail", flat=True)
        for one in json.loads(detail or "{}").get("attempts", ())
    ]
    assert said == ["intent", "in_doubt", "succeeded"]


def fail_and_undo() -> dict[str, Any]:
    return step("fail", "flow.fail@1", {"message": "No."}, on_failure="undo")


def run_began(run_id: UUID) -> str:
    began = Run.objects.values_list("started_at", flat=True).get(pk=run_id)
    assert look(run_id).started_at == began
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime((began or 0) / 1000))

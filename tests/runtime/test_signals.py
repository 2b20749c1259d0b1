"""Steps that wait for an event with a matching key, and for their link (I7, I8, I13, I17, I18, I22)."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.db.models import F

from runtime import api
from runtime.contracts import JSON, AlreadyDecided, EventRefused, KeyReused, NotFound, Voter, WaitView
from runtime.engine.ids import uuid7
from runtime.interpreter import signals as sending
from runtime.store import signals
from runtime.store.dialect import database_now
from runtime.store.models import Run, Signal, SignalWait
from tests.runtime.machine import (
    WORKSPACE,
    Machine,
    cut_short,
    detail,
    fields,
    flow,
    look,
    pause,
    statuses,
    step,
    wait_until,
)

INES = Voter(uuid7(), "Ines Kaya", "ines@example.com")
LINKS = "start -> wait, wait:out -> came, wait:timeout -> late"
INVOICE = {"order": "{{ run.id }}", "customer": "C-200", "amount": 10, "currency": "EUR"}
SOON: dict[str, Any] = {"limit": Decimal("0.02"), "unit": "minutes"}


def for_event(key: str = "wait", **config: Any) -> dict[str, Any]:
    return step(key, "flow.wait_event@1", {"name": "order.shipped", "key": "{{ trigger.order }}", **config})


def for_link(key: str = "wait", **config: Any) -> dict[str, Any]:
    return step(key, "flow.wait_signal@1", {"title": "Confirm {{ trigger.order }}", **config})


def tell(key: str, node: str = "tell") -> dict[str, Any]:
    return step(node, "flow.send_event@1", {"name": "order.shipped", "key": key, "data": {"by": "run"}})


def send(key: str, data: JSON = None, *, name: str = "order.shipped", **more: Any) -> Any:
    return api.send_event(workspace_id=WORKSPACE, name=name, key=key, data=data, **more)


def waiting(run_id: UUID, node: str = "wait") -> WaitView:
    """This step of the run, once it waits and nobody works on the run."""
    wait_until(lambda: look(run_id).status == "waiting_event")
    rests = Run.objects.filter(pk=run_id, lease_expires_at__isnull=True, waiting__isnull=False)
    wait_until(rests.exists)
    return next(view for view in api.waits(workspace_id=WORKSPACE, run_id=run_id) if view.node == node)


def use(run_id: UUID, data: JSON = None, node: str = "wait", generation: int = 1) -> signals.Used:
    """Use the link, as the door does."""
    run = Run.objects.get(pk=run_id)
    draft = sending.draft(
        workspace_id=run.workspace_id, kind="link", data=data, by="link", sent_by="link", mode=run.mode, run_id=run_id
    )
    return sending.resume(draft, node_id=node, generation=generation, workflow_id=run.workflow_id, early=True)


# --- events ---------------------------------------------------------------------------------------------------------


def test_a_run_waits_for_an_event_and_goes_on_with_its_data(any_machine: Machine) -> None:
    run_id = any_machine.begin(flow(LINKS, for_event()), {"order": "PO-7"})
    view = waiting(run_id)
    assert (view.kind, view.status, view.name, view.key) == ("event", "open", "order.shipped", "PO-7")
    run = look(run_id)
    assert run.waiting is not None
    assert run.waiting["text"] == "“wait” waits for an event"
    assert api.orphans() == []
    assert detail(run_id, "wait").output is None, "nothing came yet"
    assert Run.objects.get(pk=run_id).wake_at is None, "nobody looks before something comes"
    sent = send("PO-7", {"parcel": "12"}, sender=INES)
    assert (sent.moved_on, sent.duplicate) == (1, False)
    assert any_machine.finish(run_id).status == "completed"
    found = statuses(run_id)
    assert (found["came"], found["late"]) == ("succeeded", "skipped")
    output: Any = detail(run_id, "wait").output
    assert output["data"] == {"parcel": "12"}
    assert (output["by"], output["name"], output["key"]) == ("Ines Kaya", "order.shipped", "PO-7")
    (view,) = api.waits(workspace_id=WORKSPACE, run_id=run_id)
    assert (view.status, view.resumed_by) == ("resumed", f"user:{INES.id}")


@pytest.mark.parametrize(
    ("name", "key"), [("order.shipped", "PO-70"), ("order.shipped", "po-7"), ("order.paid", "PO-7")]
)
def test_only_exactly_this_event_counts(machine: Machine, name: str, key: str) -> None:
    run_id = machine.begin(flow(LINKS, for_event()), {"order": "PO-7"})
    waiting(run_id)
    assert send(key, name=name).moved_on == 0
    other = api.send_event(workspace_id=uuid7(), name="order.shipped", key="PO-7")
    assert other.moved_on == 0, "another workspace's events are its own"
    assert look(run_id).status == "waiting_event"
    send(" PO-7 ")
    machine.finish(run_id)


def test_one_event_moves_on_every_run_that_waits_for_it(machine: Machine) -> None:
    workflow = machine.publish(flow(LINKS, for_event()))
    runs = [machine.begin_again(workflow, {"order": "PO-7"}) for _ in range(5)]
    for run_id in runs:
        waiting(run_id)
    assert send("PO-7").moved_on == 5
    for run_id in runs:
        assert machine.finish(run_id).status == "completed"


def test_an_event_that_came_before_the_wait_counts_since_the_run_was_started(any_machine: Machine) -> None:
    run_id = any_machine.begin(
        flow(f"start -> first -> second, second -> wait{LINKS[len('start -> wait'):]}", pause("first", 600),
             for_event(), fields("second")),
        {"order": "PO-7"},
    )  # fmt: skip
    any_machine.until(run_id, lambda run: run.status == "waiting_timer")
    assert send("PO-7", {"quick": True}).moved_on == 0
    cut_short(run_id)
    assert any_machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "wait").output
    assert output["data"] == {"quick": True}
    assert statuses(run_id)["came"] == "succeeded"


def test_an_event_for_an_item_whose_turn_has_not_come_counts_for_it(any_machine: Machine) -> None:
    item = step("wait", "flow.wait_event@1", {"name": "order.shipped", "key": "{{ item }}"})
    graph = flow(
        "start -> each, nap -> wait",
        step("each", "flow.for_each@1", {"items": "{{ trigger.orders }}"}),
        {**pause("nap", 600), "parent": "each"},
        {**item, "parent": "each"},
    )
    run_id = any_machine.begin(graph, {"orders": ["PO-21", "PO-22"]})
    wait_until(lambda: Run.objects.filter(parent_run_id=run_id, status="waiting_timer").exists())
    assert [send(key, {"for": key}).moved_on for key in ("PO-22", "PO-21")] == [0, 0]

    def have_rested() -> bool:
        for own in Run.objects.filter(parent_run_id=run_id, status="waiting_timer"):
            cut_short(own.id)
        return look(run_id).finished_at is not None

    wait_until(have_rested)
    assert any_machine.finish(run_id).status == "completed"
    items = Run.objects.filter(parent_run_id=run_id).order_by("item_index").values_list("id", flat=True)
    outputs: list[Any] = [detail(one, "wait").output for one in items]
    assert [output["data"] for output in outputs] == [{"for": "PO-21"}, {"for": "PO-22"}]


def test_an_event_that_moved_one_turn_on_does_not_move_the_next(any_machine: Machine) -> None:
    config = {"until": "{{ index >= 1 }}", "pause": 1.5, "unit": "seconds", "most_turns": 5}
    graph = flow(
        "start -> rep",
        step("rep", "flow.repeat@1", config),
        {**step("wait", "flow.wait_event@1", {"name": "order.shipped", "key": "PO-31"}), "parent": "rep"},
    )
    run_id = any_machine.begin(graph)
    turns = Run.objects.filter(parent_run_id=run_id).order_by("item_index")
    wait_until(lambda: [one.status for one in turns.all()] == ["waiting_event"])
    assert send("PO-31").moved_on == 1
    wait_until(lambda: [one.status for one in turns.all()] == ["completed", "waiting_event"])
    assert send("PO-31").moved_on == 1
    assert any_machine.finish(run_id).status == "completed"


def test_an_event_is_not_lost_because_a_clock_was_a_little_ahead(idle_machine: Machine) -> None:
    idle_machine.start()
    run_id = idle_machine.begin(
        flow(f"start -> first -> second, second -> wait{LINKS[len('start -> wait'):]}", pause("first", 600),
             for_event(), fields("second")),
        {"order": "PO-7"},
    )  # fmt: skip
    idle_machine.until(run_id, lambda run: run.status == "waiting_timer")
    idle_machine.stop()
    # Whoever accepted the run thought that it was later than it was.
    Run.objects.filter(pk=run_id).update(accepted_at=F("accepted_at") + sending.CLOCKS_APART_MS)
    assert send("PO-7").moved_on == 0
    cut_short(run_id)
    idle_machine.start()
    assert idle_machine.finish(run_id).status == "completed"


@pytest.mark.parametrize(("early", "counts"), [("never", False), ("minutes", True), ("run", False)])
def test_what_came_before_the_run_counts_only_where_that_is_asked_for(
    machine: Machine, early: str, counts: bool
) -> None:
    send("PO-7", {"old": True})
    Signal.objects.update(sent_at=F("sent_at") - 2 * sending.CLOCKS_APART_MS)
    run_id = machine.begin(flow(LINKS, for_event(early=early, minutes=5)), {"order": "PO-7"})
    if counts:
        machine.finish(run_id)
        return
    waiting(run_id)
    send("PO-7", {"old": False})
    machine.finish(run_id)
    output: Any = detail(run_id, "wait").output
    assert output["data"] == {"old": False}


def test_an_event_moves_a_run_on_once(machine: Machine) -> None:
    run_id = machine.begin(
        flow("start -> wait, wait -> again, again -> done", for_event(), for_event("again")), {"order": "PO-7"}
    )
    waiting(run_id)
    send("PO-7", 1)
    machine.until(run_id, lambda run: run.status == "waiting_event" and run.current_node == "again")
    waiting(run_id, "again")
    send("PO-7", 2)
    machine.finish(run_id)
    outputs: list[Any] = [detail(run_id, node).output for node in ("wait", "again")]
    assert [output["data"] for output in outputs] == [1, 2]


def test_a_step_sends_an_event_to_another_run(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, for_event()), {"order": "PO-7"})
    waiting(run_id)
    sender = machine.run(flow("start -> tell", tell("{{ trigger.order }}")), {"order": "PO-7"})
    assert sender.status == "completed", sender
    machine.finish(run_id)
    output: Any = detail(run_id, "wait").output
    assert output["data"] == {"by": "run"}
    assert output["by"] == f"run {sender.id}"
    (attempt,) = detail(sender.id, "tell").attempts
    assert (attempt.effect_class, attempt.status) == ("keyed", "succeeded")


def test_what_a_test_sends_reaches_tests_only(machine: Machine) -> None:
    live = machine.begin(flow(LINKS, for_event()), {"order": "PO-7"})
    waiting(live)

    def test(graph: dict[str, Any]) -> UUID:
        return api.start_test(
            workspace_id=WORKSPACE, workflow_id=uuid7(), graph=graph, input={"order": "PO-7"}
        ).run_id  # fmt: skip

    tried = test(flow(LINKS, for_event()))
    waiting(tried)
    machine.finish(test(flow("start -> tell", tell("PO-7"))))
    assert machine.finish(tried).status == "completed"
    assert look(live).status == "waiting_event"
    send("PO-7")
    machine.finish(live)


def test_an_event_sent_again_with_its_key_is_one_event(machine: Machine) -> None:
    first = send("PO-7", {"n": 1}, dedupe_key="k")
    again = send("PO-7", {"n": 1}, dedupe_key="k")
    assert (again.id, again.duplicate) == (first.id, True)
    with pytest.raises(KeyReused):
        send("PO-7", {"n": 2}, dedupe_key="k")
    assert Signal.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "key", "field"), [(" ", "a", "name"), ("a", "", "key"), ("a" * 101, "a", "key"), ("a", "b" * 201, "key")]
)
def test_an_event_without_name_or_key_is_refused(transactional_db: None, name: str, key: str, field: str) -> None:
    with pytest.raises(EventRefused) as caught:
        send(key, name=name)
    assert set(caught.value.fields) == {field}


def test_a_large_event_stands_outside_its_row(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, for_event()), {"order": "PO-7"})
    waiting(run_id)
    send("PO-7", {"text": "x" * 200_000})
    machine.finish(run_id)
    output: Any = detail(run_id, "wait").output
    assert len(output["data"]["text"]) == 200_000
    assert len(Signal.objects.get().output) < 300


# --- both -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [for_event, for_link])
def test_a_wait_that_nothing_ends_in_time_goes_its_own_way(machine: Machine, make: Any) -> None:
    run_id = machine.begin(flow(LINKS, make(**SOON)), {"order": "PO-7"})
    run = machine.finish(run_id)
    assert run.status == "completed", run
    found = statuses(run_id)
    assert (found["came"], found["late"]) == ("skipped", "succeeded")
    output: Any = detail(run_id, "wait").output
    assert output["data"] is None
    (view,) = api.waits(workspace_id=WORKSPACE, run_id=run_id)
    assert view.status == "late"
    assert send("PO-7").moved_on == 0
    assert use(run_id).what == "late"
    with pytest.raises(AlreadyDecided):
        api.resume(workspace_id=WORKSPACE, run_id=run_id, node_id="wait", voter=INES)


@pytest.mark.parametrize("make", [for_event, for_link])
def test_a_cancel_ends_the_wait(machine: Machine, make: Any) -> None:
    run_id = machine.begin(flow(LINKS, make()), {"order": "PO-7"})
    waiting(run_id)
    api.cancel(workspace_id=WORKSPACE, run_id=run_id)
    assert use(run_id).what == "ended"
    assert send("PO-7").moved_on == 0
    assert machine.finish(run_id).status == "cancelled"
    (view,) = api.waits(workspace_id=WORKSPACE, run_id=run_id)
    assert view.status == "cancelled"
    assert detail(run_id, "wait").output is None


@pytest.mark.parametrize("make", [for_event, for_link])
def test_a_person_lets_it_go_on(machine: Machine, make: Any) -> None:
    run_id = machine.begin(flow(LINKS, make()), {"order": "PO-7"})
    waiting(run_id)
    view = api.resume(workspace_id=WORKSPACE, run_id=run_id, node_id="wait", voter=INES, data={"told": "by phone"})
    assert (view.status, view.resumed_by) == ("resumed", f"user:{INES.id}")
    machine.finish(run_id)
    output: Any = detail(run_id, "wait").output
    assert (output["data"], output["by"]) == ({"told": "by phone"}, "Ines Kaya")
    with pytest.raises(AlreadyDecided) as caught:
        api.resume(workspace_id=WORKSPACE, run_id=run_id, node_id="wait", voter=INES)
    assert caught.value.code == "already_resumed"
    with pytest.raises(NotFound):
        api.resume(workspace_id=uuid7(), run_id=run_id, node_id="wait", voter=INES)


def test_a_wait_survives_the_end_of_every_process(idle_machine: Machine) -> None:
    idle_machine.start()
    event = idle_machine.begin(flow(LINKS, for_event()), {"order": "PO-7"})
    link = idle_machine.begin(flow(LINKS, for_link()), {"order": "PO-7"})
    waiting(event)
    waiting(link)
    idle_machine.crash()
    send("PO-7")
    assert use(link).what == "resumed"
    idle_machine.start()
    assert idle_machine.finish(event).status == "completed"
    assert idle_machine.finish(link).status == "completed"


def test_an_event_whose_sender_died_is_passed_on_by_others(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, for_event()), {"order": "PO-7"})
    waiting(run_id)
    draft = sending.draft(
        workspace_id=WORKSPACE, kind="event", data=1, by="api", sent_by="api", name="order.shipped", key="PO-7"
    )
    sent = signals.send(draft)  # and here it died
    assert not Signal.objects.get(pk=sent.id).settled
    assert machine.finish(run_id).status == "completed"
    wait_until(lambda: Signal.objects.get(pk=sent.id).settled)


def test_an_event_that_came_in_time_counts_though_nobody_passed_it_on(machine: Machine) -> None:
    """It is committed, and before its sender moves anything on the time is over: the time-out looks for it."""
    run_id = machine.begin(flow(LINKS, for_event()), {"order": "PO-7"})
    waiting(run_id)
    at = database_now()
    SignalWait.objects.filter(run_id=run_id).update(due_at=at + 1)
    draft = sending.draft(
        workspace_id=WORKSPACE, kind="event", data=1, by="api", sent_by="api", name="order.shipped", key="PO-7"
    )
    Signal.objects.filter(pk=signals.send(draft).id).update(sent_at=at, settled=True)
    assert sending.too_late(run_id, "wait", 1) is not None
    assert sending.too_late(uuid7(), "wait", 1) is None
    assert SignalWait.objects.get(run_id=run_id).status == "resumed"


def test_of_many_signals_at_once_one_counts(machine: Machine) -> None:
    run_id = machine.begin(flow(LINKS, for_link()), {"order": "PO-7"})
    waiting(run_id)
    results: list[str] = []

    def press(number: int) -> None:
        try:
            if number % 2:
                results.append(use(run_id, number).what)
            else:
                voter = Voter(uuid7(), f"P{number}", "p@example.com")
                api.resume(workspace_id=WORKSPACE, run_id=run_id, node_id="wait", voter=voter, data=number)
                results.append("resumed")
        except AlreadyDecided:
            results.append("other")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["other"] * 7 + ["resumed"]
    machine.finish(run_id)
    assert Signal.objects.count() == 1


def test_branches_that_work_do_not_keep_a_signal_waiting(machine: Machine) -> None:
    run_id = machine.begin(
        flow("start -> wait, wait -> came, start -> slow, slow -> other", for_event(), pause("slow", 0.9)),
        {"order": "PO-7"},
    )
    wait_until(lambda: SignalWait.objects.filter(run_id=run_id, status="open").exists())
    send("PO-7")
    machine.finish(run_id)
    assert statuses(run_id)["came"] == "succeeded"


# --- links ----------------------------------------------------------------------------------------------------------


def test_a_run_waits_for_its_link_and_goes_on_with_what_came(any_machine: Machine) -> None:
    run_id = any_machine.begin(flow(LINKS, for_link()), {"order": "PO-7"})
    view = waiting(run_id)
    assert (view.kind, view.title) == ("link", "Confirm PO-7")
    run = look(run_id)
    assert run.waiting is not None
    assert run.waiting["text"] == "“wait” waits for a signal"
    assert api.orphans() == []
    assert use(run_id, {"ok": True}).what == "resumed"
    assert any_machine.finish(run_id).status == "completed"
    output: Any = detail(run_id, "wait").output
    assert (output["data"], output["by"]) == ({"ok": True}, "link")
    assert use(run_id, {"ok": True}).what == "again"
    assert use(run_id, {"ok": False}).what == "other"

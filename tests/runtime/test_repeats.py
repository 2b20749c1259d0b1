"""Deliveries that came before are recognised for as long as their start says, listed and counted (I4, I5)."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db.models import F

from runtime import api
from runtime.contracts import KeyReused
from runtime.engine.jsonprofile import dumps, loads_stored
from runtime.store.models import Delivery, Event, Run, Trigger
from runtime.store.records import Accepted
from runtime.store.writer import Writer
from tests.runtime.door import Knocker, Reply, at_the_door, knock
from tests.runtime.machine import WORKSPACE, Machine, flow, step
from tests.runtime.rows import a_version, a_webhook, an_acceptance, now_ms

HOUR, DAY = 3_600_000, 86_400_000
KEY = {"Idempotency-Key": "order-2041"}


def deliver(writer: Writer, times: int, *bodies: bytes) -> list[Reply]:
    """So many deliveries under one key, at the same moment."""

    async def visit(knocker: Knocker) -> list[Reply]:
        given = bodies or (b"{}",)
        return list(
            await asyncio.gather(*(knocker(body=given[number % len(given)], headers=KEY) for number in range(times)))
        )

    return at_the_door(writer, visit)


def age(milliseconds: int) -> None:
    """Make everything that came come so much earlier."""
    Event.objects.update(received_at=F("received_at") - milliseconds)


@pytest.mark.usefixtures("both_ways")
class TestWindow:
    def test_fifty_at_once_make_one_run_and_forty_nine_equal_answers(self, writer: Writer) -> None:
        a_webhook(dedupe="header", dedupe_for="1h")
        replies = deliver(writer, 50)
        assert sorted(reply.status for reply in replies) == [200] * 49 + [202]
        assert len({reply.body for reply in replies if reply.status == 200}) == 1
        assert len({reply.json["run"] for reply in replies}) == 1
        assert (Run.objects.count(), Event.objects.get().duplicates, Delivery.objects.count()) == (1, 49, 49)

    def test_fifty_at_once_behind_the_window_make_one_run_more(self, writer: Writer) -> None:
        a_webhook(dedupe="header", dedupe_for="1h")
        (first,) = deliver(writer, 1)
        age(HOUR + 1_000)
        replies = deliver(writer, 50)
        assert sorted(reply.status for reply in replies) == [200] * 49 + [202]
        assert {reply.json["run"] for reply in replies}.isdisjoint({first.json["run"]})
        assert len({reply.json["run"] for reply in replies}) == 1
        assert len({reply.body for reply in replies if reply.status == 200}) == 1
        earlier, later = Event.objects.order_by("id")
        assert (earlier.dedupe_key, earlier.past_key, earlier.duplicates) == (None, "order-2041", 0)
        assert (later.dedupe_key, later.past_key, later.duplicates) == ("order-2041", None, 49)
        assert Run.objects.count() == 2

    def test_until_its_end_a_window_holds_and_then_another_body_is_no_conflict(self, writer: Writer) -> None:
        a_webhook(dedupe="header", dedupe_for="1h")
        assert knock(writer, body=b'{"a":1}', headers=KEY).status == 202
        age(HOUR - 60_000)
        assert knock(writer, body=b'{"a":2}', headers=KEY).status == 409
        age(61_000)
        assert knock(writer, body=b'{"a":2}', headers=KEY).status == 202
        assert knock(writer, body=b'{"a":1}', headers=KEY).status == 409
        assert knock(writer, body=b'{"a":2}', headers=KEY).status == 200

    @pytest.mark.parametrize(
        ("config", "status"), [({"dedupe_for": "forever"}, 200), ({}, 200), ({"dedupe_for": "400d"}, 202)]
    )
    def test_what_was_published_before_there_was_a_choice_recognises_for_ever(
        self, writer: Writer, config: dict[str, Any], status: int
    ) -> None:
        a_webhook(dedupe="header", **config)
        assert knock(writer, headers=KEY).status == 202
        age(401 * DAY)
        assert knock(writer, headers=KEY).status == status

    def test_a_new_webhook_recognises_for_more_than_thirty_days(self, writer: Writer) -> None:
        document = flow("start -> a", step("start", "trigger.webhook@1", {"dedupe": "header"}))
        workflow = UUID("01890a5d-ac96-774b-bcce-b302099a9002")
        api.publish(workspace_id=WORKSPACE, workflow_id=workflow, graph=document, by=None)
        slug = Trigger.objects.get(workflow_id=workflow).slug
        assert knock(writer, slug, headers=KEY).status == 202
        age(31 * DAY)
        assert knock(writer, slug, headers=KEY).status == 200
        age(60 * DAY)
        assert knock(writer, slug, headers=KEY).status == 202


def test_two_processes_that_use_a_key_anew_at_one_moment_start_one_run(writer: Writer) -> None:
    trigger = a_webhook(dedupe="header", dedupe_for="1h")
    version = a_version(number=7)
    other = Writer(owner="worker-b")
    other.start()
    begin = threading.Barrier(2)

    def send(by: Writer, key: str) -> Accepted:
        unit = an_acceptance(version.pk, trigger_id=trigger.pk, key=key)._replace(key_for_ms=HOUR)
        begin.wait()
        return by.accept_sync(unit)

    try:
        with ThreadPoolExecutor(2) as pool:
            for key in [f"again-{number}" for number in range(20)]:
                writer.accept_sync(an_acceptance(version.pk, trigger_id=trigger.pk, key=key))
                age(HOUR + 1_000)
                found = list(pool.map(send, (writer, other), (key, key)))
                assert sorted(one.duplicate for one in found) == [False, True], key
                assert len({one.run_id for one in found}) == 1
                assert Event.objects.filter(dedupe_key=key).count() == 1
    finally:
        other.stop()
    assert Run.objects.count() == 40


class TestStartsByTheAPI:
    def published(self, **config: Any) -> UUID:
        workflow = UUID("01890a5d-ac96-774b-bcce-b302099a9003")
        document = flow("start -> a", step("start", "trigger.manual@1", config))
        api.publish(workspace_id=WORKSPACE, workflow_id=workflow, graph=document, by=None)
        return workflow

    def start(self, workflow: UUID, input: Any = None) -> Any:
        return api.start_run(workspace_id=WORKSPACE, workflow_id=workflow, input=input, key="k")

    def test_a_key_is_recognised_until_its_window_ends(self, idle_machine: Machine) -> None:
        workflow = self.published(dedupe_for="1d")
        first = self.start(workflow, {"a": 1})
        age(DAY - 60_000)
        assert self.start(workflow, {"a": 1}).run_id == first.run_id
        with pytest.raises(KeyReused):
            self.start(workflow, {"a": 2})
        age(61_000)
        again = self.start(workflow, {"a": 2})
        assert not again.duplicate
        assert again.run_id != first.run_id

    def test_a_start_that_was_published_before_recognises_for_ever(self, idle_machine: Machine) -> None:
        workflow = self.published()
        trigger = Trigger.objects.get(workflow_id=workflow)
        stored: Any = loads_stored(trigger.config)
        assert stored.pop("dedupe_for") == "90d"
        Trigger.objects.update(config=dumps(stored))
        first = self.start(workflow)
        age(1_000 * DAY)
        assert self.start(workflow).run_id == first.run_id


class TestListAndCount:
    def test_repeats_are_listed_and_counted_by_workflow_and_in_total(self, writer: Writer) -> None:
        one = a_webhook(dedupe="header")
        other = a_webhook("other", dedupe="header")
        deliver(writer, 5, b'{"a":1}')
        knock(writer, body=b'{"a":2}', headers=KEY)
        knock(writer, "other", headers=KEY)
        knock(writer, "other", headers={"Idempotency-Key": "another"})
        knock(writer, "other", method="DELETE", headers=KEY)
        figures = {
            found.workflow_id: found for found in api.repeat_figures(workspace_id=WORKSPACE, since=now_ms() - HOUR)
        }
        counted = figures[one.workflow_id]
        assert (counted.events, counted.duplicates, counted.conflicts, counted.received) == (1, 4, 1, 6)
        counted = figures[other.workflow_id]
        assert (counted.events, counted.duplicates, counted.conflicts, counted.received) == (2, 0, 0, 2)
        only = api.repeat_figures(workspace_id=WORKSPACE, since=now_ms() - HOUR, workflow_id=one.workflow_id)
        assert [found.workflow_id for found in only] == [one.workflow_id]
        assert api.repeat_figures(workspace_id=WORKSPACE, since=now_ms() + HOUR) == []
        assert api.repeat_figures(workspace_id=other.workflow_id, since=0) == []

        page = api.repeats(workspace_id=WORKSPACE, limit=2)
        assert [found.conflict for found in page.items] == [True, False]
        rest = api.repeats(workspace_id=WORKSPACE, after=page.next_cursor, limit=10)
        assert ([found.conflict for found in rest.items], rest.next_cursor) == ([False] * 3, None)
        conflict = page.items[0]
        event = Event.objects.get(workflow_id=one.workflow_id)
        assert (conflict.key, conflict.event_id, conflict.run_id) == ("order-2041", event.pk, event.run_id)
        assert conflict.body_sha256 != event.body_sha256
        assert len(api.repeats(workspace_id=WORKSPACE, conflict=True).items) == 1
        assert api.repeats(workspace_id=WORKSPACE, workflow_id=other.workflow_id).items == []
        at = conflict.received_at
        assert conflict.id in [found.id for found in api.repeats(workspace_id=WORKSPACE, since=at, until=at).items]
        assert api.repeats(workspace_id=WORKSPACE, since=at + 1).items == []
        assert api.repeats(workspace_id=WORKSPACE, until=now_ms() - HOUR).items == []

    def test_an_event_shows_its_key_also_when_it_may_be_used_again(self, writer: Writer) -> None:
        trigger = a_webhook(dedupe="header", dedupe_for="1h")
        knock(writer, headers=KEY)
        age(HOUR + 1_000)
        knock(writer, headers=KEY)
        shown = api.events(workspace_id=trigger.workspace_id).items
        assert [event.dedupe_key for event in shown] == ["order-2041"] * 2
        assert api.event(workspace_id=trigger.workspace_id, event_id=shown[1].id).event.dedupe_key == "order-2041"

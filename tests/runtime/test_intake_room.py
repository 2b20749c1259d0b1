"""Large bodies: what they take, and that nobody else waits for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from runtime.engine.jsonprofile import JSON
from runtime.intake import bodies
from runtime.intake.examining import Examiner
from runtime.nodes.triggers import webhook
from runtime.sdk import EventView
from runtime.sdk.testing import StepTestContext
from runtime.store import reads
from runtime.store.models import Event, Run
from runtime.store.records import Accepted, AcceptRun
from runtime.store.writer import Writer
from tests.runtime.door import Knocker, Reply, at_the_door, knock
from tests.runtime.rows import a_webhook

LARGE = b'"' + b"x" * 700_000 + b'"'
TOO_MANY = b"[" + b",".join([b"[]"] * 3_000_000) + b"]"


class Crowd:
    """Counts how many are inside at once."""

    def __init__(self) -> None:
        self.most = self.inside = self.came = 0
        self._lock = threading.Lock()
        self._company = threading.Event()

    @contextmanager
    def visit(self) -> Iterator[None]:
        with self._lock:
            self.came += 1
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside > 1:
                self._company.set()
        # Whoever could be in here, too, gets the time to come.
        self._company.wait(0.05)
        yield
        with self._lock:
            self.inside -= 1


class Gate:
    """Stands in for a function, and lets nobody through before it is opened."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def parse(self, *arguments: Any) -> bodies.Parsed:
        self.reached.set()
        self.opened.wait(30)
        return bodies.NOTHING


async def until(true: Any) -> None:
    while not true():
        await asyncio.sleep(0.005)


class TestManyParts:
    def test_a_body_of_too_many_parts_is_refused_in_plain_words_and_its_bytes_are_kept(self, writer: Writer) -> None:
        a_webhook()
        reply = knock(writer, body=TOO_MANY)
        assert (reply.status, reply.json["code"]) == (400, "body_unreadable")
        assert reply.json["detail"] == "the document has more than 1,000,000 parts; send it in several"
        event = Event.objects.get()
        assert (event.verdict, event.parse_error) == ("rejected", reply.json["detail"])
        row = reads.event(event.id)
        assert row is not None
        assert reads.event_body(row) == TOO_MANY

    def test_where_the_owner_wants_it_a_run_starts_without_the_body(self, writer: Writer) -> None:
        a_webhook(on_unparsable="keep")
        assert knock(writer, body=TOO_MANY).status == 202
        assert Event.objects.get().run_id == Run.objects.get().id


class TestOneAtATime:
    def test_the_door_reads_one_large_body_at_a_time(self, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
        a_webhook()
        crowd, parse = Crowd(), bodies.parse

        def counted(*arguments: Any) -> bodies.Parsed:
            with crowd.visit():
                return parse(*arguments)

        monkeypatch.setattr(bodies, "parse", counted)

        async def visit(knocker: Knocker) -> list[Reply]:
            return list(await asyncio.gather(*(knocker(body=LARGE) for _ in range(4))))

        assert [reply.status for reply in at_the_door(writer, visit)] == [202] * 4
        assert (crowd.came, crowd.most) == (4, 1)

    def test_packed_bodies_wait_for_their_turn_however_small_they_are(
        self, writer: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook(on_unparsable="keep")
        crowd = Crowd()

        def counted(*arguments: Any) -> bodies.Parsed:
            with crowd.visit():
                return bodies.NOTHING

        monkeypatch.setattr(bodies, "parse", counted)

        async def visit(knocker: Knocker) -> None:
            await asyncio.gather(*(knocker(headers={"content-encoding": "gzip"}) for _ in range(3)))

        at_the_door(writer, visit)
        assert (crowd.came, crowd.most) == (3, 1)

    def test_runs_read_one_large_body_at_a_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        crowd = Crowd()

        def counted(*arguments: Any) -> JSON:
            with crowd.visit():
                return None

        monkeypatch.setattr(webhook, "parse_request_body", counted)
        config = webhook.WebhookConfig()
        event = EventView(source="webhook", received_at=0, body=LARGE)
        threads = [
            threading.Thread(target=webhook.run, args=(config, None, StepTestContext(event=event))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (crowd.came, crowd.most) == (4, 1)

    def test_small_deliveries_and_strangers_are_answered_while_a_large_body_is_read(
        self, writer: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook()
        gate, parse = Gate(), bodies.parse
        monkeypatch.setattr(bodies, "parse", lambda *a: gate.parse() if a[2] is LARGE else parse(*a))

        async def visit(knocker: Knocker) -> list[int]:
            large = asyncio.create_task(knocker(body=LARGE))
            await until(gate.reached.is_set)
            others = [await knocker(), await knocker("unknown", LARGE), await knocker(method="PUT", body=LARGE)]
            gate.opened.set()
            return [reply.status for reply in (*others, await large)]

        assert at_the_door(writer, visit) == [202, 404, 405, 202]

    def test_who_waits_too_long_for_its_turn_is_asked_to_come_later(
        self, writer: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook()
        gate = Gate()
        monkeypatch.setattr(bodies, "parse", gate.parse)

        async def visit(knocker: Knocker) -> list[Reply]:
            first = asyncio.create_task(knocker(body=LARGE))
            await until(gate.reached.is_set)
            examiner: Examiner = knocker.intake._examiner
            examiner._patience = 0.05
            second = await knocker(body=LARGE)
            gate.opened.set()
            return [second, await first]

        late, first = at_the_door(writer, visit)
        assert (late.status, late.header("retry-after"), first.status) == (503, "2", 202)
        assert Event.objects.count() == 1


class TestTheRoom:
    def test_a_body_counts_until_its_event_is_committed(self, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
        a_webhook()
        accept = writer.accept

        async def visit(knocker: Knocker) -> tuple[list[Reply], list[int]]:
            room = knocker.intake._room
            room.memory = 1_000_000
            waits, go = asyncio.Event(), asyncio.Event()

            async def slowly(unit: AcceptRun) -> Accepted:
                if unit.event.body_size == len(LARGE):
                    waits.set()
                    await go.wait()
                return await accept(unit)

            monkeypatch.setattr(writer, "accept", slowly)
            first = asyncio.create_task(knocker(body=LARGE))
            await waits.wait()
            counted = [room.held]
            # Another large one does not fit; small ones always do.
            during = [await knocker(body=[LARGE[:9], LARGE[9:]]), await knocker()]
            go.set()
            replies = [*during, await first]
            counted.append(room.held)
            return [*replies, await knocker(body=LARGE)], counted

        replies, counted = at_the_door(writer, visit)
        assert [reply.status for reply in replies] == [503, 202, 202, 202]
        assert replies[0].header("retry-after") == "2"
        assert counted == [len(LARGE), 0]

    @pytest.mark.parametrize(
        ("body", "method", "status"),
        [(LARGE[:-1], "POST", 400), (LARGE, "DELETE", 405), ([LARGE] * 20, "POST", 413), ([], "POST", 0)],
        ids=["unreadable", "wrong method", "too large", "left"],
    )
    def test_nothing_counts_after_a_refusal(self, writer: Writer, body: Any, method: str, status: int) -> None:
        a_webhook()

        async def visit(knocker: Knocker) -> tuple[int, int]:
            try:
                reply = (await knocker(body=body, method=method)).status
            except IndexError:  # nothing was sent
                reply = 0
            return reply, knocker.intake._room.held

        assert at_the_door(writer, visit) == (status, 0)

    def test_nothing_of_the_body_is_kept_for_a_caller_who_is_held(self, writer: Writer) -> None:
        a_webhook(respond="when_finished")

        async def visit(knocker: Knocker) -> int:
            caller = asyncio.create_task(knocker(body=LARGE))
            await until(lambda: writer._watchers.callbacks)
            held = knocker.intake._room.held
            caller.cancel()
            return held

        assert at_the_door(writer, visit) == 0

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from runtime.intake.waiting import Held
from runtime.store.models import Deployment, Event, Run
from runtime.store.reads import RunEnd
from runtime.store.records import ResponseWrite
from runtime.store.writer import Writer
from tests.runtime.door import Knocker, Reply, at_the_door, knock
from tests.runtime.rows import a_webhook, a_write

pytestmark = pytest.mark.usefixtures("both_ways")


def test_what_comes_while_the_workflow_is_off_is_kept_for_its_owner_and_may_come_again_later(writer: Writer) -> None:
    trigger = a_webhook("off", enabled=False, dedupe="header")
    headers = {"Idempotency-Key": "order-7"}
    assert knock(writer, "off", b'{"id":7}', headers=headers).status == 404
    event = Event.objects.get()
    assert (event.verdict, event.reason, event.run_id) == ("rejected", "The workflow was switched off.", None)
    assert (bytes(event.body or b""), event.dedupe_key) == (b'{"id":7}', None)
    Deployment.objects.filter(workflow_id=trigger.workflow_id).update(enabled=True)
    assert knock(writer, "off", b'{"id":7}', headers=headers).status == 202


class TestWaiting:
    def finish(self, writer: Writer, run_id: str, response: ResponseWrite | None = None, **fields: Any) -> Any:
        return writer.write(a_write(UUID(run_id), 1, response=response, **fields))

    def answered(self, writer: Writer, *, respond: str, **fields: Any) -> Reply:
        a_webhook(respond=respond)

        async def visit(knocker: Knocker) -> Reply:
            caller = asyncio.create_task(knocker())
            while not writer._watchers.callbacks:
                await asyncio.sleep(0.01)
            (run_id,) = writer._watchers.callbacks
            await self.finish(writer, str(run_id), **fields)
            return await caller

        return at_the_door(writer, visit, answer_patience=60.0)

    def test_a_caller_is_held_until_the_run_has_finished(self, writer: Writer) -> None:
        reply = self.answered(writer, respond="when_finished", status="completed", outcome="done")
        assert (reply.status, reply.json["run_status"], reply.json["outcome"]) == (200, "completed", "done")

    def test_a_caller_hears_that_the_run_failed(self, writer: Writer) -> None:
        reply = self.answered(writer, respond="when_finished", status="dead_lettered")
        assert (reply.status, reply.json["code"]) == (422, "run_did_not_succeed")

    def test_a_workflow_writes_the_answer_itself(self, writer: Writer) -> None:
        response = ResponseWrite(201, '[["content-type","text/html"],["x-order","7"]]', b"<b>thanks</b>")
        reply = self.answered(writer, respond="respond_step", status="running", response=response)
        assert (reply.status, reply.body, reply.header("x-order")) == (201, b"<b>thanks</b>", "7")
        assert reply.header("content-type") == "text/html"

    def test_a_repeated_delivery_gets_the_same_answer(self, writer: Writer) -> None:
        a_webhook(respond="respond_step", dedupe="body")

        async def visit(knocker: Knocker) -> list[Reply]:
            caller = asyncio.create_task(knocker())
            while not writer._watchers.callbacks:
                await asyncio.sleep(0.01)
            (run_id,) = writer._watchers.callbacks
            await self.finish(writer, str(run_id), ResponseWrite(200, "[]", b"once"), status="completed")
            return [await caller, await knocker()]

        assert [reply.body for reply in at_the_door(writer, visit)] == [b"once", b"once"]
        assert Run.objects.count() == 1

    def test_a_run_that_another_process_ends_is_noticed(self, writer: Writer) -> None:
        a_webhook(respond="when_finished")
        other = Writer(owner="worker-a")

        async def visit(knocker: Knocker) -> Reply:
            caller = asyncio.create_task(knocker())
            while not writer._watchers.callbacks:
                await asyncio.sleep(0.01)
            (run_id,) = writer._watchers.callbacks
            await self.finish(other, str(run_id), status="completed")
            return await caller

        other.start()
        try:
            assert at_the_door(writer, visit).status == 200
        finally:
            other.stop()

    def test_news_of_other_runs_keeps_nobody_from_the_end_of_its_own(self, writer: Writer) -> None:
        mine, other = uuid4(), uuid4()

        async def look(run_ids: Sequence[UUID]) -> dict[UUID, RunEnd]:
            return {mine: RunEnd("completed", "done", 1, None)} if mine in run_ids else {}

        async def chatter() -> None:
            while True:
                held._hear(other, None)
                await asyncio.sleep(0.001)

        async def whole() -> RunEnd | None:
            news = asyncio.create_task(chatter())
            await asyncio.sleep(0)
            try:
                return await held.until_end(mine, for_response=False, begun_earlier=False)
            finally:
                news.cancel()

        held = Held(writer=writer, look=look, seconds=60.0)
        assert asyncio.run(whole()) is not None

    @pytest.mark.parametrize("respond", ["when_finished", "respond_step"])
    def test_who_waits_too_long_is_told_where_to_look(self, writer: Writer, respond: str) -> None:
        a_webhook(respond=respond)
        reply = knock(writer, settings={"answer_patience": 0.2})
        assert reply.status == 202
        assert reply.json["status_url"].endswith(reply.json["run"])
        assert not writer._watchers.callbacks


HOSTILE = [
    ("set-cookie", "session=stolen"),
    ("content-length", "3"),
    ("transfer-encoding", "chunked"),
    ("connection", "upgrade"),
    ("content-security-policy", "default-src *"),
    ("x-frame-options", "ALLOWALL"),
    ("access-control-allow-origin", "*"),
    ("strict-transport-security", "max-age=0"),
    ("refresh", "0;url=javascript:alert(1)"),
    ("location", "javascript:alert(1)"),
    ("x-split", "a\r\nset-cookie: b=c"),
    ("x-wide", "snow ☃"),
    ("bad name", "x"),
]


class TestWorkflowAnswers:
    def reply(self, writer: Writer, response: ResponseWrite) -> Reply:
        return TestWaiting().answered(writer, respond="respond_step", status="running", response=response)

    @pytest.mark.parametrize(("name", "value"), HOSTILE)
    def test_a_workflow_cannot_say_what_is_not_its_to_say(self, writer: Writer, name: str, value: str) -> None:
        reply = self.reply(writer, ResponseWrite(200, json.dumps([[name, value]]), b"<script>1</script>"))
        assert (name, value) not in reply.headers
        assert "sandbox" in (reply.header("content-security-policy") or "")
        assert reply.header("x-content-type-options") == "nosniff"
        assert reply.header("content-length") == "18"
        assert "set-cookie" not in dict(reply.headers)

    @pytest.mark.parametrize(
        ("status", "expected"), [(99, 502), (100, 502), (101, 502), (600, 502), (204, 204), (418, 418)]
    )
    def test_a_status_that_is_none_is_a_bad_gateway(self, writer: Writer, status: int, expected: int) -> None:
        assert self.reply(writer, ResponseWrite(status, "[]", b"")).status == expected


class TestStatus:
    def test_anybody_with_the_address_sees_how_far_the_run_is(self, writer: Writer) -> None:
        a_webhook()

        async def visit(knocker: Knocker) -> list[Any]:
            run_id = (await knocker()).json["run"]
            before = await knocker(f"status/{run_id}", b"", method="GET")
            await writer.write(a_write(UUID(run_id), 1, status="completed"))
            after = await knocker(f"status/{run_id}", b"", method="GET")
            return [run_id, before.json, after.json]

        run_id, before, after = at_the_door(writer, visit)
        assert before == {"run": run_id, "status": "accepted", "finished": False}
        assert after == {"run": run_id, "status": "completed", "finished": True}

    @pytest.mark.parametrize("text", ["0197f2c0-0000-7000-8000-00000000dead", "nonsense", "", "../x", "%00"])
    def test_a_run_that_is_not_there_is_not_there(self, writer: Writer, text: str) -> None:
        assert knock(writer, f"status/{text}", b"", method="GET").status == 404

    def test_nothing_but_looking_is_possible(self, writer: Writer) -> None:
        assert knock(writer, f"status/{uuid4()}", method="POST").status == 405

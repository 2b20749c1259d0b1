"""The live socket: who may watch, what they see, and what happens to those who ask too much (S17 to S20)."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from channels.layers import get_channel_layer  # type: ignore[import-untyped]
from websockets.exceptions import ConnectionClosed, InvalidStatus

from builder.accounts import services as accounts
from builder.accounts.models import Membership, Role
from builder.config import wiring
from builder.live import consumers
from builder.live.consumers import KNOWN_SECONDS, LOOK_SECONDS, Listed, Watched
from builder.live.publish import PAUSE, UNWATCHED_SECONDS, ChannelSink, run_group
from builder.live.watching import Visitor
from runtime.contracts import RunTouched
from runtime.store.figure_models import WHOLE
from runtime.store.models import Figure
from tests.live.conftest import Browser, Line, Site, steps
from tests.live.law import apply_all, comparable


def refused(browser: Browser, workspace: object = None, **headers: str | None) -> int:
    """The HTTP status with which the handshake was turned away."""
    with pytest.raises(InvalidStatus) as error, browser.socket(str(workspace) if workspace else None, **headers):
        pytest.fail("the socket was opened")
    return int(error.value.response.status_code)


def subscribed(line: Line) -> None:
    """Wait until the server has heard everything said so far."""
    line.say(type="ping")
    while line.hear()["type"] != "pong":
        pass


class TestHandshake:
    def test_strangers_and_foreign_pages_are_turned_away_before_it_is_accepted(self, site: Site) -> None:
        vera, nobody = site.browser(site.vera), site.browser()
        for origin in (None, "null", "https://evil.example", f"{site.url}.evil.example", "http://localhost:1"):
            assert refused(vera, Origin=origin) == 403
        assert refused(nobody) == 403
        assert refused(vera, Cookie="") == 403
        assert refused(vera, Cookie="millrace_session=guess") == 403
        assert refused(site.browser(site.mallory)) == 403

    def test_a_workspace_that_is_none_is_turned_away(self, site: Site) -> None:
        vera = site.browser(site.vera)
        for workspace in (uuid4(), site.southwind.id, "workspace.*", "x" * 200, "*"):
            assert refused(vera, workspace) == 403

    def test_an_ended_session_is_turned_away(self, site: Site) -> None:
        vera = site.browser(site.vera)
        cookie = vera.cookie
        vera.http.delete("/session", headers=vera.unsafe)
        assert refused(vera, Cookie=cookie) == 403


class TestRun:
    def test_snapshot_and_changes_equal_a_fresh_snapshot(self, site: Site) -> None:
        vera = site.browser(site.vera)
        run_id = site.start(site.publish(steps(None, None)))
        snapshot = site.snapshot(vera, run_id)
        with vera.socket() as line:
            line.say(type="subscribe", run=str(run_id), after=snapshot["seq"])
            site.open_gate(run_id, 0)
            changes = line.hear_until_step("n_gate1", "waiting")
            site.open_gate(run_id, 1)
            changes += line.hear_until("completed")
        fresh = site.snapshot(vera, run_id)
        assert len(changes) >= 2, "it was watched while it ran"
        assert comparable(apply_all(snapshot, changes)) == comparable(fresh)
        assert {step["node"]: step["status"] for step in fresh["steps"]}["n_no"] == "skipped"

    def test_a_run_that_has_ended_is_looked_at_rarely(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        turns: list[float] = []
        until_next = consumers.LiveConsumer._until_next

        def counted(consumer: consumers.LiveConsumer) -> float:
            turns.append(time.monotonic())
            return until_next(consumer)

        monkeypatch.setattr(consumers, "LOOK_SECONDS", 0.3)
        monkeypatch.setattr(consumers.LiveConsumer, "_until_next", counted)
        vera = site.browser(site.vera)
        run_id = site.start(site.publish(steps(0.1)))
        with vera.socket() as line:
            line.say(type="subscribe", run=str(run_id), after=0)
            line.hear_until("completed")
            time.sleep(0.6)
            turns.clear()
            began = time.monotonic()
            time.sleep(1.5)
            count, passed = len(turns), time.monotonic() - began
        assert 1 <= count <= passed / 0.3 + 3, f"{count} turns in {passed:.1f} seconds"

    def test_news_of_a_run_with_many_items_comes_seldom(self) -> None:
        few, many = {"items": {"started": 99}}, {"items": {"started": 12_000}}
        assert not consumers._has_many([{"items": None}, few])
        assert consumers._has_many([few, many])
        watched = Watched(7, 0.0, dirty=True, sent_at=100.0, pause=consumers.MANY_PAUSE)
        assert (watched.due_at(), Watched(7, 0.0, sent_at=100.0).due_at()) == (100.4, 100.125)

    def test_a_change_never_repeats_what_is_known_and_never_leaves_a_gap(self, site: Site) -> None:
        vera = site.browser(site.vera)
        run_id = site.start(site.publish(steps(0.1, 0.1, 0.1)))
        with vera.socket() as line:
            line.say(type="subscribe", run=str(run_id), after=0)
            changes = line.hear_until("completed")
        assert changes[0]["after"] == 0
        for earlier, later in itertools.pairwise(changes):
            assert later["after"] == earlier["seq"]
        for change in changes:
            assert all(change["after"] < step["seq"] <= change["seq"] for step in change["steps"])

    def test_after_a_broken_line_it_goes_on_where_it_stopped(self, site: Site) -> None:
        vera = site.browser(site.vera)
        run_id = site.start(site.publish(steps(None, None)))
        snapshot = site.snapshot(vera, run_id)
        with vera.socket() as line:
            line.say(type="subscribe", run=str(run_id), after=snapshot["seq"])
            site.open_gate(run_id, 0)
            first = line.hear_until_step("n_gate1", "waiting")
        site.open_gate(run_id, 1)
        site.finish(run_id)
        with vera.socket() as line:
            line.say(type="subscribe", run=str(run_id), after=first[-1]["seq"])
            rest = line.hear_until("completed")
        known = apply_all(snapshot, first + rest)
        assert comparable(known) == comparable(site.snapshot(vera, run_id))

    def test_when_all_news_is_lost_the_database_is_looked_at(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wiring.SINK, "publish", lambda touched: None)
        vera = site.browser(site.vera)
        run_id = site.start(site.publish(steps(0.3)))
        with vera.socket() as line:
            line.say(type="subscribe", run=str(run_id), after=0)
            changes = line.hear_until("completed")
        assert changes[-1]["state"]["status"] == "completed"

    def test_at_most_ten_messages_a_second(self, site: Site) -> None:
        vera = site.browser(site.vera)
        run_id = site.start(site.publish(steps(*[0.03] * 12)))
        with vera.socket() as line:
            line.say(type="subscribe", run=str(run_id), after=0)
            started = time.monotonic()
            changes = line.hear_until("completed")
            seconds = time.monotonic() - started
        assert len(changes) <= seconds * 10 + 2

    def test_a_run_of_another_workspace_is_gone(self, site: Site) -> None:
        run_id = site.start(site.publish(steps(0)))
        mallory = site.browser(site.mallory)
        with mallory.socket(site.southwind.id) as line:
            for asked in (run_id, uuid4()):
                line.say(type="subscribe", run=str(asked), after=0)
                assert line.hear() == {"type": "gone", "run": str(asked)}

    def test_no_payload_goes_over_the_socket(self, site: Site) -> None:
        """S61: ids and words only."""
        vera = site.browser(site.vera)
        run_id = site.start(site.publish(steps(0)), {"note": "canary-payload"})
        site.finish(run_id)
        with vera.socket() as line:
            line.say(type="subscribe", run=str(run_id), after=0)
            assert "canary-payload" not in json.dumps(line.hear())


class TestList:
    def test_new_and_changed_runs_arrive(self, site: Site) -> None:
        vera = site.browser(site.vera)
        workflow, other = site.publish(steps(0.2)), site.publish(steps(0), "Other")
        with vera.socket() as line:
            line.say(type="subscribe", topic="runs", workflow=str(workflow.id))
            subscribed(line)
            site.finish(site.start(other))
            run_id = site.start(workflow)
            seen: list[str] = []
            while not seen or seen[-1] != "completed":
                message = line.hear()
                assert message["type"] == "runs"
                assert {item["id"] for item in message["items"]} == {str(run_id)}
                seen += [item["status"] for item in message["items"]]

    def test_without_a_workflow_all_of_the_workspace_arrive(self, site: Site) -> None:
        vera = site.browser(site.vera)
        workflow = site.publish(steps(0))
        with vera.socket() as line:
            line.say(type="subscribe", topic="runs", workflow=None)
            subscribed(line)
            runs = {str(site.start(workflow)) for _ in range(3)}
            seen: set[str] = set()
            while seen != runs:
                seen |= {item["id"] for item in line.hear()["items"]}


class TestRights:
    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda site: Membership.objects.filter(pk=site.membership.pk).update(active=False), 4403),
            (lambda site: Membership.objects.filter(pk=site.membership.pk).delete(), 4403),
            (lambda site: type(site.vera).objects.filter(pk=site.vera.pk).update(is_active=False), 4401),
            (
                lambda site: accounts.change_me(
                    user=site.vera, password="another long phrase", current_password="a long enough pass phrase"
                ),
                4401,
            ),
        ],
        ids=["switched off", "removed", "deactivated", "new password"],
    )
    def test_lost_rights_end_an_open_socket_within_five_seconds(
        self, site: Site, change: Callable[[Site], object], code: int
    ) -> None:
        """S10, S20."""
        vera = site.browser(site.vera)
        with vera.socket() as line:
            subscribed(line)
            change(site)
            started = time.monotonic()
            assert line.closed() == code
            assert time.monotonic() - started < 5

    def test_signing_out_ends_it(self, site: Site) -> None:
        vera = site.browser(site.vera)
        with vera.socket() as line:
            subscribed(line)
            vera.http.delete("/session", headers=vera.unsafe)
            assert line.closed() == 4401


class TestAbsences:
    def test_who_is_away_and_here_again_is_told(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(consumers, "CHECK_SECONDS", 0.1)
        alice, vera = site.browser(site.alice), site.browser(site.vera)
        mine = f"/workspaces/{site.northwind.id}/absences/mine"
        body = {"first_day": "2020-01-01", "last_day": None, "stand_in": str(site.membership.id)}
        with vera.socket() as line:
            subscribed(line)
            assert alice.http.post(mine, json=body, headers=alice.unsafe).status_code == 201
            assert line.hear() == {"type": "absences"}
            assert alice.http.delete(mine, headers=alice.unsafe).status_code == 204
            assert line.hear() == {"type": "absences"}


class TestFigures:
    def test_an_admin_is_told_that_figures_have_changed_and_nobody_else_is(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(consumers, "LOOK_SECONDS", 0.05)
        alice, vera = site.browser(site.alice), site.browser(site.vera)
        with alice.socket() as admin, vera.socket() as viewer:
            for line in (admin, viewer):
                line.say(type="subscribe", topic="figures")
            assert _told(admin, site)
            assert _told(admin, site)
            assert not _told(viewer, site)
            admin.say(type="unsubscribe", topic="figures")
            subscribed(admin)
            assert not _told(admin, site)

    def test_who_is_no_admin_any_more_is_told_no_more(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(consumers, "LOOK_SECONDS", 0.05)
        with site.browser(site.alice).socket() as line:
            line.say(type="subscribe", topic="figures")
            assert _told(line, site)
            Membership.objects.filter(user=site.alice, workspace=site.northwind).update(role=Role.BUILDER)
            time.sleep(0.5)
            subscribed(line)
            assert not _told(line, site)


def _told(line: Line, site: Site) -> bool:
    """Whether this line is told while runs are added up, one after the other."""
    for _ in range(20):
        key = {"workspace_id": site.northwind.id, "level": 60, "workflow_id": WHOLE, "at": 60_000}
        row, _made = Figure.objects.get_or_create(**key, defaults={})
        Figure.objects.filter(**key).update(started=row.started + 1)
        time.sleep(0.1)
        line.say(type="ping")
        while (heard := line.hear()["type"]) != "pong":
            if heard == "figures":
                subscribed(line)
                return True
    return False


class TestTooMuch:
    def test_a_flood_ends_the_socket_and_hurts_nobody_else(self, site: Site) -> None:
        """S19."""
        vera = site.browser(site.vera)
        with vera.socket() as quiet, vera.socket() as loud:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(20_000):
                    loud.say(type="ping")
            assert loud.closed() == 1008
            subscribed(quiet)

    def test_a_frame_above_the_limit_ends_the_socket(self, site: Site) -> None:
        vera = site.browser(site.vera)
        with vera.socket() as line:
            line.connection.send("x" * 70_000)
            assert line.closed() == 1009
        with vera.socket() as line:
            line.connection.send(" " * 3_000)
            assert line.closed() == 1008

    def test_more_runs_than_a_screen_can_show_end_the_socket(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        vera, workflow = site.browser(site.vera), site.publish(steps(0))
        with vera.socket() as line:
            run_ids = [site.start(workflow) for _ in range(3)]
            monkeypatch.setattr(consumers, "MOST_RUNS", 2)
            for run_id in run_ids:
                line.say(type="subscribe", run=str(run_id), after=0)
            assert line.closed() == 1008

    @pytest.mark.parametrize(
        "message",
        [
            "",
            "null",
            "[]",
            "{",
            '{"type": 1}',
            '{"type": "subscribe"}',
            '{"type": "subscribe", "run": "x", "after": 0}',
            '{"type": "subscribe", "run": "01a1fc6c-8feb-7e50-ab16-465c98787d84", "after": -1}',
            '{"type": "subscribe", "run": "01a1fc6c-8feb-7e50-ab16-465c98787d84", "after": "0"}',
            '{"type": "subscribe", "run": ["a"], "after": 0}',
            '{"type": "subscribe", "topic": "runs", "workflow": "workspace.*"}',
            '{"type": "subscribe", "topic": "everything"}',
            '{"type": "run.touched", "run": "x", "seq": 1}',
            '{"type": "\\ud800"}',
            "[" * 900,
            '{"type": NaN}',
        ],
    )
    def test_what_makes_no_sense_is_passed_over(self, site: Site, message: str) -> None:
        vera = site.browser(site.vera)
        with vera.socket() as line:
            line.connection.send(message)
            subscribed(line)


def test_the_sink_never_blocks_and_never_raises() -> None:
    sink = ChannelSink()
    touched = [RunTouched(uuid4(), uuid4(), uuid4(), seq, "running") for seq in range(5_000)]
    started = time.monotonic()
    for _ in range(20):
        sink.publish(touched)
    assert time.monotonic() - started < 2
    if sink._loop is not None:
        asyncio.run_coroutine_threadsafe(sink.detach(), sink._loop).result(10)


async def test_news_that_nobody_watches_is_not_sent() -> None:
    layer = get_channel_layer()
    assert layer is not None
    run, other, workspace = uuid4(), uuid4(), uuid4()
    line = await layer.new_channel()
    await layer.group_add(run_group(run), line)
    sent: list[str] = []
    send = layer.group_send

    async def noted(group: str, message: dict[str, Any]) -> None:
        sent.append(group)
        await send(group, message)

    sink = ChannelSink()
    sink.attach(asyncio.get_running_loop())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layer, "group_send", noted, raising=False)
        sink.publish([RunTouched(run, workspace, uuid4(), 3, "running"), RunTouched(other, workspace, uuid4(), 1, "x")])
        message = await asyncio.wait_for(layer.receive(line), 5)
        await sink.detach()
    assert (message["run"], message["seq"]) == (run.hex, 3)
    assert sent == [run_group(run)]
    await layer.group_discard(run_group(run), line)
    await layer.flush()


async def test_a_sink_that_met_nobody_keeps_its_news_for_a_moment_only() -> None:
    layer = get_channel_layer()
    assert layer is not None
    run = uuid4()
    line = await layer.new_channel()
    sink = ChannelSink()
    sink.attach(asyncio.get_running_loop())
    async with asyncio.timeout(30):
        while sink.listening():
            # On a busy machine the moment may be over before anybody looks: then it is had once more.
            sink.publish([RunTouched(run, uuid4(), uuid4(), 1, "running")])
            await asyncio.sleep(0.01)
        # What left before that is over arrives where nobody is, and not in the line.
        await asyncio.sleep(0.3)
        await layer.group_add(run_group(run), line)
        while not sink.listening():
            await asyncio.sleep(0.01)
        sink.publish([RunTouched(run, uuid4(), uuid4(), 2, "running")])
        assert (await layer.receive(line))["seq"] == 2
    await sink.detach()
    await layer.group_discard(run_group(run), line)
    await layer.flush()


def test_who_has_joined_looks_once_more_when_every_process_knows_of_it() -> None:
    now = 1_000.0
    run = Watched(0, known_at=now + KNOWN_SECONDS, dirty=False, looked_at=now + 0.01)
    runs = Listed(None, known_at=now + KNOWN_SECONDS, looked_at=now + 0.01)
    assert run.due_at() == runs.due_at() == now + KNOWN_SECONDS
    run.looked_at = runs.looked_at = now + KNOWN_SECONDS
    assert run.due_at() == runs.due_at() == now + KNOWN_SECONDS + LOOK_SECONDS
    assert KNOWN_SECONDS > UNWATCHED_SECONDS + PAUSE


async def test_a_look_that_took_long_does_not_stand_for_the_one_that_is_due_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def slowly(_: Callable[[], Any]) -> dict[str, Any]:
        # Begun before, and over behind it.
        watched.known_at = asyncio.get_running_loop().time() + 0.05
        await asyncio.sleep(0.1)
        return {"seq": 0, "state": {"status": "running"}}

    monkeypatch.setattr(consumers, "in_thread", slowly)
    consumer = consumers.LiveConsumer()
    consumer.visitor = Visitor("key", uuid4())
    run, watched = uuid4(), Watched(0, known_at=0.0)
    consumer.runs = {run: watched}
    await consumer._send_changes(run, watched)
    assert watched.due_at() == watched.known_at


async def test_that_nobody_watches_is_believed_from_when_it_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_at: list[float] = []

    async def slowly(_: Any) -> list[str]:
        asked_at.append(time.monotonic())
        await asyncio.sleep(0.2)
        return []

    sink = ChannelSink()
    monkeypatch.setattr(sink, "_watched", slowly)
    await sink._send({uuid4(): RunTouched(uuid4(), uuid4(), uuid4(), 1, "running")})
    assert sink._unwatched_until <= asked_at[0] + UNWATCHED_SECONDS

"""Bodies that stand in the artifact store: kept where an event names them, and gone where none does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from runtime.contracts import StoreUnavailable
from runtime.store import artifacts, reads
from runtime.store.models import Artifact, Delivery, Event
from runtime.store.records import Accepted, AcceptRun
from runtime.store.writer import Writer
from tests.runtime.door import Knocker, Reply, at_the_door, knock
from tests.runtime.rows import a_webhook

pytestmark = pytest.mark.usefixtures("both_ways")

FIRST = b'{"text":"' + b"x" * 100_000 + b'"}'
OTHER = b'{"text":"' + b"y" * 100_000 + b'"}'
KEY = {"content-type": "application/json", "idempotency-key": "k"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    return tmp_path / "artifacts"


def kept(folder: Path) -> tuple[int, int]:
    """How many rows and how many files there are."""
    return Artifact.objects.count(), sum(path.is_file() for path in folder.glob("*/*"))


def body_of(event: Event) -> bytes:
    row = reads.event(event.id)
    assert row is not None
    return reads.event_body(row)


class TestRepeats:
    def test_a_repeated_large_delivery_leaves_nothing_behind(self, writer: Writer, folder: Path) -> None:
        a_webhook(dedupe="header")
        assert [knock(writer, body=FIRST, headers=KEY).status for _ in range(3)] == [202, 200, 200]
        assert kept(folder) == (1, 1)
        assert body_of(Event.objects.get()) == FIRST

    def test_the_other_body_under_the_same_key_is_kept_beside_the_first(self, writer: Writer, folder: Path) -> None:
        a_webhook(dedupe="header")
        replies = [knock(writer, body=body, headers=KEY).status for body in (FIRST, OTHER, FIRST)]
        assert (replies, kept(folder)) == ([202, 409, 200], (2, 2))
        assert body_of(Event.objects.get()) == FIRST
        flagged = Delivery.objects.get(conflict=True)
        assert flagged.body_artifact_id is not None
        assert artifacts.read(flagged.body_artifact_id) == OTHER

    def test_large_bodies_that_cannot_be_read_are_kept(self, writer: Writer, folder: Path) -> None:
        a_webhook(dedupe="body")
        assert [knock(writer, body=FIRST[:-1]).status for _ in range(2)] == [400, 400]
        assert kept(folder) == (2, 2)


class TestRefusals:
    def refusing(self, writer: Writer, monkeypatch: pytest.MonkeyPatch, error: Exception, *, stored: bool) -> Reply:
        """A large delivery whose commit goes wrong like this, whether or not it took place."""
        accept = writer.accept

        async def failing(unit: AcceptRun) -> Accepted:
            if stored:
                await accept(unit)
            raise error

        monkeypatch.setattr(writer, "accept", failing)
        return knock(writer, body=FIRST)

    def test_a_delivery_that_was_certainly_not_stored_leaves_nothing_behind(
        self, writer: Writer, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook()
        assert self.refusing(writer, monkeypatch, ValueError("the database refuses it"), stored=False).status == 503
        assert kept(folder) == (0, 0)

    def test_an_event_whose_commit_got_no_answer_keeps_its_body(
        self, writer: Writer, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook()
        assert self.refusing(writer, monkeypatch, StoreUnavailable("no answer"), stored=True).status == 503
        artifacts.sweep_orphans(older_than_seconds=-60)
        assert kept(folder) == (1, 1)
        assert body_of(Event.objects.get()) == FIRST

    def test_what_may_have_been_stored_and_was_not_is_left_to_the_sweep(
        self, writer: Writer, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook()
        assert self.refusing(writer, monkeypatch, StoreUnavailable("no answer"), stored=False).status == 503
        assert kept(folder) == (1, 1)
        assert artifacts.sweep_orphans() == 0
        assert artifacts.sweep_orphans(older_than_seconds=-60) == 1
        assert kept(folder) == (0, 0)

    def test_without_a_database_nothing_of_a_large_body_stays(
        self, writer: Writer, folder: Path, blocked_database: Callable[[], AbstractContextManager[None]]
    ) -> None:
        a_webhook()

        async def visit(knocker: Knocker) -> list[Reply]:
            first = await knocker()
            with blocked_database():
                return [first, await knocker(body=FIRST)]

        assert [reply.status for reply in at_the_door(writer, visit)] == [202, 503]
        artifacts.sweep_orphans(older_than_seconds=-60)
        assert kept(folder) == (0, 0)

    def test_a_body_that_is_put_aside_too_late_is_removed_again(
        self, writer: Writer, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook()
        put, opened = artifacts.put, threading.Event()

        def slowly(*arguments: Any, **named: Any) -> UUID:
            opened.wait(30)
            return put(*arguments, **named)

        monkeypatch.setattr(artifacts, "put", slowly)

        async def visit(knocker: Knocker) -> list[Reply]:
            knocker.intake._aside._patience = 0.05
            replies = [await knocker(body=FIRST) for _ in range(4)]  # the last ones are still in the queue
            opened.set()
            return replies

        assert {reply.status for reply in at_the_door(writer, visit)} == {503}
        assert kept(folder) == (0, 0)

    def test_a_writer_that_has_stopped_is_asked_before_anything_is_put_aside(
        self, writer: Writer, folder: Path
    ) -> None:
        a_webhook()
        writer.stop()
        assert knock(writer, body=FIRST).status == 503
        assert kept(folder) == (0, 0)

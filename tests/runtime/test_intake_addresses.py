"""Which requests reach a webhook: by what address; and what a fault on the way is answered with."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from runtime.intake import triggers
from runtime.store.models import Event
from runtime.store.writer import Writer
from tests.runtime.door import Knocker, Reply, at_the_door, knock
from tests.runtime.rows import a_webhook
from tests.runtime.test_intake_door import SmallVault, vault

__all__ = ["vault"]


class TestAddresses:
    @pytest.mark.parametrize("slug", ["x" * 65, "x" * 60_000, "", "a b", "a/b", "örder", "a.b", "a\0", "orders\n"])
    def test_an_address_that_no_webhook_has_is_neither_looked_up_nor_remembered(
        self, writer: Writer, monkeypatch: pytest.MonkeyPatch, slug: str
    ) -> None:
        looked_up: list[str] = []
        load = triggers.load

        def counted(slug: str) -> triggers.Door | None:
            looked_up.append(slug)
            return load(slug)

        monkeypatch.setattr(triggers, "load", counted)

        async def visit(knocker: Knocker) -> tuple[list[Reply], set[str]]:
            replies = [await knocker(name) for name in (slug, "unknown", slug)]
            return replies, set(knocker.intake._doors._entries)

        replies, remembered = at_the_door(writer, visit)
        assert {(reply.status, reply.body, str(reply.headers)) for reply in replies} == {
            (404, replies[1].body, str(replies[1].headers))
        }
        assert (looked_up, remembered) == (["unknown"], {"unknown"})

    @pytest.mark.parametrize("slug", ["a", "Z" * 64, "3P-y5NRCGpHA0yTL5bE2Vw", "_"])
    def test_every_address_that_a_webhook_can_have_is_found(self, writer: Writer, slug: str) -> None:
        a_webhook(slug)
        assert knock(writer, slug).status == 202


class TestFaults:
    def test_a_database_that_goes_away_while_the_secret_is_read_is_answered_with_later(
        self, writer: Writer, vault: SmallVault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook(auth="header", secret_connection=str(vault.id))

        def gone(**_: object) -> None:
            raise OperationalError("gone")

        monkeypatch.setattr(vault, "open", gone)
        reply = knock(writer)
        assert (reply.status, reply.header("retry-after")) == (503, "2")

    def test_a_fault_that_nobody_foresaw_is_answered_with_later(
        self, writer: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook()

        async def broken(*_: object) -> None:
            raise ValueError("nobody foresaw this")

        monkeypatch.setattr(writer, "accept", broken)
        reply = knock(writer)
        assert (reply.status, reply.header("retry-after")) == (503, "2")
        assert Event.objects.count() == 0

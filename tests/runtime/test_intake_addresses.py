"""Which requests reach a webhook: by what address, with what method; and what a fault on the way is answered with."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from runtime.intake import triggers
from runtime.store.models import Event, Run
from runtime.store.writer import Writer
from tests.runtime.door import Knocker, Reply, at_the_door, knock
from tests.runtime.rows import a_webhook
from tests.runtime.test_intake_door import SmallVault, vault

pytestmark = pytest.mark.usefixtures("both_ways")

__all__ = ["vault"]

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
PREFLIGHT = {"origin": "https://shop.example", "access-control-request-method": "POST"}


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
        assert {(reply.status, reply.body, str(reply.alike)) for reply in replies} == {
            (404, replies[1].body, str(replies[1].alike))
        }
        assert (looked_up, remembered) == (["unknown"], {"unknown"})

    @pytest.mark.parametrize("slug", ["a", "Z" * 64, "3P-y5NRCGpHA0yTL5bE2Vw", "_"])
    def test_every_address_that_a_webhook_can_have_is_found(self, writer: Writer, slug: str) -> None:
        a_webhook(slug)
        assert knock(writer, slug).status == 202


class TestMethods:
    @pytest.mark.parametrize("method", [*METHODS, "PROPFIND"])
    def test_a_webhook_that_takes_every_method_takes_this_one(self, writer: Writer, method: str) -> None:
        a_webhook(any_method=True)
        reply = knock(writer, method=method)
        assert reply.status == 202
        assert (reply.body == b"") is (method == "HEAD")
        assert Event.objects.get().method == method

    @pytest.mark.parametrize("method", METHODS)
    def test_each_method_can_be_chosen(self, writer: Writer, method: str) -> None:
        a_webhook(methods=[method])
        others = [other for other in METHODS if other != method]
        assert knock(writer, method=method).status == 202
        for other in others:
            reply = knock(writer, method=other)
            assert (reply.status, reply.header("allow")) == (405, method)
        assert Run.objects.count() == 1

    @pytest.mark.parametrize("config", [{"any_method": True}, {"methods": ["POST", "OPTIONS"]}], ids=["any", "chosen"])
    def test_what_a_browser_asks_before_it_sends_something_starts_no_run(
        self, writer: Writer, config: dict[str, Any]
    ) -> None:
        a_webhook(**config)
        assert knock(writer, body=b"", method="OPTIONS", headers=PREFLIGHT).status == 405
        assert Run.objects.count() == 0


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

        def broken_at_once(*_: object) -> None:
            raise ValueError("nobody foresaw this")

        monkeypatch.setattr(writer, "accept", broken)
        monkeypatch.setattr(writer, "accept_told", broken_at_once)
        reply = knock(writer)
        assert (reply.status, reply.header("retry-after")) == (503, "2")
        assert Event.objects.count() == 0

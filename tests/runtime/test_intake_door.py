from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from runtime import ports
from runtime.contracts import StoreUnavailable
from runtime.intake.reading import BODY_LIMIT
from runtime.store import reads
from runtime.store.models import Artifact, Delivery, Deployment, Event, Run, Trigger
from runtime.store.records import AcceptRun
from runtime.store.writer import Writer
from tests.runtime.door import Knocker, Reply, at_the_door, knock
from tests.runtime.rows import a_webhook

pytestmark = pytest.mark.usefixtures("both_ways")

SECRET = "a shared secret"


@dataclass(frozen=True)
class Opened:
    kind: str
    fields: dict[str, Any]
    secrets: tuple[str, ...] = ()


class SmallVault(ports.EmptyVault):
    def __init__(self, *values: str) -> None:
        self.id = uuid4()
        self.fields = dict(zip(("secret", "previous_secret"), values, strict=False))

    def open(self, *, workspace_id: UUID, connection_id: UUID) -> Opened:
        if connection_id != self.id:
            raise ports.ConnectionMissing("none")
        return Opened("webhook_secret", self.fields)


@pytest.fixture
def vault() -> Iterator[SmallVault]:
    before = ports.PORTS.vault
    vault = SmallVault(SECRET, "the older one")
    ports.configure(vault=vault)
    yield vault
    ports.configure(vault=before)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest(),
    }


class TestAccepting:
    def test_an_accepted_event_is_answered_with_its_run_and_where_to_look(self, writer: Writer) -> None:
        a_webhook()
        reply = knock(writer, body=b'{ "total": 1.50 }', query=b"a=1&b=%20")
        event, run = Event.objects.get(), Run.objects.get()
        assert reply.status == 202
        assert reply.json == {
            "event": str(event.id),
            "run": str(run.id),
            "status_url": f"http://millrace.test/hooks/status/{run.id}",
        }
        assert bytes(event.body or b"") == b'{ "total": 1.50 }'
        assert event.body_sha256 == hashlib.sha256(b'{ "total": 1.50 }').hexdigest()
        assert (event.verdict, event.source, event.method, event.query) == ("accepted", "webhook", "POST", "a=1&b=%20")
        assert (run.started_by, run.trigger_node, run.lease_owner) == ("webhook", "start", "worker-a")

    def test_the_public_address_wins_over_the_host_header(self, writer: Writer) -> None:
        a_webhook()
        reply = knock(writer, settings={"public_url": "https://flows.example.com/"})
        assert reply.json["status_url"].startswith("https://flows.example.com/hooks/status/")

    def test_a_host_header_that_is_none_is_not_repeated(self, writer: Writer) -> None:
        a_webhook()

        async def visit(knocker: Knocker) -> Reply:
            return await knocker(headers=[("host", 'evil"><script>')])

        assert "script" not in at_the_door(writer, visit).body.decode()

    def test_secret_headers_are_not_written_down(self, writer: Writer) -> None:
        a_webhook()
        knock(writer, headers={"Authorization": "Bearer abc", "Cookie": "session=1", "X-Kept": "yes"})
        headers = dict(json.loads(Event.objects.get().headers))
        assert headers["x-kept"] == "yes"
        assert "abc" not in Event.objects.get().headers
        assert "session" not in Event.objects.get().headers

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
    def test_every_method_that_is_switched_on_starts_a_run(self, writer: Writer, method: str) -> None:
        a_webhook(methods=["GET", "PUT", "PATCH", "DELETE", "HEAD"])
        reply = knock(writer, body=b"", method=method, headers={})
        assert reply.status == 202
        assert (reply.body == b"") is (method == "HEAD")
        assert Event.objects.get().method == method

    def test_a_method_that_is_not_is_refused_by_name(self, writer: Writer) -> None:
        a_webhook(methods=["POST", "PUT"])
        reply = knock(writer, method="DELETE")
        assert (reply.status, reply.header("allow")) == (405, "POST, PUT")
        assert Run.objects.count() == 0

    @pytest.mark.parametrize(
        ("content_type", "body"),
        [
            ("application/x-www-form-urlencoded", b"a=1&b=two"),
            (
                "multipart/form-data; boundary=B",
                b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B--\r\n',
            ),
            ("application/xml", b"<order/>"),
            ("text/plain", b"hello"),
            ("application/vnd.acme+json", b'{"a":1}'),
            ("application/json; charset=UTF-8", b'{"a":1}'),
            ("", b'{"a":1}'),
            ("application/json", b""),
        ],
    )
    def test_every_readable_body_is_taken(self, writer: Writer, content_type: str, body: bytes) -> None:
        a_webhook()
        assert knock(writer, body=body, headers={"content-type": content_type} if content_type else {}).status == 202
        assert bytes(Event.objects.get().body or b"") == body

    def test_a_body_in_many_chunks_is_put_together(self, writer: Writer) -> None:
        a_webhook()
        assert knock(writer, body=[b'{"a"', b":", b"1", b"}", b""]).status == 202
        assert bytes(Event.objects.get().body or b"") == b'{"a":1}'

    def test_a_large_body_stands_in_an_artifact_and_is_read_back_whole(self, writer: Writer) -> None:
        a_webhook()
        body = json.dumps({"text": "x" * 100_000}).encode()
        assert knock(writer, body=body).status == 202
        event = Event.objects.get()
        assert (event.body, event.body_size) == (None, len(body))
        row = reads.event(event.id)
        assert row is not None
        assert reads.event_body(row) == body
        assert Artifact.objects.get().sha256 == event.body_sha256

    def test_a_packed_body_is_kept_packed(self, writer: Writer) -> None:
        a_webhook(dedupe="path", dedupe_path="order.id")
        body = gzip.compress(b'{"order":{"id":"A-7"}}')
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        assert knock(writer, body=body, headers=headers).status == 202
        event = Event.objects.get()
        assert (bytes(event.body or b""), event.dedupe_key) == (body, "A-7")


class TestDuplicates:
    def test_fifty_parallel_deliveries_start_one_run_and_name_it(self, writer: Writer) -> None:
        a_webhook(dedupe="header", dedupe_header="X-Delivery")

        async def visit(knocker: Knocker) -> list[Reply]:
            return list(await asyncio.gather(*(knocker(headers={"X-Delivery": "one"}) for _ in range(50))))

        replies = at_the_door(writer, visit)
        assert sorted(reply.status for reply in replies) == [200] * 49 + [202]
        assert len({reply.json["run"] for reply in replies}) == 1
        assert all(reply.json["duplicate"] for reply in replies if reply.status == 200)
        assert Run.objects.count() == 1

    def test_the_same_key_with_another_body_is_a_conflict_for_unsigned_senders(self, writer: Writer) -> None:
        a_webhook(dedupe="header")
        first = knock(writer, body=b'{"a":1}', headers={"Idempotency-Key": "k"})
        second = knock(writer, body=b'{"a":2}', headers={"Idempotency-Key": "k"})
        assert (first.status, second.status, second.json["code"]) == (202, 409, "key_reused")
        assert second.json["run"] == first.json["run"]
        assert bytes(Delivery.objects.get(conflict=True).body or b"") == b'{"a":2}'
        assert Run.objects.count() == 1

    def test_a_signed_sender_is_told_that_all_is_well_even_in_a_conflict(
        self, writer: Writer, vault: SmallVault
    ) -> None:
        by_delivery: dict[str, Any] = {"dedupe": "header", "dedupe_header": "X-GitHub-Delivery"}
        a_webhook(auth="hmac", hmac_preset="github", secret_connection=str(vault.id), **by_delivery)
        replies = [
            knock(writer, body=body, headers={**signed(body), "X-GitHub-Delivery": "d1"})
            for body in (b'{"a":1}', b'{"a":2}')
        ]
        assert [reply.status for reply in replies] == [202, 200]
        assert replies[1].json["conflict"] is True

    @pytest.mark.parametrize(
        ("config", "first", "again"),
        [
            ({"dedupe": "body"}, b'{"a":1}', b'{"a":1}'),
            ({"dedupe": "path", "dedupe_path": "$.items[1].id"}, b'{"items":[0,{"id":5}]}', b'{"items":[0,{"id":5}]}'),
            ({"dedupe": "path", "dedupe_path": "body.id"}, b'{"id":"x"}', b'{"id":"x"}'),
            ({"dedupe": "path", "dedupe_path": "id"}, b'{"id":1.10}', b'{"id":1.10}'),
            (
                {"dedupe": "path", "dedupe_path": "{{ trigger.body.order.id }}"},
                b'{"order":{"id":7}}',
                b'{"order":{"id":7}}',
            ),
            (
                {"dedupe": "path", "dedupe_path": 'order["no. 1"]'},
                b'{"order":{"no. 1":"x"}}',
                b'{"order":{"no. 1":"x"}}',
            ),
        ],
    )
    def test_keys_come_from_the_body_too(
        self, writer: Writer, config: dict[str, Any], first: bytes, again: bytes
    ) -> None:
        a_webhook(**config)
        assert [knock(writer, body=body).status for body in (first, again)] == [202, 200]

    def test_requests_without_a_body_are_no_repeats_of_each_other(self, writer: Writer) -> None:
        a_webhook(dedupe="body")
        assert [knock(writer, body=b"").status for _ in range(2)] == [202, 202]

    def test_without_a_key_every_delivery_is_its_own(self, writer: Writer) -> None:
        a_webhook(dedupe="path", dedupe_path="id")
        assert [knock(writer, body=b'{"other":1}').status for _ in range(2)] == [202, 202]

    def test_a_very_long_key_is_recognised_all_the_same(self, writer: Writer) -> None:
        a_webhook(dedupe="header")
        keys = ["k" * 300 + "1", "k" * 300 + "2", "k" * 300 + "1"]
        assert [knock(writer, headers={"Idempotency-Key": key}).status for key in keys] == [202, 202, 200]


class TestWhoIsLetIn:
    def test_a_signed_delivery_is_taken_with_either_secret(self, writer: Writer, vault: SmallVault) -> None:
        a_webhook(auth="hmac", hmac_preset="github", secret_connection=str(vault.id))
        assert knock(writer, body=b"{}", headers=signed(b"{}")).status == 202
        assert knock(writer, body=b"{}", headers=signed(b"{}", "the older one")).status == 202
        assert set(Event.objects.values_list("signature", flat=True)) == {"verified"}

    def test_nobody_can_tell_a_wrong_signature_from_a_missing_webhook(self, writer: Writer, vault: SmallVault) -> None:
        a_webhook("signed", auth="hmac", hmac_preset="github", secret_connection=str(vault.id))
        a_webhook("secret", auth="header", header_name="X-Token", secret_connection=str(vault.id))
        a_webhook("keyless", auth="hmac", hmac_preset="github", secret_connection=str(uuid4()))
        a_webhook("off", enabled=False)
        retired = a_webhook("retired")
        Deployment.objects.filter(workflow_id=retired.workflow_id).update(retired=True)
        Trigger.objects.filter(slug=a_webhook("disarmed").slug).update(enabled=False)
        Trigger.objects.filter(slug=a_webhook("button").slug).update(type="trigger.manual@1")

        async def visit(knocker: Knocker) -> list[Reply]:
            slugs = ["signed", "secret", "keyless", "off", "retired", "disarmed", "button", "unknown", "x" * 300, ""]
            return [await knocker(slug, headers=signed(b"{}", "wrong")) for slug in slugs]

        replies = at_the_door(writer, visit)
        assert {(reply.status, reply.body) for reply in replies} == {(404, replies[0].body)}
        assert len({str(reply.alike) for reply in replies}) == 1
        assert Run.objects.count() == 0

    def test_the_owner_sees_who_was_not_let_in_and_why(self, writer: Writer, vault: SmallVault) -> None:
        a_webhook(auth="hmac", hmac_preset="github", secret_connection=str(vault.id))
        knock(writer, body=b'{"who":"stranger"}')
        event = Event.objects.get()
        assert (event.verdict, event.signature, event.run_id) == ("rejected", "invalid", None)
        assert "x-hub-signature-256" in (event.reason or "")
        assert bytes(event.body or b"") == b'{"who":"stranger"}'

    def test_a_flood_of_strangers_does_not_fill_the_disk(self, writer: Writer, vault: SmallVault) -> None:
        a_webhook(auth="hmac", hmac_preset="github", secret_connection=str(vault.id))

        async def visit(knocker: Knocker) -> None:
            await asyncio.gather(*(knocker() for _ in range(500)))

        at_the_door(writer, visit)
        assert 1 <= Event.objects.count() <= 65

    @pytest.mark.parametrize(
        ("name", "value", "status"),
        [
            ("X-Token", SECRET, 202),
            ("x-token", "the older one", 202),
            ("X-Token", SECRET + "x", 404),
            ("X-Token", "", 404),
            ("X-Other", SECRET, 404),
        ],
    )
    def test_a_secret_header_opens_the_door(
        self, writer: Writer, vault: SmallVault, name: str, value: str, status: int
    ) -> None:
        a_webhook(auth="header", header_name="X-Token", secret_connection=str(vault.id))
        assert knock(writer, headers={name: value}).status == status
        at_rest = Event.objects.first()
        assert at_rest is not None
        assert SECRET not in at_rest.headers

    def test_a_bearer_token_is_a_secret_header(self, writer: Writer, vault: SmallVault) -> None:
        a_webhook(auth="header", header_name="Authorization", secret_connection=str(vault.id))
        assert knock(writer, headers={"Authorization": f"Bearer {SECRET}"}).status == 202

    def test_a_change_made_elsewhere_is_seen_within_a_second(self, writer: Writer) -> None:
        trigger = a_webhook()

        async def visit(knocker: Knocker) -> list[int]:
            first = await knocker()
            await asyncio.to_thread(_switch_off, trigger.workflow_id)
            await asyncio.sleep(1.1)
            return [first.status, (await knocker()).status]

        assert at_the_door(writer, visit) == [202, 404]


def _switch_off(workflow_id: UUID) -> None:
    from django.db import connection

    Deployment.objects.filter(workflow_id=workflow_id).update(enabled=False)
    connection.close()


class TestLimits:
    @pytest.mark.parametrize("announced", [True, False])
    def test_a_body_over_the_limit_is_refused_while_it_is_read(self, writer: Writer, announced: bool) -> None:
        a_webhook()
        headers = {"content-length": str(BODY_LIMIT + 1)} if announced else {}
        taken = 0

        def chunks() -> Iterator[bytes]:
            nonlocal taken
            for _ in range(20):
                taken += 1
                yield b"x" * 1024 * 1024

        reply = knock(writer, body=list(chunks()), headers=headers)
        assert reply.status == 413
        assert Event.objects.count() == 0

    def test_a_body_of_exactly_the_limit_is_taken(self, writer: Writer) -> None:
        a_webhook()
        body = b'"' + b"x" * (BODY_LIMIT - 2) + b'"'
        assert knock(writer, body=[body[:5_000_000], body[5_000_000:]]).status == 202
        assert Event.objects.get().body_size == BODY_LIMIT

    def test_a_body_that_does_not_come_is_given_up(self, writer: Writer) -> None:
        a_webhook()
        began = time.monotonic()
        reply = knock(writer, body=[b"{"] * 100, pause=0.05, settings={"body_patience": 0.3})
        assert (reply.status, time.monotonic() - began < 4) == (408, True)

    def test_too_many_headers_are_refused(self, writer: Writer) -> None:
        a_webhook()
        assert knock(writer, headers=[("x-same", "1")] * 1000).status == 431
        assert knock(writer, headers={"x-long": "y" * 70_000}).status == 431

    @pytest.mark.parametrize("keep", ["refuse", "keep"])
    def test_a_packed_bomb_is_refused_unpacked(self, writer: Writer, keep: str) -> None:
        a_webhook(on_unparsable=keep)
        bomb = gzip.compress(b"0" * (BODY_LIMIT + 1))
        headers = {"content-type": "application/json", "content-encoding": "gzip"}
        assert knock(writer, body=bomb, headers=headers).status == 413
        assert Run.objects.count() == 0

    def test_a_caller_who_leaves_starts_nothing(self, writer: Writer) -> None:
        a_webhook()

        async def visit(knocker: Knocker) -> int:
            with pytest.raises(IndexError):  # nothing was sent
                await knocker(body=[])
            return 0

        at_the_door(writer, visit)
        assert Event.objects.count() == 0


UNREADABLE: dict[str, bytes] = {
    "nothing but a word": b"nope",
    "not a number": b'{"a":NaN}',
    "infinity": b"[-Infinity]",
    "too large a fraction": b"[1e400]",
    "nul, escaped": b'"\\u0000"',
    "nul, raw": b'"\x00"',
    "half a surrogate": b'"\\ud800"',
    "surrogates the wrong way round": b'"\\udc00\\ud800"',
    "nested too deeply": b"[" * 100_000,
    "nested too deeply and closed": b"[" * 1_000 + b"]" * 1_000,
    "a number of 5,000 digits": b"9" * 5_000,
    "2 to the 63rd": b"9223372036854775808",
    "the same key twice": b'{"a":1,"a":2}',
    "a key of a megabyte": b'{"' + b"k" * 1_000_000 + b'":1}',
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "utf-16": '{"a":1}'.encode("utf-16"),
    "utf-32": '{"a":1}'.encode("utf-32"),
    "latin-1": '{"a":"ü"}'.encode("latin-1"),
    "overlong": b'"\xc0\xaf"',
    "cut off": b'{"a":',
    "something behind": b"{} {}",
    "single quotes": b"{'a':1}",
    "a comma too many": b"[1,]",
    "a comment": b"{/*x*/}",
    "blanks only": b"   ",
}


class TestUnreadable:
    @pytest.mark.parametrize("name", list(UNREADABLE))
    def test_it_is_refused_in_plain_words_and_its_bytes_are_kept(self, writer: Writer, name: str) -> None:
        a_webhook()
        body = UNREADABLE[name]
        reply = knock(writer, body=body)
        event = Event.objects.get()
        assert (reply.status, reply.json["code"]) == (400, "body_unreadable")
        assert reply.header("content-type") == "application/problem+json"
        assert reply.json["event"] == str(event.id)
        assert (event.verdict, event.run_id, Run.objects.count()) == ("rejected", None, 0)
        assert event.parse_error
        row = reads.event(event.id)
        assert row is not None
        assert reads.event_body(row) == body

    @pytest.mark.parametrize("name", list(UNREADABLE))
    def test_where_the_owner_wants_it_a_run_starts_all_the_same(self, writer: Writer, name: str) -> None:
        a_webhook(on_unparsable="keep")
        assert knock(writer, body=UNREADABLE[name]).status == 202
        event = Event.objects.get()
        assert event.parse_error
        assert event.run_id == Run.objects.get().id

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            ([("content-type", "application/json"), ("content-type", "text/plain")], b"{}"),
            ([("content-type", "application/json; charset=utf-16")], b"{}"),
            ([("content-type", "application/json; charset=rot13")], b"{}"),
            ([("content-type", "application/json"), ("content-encoding", "br")], b"{}"),
            ([("content-type", "application/json"), ("content-encoding", "gzip")], b"{}"),
            ([("content-type", "application/json"), ("content-encoding", "gzip")], gzip.compress(b"{}", mtime=0)[:-4]),
            ([("content-type", "application/x-www-form-urlencoded")], b"&".join([b"a=1"] * 10_000)),
            ([("content-type", "application/x-www-form-urlencoded")], b"a=%ff"),
            ([("content-type", "multipart/form-data")], b"--B--"),
            ([("content-type", "multipart/form-data; boundary=B")], b'{"a":1}'),
            ([("content-type", "multipart/form-data; boundary=B")], b"--B\r\n\r\n\r\n" * 2_000 + b"--B--"),
        ],
    )
    def test_what_the_headers_promise_must_hold(
        self, writer: Writer, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        a_webhook()
        assert knock(writer, body=body, headers=headers).status == 400
        assert Run.objects.count() == 0

    def test_json_that_names_a_file_is_only_data(self, writer: Writer) -> None:
        a_webhook()
        body = b'{"files":{"filepath":"/etc/passwd"},"__files":1,"_meta":{}}'
        assert knock(writer, body=body).status == 202

    def test_odd_paths_and_queries_are_stored_as_they_came(self, writer: Writer) -> None:
        a_webhook()
        assert knock(writer, query=b"a=\xff&b=%ff").status == 202


class TestFaults:
    def test_without_a_database_the_answer_is_later_and_in_time(
        self, writer: Writer, blocked_database: Callable[[], AbstractContextManager[None]]
    ) -> None:
        a_webhook()

        async def visit(knocker: Knocker) -> tuple[Reply, float, Reply]:
            with blocked_database():
                began = time.monotonic()
                first = await knocker()
                seconds = time.monotonic() - began
            return first, seconds, await knocker()

        refused, seconds, accepted = at_the_door(writer, visit)
        assert (refused.status, refused.header("retry-after"), seconds < 5) == (503, "2", True)
        assert accepted.status == 202
        assert Event.objects.count() == 1

    def test_an_unreadable_body_is_not_refused_while_it_cannot_be_kept(
        self, writer: Writer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_webhook()

        async def away(unit: AcceptRun) -> None:
            raise StoreUnavailable("away")

        monkeypatch.setattr(writer, "accept", away)
        assert knock(writer, body=b"nope").status == 503

    def test_a_full_disk_refuses_large_bodies(self, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
        a_webhook()

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        assert knock(writer, body=b'"' + b"x" * 100_000 + b'"').status == 503
        assert Artifact.objects.count() == 0

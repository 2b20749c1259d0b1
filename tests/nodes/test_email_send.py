from __future__ import annotations

import asyncio
import email
import email.policy
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from runtime.catalog import CATALOG
from runtime.sdk import EffectClass, PermanentError, Result, RetryableError
from runtime.sdk.connections import KINDS
from runtime.sdk.testing import KnownConnection, StepTestContext, run_step
from runtime.worker.egress import Egress
from runtime.worker.egress_rules import Delivery

NODE = CATALOG.get("email.send@1")
assert NODE is not None


class Mailbox:
    """A real SMTP server's handler; says no to whom the test names."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.refuse: dict[str, str] = {}
        self.after_data = "250 OK"
        self.hold: asyncio.Event | None = None
        self.held = threading.Event()
        self.gone = threading.Event()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.hold is not None:
            self.held.set()
            await self.hold.wait()
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.after_data == "hang up":
            server.transport.abort()
            return "250 OK"
        self.taken.append(envelope)
        return self.after_data


class AnyPort(Controller):
    """On a port that the system chooses; the base class would connect to the number 0 that was asked for."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def sign_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data.login == b"ann" and data.password == b"right-password", handled=False)


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, Egress]]:
    box = Mailbox()
    controller = AnyPort(
        box, hostname="127.0.0.1", port=0, authenticator=sign_in, auth_require_tls=False, auth_required=False
    )
    controller.start()
    try:
        yield box, Egress.make(named_mail={"practice-company": ("127.0.0.1", controller.port)})
    finally:
        controller.stop()


def smtp(**fields: Any) -> KnownConnection:
    return KnownConnection(
        "smtp",
        {
            "host": "practice-company",
            "port": 25,
            "security": "none",
            "from_address": "Accounts <accounts@example.com>",
            **fields,
        },
    )


async def send(
    doors: Egress, config: dict[str, Any], connection: KnownConnection | None = None, data: Any = None
) -> Result:
    assert NODE is not None
    context = StepTestContext(doors=doors, connections={"c": connection or smtp()})
    outcome = await run_step(NODE, {"connection": "c", "text": "Hello", **config}, data=data, context=context)
    assert isinstance(outcome, Result)
    return outcome


def read(envelope: Any) -> Any:
    return email.message_from_bytes(envelope.content, policy=email.policy.default)


async def test_a_mail_arrives_as_written(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    result = await send(
        doors,
        {
            "to": "Ann Müller <ann@example.com>, bob@example.org",
            "cc": "carl@example.com",
            "bcc": "hidden@example.com",
            "reply_to": "office@example.com",
            "subject": "Invoice {{ trigger.number }} für Sie",
            "text": "Dear Ann,\n\n{{ trigger.total }} €",
            "html": "<p>Dear <b>Ann</b></p>",
        },
        data={"trigger": {"number": "INV-1042", "total": "13.50"}},
    )
    (envelope,) = box.taken
    message = read(envelope)
    assert envelope.mail_from == "accounts@example.com"
    assert envelope.rcpt_tos == ["ann@example.com", "bob@example.org", "carl@example.com", "hidden@example.com"]
    assert message["Subject"] == "Invoice INV-1042 für Sie"
    assert "Ann Müller" in message["To"]
    assert message["Bcc"] is None
    assert message["Reply-To"] == "office@example.com"
    assert "13.50 €" in message.get_body(("plain",)).get_content()
    assert "<b>Ann</b>" in message.get_body(("html",)).get_content()
    assert result.output["accepted"] == envelope.rcpt_tos  # type: ignore[index,call-overload]


async def test_every_try_carries_the_same_message_id(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    for _ in range(2):
        await send(doors, {"to": "ann@example.com", "subject": "A", "html": "<p>x</p>"})
    first, second = box.taken
    assert read(first)["Message-ID"] == "<ojxgk3lfnzxw4@example.com>"
    assert first.content == second.content


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("to", "ann@example.com\r\nBcc: all@example.com"),
        ("to", "ann@example.com\nX: 1"),
        ("cc", "ann@example.com\u2028X: 1"),
        ("reply_to", "ann@example.com\x85X: 1"),
        ("subject", "Hi\r\nBcc: all@example.com"),
        ("subject", "Hi\x00"),
        ("to", "-Oqueue@example.com"),
        ("to", "no-address"),
        ("to", "a b@example.com"),
        ("to", "<script>@example.com"),
        ("to", ""),
        ("to", "ann@ex ample.com"),
        ("to", "a@b.com <evil@example.com>"),
        ("to", "a@b.com c@d.com"),
        ("to", "ann@exa(mple)x.com"),
        ("to", "Friends: a@b.com, c@d.com;"),
        ("to", "ann@example.com>"),
        ("to", "<ann@example.com> <bob@example.com>"),
        ("to", "Müller, Ann <ann@example.com>"),
        ("to", '"Ann <ann@example.com>'),
        ("to", "jürgen@example.com"),
        ("to", ".ann@example.com"),
        ("to", "ann@localhost.."),
        ("to", "ann@exam_ple..com"),
        ("to", "@example.com"),
    ],
)
async def test_nothing_slips_into_the_headers(mailbox: tuple[Mailbox, Egress], field: str, value: str) -> None:
    box, doors = mailbox
    config = {"to": "ann@example.com", "subject": "Hi", field: "{{ trigger.value }}"}
    with pytest.raises(PermanentError):
        await send(doors, config, data={"trigger": {"value": value}})
    assert box.taken == []


async def test_a_name_that_looks_like_another_address_is_not_shown(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    await send(doors, {"to": '"ceo@bank.example" <mallory@example.com>', "subject": "Hi"})
    assert "ceo@bank.example" not in read(box.taken[0])["To"]


@pytest.mark.parametrize(
    ("text", "recipients"),
    [
        ("ann@bücher.example", ["ann@xn--bcher-kva.example"]),
        ("Ann <Ann.Lee+x@Example.com>; bob@example.org,", ["Ann.Lee+x@Example.com", "bob@example.org"]),
        ('"Müller, Ann; \\"Chefin\\"" <ann@example.com>', ["ann@example.com"]),
        ("ann@mail.localhost, root@localhost", ["ann@mail.localhost", "root@localhost"]),
    ],
)
async def test_addresses_reach_whom_they_name(
    mailbox: tuple[Mailbox, Egress], text: str, recipients: list[str]
) -> None:
    box, doors = mailbox
    await send(doors, {"to": "{{ trigger.to }}", "subject": "Hi"}, data={"trigger": {"to": text}})
    assert box.taken[0].rcpt_tos == recipients


async def test_ten_thousand_recipients_are_refused(mailbox: tuple[Mailbox, Egress]) -> None:
    _box, doors = mailbox
    with pytest.raises(PermanentError) as error:
        await send(doors, {"to": ",".join(f"a{n}@x.io" for n in range(1500)), "subject": "Hi"})
    assert error.value.code == "recipients"


async def test_some_refused_recipients_are_told_and_the_others_get_the_mail(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    box.refuse["bob@example.com"] = "550 no such user"
    result = await send(doors, {"to": "ann@example.com, bob@example.com", "subject": "Hi"})
    assert result.output["accepted"] == ["ann@example.com"]  # type: ignore[index,call-overload]
    assert result.output["refused"] == [{"address": "bob@example.com", "reason": "550 no such user"}]  # type: ignore[index,call-overload]


@pytest.mark.parametrize(("answer", "kind"), [("550 no", PermanentError), ("451 later", RetryableError)])
async def test_the_server_says_whether_to_try_again(
    mailbox: tuple[Mailbox, Egress], answer: str, kind: type[Exception]
) -> None:
    box, doors = mailbox
    box.refuse["ann@example.com"] = answer
    with pytest.raises(kind):
        await send(doors, {"to": "ann@example.com", "subject": "Hi"})
    box.refuse.clear()
    box.after_data = answer
    with pytest.raises(kind) as error:
        await send(doors, {"to": "ann@example.com", "subject": "Hi"})
    assert not error.value.maybe_applied  # type: ignore[attr-defined]


async def test_a_connection_lost_after_the_text_may_have_sent_it(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    box.after_data = "hang up"
    with pytest.raises(RetryableError) as error:
        await send(doors, {"to": "ann@example.com", "subject": "Hi"})
    assert error.value.maybe_applied


async def test_signing_in_works_and_a_wrong_password_is_said_without_quoting_it(
    mailbox: tuple[Mailbox, Egress],
) -> None:
    _box, doors = mailbox
    await send(doors, {"to": "ann@example.com", "subject": "Hi"}, smtp(username="ann", password="right-password"))
    with pytest.raises(PermanentError) as error:
        await send(doors, {"to": "ann@example.com", "subject": "Hi"}, smtp(username="ann", password="wrong-password"))
    assert error.value.code == "smtp_auth"
    assert "wrong-password" not in str(error.value) + str(error.value.detail)


async def test_the_connection_test_signs_in_and_sends_nothing(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    says = await KINDS["smtp"].test(smtp(username="ann", password="right-password").fields, doors)
    assert "accepted the sign-in" in says
    assert box.taken == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254"])
async def test_mail_goes_through_the_same_guard(mailbox: tuple[Mailbox, Egress], host: str) -> None:
    _box, doors = mailbox
    with pytest.raises(PermanentError) as error:
        await send(doors, {"to": "ann@example.com", "subject": "Hi"}, smtp(host=host))
    assert error.value.code == "address_refused"


async def test_encryption_that_the_server_lacks_is_not_skipped(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    with pytest.raises(PermanentError) as error:
        await send(doors, {"to": "ann@example.com", "subject": "Hi"}, smtp(security="starttls"))
    assert error.value.code == "smtp_unsupported"
    assert box.taken == []


def test_a_mail_is_unsafe_to_repeat_unless_the_server_drops_repeats() -> None:
    assert NODE is not None
    assert NODE.effect_of({}) is EffectClass.UNSAFE
    assert NODE.effect_of({"server_recognises_repeats": True}) is EffectClass.KEYED


class Ending(AnyPort):
    """Says when a conversation has ended."""

    def factory(self) -> Any:
        made = super().factory()  # type: ignore[no-untyped-call]
        box = self.handler
        lost = made.connection_lost

        def connection_lost(error: Exception | None) -> None:
            lost(error)
            box.gone.set()

        made.connection_lost = connection_lost
        return made


@pytest.mark.parametrize("how", ["its own time", "the time of the attempt", "a cancel"])
async def test_nothing_is_sent_after_the_step_was_given_up(how: str) -> None:
    box = Mailbox()
    controller = Ending(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.hold = asyncio.Event()
    doors = Egress.make(named_mail={"practice-company": ("127.0.0.1", controller.port)})
    assert NODE is not None
    context = StepTestContext(doors=doors, connections={"c": smtp()}, timeout_seconds=0.4 if "own" in how else 30)
    try:
        sending = asyncio.ensure_future(
            run_step(NODE, {"connection": "c", "to": "ann@example.com", "subject": "A", "text": "B"}, context=context)
        )
        await asyncio.to_thread(box.held.wait, 10)
        if how == "the time of the attempt":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await sending
        elif how == "a cancel":
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
        else:
            with pytest.raises(RetryableError) as error:
                await sending
            assert error.value.code == "timeout"
            assert not error.value.maybe_applied
            assert error.value.request["to"] == ["ann@example.com"]  # type: ignore[index,call-overload]
        controller.loop.call_soon_threadsafe(box.hold.set)
        assert await asyncio.to_thread(box.gone.wait, 10)
        assert box.taken == []
    finally:
        controller.stop()


def test_once_the_text_may_leave_nobody_can_say_that_it_did_not() -> None:
    early = Delivery()
    assert not early.give_up()
    assert not early.may_leave()
    late = Delivery()
    assert late.may_leave()
    assert late.give_up()
    refused = Delivery()
    assert refused.may_leave()
    refused.refused()
    assert not refused.give_up()

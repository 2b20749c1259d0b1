from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.sdk import PermanentError, Result
from runtime.sdk.attachments import MOST_BYTES, Attachment, OutgoingMail, files_of, in_lines
from runtime.sdk.testing import StepTestContext, run_step
from runtime.worker.egress import Egress
from tests.nodes.test_email_send import NODE, Mailbox, mailbox, read, smtp

__all__ = ["mailbox"]


async def send(doors: Egress, context: StepTestContext, files: Any, **config: Any) -> Result:
    assert NODE is not None
    context.doors, context.connections = doors, {"c": smtp()}
    settings = {
        "connection": "c", "to": "ann@example.com", "subject": "Invoice", "text": "Dear Ann\n.\n.two",
        "attachments": "{{ trigger.files }}", **config,
    }  # fmt: skip
    outcome = await run_step(NODE, settings, data={"trigger": {"files": files}}, context=context)
    assert isinstance(outcome, Result)
    return outcome


async def test_files_arrive_as_they_are_with_text_and_html(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    context = StepTestContext()
    pdf, text = bytes(range(256)) * 3000, b".\r\n.a\n" * 500
    one = await context.files.save("Rechnung ü.pdf", "application/pdf", [pdf])
    two = await context.files.save("list.eml", "message/rfc822", [text])
    three = await context.files.save("nothing.txt", "text/plain", [b""])
    files = [one.as_json(), two.as_json(), three.as_json()]
    for _ in range(2):
        result = await send(doors, context, files, html="<p>Dear Ann</p>")
    first, second = box.taken
    assert first.content == second.content
    message = read(first)
    found = [(part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) for part in
             message.iter_attachments()]  # fmt: skip
    assert found == [
        ("Rechnung ü.pdf", "application/pdf", pdf),
        ("list.eml", "application/octet-stream", text),
        ("nothing.txt", "text/plain", b""),
    ]
    assert message.get_body(("plain",)).get_content().splitlines() == ["Dear Ann", ".", ".two"]
    assert "<p>Dear Ann</p>" in message.get_body(("html",)).get_content()
    assert message["Message-ID"] == "<ojxgk3lfnzxw4@example.com>"
    assert isinstance(result.request, dict)
    assert result.request["files"] == [
        {name: file[name] for name in ("id", "name", "size", "sha256")} for file in files
    ]  # fmt: skip


async def test_one_file_is_enough_and_none_is_a_plain_mail(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    context = StepTestContext()
    file = (await context.files.save("a.pdf", "application/pdf", [b"x"])).as_json()
    await send(doors, context, file)
    nothings: list[Any] = [None, "", []]
    for nothing in nothings:
        await send(doors, context, nothing)
    assert [len(list(read(one).iter_attachments())) for one in box.taken] == [1, 0, 0, 0]
    assert read(box.taken[1]).get_content_type() == "text/plain"


async def test_too_much_is_said_before_anything_is_sent(mailbox: tuple[Mailbox, Egress]) -> None:
    box, doors = mailbox
    context = StepTestContext()
    half = (await context.files.save("a.bin", "application/x-a", [b"x" * (MOST_BYTES // 2 + 1)])).as_json()
    with pytest.raises(PermanentError, match="at most 25 MiB of files, and these have 25 MiB") as refused:
        await send(doors, context, [half, half])
    assert refused.value.code == "attachments_too_large"
    with pytest.raises(PermanentError, match="at most 100 files; these are 101"):
        await send(doors, context, [{**half, "size": 1}] * 101)
    for wrong in ("a.pdf", [half, "a.pdf"], {**half, "sha256": "0" * 64}):
        with pytest.raises(PermanentError) as refused:
            await send(doors, context, wrong)
        assert refused.value.code == "not_a_file"
    assert box.taken == []


async def test_the_servers_own_limit_is_said_in_numbers(mailbox: tuple[Mailbox, Egress]) -> None:
    """aiosmtpd announces 32 MiB; 25 MiB become 34.2 as they are coded."""
    box, doors = mailbox
    context = StepTestContext()
    file = (await context.files.save("a.bin", "application/x-a", [b"x" * MOST_BYTES])).as_json()
    with pytest.raises(PermanentError, match=r"takes mails of at most 32 MiB, and this one has 34\.2 MiB") as refused:
        await send(doors, context, file)
    assert (refused.value.code, refused.value.maybe_applied) == ("mail_too_large", False)
    assert box.taken == []


def test_a_setting_names_files_or_none() -> None:
    assert files_of(None, "Files") == files_of("", "Files") == []
    with pytest.raises(PermanentError, match="“Files” needs a file or a list of files"):
        files_of({"id": "x"}, "Files")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=400).map(lambda one: one * 40), max_size=3))
def test_the_size_is_what_comes_and_coding_is_as_the_library_codes(contents: list[bytes]) -> None:
    from email.message import EmailMessage
    from email.policy import SMTP

    def message() -> EmailMessage:
        found = EmailMessage(policy=SMTP)
        found["Subject"] = "x"
        found.set_content("Dear Ann")
        found.make_mixed(boundary="=_f")
        return found

    attached = [
        Attachment(f"{number}.bin", "application/x-a", len(data), io.BytesIO(data))
        for number, data in enumerate(contents)
    ]
    mail = OutgoingMail(message(), attached)
    sent = b"".join(mail.portions())
    whole = message()
    for number, data in enumerate(contents):
        whole.add_attachment(data, maintype="application", subtype="x-a", filename=f"{number}.bin")
    assert mail.size == len(sent)
    if all(contents):  # of no bytes the library makes no line at all, and we an empty one
        assert sent == whole.as_bytes(policy=SMTP)


@given(st.lists(st.sampled_from([b".", b"\r\n", b"a", b"..\r\n", b"\r\n.", b""]), max_size=12))
def test_points_are_doubled_wherever_the_portions_end(portions: list[bytes]) -> None:
    whole = b"".join(portions)
    if whole and not whole.endswith(b"\r\n"):
        whole += b"\r\n"
    lines = [b"." + line if line.startswith(b".") else line for line in whole.split(b"\r\n")]
    assert b"".join(in_lines(portions)) == b"\r\n".join(lines)

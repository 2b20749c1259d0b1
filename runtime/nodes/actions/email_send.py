"""Send e-mail through a mail server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    PermanentError,
    Result,
    StepFailure,
    Text,
    Words,
    field,
)
from runtime.sdk import attachments as attaching
from runtime.sdk.attachments import files_of
from runtime.sdk.connections import mail_server
from runtime.sdk.mailboxes import read_mailbox, split_mailboxes
from runtime.sdk.words import SUMMARY_LENGTH

MOST_RECIPIENTS = 100


class EmailConfig(Config):
    connection: str = field(
        title="Mail server",
        help="The connection says who the mail comes from.",
        widget="connection",
        kinds=("smtp",),
        order=1,
        min_length=1,
        max_length=100,
    )
    to: Text = field(
        title="To",
        help="One address or several with commas between them.",
        widget="email-list",
        expression=True,
        placeholder="ann@example.com",
        order=2,
        min_length=1,
        max_length=20_000,
    )
    cc: Text = field(
        "", title="Copy to", widget="email-list", expression=True, advanced=True, order=3, max_length=20_000
    )
    bcc: Text = field(
        "", title="Hidden copy to", widget="email-list", expression=True, advanced=True, order=4, max_length=20_000
    )
    reply_to: Text = field(
        "", title="Answers go to", widget="email-list", expression=True, advanced=True, order=5, max_length=2_000
    )
    subject: Text = field(
        title="Subject",
        expression=True,
        placeholder="Invoice {{ steps.invoice.body.id }}",
        order=6,
        min_length=1,
        max_length=500,
    )
    text: Text = field("", title="Text", widget="textarea", expression=True, order=7, max_length=500_000)
    html: Text = field(
        "",
        title="HTML",
        help="Shown instead of the text where the reader's program can.",
        widget="code",
        expression=True,
        advanced=True,
        order=8,
        max_length=500_000,
    )
    attachments: Any = field(
        None,
        title="Files",
        help="A file, or a list of files, that go with the mail: together at most 25 MiB.",
        widget="file",
        expression=True,
        placeholder="{{ steps.invoice.file }}",
        order=9,
    )
    server_recognises_repeats: bool = field(
        False,
        title="The server drops repeats",
        help="Only if the mail server is known to drop a second mail with the same Message-ID: then a mail whose "
        "outcome is unknown is sent again without asking.",
        widget="toggle",
        group="Safe to repeat",
        advanced=True,
        order=10,
    )


def effect(config: Mapping[str, Any]) -> EffectClass:
    return EffectClass.KEYED if config["server_recognises_repeats"] is True else EffectClass.UNSAFE


async def run(config: EmailConfig, step_input: JSON, context: Context) -> Result:
    opened = await context.connection(config.connection)
    sender = _addresses("From", str(opened.fields.get("from_address") or ""))
    if len(sender) != 1:
        raise PermanentError("No sender", "The connection needs one address in “From”.", "sender")
    to, cc, bcc = (
        _addresses(title, text)
        for title, text in (("To", config.to), ("Copy to", config.cc), ("Hidden copy to", config.bcc))
    )
    reply_to = _addresses("Answers go to", config.reply_to)
    recipients = list(dict.fromkeys(address.addr_spec for address in (*to, *cc, *bcc)))
    if not to:
        raise PermanentError("No recipient", "“To” has no address in it.", "recipient")
    if len(recipients) > MOST_RECIPIENTS:
        raise PermanentError(
            "Too many recipients",
            f"A mail goes to at most {MOST_RECIPIENTS} addresses; these are {len(recipients)}.",
            "recipients",
        )
    message_id = f"<{context.idempotency_key.lower()}@{sender[0].domain}>"
    files = files_of(config.attachments, "Files")
    message = _message(config, sender[0], to, cc, reply_to, message_id, context, mixed=bool(files))
    request: dict[str, JSON] = {
        "server": f"{opened.fields.get('host')}:{opened.fields.get('port')}",
        "from": str(sender[0]),
        "to": [str(address) for address in to],
        "cc": [str(address) for address in cc],
        "bcc": [str(address) for address in bcc],
        "subject": config.subject,
        "message_id": message_id,
    }
    try:
        async with attaching.opened(context.files, files) as attached:
            if attached:
                request["files"] = [
                    {"id": file["id"], "name": one.name, "size": one.size, "sha256": file["sha256"]}
                    for file, one in zip(files, attached, strict=True)
                ]
            receipt = await context.mail.send(
                server=mail_server(opened.fields),
                message=message,
                sender=sender[0].addr_spec,
                recipients=recipients,
                total_seconds=context.timeout_seconds,
                attachments=attached,
            )
    except StepFailure as failure:
        failure.request = request
        raise
    refused: JSON = [{"address": address, "reason": words} for address, words in receipt.refused.items()]
    output: dict[str, JSON] = {
        "message_id": message_id,
        "accepted": list(receipt.accepted),
        "refused": refused,
        "subject": config.subject,
    }
    count = len(receipt.accepted)
    note = f"Sent to {receipt.accepted[0]}" if count == 1 else f"Sent to {count} addresses"
    return Result(
        output,
        note=note + (f", {len(receipt.refused)} refused" if receipt.refused else ""),
        request=request,
        response={"accepted": list(receipt.accepted), "refused": refused},
    )


def _addresses(title: str, text: str) -> list[Address]:
    """The addresses of a field; line breaks and whatever else could end a header are refused."""
    if not text.strip():
        return []
    _one_line(title, text)
    found: list[Address] = []
    for entry in split_mailboxes(text):
        try:
            name, local, domain = read_mailbox(entry)
            found.append(Address(display_name=name, username=local, domain=domain))
        except (MessageError, ValueError):
            raise PermanentError(
                "This is not an e-mail address",
                f"“{title}” has “{entry[:100]}” in it, which is not an e-mail address.",
                "address",
            ) from None
    return found


def _one_line(title: str, text: str) -> None:
    if any(ord(character) < 32 or character in "\x7f\x85\u2028\u2029" for character in text):
        raise PermanentError(
            "A line break where none may be",
            f"“{title}” has a line break or control character in it.",
            "header_injection",
        )


def _message(
    config: EmailConfig,
    sender: Address,
    to: list[Address],
    cc: list[Address],
    reply_to: list[Address],
    message_id: str,
    context: Context,
    *,
    mixed: bool,
) -> EmailMessage:
    _one_line("Subject", config.subject)
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = to
    if cc:
        message["Cc"] = cc
    if reply_to:
        message["Reply-To"] = reply_to
    message["Subject"] = config.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(context.now_ms // 1000, UTC))
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(config.text)
    if config.html:
        message.add_alternative(config.html, subtype="html")
        message.set_boundary(f"=_{context.idempotency_key.lower()[:40]}")
    if mixed:
        message.make_mixed(boundary=f"=_f{context.idempotency_key.lower()[:40]}")
    return message


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    if not config.get("text") and not config.get("html"):
        found.append(("text", "required", "“Text” needs a value."))
    for name, title in (("to", "To"), ("cc", "Copy to"), ("bcc", "Hidden copy to"), ("reply_to", "Answers go to")):
        value = config.get(name)
        if isinstance(value, str) and value and "{{" not in value:
            try:
                _addresses(title, value)
            except PermanentError as error:
                found.append((name, "address", error.message))
    return found


def summary(config: Mapping[str, Any], words: Words) -> str:
    if not config.get("to"):
        return ""
    subject = f": {words.value(config['subject'])}" if config.get("subject") else ""
    whole = f"To {words.value(config['to'])}{subject}"
    return whole if len(whole) <= SUMMARY_LENGTH else f"To {words.brief(config['to'])}{subject}"


NODE = NodeType(
    name="email.send",
    version=1,
    category="app",
    icon="mail",
    title="Send e-mail",
    description="Sends an e-mail through your mail server.",
    synonyms=("mail", "smtp", "message", "notify", "letter"),
    config=EmailConfig,
    run=run,
    effect=effect,
    summary=summary,
    extra_problems=problems,
    examples=(
        Example(
            title="Send the invoice",
            config={
                "connection": "0199a7f0-0000-7000-8000-000000000001",
                "to": "{{ steps.invoice.body.email }}",
                "subject": "Invoice {{ steps.invoice.body.id }}",
                "text": "Dear {{ steps.invoice.body.name }},\n\nthank you for your order.",
            },
            context={
                "steps": {
                    "invoice": {
                        "body": {
                            "id": "INV-1001",
                            "name": "Brightwater Hotels",
                            "email": "accounts@brightwater.example",
                        }
                    }
                }
            },
            output={
                "message_id": "<ojxgk3lfnzxw4@practice-company.example>",
                "accepted": ["accounts@brightwater.example"],
                "refused": [],
                "subject": "Invoice INV-1001",
            },
        ),
    ),
)

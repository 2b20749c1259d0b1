"""Files that go with a mail: coded while they are sent, so that none of them stands in memory as a whole."""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, BinaryIO, Final, NamedTuple

from runtime.sdk.errors import PermanentError
from runtime.sdk.files import Files, FileValue, in_words, is_file

__all__ = ["MOST_ATTACHED", "MOST_BYTES", "Attachment", "OutgoingMail", "files_of", "in_lines", "opened"]

#: Most mail servers take 25 MiB or less, as it is coded: a third more.
MOST_BYTES: Final = 25 * 2**20
MOST_ATTACHED: Final = 100
#: Bytes that make a line of 76 characters, and how many lines are coded at once.
_LINE: Final = 57
_PORTION: Final = _LINE * 4096
#: Types that have parts of their own may not be coded as these bytes are.
_OF_PARTS: Final = ("multipart", "message")


class Attachment(NamedTuple):
    """A file to go with a mail. `file`: open for reading, at its beginning; `size`: bytes."""

    name: str
    mime: str
    size: int
    file: BinaryIO


class OutgoingMail:
    """A message with its attachments as it is sent; `size`: bytes in all. The same message gives the same bytes."""

    def __init__(self, message: EmailMessage, attachments: Sequence[Attachment] = ()) -> None:
        # Nobody else knows the marks, so no text of the mail is taken for one.
        marks = [secrets.token_bytes(24) for _ in attachments]
        for attachment, mark in zip(attachments, marks, strict=True):
            main, _, sub = attachment.mime.partition("/")
            if main in _OF_PARTS:
                main, sub = "application", "octet-stream"
            message.add_attachment(mark, maintype=main, subtype=sub, filename=attachment.name)
        data = message.as_bytes(policy=SMTP)
        self._texts: list[bytes] = []
        for mark in marks:
            text, _, data = data.partition(b64encode(mark))
            self._texts.append(text)
        self._texts.append(data)
        self._attachments = attachments
        self.size = sum(map(len, self._texts)) + sum(_coded(attachment.size) for attachment in attachments)

    def portions(self) -> Iterator[bytes]:
        """The bytes as they stand in the mail."""
        for text, attachment in zip(self._texts, self._attachments, strict=False):
            yield text
            yield from _coding(attachment.file)
        yield self._texts[-1]


def in_lines(portions: Iterable[bytes]) -> Iterator[bytes]:
    """The portions as SMTP wants them: a point at the beginning of a line doubled, the last line ended."""
    last = b"\n"
    for portion in portions:
        if portion:
            begun = portion if last == b"\n" else b"\0" + portion
            quoted = re.sub(rb"(?m)^\.", b"..", begun)
            yield quoted if last == b"\n" else quoted[1:]
            last = portion[-1:]
    if last != b"\n":
        yield b"\r\n"


def files_of(value: Any, title: str) -> list[dict[str, Any]]:
    """The files that a setting names: none, one, or a list of them. Raises PermanentError."""
    if value is None or value == "":
        return []
    entries = value if isinstance(value, list) else [value]
    for entry in entries:
        if not is_file(entry):
            raise PermanentError(
                "This is not a file",
                f"“{title}” needs a file or a list of files, as an upload or an earlier step gives them. Choose the "
                "whole file, not its name.",
                "not_a_file",
            )
    return entries


@asynccontextmanager
async def opened(files: Files, values: Sequence[Any]) -> AsyncIterator[list[Attachment]]:
    """These files, open and compared with their digests. Raises PermanentError: too many, too large together, gone."""
    if len(values) > MOST_ATTACHED:
        raise PermanentError(
            "Too many files", f"A mail carries at most {MOST_ATTACHED} files; these are {len(values)}.", "attachments"
        )
    known: list[FileValue] = [await files.known(value) for value in values]
    if (size := sum(one.size for one in known)) > MOST_BYTES:
        raise PermanentError(
            "The files are too large for a mail",
            f"A mail carries at most {in_words(MOST_BYTES)} of files, and these have {in_words(size)}. Attach fewer, "
            "or save them elsewhere and send a link.",
            "attachments_too_large",
        )
    found: list[Attachment] = []
    try:
        for one in known:
            found.append(Attachment(one.name, one.mime, one.size, await files.reading(one)))
        yield found
    finally:
        for attachment in found:
            with closing(attachment.file):
                pass


def _coded(size: int) -> int:
    """How many bytes so many become: lines with their ends, of which the last stands in the text that follows."""
    if size == 0:
        return 0
    return (size + 2) // 3 * 4 + 2 * ((size + _LINE - 1) // _LINE - 1)


def _coding(file: BinaryIO) -> Iterator[bytes]:
    before = b""
    while portion := _read(file):
        lines = [b64encode(portion[start : start + _LINE]) for start in range(0, len(portion), _LINE)]
        yield before + b"\r\n".join(lines)
        before = b"\r\n"


def _read(file: BinaryIO) -> bytes:
    """The next whole lines; less only at the end."""
    parts: list[bytes] = []
    left = _PORTION
    while left and (part := file.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)

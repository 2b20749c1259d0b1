"""Files in calls over HTTP: sent as a body or as parts of a form, and kept of an answer. None stands in memory."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from email.message import Message
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from runtime.sdk.context import Context, OpenSink, Portions, Sink
from runtime.sdk.fields import as_text
from runtime.sdk.files import FileValue, clean_mime, clean_name, file_id, in_words, is_file

__all__ = ["Kept", "Outgoing", "file_body", "form_body", "name_of", "plain_body"]


class Outgoing(NamedTuple):
    """A body, its type (empty: none), and what is written down of it."""

    content: bytes | Portions
    content_type: str
    shown: str


def plain_body(content: bytes, content_type: str, most: int) -> Outgoing:
    """A body of text; so many bytes of it are written down."""
    return Outgoing(content, content_type, content[:most].decode(errors="replace").replace("\x00", "\ufffd"))


async def file_body(value: Any, context: Context) -> Outgoing:
    """The file itself. Raises PermanentError where the value is none, or names other bytes than the file has."""
    file_id(value)
    known = await context.files.known(value)
    return Outgoing(Portions(known.size, lambda: context.files.open(known)), known.mime, _shown(known))


async def form_body(fields: Sequence[tuple[str, Any]], context: Context) -> Outgoing:
    """A form of parts: fields whose value is a file, or a list of files, are sent as files. Raises PermanentError.

    The same form gives the same bytes on every try, the mark between its parts too.
    """
    mark = hashlib.sha256(context.idempotency_key.encode()).hexdigest()[:40]
    parts: list[bytes | FileValue] = []
    shown: list[str] = []
    for name, given in fields:
        for value in given if isinstance(given, list) and given and all(map(is_file, given)) else [given]:
            if is_file(value):
                known = await context.files.known(value)
                named = f'; filename="{_quoted(known.name)}"\r\nContent-Type: {known.mime}'
                parts += [_head(mark, name, named), known, b"\r\n"]
                shown.append(f"{name}: {_shown(known)}")
            else:
                text = str(as_text(value))
                parts += [_head(mark, name, ""), text.encode(), b"\r\n"]
                shown.append(f"{name}: {text}")
    parts.append(f"--{mark}--\r\n".encode())
    size = sum(part.size if isinstance(part, FileValue) else len(part) for part in parts)

    async def portions() -> AsyncIterator[bytes]:
        for part in parts:
            if isinstance(part, FileValue):
                async for portion in context.files.open(part):
                    yield portion
            else:
                yield part

    return Outgoing(Portions(size, portions), f"multipart/form-data; boundary={mark}", "\n".join(shown))


class Kept:
    """Keeps an answer's body as a file, where its status counts as success. `file`: it, once it is there."""

    def __init__(self, context: Context, *, name: str, url: str, counts: Any) -> None:
        self.file: FileValue | None = None
        self._context, self._name, self._url, self._counts = context, name, url, counts

    @property
    def sink(self) -> OpenSink:
        """For `HttpClient.request`."""
        return self._open

    def _open(self, status: int, headers: Mapping[str, str]) -> Sink | None:
        return self._save(headers) if self._counts(status) else None

    def _save(self, headers: Mapping[str, str]) -> Sink:
        async def save(portions: AsyncIterator[bytes]) -> None:
            mime = clean_mime(headers.get("content-type", ""))
            name = self._name or name_of(headers, self._url, mime)
            self.file = await self._context.files.save(name, mime, portions)

        return save


def name_of(headers: Mapping[str, str], url: str, mime: str) -> str:
    """What an answer is called: as it says itself, else by the end of its address; always fit for every system."""
    found = _said(headers.get("content-disposition", "")) or unquote(urlsplit(url).path).rpartition("/")[2]
    # Nobody else's folders count here.
    found = found.replace("\\", "/").rpartition("/")[2].strip()
    if not found or found in (".", ".."):
        found = "answer"
    if "." not in found:
        found += mimetypes.guess_extension(mime) or ""
    return clean_name(found)


_EXTENDED: Final = re.compile(r"filename\*\s*=\s*([A-Za-z0-9_-]+)'[^']*'([^;\s\"]+)", re.IGNORECASE)


def _said(disposition: str) -> str:
    if not disposition:
        return ""
    message = Message()
    try:
        if extended := _EXTENDED.search(disposition):  # the one that counts where there are two
            return unquote(extended[2], encoding=extended[1], errors="replace")
        message["Content-Disposition"] = disposition
        found = message.get_filename() or ""
    except (ValueError, LookupError, UnicodeError):
        return ""
    try:
        # Many servers send UTF-8 where the header knows Latin-1 only.
        return found.encode("latin-1").decode()
    except UnicodeError:
        return found


def _head(mark: str, name: str, more: str) -> bytes:
    return f'--{mark}\r\nContent-Disposition: form-data; name="{_quoted(name)}"{more}\r\n\r\n'.encode()


_QUOTED: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def _quoted(text: str) -> str:
    """As browsers write names in forms."""
    return text.translate(_QUOTED)


def _shown(file: FileValue) -> str:
    return f"(the file {file.name}, {in_words(file.size)}, SHA-256 {file.sha256})"

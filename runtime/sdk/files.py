"""Files as values: what stands in data is a reference, never the bytes.

file = await context.files.save("statement.pdf", "application/pdf", [data])
return Result({"file": file.as_json()})

async for portion in context.files.open(config.file): ...
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final, Protocol
from urllib.parse import quote
from uuid import UUID

from runtime.engine.jsonprofile import JSON
from runtime.sdk.errors import PermanentError

__all__ = ["Chunks", "FileValue", "Files", "clean_mime", "clean_name", "disposition", "is_file"]

#: Bytes in portions of any size.
Chunks = Iterable[bytes] | AsyncIterable[bytes]

_MOST_NAME_BYTES: Final = 200
_REFUSED: Final = re.compile(r'[\\/:*?"<>|]')
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(\..*)?", re.IGNORECASE)
_MIME: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_ANY: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FileValue:
    """A file of the workspace, as data shows it. `size`: bytes; `sha256`: 64 hexadecimal digits."""

    id: str
    name: str
    mime: str
    size: int
    sha256: str

    def as_json(self) -> dict[str, JSON]:
        """The reference that stands in data: `{id, name, mime, size, sha256}`."""
        return asdict(self)


def is_file(value: object) -> bool:
    """Whether it is a reference to a file."""
    return (
        isinstance(value, dict)
        and set(value) == {"id", "name", "mime", "size", "sha256"}
        and isinstance(value["id"], str)
        and isinstance(value["sha256"], str)
    )


def file_id(value: JSON | FileValue) -> UUID:
    """Which file is meant. Raises PermanentError where the value is none."""
    if isinstance(value, FileValue):
        return UUID(value.id)
    if isinstance(value, dict) and is_file(value):
        try:
            return UUID(str(value["id"]))
        except ValueError:
            pass
    raise PermanentError(
        "This is not a file",
        "The step needs a file, as an upload or an earlier step gives it. Choose the whole file, not its name.",
        "not_a_file",
    )


def other_bytes() -> PermanentError:
    """The value names a file, and not the bytes that it has."""
    return PermanentError(
        "This is not the file",
        "The value names a file of this workspace, but with other contents than it has. Hand on the file as the step "
        "or upload gave it.",
        "not_a_file",
    )


class Files(Protocol):
    """The files of the step's workspace."""

    async def save(self, name: str, mime: str, chunks: Chunks, *, most: int | None = None) -> FileValue:
        """Keep these bytes as a file; it is there for others once the step has succeeded.

        `most`: so many bytes it may have, beside the installation's own limit. Raises PermanentError
        (`file_too_large`) as soon as there is one too many; nothing is kept then.
        """
        ...

    def open(self, value: JSON | FileValue) -> AsyncIterator[bytes]:
        """The bytes in portions, checked against the digest before the last one is handed out.

        Raises PermanentError: `not_a_file`, or `file_missing` where this workspace has no such file.
        """
        ...

    async def known(self, value: JSON | FileValue) -> FileValue:
        """The file as it is on record: what data says of its name and size proves nothing.

        Raises PermanentError as `open` does, and `not_a_file` where the value names other bytes than are on record.
        """
        ...

    async def reading(self, value: JSON | FileValue) -> BinaryIO:
        """The same, as an open file that can be searched; close it."""
        ...


def missing() -> PermanentError:
    """The file is not there, or is somebody else's, which is the same to this workspace."""
    return PermanentError(
        "The file is not there",
        "The file was removed, or never belonged to this workspace. Upload it again or choose another one.",
        "file_missing",
    )


def too_large(most: int) -> PermanentError:
    """The file has more bytes than it may. `most`: so many it may."""
    return PermanentError(
        "The file is too large",
        f"A file may have at most {in_words(most)} here. Split it, or have FILE_SIZE_LIMIT_MIB raised by whoever runs "
        "Millrace.",
        "file_too_large",
    )


def in_words(size: int) -> str:
    """A number of bytes for people."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{size} bytes"


def clean_name(name: str) -> str:
    """A name that every system can take: no path, no invisible or reversing characters, at most 200 bytes.

    The ending stays where there is one, and what nothing is left of is called "file".
    """
    name = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode())
    # Controls, invisible marks, directions that read backwards, private and unassigned characters.
    name = "".join(one for one in name if unicodedata.category(one) not in ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"))
    name = _REFUSED.sub("_", name)
    name = " ".join(name.split()).strip(" .")
    if _RESERVED.fullmatch(name):
        name = f"_{name}"
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending.encode()) > 20:
        stem, dot, ending = name, "", ""
    room = _MOST_NAME_BYTES - len((dot + ending).encode())
    return (_cut(stem, room).rstrip(" .") + dot + ending) or "file"


def clean_mime(mime: str) -> str:
    """The type without its parameters; that of any bytes where it is none."""
    found = mime.partition(";")[0].strip().lower()
    return found if _MIME.fullmatch(found) else _ANY


def disposition(name: str, *, inline: bool = False) -> str:
    """The `Content-Disposition` of a file of this name (RFC 6266, 5987)."""
    plain = re.sub(r"[^A-Za-z0-9 ._()+-]", "_", unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode())
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain.strip() or 'file'}\"; filename*=UTF-8''{quote(name, safe='')}"


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode("utf-8", "ignore")

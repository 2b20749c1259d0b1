"""Documents in step rows: as text, or by reference when they are large.

A reference is written `@artifact:<id>:<sha256>:<size>`. No JSON document begins with `@`, so nothing that a step
produced can be mistaken for one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from runtime.engine.jsonprofile import JSON, loads_stored
from runtime.store import artifacts

#: Larger documents go to the artifact store. Characters: nearly always bytes.
INLINE_CHARACTERS = 64 * 1024
#: The largest document a step may give or be given.
MOST_BYTES = 10 * 1024 * 1024

_MARK = "@artifact:"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a large document is kept."""

    artifact_id: UUID
    sha256: str
    size: int

    def text(self) -> str:
        return f"{_MARK}{self.artifact_id}:{self.sha256}:{self.size}"


def put_aside(text: str, *, workspace_id: UUID, name: str) -> Reference:
    """Put a document into the artifact store, over Django's connection of the calling thread."""
    data = text.encode()
    artifact_id = artifacts.put(data, workspace_id=workspace_id, media_type="application/json", name=name)
    return Reference(artifact_id, hashlib.sha256(data).hexdigest(), len(data))


def reference_in(text: str | None) -> Reference | None:
    """The reference a row holds instead of the document, if it does."""
    if text is None or not text.startswith(_MARK):
        return None
    artifact_id, sha256, size = text[len(_MARK) :].split(":")
    return Reference(UUID(artifact_id), sha256, int(size))


def document(text: str | None) -> JSON:
    """The document of a row that holds no reference; None stays None."""
    return None if text is None else loads_stored(text)


class TooLarge(Exception):
    """The document is larger than a step may give."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


def too_large(text: str) -> bool:
    """Whether the document is beyond the limit, counted in bytes."""
    return len(text) > MOST_BYTES // 4 and len(text.encode()) > MOST_BYTES

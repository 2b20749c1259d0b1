"""Files of a workspace, as the front door shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from runtime.contracts.refusals import RuntimeRefused


@dataclass(frozen=True, slots=True)
class FileView:
    """A file. `run_id`, `node`: of the step that made it; `created_by`: who uploaded it, where no step did.
    `size`: bytes; `created_at`: milliseconds since the epoch."""

    id: UUID
    name: str
    mime: str
    size: int
    sha256: str
    created_at: int
    created_by: UUID | None
    workflow_id: UUID | None
    run_id: UUID | None
    node: str | None
    #: Of the graph in which that step stands.
    version_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FileFilters:
    """Which files. `search`: a part of the name; `ids`: these, where they are here; `inside`: also those of the runs
    that this run has begun and waits for, at whatever depth, such as the items of a list."""

    run_id: UUID | None = None
    inside: bool = False
    search: str = ""
    ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class FileTotal:
    """How many files there are, how many bytes they have together, and `most`: so many go into one archive."""

    count: int
    size: int
    most: int


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file that is about to be sent. `disposition`: the header's value; `portions`: raise DataDamaged."""

    view: FileView
    disposition: str
    portions: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class FilePreview:
    """How a file can be looked at without being downloaded, told by its bytes and never by its name.

    `kind`: `picture` and `pdf` are opened to be shown, `text` and `table` stand here from their beginning, `none` says
    by `reason` why not: `empty`, `large` (more than `most` bytes), `pixels` (more than `most`), `active` (it could
    carry something out: HTML, SVG), `damaged`, or `sort` (nothing that is shown here). `mime`: of a picture or PDF;
    `width` and `height`: pixels of a picture. `header`: whether the first row holds names; `more`: whether the file
    goes on where this ends."""

    view: FileView
    kind: Literal["picture", "pdf", "text", "table", "none"]
    reason: Literal["", "empty", "large", "pixels", "active", "damaged", "sort"] = ""
    most: int = 0
    mime: str = ""
    width: int = 0
    height: int = 0
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    header: bool = False
    more: bool = False


class FileTooLarge(RuntimeRefused):
    """It has more bytes than a file may have."""

    code = "file_too_large"


class FileInUse(RuntimeRefused):
    """The run that made it has not ended."""

    code = "file_in_use"


class TooManyFiles(RuntimeRefused):
    """More files than one archive may hold."""

    code = "too_many_files"

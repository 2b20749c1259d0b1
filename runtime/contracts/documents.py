"""Documents and their designs, as the front door shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runtime.contracts.refusals import RuntimeRefused


@dataclass(frozen=True, slots=True)
class ReadyDesign:
    """A design that comes with Millrace, to begin with; `sample` data stands in it."""

    id: str
    name: str
    design: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DesignModel:
    """What a design may hold, as JSON Schemas for forms: the design without its blocks, and each kind of block by its
    name; `most_blocks` of these."""

    design: dict[str, Any]
    blocks: dict[str, dict[str, Any]]
    most_blocks: int


@dataclass(frozen=True, slots=True)
class DocumentPreview:
    """`data`: the PDF, or a PNG of one page; `pages`: how many the document has."""

    data: bytes
    pages: int


class DocumentRefused(RuntimeRefused):
    """A design, its data or a limit stands in the way. `block`: the position of the block, from 0, or None; `field`:
    the setting within it, or within the design where there is none, or empty."""

    code = "document_refused"

    def __init__(self, message: str, *, reason: str, block: int | None, field: str = "") -> None:
        super().__init__(message, reason=reason, block=block, field=field)

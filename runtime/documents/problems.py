"""Why a document is not drawn."""

from __future__ import annotations


class DocumentProblem(Exception):
    """A design, its data or a limit stands in the way. `message` is one plain sentence or two; `block` is the position
    of the block, from 0, or None; `field` the setting within it, or within the design, such as `columns.0.width`, or
    empty; `code` one of `design`, `formula`, `data`, `image`, `limit`."""

    def __init__(self, code: str, message: str, block: int | None = None, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.block = block
        self.field = field

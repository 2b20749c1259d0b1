"""A step's door to the processes that draw documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.documents.problems import DocumentProblem
from runtime.documents.processes import Drawing
from runtime.engine.jsonprofile import JSON, dumps
from runtime.sdk.documents import DrawnDocument, document_refused, pictures_of
from runtime.sdk.errors import PermanentError
from runtime.sdk.files import Files, FileValue

#: Bytes of one picture. What is kept of pictures is less than so many of them.
_MOST_BYTES: Final = 4 * 1024 * 1024
_KEPT: Final = 8


class Pictures:
    """The logos of the designs that this process draws by; files never change, so each is read once."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, str], bytes] = {}

    async def get(self, workspace: object, name: str, files: Files) -> bytes:
        """The bytes of a file of the workspace. Raises PermanentError."""
        found = self._kept.pop((workspace, name), None)
        if found is None:
            found = await self._read(name, files)
        self._kept[workspace, name] = found
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return found

    async def _read(self, name: str, files: Files) -> bytes:
        held = bytearray()
        async for portion in files.open(FileValue(name, "", "", 0, "")):
            held += portion
            if len(held) > _MOST_BYTES:
                most = _MOST_BYTES // 1024 // 1024
                raise PermanentError(
                    "The document cannot be drawn", f"A logo’s picture has at most {most} MB.", "document_image"
                )
        return bytes(held)


class StepDocuments:
    """See `runtime.sdk.documents.Documents`."""

    def __init__(self, workspace: object, files: Files, drawing: Drawing, pictures: Pictures) -> None:
        self._workspace = workspace
        self._files = files
        self._drawing = drawing
        self._pictures = pictures

    async def draw(self, design: Mapping[str, Any], data: JSON) -> DrawnDocument:
        images = {name: await self._pictures.get(self._workspace, name, self._files) for name in pictures_of(design)}
        try:
            made = await self._drawing.draw(dumps({**design, "sample": {}}).encode(), dumps(data).encode(), images)
        except DocumentProblem as problem:
            raise document_refused(problem) from None
        return DrawnDocument(made.data, made.pages)

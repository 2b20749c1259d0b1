"""A step's door to the processes that draw documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from runtime.documents.model import Drawn
from runtime.documents.problems import DocumentProblem
from runtime.documents.processes import Drawing, Kind
from runtime.engine.jsonprofile import JSON, dumps
from runtime.sdk.documents import (
    MOST_PICTURE_BYTES,
    document_refused,
    html_stored,
    picture_too_large,
    pictures_of,
    stored,
    template_pictures,
)
from runtime.sdk.files import Files, FileValue

#: Pictures that are kept.
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
            if len(held) > MOST_PICTURE_BYTES:
                raise document_refused(picture_too_large())
        return bytes(held)


class StepDocuments:
    """See `runtime.sdk.documents.Documents`."""

    def __init__(self, workspace: object, files: Files, drawing: Drawing, pictures: Pictures) -> None:
        self._workspace = workspace
        self._files = files
        self._drawing = drawing
        self._pictures = pictures

    async def draw(self, design: Mapping[str, Any], data: JSON) -> Drawn:
        return await self._drawn("design", stored(design), data, pictures_of(design))

    async def print_html(self, template: str, data: JSON, *, language: str, currency: str) -> Drawn:
        return await self._drawn("html", html_stored(template, language, currency), data, template_pictures(template))

    async def _drawn(self, by: Kind, told: bytes, data: JSON, pictures: Sequence[str]) -> Drawn:
        images = {name: await self._pictures.get(self._workspace, name, self._files) for name in pictures}
        try:
            return await self._drawing.draw(told, dumps(data).encode(), images, by=by)
        except DocumentProblem as problem:
            raise document_refused(problem) from None

"""Documents: a step's door to the processes that draw them, and what the check asks of a design.

made = await context.documents.draw(config.design, config.data)
file = await context.files.save("statement.pdf", "application/pdf", [made.data])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol
from uuid import UUID

from runtime.documents.html import missing
from runtime.documents.model import Drawn, Page, design_of
from runtime.documents.problems import DocumentProblem
from runtime.documents.templates import checked, pictures_named
from runtime.engine.jsonprofile import JSON, dumps
from runtime.sdk.errors import PermanentError

__all__ = [
    "MOST_PICTURE_BYTES",
    "Documents",
    "data_of",
    "design_problem",
    "document_refused",
    "html_stored",
    "picture_too_large",
    "pictures_of",
    "stored",
    "template_pictures",
    "template_problem",
]

#: Of one logo's picture.
MOST_PICTURE_BYTES: Final = 4 * 1024 * 1024


class Documents(Protocol):
    """Where documents are drawn."""

    async def draw(self, design: Mapping[str, Any], data: JSON) -> Drawn:
        """The document of this design (`docs/documents.md`) and its data, an object. Pictures of logos are files of the
        workspace. Raises PermanentError that says which block stands in the way."""
        ...

    async def print_html(self, template: str, data: JSON, *, language: str, currency: str) -> Drawn:
        """The PDF of a template in HTML and its data, an object; numbers and dates are written as `language` and
        `currency` (ISO 4217) do. Raises PermanentError that says which line stands in the way, or what has to be
        installed."""
        ...


def data_of(value: object) -> dict[str, Any]:
    """The data of a document. Raises PermanentError where it is no object."""
    if not isinstance(value, dict):
        raise PermanentError(
            "This is no data for a document",
            "“Data” must be an object, such as {“number”: “2026-118”, “lines”: […]}.",
            "not_an_object",
        )
    return value


def design_problem(design: Mapping[str, Any]) -> str | None:
    """What is wrong with a design as it is stored, in a sentence; None where nothing is."""
    try:
        _written_in(design_of(design).page)
    except DocumentProblem as problem:
        return _said(problem)
    for name in pictures_of(design):
        try:
            UUID(name)
        except ValueError:
            return f"The logo’s picture “{name[:60]}” is no file of this workspace: choose one."
    return None


def template_problem(template: str, language: str, currency: str) -> tuple[str, str, str] | None:
    """What is wrong with a template as it is stored: the setting, a code and a sentence; `not_installed` where HTML
    cannot become a PDF on this machine. None where nothing is."""
    if (lacking := missing()) is not None:
        return "template", "not_installed", lacking
    try:
        checked(template)
        for name in pictures_named(template):
            UUID(name)
    except DocumentProblem as problem:
        return "template", "template", problem.message
    except ValueError:
        return "template", "template", "After “picture:” stands the id of a file of this workspace."
    for setting, told in (("language", {"language": language}), ("currency", {"currency": currency})):
        try:
            _written_in(design_of({"version": 1, "title": "", "blocks": [], "page": told}).page)
        except DocumentProblem as problem:
            return setting, setting, problem.message.replace(f"page.{setting}: ", f"The {setting} ")
    return None


def template_pictures(template: str) -> list[str]:
    """The ids of the files that a template shows, each once."""
    return pictures_named(template)


def html_stored(template: str, language: str, currency: str) -> bytes:
    """A template as it is drawn: JSON."""
    return dumps({"template": template, "language": language, "currency": currency}).encode()


def pictures_of(design: Mapping[str, Any]) -> list[str]:
    """The ids of the files that its logos show, each once; of any JSON, whether it is a design or not."""
    return list(dict.fromkeys(_pictures(design)))


def picture_too_large() -> DocumentProblem:
    """A logo's picture has more bytes than it may have."""
    return DocumentProblem("image", f"A logo’s picture has at most {MOST_PICTURE_BYTES // 1024 // 1024} MB.")


def stored(design: Mapping[str, Any]) -> bytes:
    """The design as it is drawn, without its sample: JSON, the same bytes for every document."""
    return dumps({**design, "sample": {}}).encode()


def document_refused(problem: DocumentProblem) -> PermanentError:
    """Why a document is not drawn, as the step that asked for it says it."""
    return PermanentError("The document cannot be drawn", _said(problem), f"document_{problem.code}")


def _written_in(page: Page) -> None:
    # Only where a design is looked at: the tables of all languages are large.
    from runtime.documents.figures import figures

    figures(page.language, page.currency, page.decimals, page.dates)


def _said(problem: DocumentProblem) -> str:
    return problem.message if problem.block is None else f"Block {problem.block + 1}: {problem.message}"


def _pictures(design: Mapping[str, Any]) -> Iterator[str]:
    blocks = design.get("blocks")
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, Mapping) and block.get("kind") == "logo" and isinstance(block.get("image"), str):
            yield block["image"]

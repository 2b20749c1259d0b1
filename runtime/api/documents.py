"""Designs of documents, and what they look like while somebody draws them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from runtime.api.files import open_file
from runtime.contracts import NotFound
from runtime.contracts.documents import DesignModel, DocumentPreview, DocumentRefused, ReadyDesign
from runtime.documents.model import BLOCKS, MOST_BLOCKS, Design, Logo, design_of
from runtime.documents.problems import DocumentProblem
from runtime.documents.processes import Drawing
from runtime.documents.ready import NAMES, stored
from runtime.engine.jsonprofile import JSONRefused, dumps, normalise
from runtime.sdk import documents as drawing
from runtime.sdk.schema import config_schema

#: Whoever draws waits for it: what takes longer is too much for a preview.
_SECONDS: Final = 10.0


def ready_designs() -> list[ReadyDesign]:
    """The designs that come along."""
    found = [(name, stored(name)) for name in NAMES]
    return [ReadyDesign(name, told["name"], {**told["design"], "sample": told["sample"]}) for name, told in found]


def design_model() -> DesignModel:
    """What a design may hold."""
    whole = config_schema(Design)
    properties = {name: field for name, field in whole["properties"].items() if name not in ("version", "blocks")}
    return DesignModel(
        {**whole, "properties": properties, "required": ["title"]},
        {kind: config_schema(block) for kind, block in BLOCKS.items()},
        MOST_BLOCKS,
    )


def preview_document(
    *, workspace_id: UUID, design: Mapping[str, Any], data: Mapping[str, Any], page: int | None = None, wide: int = 800
) -> DocumentPreview:
    """The document of a design and data: the PDF, or one `page` of it, from 1, as a PNG so many pixels wide. Nothing is
    kept. Raises DocumentRefused."""
    try:
        told: Any = normalise(dict(design))
        drawn_by, given = drawing.stored(told), dumps(normalise(dict(data))).encode()
        images = _pictures(workspace_id, design_of(told))
        made = _drawing(os.getpid()).draw_now(drawn_by, given, images, page=page, wide=wide)
    except DocumentProblem as problem:
        raise DocumentRefused(problem.message, reason=problem.code, block=problem.block, field=problem.field) from None
    except JSONRefused as refused:
        raise DocumentRefused(str(refused), reason="data", block=None) from None
    return DocumentPreview(made.data, made.pages)


def _pictures(workspace_id: UUID, design: Design) -> dict[str, bytes]:
    """What the logos of a design show, by the names that they use. Raises DocumentProblem, with the block."""
    found: dict[str, bytes] = {}
    for place, block in enumerate(design.blocks):
        if not isinstance(block, Logo) or block.image in found:
            continue
        try:
            found[block.image] = _picture(workspace_id, block.image)
        except DocumentProblem as problem:
            problem.block, problem.field = place, "image"
            raise
    return found


def _picture(workspace_id: UUID, name: str) -> bytes:
    try:
        found = open_file(workspace_id=workspace_id, file_id=UUID(name))
    except (ValueError, NotFound):
        raise DocumentProblem("image", "A logo’s picture is not among the files of this workspace.") from None
    if found.view.size > drawing.MOST_PICTURE_BYTES:
        raise drawing.picture_too_large()
    return b"".join(found.portions)


@lru_cache(maxsize=1)
def _drawing(process: int) -> Drawing:
    """One of this process; a fork has one of its own."""
    return Drawing(1, seconds=_SECONDS)

"""Run as a process of its own: draws one document after another, and takes no more memory than it was given.

A design of a few lines can stand for gigabytes. Whoever asks bounds the time, and ends the process that takes too long.
Arguments: the descriptor of its door, bytes of memory, seconds without a document after which it ends by itself, and
how far it steps back behind others that need the processor (`nice`).
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import sys
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any

from runtime.documents import frames
from runtime.documents.draw import drawn
from runtime.documents.html import close_the_network, print_html
from runtime.documents.model import Design, Drawn, design_of
from runtime.documents.problems import DocumentProblem
from runtime.engine.jsonprofile import loads

#: Pixels of a page's picture in its longer side, at most.
_LONGEST_SIDE = 2_400


def main() -> None:
    """Answer until the other side has gone, or nothing was asked for long."""
    descriptor, memory, patience, nice = (int(argument) for argument in sys.argv[1:5])
    _step_back(nice)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Ctrl+C is meant for whoever started it, and ends this one by its door.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    close_the_network()
    with Connection(descriptor) as door, contextlib.suppress(EOFError, OSError):
        while door.poll(patience):
            frames.send(door, *_answer(*frames.receive(door)))


def _step_back(nice: int) -> None:
    """Behind whatever else needs the processor, also where that has stepped back itself."""
    os.nice(nice)
    if nice and sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _answer(head: dict[str, Any], portions: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    try:
        design, data, *images = portions
        given: Any = loads(data)
        made = _made(head["by"], design, given, dict(zip(head["images"], images, strict=True)))
        if head["page"] is None:
            return {"pages": made.pages}, [made.data]
        return {"pages": made.pages}, [_picture(made.data, min(head["page"], made.pages), head["wide"])]
    except DocumentProblem as problem:
        return {"code": problem.code, "message": problem.message, "block": problem.block, "field": problem.field}, []
    except (MemoryError, RecursionError):
        message = "This document needs more memory than one may have: use fewer rows, or smaller pictures."
        return {"code": "limit", "message": message, "block": None, "field": None}, []


def _made(by: str, design: bytes, data: Any, images: dict[str, bytes]) -> Drawn:
    if by == "html":
        told: Any = loads(design)
        return print_html(told, data, images)
    return Drawn(*drawn(_design(design), data, images))


@lru_cache(maxsize=16)
def _design(stored: bytes) -> Design:
    """Thousands of documents are drawn by one design."""
    told: Any = loads(stored)
    return design_of(told)


def _picture(pdf: bytes, page: int, wide: int) -> bytes:
    """One page, from 1, as a PNG of this width in pixels."""
    import pypdfium2

    with pypdfium2.PdfDocument(pdf) as document:
        shown = document[page - 1]
        across, down = shown.get_size()
        scale = min(wide, _LONGEST_SIDE * across / max(across, down)) / across
        out = io.BytesIO()
        shown.render(scale=scale).to_pil().save(out, "PNG")
    return out.getvalue()


if __name__ == "__main__":
    main()

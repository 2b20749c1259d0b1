"""Documents are drawn in processes of their own, with limits of memory and time; a few of them, used again and again.

What is asked of one that dies is asked once more of another: drawing changes nothing.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import runtime
from runtime.documents import frames
from runtime.documents.model import Drawn
from runtime.documents.problems import DocumentProblem

__all__ = ["Drawing", "Kind"]

#: What a document is made of: blocks, or HTML.
Kind: TypeAlias = Literal["design", "html"]
_ROOT: Final = Path(runtime.__file__).resolve().parent.parent
MEMORY: Final = 768 * 1024 * 1024
#: A page takes milliseconds; the most pages that a document may have take some seconds.
SECONDS: Final = 20.0
#: A process of which nothing was asked for so long ends, and gives its memory back.
_PATIENCE: Final = 120
#: As far as there is: what draws takes the time that is left.
_STEP_BACK: Final = 19
#: The first document of a process waits for all that it imports.
_START_SECONDS: Final = 30.0


class Drawing:
    """So many processes that draw. They begin with the first document, and `close` ends them."""

    def __init__(
        self, processes: int, *, memory: int = MEMORY, seconds: float = SECONDS, steps_back: bool = False
    ) -> None:
        """`steps_back`: whatever else runs on this machine comes first, for nobody looks on while these are drawn."""
        self._memory = memory
        self._nice = _STEP_BACK if steps_back else 0
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="drawing")
        self._own = threading.local()
        self._lock = threading.Lock()
        self._children: set[_Child] = set()
        self._closed = False

    async def draw(
        self, design: bytes, data: bytes, images: Mapping[str, bytes] | None = None, *, by: Kind = "design"
    ) -> Drawn:
        """The PDF of a design and its data, both JSON. `images`: PNG or JPEG by the names that its logos use. `by`:
        whether it is a design or a template (`html.print_html`). Raises DocumentProblem."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: self._ask(design, data, images or {}, None, 0, by))

    def draw_now(
        self,
        design: bytes,
        data: bytes,
        images: Mapping[str, bytes] | None = None,
        *,
        page: int | None = None,
        wide: int = 800,
        by: Kind = "design",
    ) -> Drawn:
        """The same for whoever waits in a thread. `page`: only this one, from 1, as a PNG so many pixels wide."""
        return self._threads.submit(self._ask, design, data, images or {}, page, wide, by).result()

    def close(self) -> None:
        """End the processes; what is being drawn is given up."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.end()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for child in self._children:
            child.close()
        self._children.clear()

    def _ask(
        self, design: bytes, data: bytes, images: Mapping[str, bytes], page: int | None, wide: int, by: Kind
    ) -> Drawn:
        head: dict[str, Any] = {"images": list(images), "page": page, "wide": wide, "by": by}
        for last in (False, True):
            child = self._child()
            try:
                return child.ask(head, [design, data, *images.values()], self._seconds)
            except TimeoutError:
                self._drop(child)
                told = f"This document took longer than {self._seconds:g} seconds to draw: use fewer rows or pages."
                raise DocumentProblem("limit", told) from None
            except (EOFError, OSError):
                # It had just ended because nothing was asked of it, or somebody killed it, or this document did.
                self._drop(child)
                if last:
                    told = "The process that drew this document ended twice: it may need more memory than there is."
                    raise DocumentProblem("limit", told) from None
        raise AssertionError

    def _child(self) -> _Child:
        """The process of this thread."""
        found: _Child | None = getattr(self._own, "child", None)
        if found is None:
            with self._lock:
                if self._closed:
                    raise DocumentProblem("limit", "The process is ending.")
                found = _Child(self._memory, self._nice)
                self._children.add(found)
            self._own.child = found
        return found

    def _drop(self, child: _Child) -> None:
        self._own.child = None
        with self._lock:
            self._children.discard(child)
        child.close()


class _Child:
    def __init__(self, memory: int, nice: int) -> None:
        self._door, theirs = multiprocessing.Pipe()
        with theirs:
            arguments = (str(theirs.fileno()), str(memory), str(_PATIENCE), str(nice))
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "runtime.documents.child", *arguments],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # It needs no secret of this process, and gets none.
                env={"PYTHONPATH": str(_ROOT), "LC_ALL": "C.UTF-8"},
                cwd=_ROOT,
            )
        self._asked = False

    def ask(self, head: dict[str, Any], portions: list[bytes], seconds: float) -> Drawn:
        """Raises DocumentProblem, EOFError, OSError, TimeoutError."""
        frames.send(self._door, head, portions)
        if not self._door.poll(seconds if self._asked else seconds + _START_SECONDS):
            raise TimeoutError
        told, found = frames.receive(self._door)
        self._asked = True
        if not found:
            raise DocumentProblem(told["code"], told["message"], told["block"], told["field"])
        return Drawn(found[0], told["pages"])

    def end(self) -> None:
        """The thread that waits for its answer is told that it has gone."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End it; nobody waits for it."""
        self.end()
        self._door.close()

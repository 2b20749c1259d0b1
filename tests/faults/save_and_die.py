"""A process that saves a file with the step's own code, and may be killed on the way.

Reads what to do from standard input, as JSON: `type` (of the step), `config`, `connection` (kind and fields), `port`
(of the server), `key` (of the effect), `size` (of the file), `dies` (after so many portions were read of it; 0: never),
`look` (first whether it happened, as the engine does). Writes what came of it. Failpoints are armed by the environment.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from typing import Any, BinaryIO

from runtime.catalog import CATALOG
from runtime.sdk.probes import Happened, working_out
from runtime.sdk.testing import KnownConnection, MemoryFiles, StepTestContext
from runtime.store import failpoints
from runtime.worker.egress import Egress

PORTION = 64 * 1024
HOST = "files.example.com"


class Mortal(MemoryFiles):
    """Files that kill the process after so many portions."""

    def __init__(self, dies: int) -> None:
        super().__init__()
        self._left = dies

    async def open(self, value: Any) -> AsyncIterator[bytes]:
        with await super().reading(value) as file:
            while portion := file.read(PORTION):
                self._count()
                yield portion

    async def reading(self, value: Any) -> BinaryIO:
        file = await super().reading(value)
        return _Counting(file.read(), self._count)

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Counting(io.BytesIO):
    def __init__(self, data: bytes, count: Any) -> None:
        super().__init__(data)
        self._count = count

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > 0:
            self._count()
        return super().read(size)


def content(size: int) -> bytes:
    """Bytes of which no two portions are equal."""
    return b"".join(number.to_bytes(8, "big") for number in range(size // 8))


async def main() -> dict[str, Any]:
    told = json.load(sys.stdin)
    place = {HOST: ("127.0.0.1", told["port"])}
    doors = Egress.make(named=place, named_sftp=place)
    context = StepTestContext(
        doors=doors, connections={"c": KnownConnection(*told["connection"])}, idempotency_key=told["key"],
        now_ms=int(time.time() * 1000), files=Mortal(told["dies"]),
    )  # fmt: skip
    file = await MemoryFiles.save(context.files, "a.bin", "application/x-a", [content(told["size"])])
    node = CATALOG.get(told["type"])
    assert node is not None
    config = node.prepare({"connection": "c", "file": file.as_json(), **told["config"]}).resolve({})
    happened = False
    if told["look"]:
        assert node.probe is not None
        said = await node.probe.look(config, None, context, working_out({}, told["key"]))
        happened = isinstance(said, Happened)
        result: Any = said.result if isinstance(said, Happened) else None
    if not happened:
        result = await node.run(config, None, context)  # type: ignore[misc]
    await doors.aclose()
    return {"happened": happened, "path": result.output["path"]}


if __name__ == "__main__":
    if points := os.environ.get("FAILPOINTS"):
        failpoints.arm(points)
    print(json.dumps(asyncio.run(main())))

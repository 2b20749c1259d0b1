"""Runs the company on its own: `python -m builder.practice --port 0 --smtp-port 0 --data DIRECTORY`.

Prints one line of JSON with its addresses when it is open, and closes on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
from pathlib import Path

import uvicorn

from builder.practice import service
from builder.practice.app import standalone


class Server(uvicorn.Server):
    """A server that says on standard output where it listens."""

    def __init__(self, config: uvicorn.Config, news: dict[str, object]) -> None:
        super().__init__(config)
        self._news = news

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        print(json.dumps(self._news), flush=True)


async def serve(host: str, port: int, smtp_port: int, data: Path) -> None:
    """Open the company and serve until told to stop."""
    door = socket.create_server((host, port), backlog=1024)
    # What it accepts inherits this; asyncio sets it by itself only on sockets that it made. Without, an answer in two
    # parts waits 40 ms for the caller's acknowledgement of the first.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    mail_port = await service.start(data, (host, smtp_port))
    news = {"host": host, "port": door.getsockname()[1], "smtp_port": mail_port, "pid": os.getpid()}
    # Who asked for an answer that takes minutes is not waited for.
    config = uvicorn.Config(
        standalone, log_level="warning", lifespan="off", access_log=False, ws="none", timeout_graceful_shutdown=5
    )
    await Server(config, news).serve(sockets=[door])
    await service.stop()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="python -m builder.practice", description="The practice company.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8025, help="0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=8026, help="0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="the directory of its books")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.host, chosen.port, chosen.smtp_port, chosen.data))


if __name__ == "__main__":
    main()

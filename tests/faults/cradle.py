"""The mother of the processes under test: it has imported the product, and forks one of its commands when told to.

    python -m tests.faults.cradle DESCRIPTOR

A child runs `manage.py serve`, `web`, `worker` or `ticker` as a person would start it; it only skips the seconds that
Python needs to import it all. On its own channel it is told which failpoints to arm, and it ends when that channel
does: a harness that is killed leaves nothing behind.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from typing import Any

PRELOADED = (
    "builder.api.urls",
    "builder.config.asgi",
    "builder.config.firstrun",
    "builder.config.server",
    "builder.live.consumers",
    "channels.layers",
    "django.core.management",
    "httptools",
    "runtime.api",
    "runtime.catalog",
    "runtime.intake.app",
    "runtime.queue",
    "runtime.worker.boot",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvloop",
)


def main() -> None:
    """Import, say so, then fork for every order until the harness goes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "builder.config.settings")
    import django

    django.setup()
    for name in PRELOADED:
        importlib.import_module(name)
    control.sendall(b'{"ready": true}\n')
    codes: dict[int, int] = {}
    children: set[int] = set()
    while True:
        readable, _, _ = select.select([control], [], [], 0.05)
        while children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            children.discard(pid)
            codes[pid] = os.waitstatus_to_exitcode(status)
        if not readable:
            continue
        data, descriptors, _, _ = socket.recv_fds(control, 1 << 20, 1)
        if not data:
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            return
        order: dict[str, Any] = json.loads(data)
        if "code" in order:
            control.sendall(json.dumps({"code": codes.get(order["code"])}).encode() + b"\n")
            continue
        pid = os.fork()
        if pid == 0:
            control.close()
            become(order, socket.socket(fileno=descriptors[0]))
        os.close(descriptors[0])
        children.add(pid)
        control.sendall(json.dumps({"pid": pid}).encode() + b"\n")


def become(order: dict[str, Any], channel: socket.socket) -> None:
    """In the child: be the ordered command, to its end."""
    code = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(null, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if order["failpoints"]:
            from runtime.store import failpoints

            failpoints.arm(order["failpoints"], log=order["points"])
        if order["database_port"]:
            from django.conf import settings

            settings.DATABASES["default"]["PORT"] = str(order["database_port"])
        if order["clock_hours"]:
            put_clock(order["clock_hours"])
        if order["earlier"]:
            forget(order["earlier"]["engine"], order["earlier"]["lacks"])
        threading.Thread(target=obey, args=(channel,), name="harness", daemon=True).start()
        from django.core.management import execute_from_command_line

        sys.argv = ["manage.py", *order["command"].split()]
        execute_from_command_line(sys.argv)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def put_clock(hours: float) -> None:
    """Let this process believe that it is so much later; what it asks of the database is not touched."""
    right = time.time_ns
    wrong = int(hours * 3_600_000_000_000)
    time.time_ns = lambda: right() + wrong
    time.time = lambda: time.time_ns() / 1e9


def forget(engine: int, lacks: list[str]) -> None:
    """Be a build that carries on only what needs no later engine than this, and that lacks these step types."""
    from runtime.catalog import CATALOG
    from runtime.store import claims, statements
    from runtime.worker import ticker

    for module in (statements, claims, ticker):
        module.ENGINE = engine  # type: ignore[attr-defined]
    for name in lacks:
        del CATALOG._types[name]


def obey(channel: socket.socket) -> None:
    """Arm what the harness says; end with it."""
    from runtime.store import failpoints

    with channel.makefile("r", encoding="utf-8") as orders:
        for line in orders:
            order = json.loads(line)
            if order["arm"]:
                failpoints.arm(order["arm"], log=order["log"])
            else:
                failpoints.disarm()
            channel.sendall(b"ok\n")
    os._exit(1)


if __name__ == "__main__":
    main()

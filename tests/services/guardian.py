"""Runs one server and outlives its owner by a moment: when the owner goes, the server goes and its directory too.

The owner keeps the other end of this process's standard input open. However the owner ends, SIGKILL included, the
kernel closes that end, and the read below returns.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any


def main() -> int:
    """Read one line of JSON (command, directory, log, user, group, stop signal), run it, report, wait, clean up."""
    spec: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the owner's affair
    identity: dict[str, Any] = {}
    if spec["user"] is not None:
        identity = {"user": spec["user"], "group": spec["group"], "extra_groups": []}
    with Path(spec["log"]).open("ab") as log:
        server = subprocess.Popen(
            spec["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=spec["directory"], **identity
        )
    print(json.dumps({"pid": server.pid}), flush=True)

    def until_owner_goes() -> None:
        sys.stdin.buffer.read()
        stop(server, spec["stop_signal"])

    threading.Thread(target=until_owner_goes, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: stop(server, spec["stop_signal"]))
    code = server.wait()
    shutil.rmtree(spec["directory"], ignore_errors=True)
    os._exit(code if code >= 0 else 0)


def stop(server: subprocess.Popen[bytes], how: int) -> None:
    """Ask the server to stop, and kill it where it does not within ten seconds."""
    if server.poll() is not None:
        return
    server.send_signal(signal.SIGCONT)
    server.send_signal(how)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(main())

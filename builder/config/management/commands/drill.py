from __future__ import annotations

import json
import os
import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


def end_with_server() -> None:
    """Whoever started it holds its standard input open; with that, everything here ends."""
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


class Command(BaseCommand):
    """The sandbox of a plug-pull drill; started by the server, not by people."""

    help = "Run a plug-pull drill in its own folder; the server starts this."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        if settings.DATABASE_URL or settings.REDIS_URL or folder.resolve() != settings.DATA_DIR:
            raise CommandError("A drill runs in a folder of its own, which is its DATA_DIR, and on no other database.")
        from builder.config.drill.rounds import carry_out

        def say(news: dict[str, Any]) -> None:
            print(json.dumps(news), flush=True)

        threading.Thread(target=end_with_server, daemon=True).start()
        # Nobody else may arm failpoints: this process has nothing but its own folder.
        os.environ["MILLRACE_TEST_BUILD"] = "1"
        carry_out(folder.resolve(), say)

from __future__ import annotations

import os
import sys
from typing import Any

import uvloop
from django.core.management.base import BaseCommand

from builder.config import belonging, server, traces
from builder.config.management import plain
from builder.config.place import Place


class Command(BaseCommand):
    """Fires schedules and timers, and rings for runs that nobody took; one of many leads."""

    help = "Keep time (needs DATABASE_URL and REDIS_URL)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        server.refuse_alone("ticker")
        os.umask(0o077)
        plain.require_database()
        server.refuse_old_database()
        Place(alone=False).take()
        belonging.claim()
        if away := plain.redis_away():
            print(away, file=sys.stderr, flush=True)
        from runtime.worker.boot import Runtime

        server.settle()
        end_traces = traces.begin("ticker")
        try:
            uvloop.run(Runtime(kind="ticker").serve())
        finally:
            end_traces()

from __future__ import annotations

import os
import sys
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand

from builder.config import belonging, server, traces
from builder.config.management import plain
from builder.config.place import Place


class Command(BaseCommand):
    """Advances runs: takes them from the database, rung by the broker."""

    help = "Run workflows (needs DATABASE_URL and REDIS_URL)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        server.refuse_alone("worker")
        os.umask(0o077)
        plain.require_database()
        server.refuse_old_database()
        Place(alone=False).take()
        belonging.claim()
        if away := plain.redis_away():
            print(away, file=sys.stderr, flush=True)
        from runtime.worker.boot import Runtime

        server.settle()
        end_traces = traces.begin("worker")
        try:
            uvloop.run(Runtime(kind="worker", most_runs=settings.RUNS_AT_A_TIME).serve())
        finally:
            end_traces()

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from builder.accounts import services
from builder.accounts.models import Setup
from builder.config import belonging, server
from builder.config.management import plain
from builder.config.place import Place


class Command(BaseCommand):
    """Pages, API, webhooks and live sockets; the work is done by `worker` and `ticker` processes."""

    help = "Serve pages, API, webhooks and live sockets (needs DATABASE_URL and REDIS_URL)."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        server.refuse_alone("web")
        os.umask(0o077)
        plain.require_database()
        server.refuse_old_database()
        Place(alone=False).take()
        belonging.claim()
        if away := plain.redis_away():
            print(away, file=sys.stderr, flush=True)
        if not settings.CONNECTION_KEYS_FILE.exists() and not settings.CONNECTION_KEYS_MADE_HERE:
            print(
                f"CONNECTION_KEYS_FILE={settings.CONNECTION_KEYS_FILE}: there is no key ring, no secret can be kept. "
                "Put it there; for a new installation `manage.py migrate` makes it.",
                file=sys.stderr,
                flush=True,
            )
        if services.setup_required() and not Setup.objects.exists():
            token = services.open_setup(now=datetime.now(UTC))
            print(f"Open this link once to set it up:\n  {settings.PUBLIC_URL}/setup#token={token}", flush=True)
        elif services.setup_required():
            print("Nobody has set this instance up yet. `manage.py setup_link` prints a new link.", flush=True)
        connections.close_all()
        if settings.WEB_PROCESSES > 1:
            uvicorn.run(server.APPLICATION, workers=settings.WEB_PROCESSES, **server.options())
            return
        config = uvicorn.Config(server.APPLICATION, **server.options())
        running = server.Server(config, lambda: print(f"Millrace listens on {settings.PUBLIC_URL}", flush=True))
        running.run()
        if not running.started:
            raise SystemExit(1)

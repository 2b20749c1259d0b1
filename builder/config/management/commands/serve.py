from __future__ import annotations

import fcntl
import os
import sys
import time
from typing import IO, Any

import uvicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand

from builder.config import belonging, server
from builder.config.management import plain
from builder.config.place import Place
from builder.connections import services as connections


class Command(BaseCommand):
    """Everything in one process: pages, API, webhooks, workers and ticker."""

    help = "Serve Millrace in one process: pages, API, webhooks, workers and ticker."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        if settings.REDIS_URL:
            raise ImproperlyConfigured(
                "`manage.py serve` is the one process of an installation without Redis. With REDIS_URL start "
                "`web`, `worker` and `ticker` instead."
            )
        os.umask(0o077)
        lock = only_one()
        place = Place(alone=True)
        plain.require_database()
        place.take()
        server.migrate()
        belonging.claim()
        if not settings.CONNECTION_KEYS_MADE_HERE and (said := connections.first_ring()):
            print(said, file=sys.stderr, flush=True)
        from builder.config import firstrun

        welcome = firstrun.prepare()

        def ready() -> None:
            lines = [
                f"Millrace {settings.VERSION} is ready at {settings.PUBLIC_URL} ({time.monotonic() - began:.1f} s)"
            ]
            if welcome.setup_link:
                lines += ["", "Open this link once to set it up:", f"  {welcome.setup_link}"]
            if welcome.curl:
                lines += ["", "Fire the example's webhook from another terminal:", f"  {welcome.curl}"]
            print("\n" + "\n".join(lines) + "\n", flush=True)

        config = uvicorn.Config(server.APPLICATION, **server.options())
        running = server.Server(config, ready)
        running.run()
        place.leave()
        lock.close()
        if not running.started:
            sys.exit(1)


def only_one() -> IO[str]:
    """The lock of this data directory: a second process on the same embedded database would take its runs away."""
    file = open(settings.DATA_DIR / "lock", "a", encoding="ascii")  # noqa: SIM115 (held as long as the process lives)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise ImproperlyConfigured(
            f"DATA_DIR={settings.DATA_DIR}: another Millrace runs on this directory. Stop it first, or choose another "
            "DATA_DIR and PORT."
        ) from None
    return file

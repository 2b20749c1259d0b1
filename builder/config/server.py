"""Running uvicorn: the options every web process shares."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from typing import Any, Final

import structlog
import uvicorn
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from builder.config.corked import HttpProtocol

log = structlog.get_logger(__name__)

APPLICATION: Final = "builder.config.asgi:application"
#: Requests and sockets get this long to end after SIGTERM; then the runtime gets its own grace for steps.
GRACE_SECONDS: Final = 5


def options() -> dict[str, Any]:
    """uvicorn's options. Compressed socket messages are off: nobody inflates a bomb here."""
    return {
        "host": settings.HOST,
        "port": settings.PORT,
        "loop": "uvloop",
        "http": HttpProtocol,
        "ws": "websockets-sansio",
        "lifespan": "on",
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "proxy_headers": False,
        "backlog": 2048,
        "timeout_keep_alive": 65,
        "timeout_graceful_shutdown": GRACE_SECONDS,
        "ws_max_size": 64 * 1024,
        "ws_ping_interval": 20.0,
        "ws_ping_timeout": 20.0,
        "ws_per_message_deflate": False,
    }


class Server(uvicorn.Server):
    """A server that calls `ready` once it listens, and lets steps end before it closes its port.

    A step in flight may be calling this very port: the practice company lives behind it, and so may a workflow's own
    webhook. Were the port closed first, a clean stop would fail steps that a crash leaves whole (I31).
    """

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            settle()
            self._ready()

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        from builder.config.asgi import application

        resting = asyncio.ensure_future(application.rest())
        while not resting.done() and not self.force_exit:
            await asyncio.wait([resting], timeout=0.1)
        if resting.done() and (error := resting.exception()) is not None:
            log.error("steps could not be brought to an end", error=str(error))
        await super().shutdown(sockets=sockets)


def settle() -> None:
    """Tune the interpreter for a long life, once everything is loaded."""
    # What was loaded stays: the collector need not walk it again. What a busy moment makes is nearly all gone before
    # the collector would come by, so it may come more seldom.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 100)
    # The loop and the writer hand the interpreter to each other many times in a commit, and each waits this long
    # before it asks for it.
    sys.setswitchinterval(0.0005)


def pending_migrations() -> bool:
    """Whether the database lags behind the code."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def migrate() -> bool:
    """Bring the database up to date; returns whether there was anything to do."""
    if not pending_migrations():
        return False
    call_command("migrate", interactive=False, verbosity=0)
    return True


def refuse_old_database() -> None:
    """Raise ImproperlyConfigured where migrations are missing: many processes must not migrate at once."""
    if pending_migrations():
        raise ImproperlyConfigured("The database lags behind this version. Run `manage.py migrate` once, then start.")


def refuse_alone(what: str) -> None:
    """Raise ImproperlyConfigured where this process could not hear of its neighbours."""
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not getattr(settings, name)]
    if missing:
        raise ImproperlyConfigured(
            f"`manage.py {what}` is one of several processes and needs {' and '.join(missing)}: the in-memory broker "
            "and layer end at the process. For everything in one process use `manage.py serve`."
        )

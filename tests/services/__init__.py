"""Private real servers for tests and benches: PostgreSQL, Redis and Chromium, found on this machine.

    with postgres() as server: server.url, server.pid
    with redis() as server: server.url, server.pid

Nothing is shared with servers that already run here: each start has its own directory and port, and goes away with
the process that started it, also when that process is killed (see guardian.py).
"""

from __future__ import annotations

from tests.services.chromium import find_chromium
from tests.services.missing import MissingService, on_ci, skip_or_fail
from tests.services.postgres_server import PostgresServer, find_postgres, postgres, start_postgres
from tests.services.redis_server import RedisServer, find_redis, redis, start_redis

__all__ = [
    "MissingService",
    "PostgresServer",
    "RedisServer",
    "find_chromium",
    "find_postgres",
    "find_redis",
    "on_ci",
    "postgres",
    "redis",
    "skip_or_fail",
    "start_postgres",
    "start_redis",
]

"""A refused start in one sentence: what is wrong, the variable to change, never a password and never a traceback."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseFault
from django.db.utils import InterfaceError, OperationalError

_REACH_SECONDS = 2.0


def sentence(error: BaseException) -> str | None:
    """What to print for an error that ended a command; None for one that needs its traceback."""
    match error:
        case ImproperlyConfigured():
            return f"Millrace does not start. {error}"
        case OperationalError() | InterfaceError():
            return f"Millrace does not start. {database_away(error)}"
        case _:
            return None


def database_away(error: DatabaseFault) -> str:
    """The database, named by its variable, and the first line of its own complaint."""
    from django.conf import settings

    kept: dict[str, Any] = settings.DATABASES["default"]
    reason = _reason(error, str(kept.get("PASSWORD") or ""))
    if kept["ENGINE"].endswith("sqlite3"):
        return f"DATA_DIR={settings.DATA_DIR}: the database file there cannot be used ({reason})."
    where = f"{kept['HOST'] or 'localhost'}:{kept['PORT'] or 5432}"
    return f"DATABASE_URL: the database {kept['NAME']} at {where} cannot be used ({reason})."


def require_database() -> None:
    """Raise ImproperlyConfigured where the database cannot be reached."""
    from django.db import connection

    try:
        connection.ensure_connection()
    except DatabaseFault as error:
        raise ImproperlyConfigured(database_away(error)) from error


def redis_away() -> str | None:
    """A word about a broker that cannot be reached now. It stops nothing: runs are found without it, only later."""
    from django.conf import settings

    if not settings.REDIS_URL:
        return None
    import redis

    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_REACH_SECONDS, socket_connect_timeout=_REACH_SECONDS
    )
    try:
        client.ping()
    except redis.RedisError as error:
        parts = urlsplit(settings.REDIS_URL)
        reason = _reason(error, parts.password or "")
        return (
            f"REDIS_URL: Redis at {parts.hostname or parts.path}{f':{parts.port}' if parts.port else ''} cannot be "
            f"reached ({reason}). Millrace starts and tries again; until then runs begin later and screens lag behind."
        )
    finally:
        client.close()
    return None


def _reason(error: Exception, password: str) -> str:
    """The last part of the first line: what went wrong, without the connection's parameters."""
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if password:
        line = line.replace(password, "…")
    return line[:300].strip().rstrip(".:")

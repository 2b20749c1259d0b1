"""The test database of each process: migrated once in a session, copied for the others, emptied between tests."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

#: What migrations and their signals wrote. It is the same for every test.
KEPT = frozenset({"django_migrations", "django_content_type", "auth_permission"})
TEMPLATE = "migrated"


def prepare() -> None:
    """Make this process's test database and connect to it.

    The first process of the session migrates it, which takes seconds, and leaves a copy; the others wait for that copy.
    """
    session = Path(os.environ["MILLRACE_TEST_SESSION"])
    with (session / "database.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        migrated = session / "database.migrated"
        if migrated.exists():
            # An xdist worker: each has been given a name of its own.
            own = str(settings.DATABASES["default"]["TEST"]["NAME"])
            _copy(session, TEMPLATE, own)
            connection.close()
            settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = own
        else:
            own = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            _copy(session, own, TEMPLATE)
            migrated.touch()


def empty() -> None:
    """Empty the tables in which anything stands.

    Django's flush empties all of them by TRUNCATE, for which PostgreSQL makes and fsyncs new files, and then makes the
    content types and permissions anew: together that takes longer than most tests do.
    """
    touched, delete = _statements()
    with connection.cursor() as cursor:
        cursor.execute(touched)
        tables = [name for (name,) in cursor.fetchall()]
        if not tables:
            return
        with transaction.atomic():
            if connection.vendor == "postgresql":
                # Without the checks of foreign keys, which would ask for an order; SQLite's wait for the end anyway.
                cursor.execute("SET LOCAL session_replication_role = replica")
                # In one go there and back.
                cursor.execute("; ".join(delete[table] for table in tables))
                return
            with unguarded():
                for table in tables:
                    cursor.execute(delete[table])


@contextmanager
def unguarded() -> Iterator[None]:
    """Within a transaction: without what keeps rows of the audit log from being changed or removed."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit_%'")
        guards = cursor.fetchall()
        for name, _ in guards:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        for _, statement in guards:
            cursor.execute(statement)


@cache
def _statements() -> tuple[str, dict[str, str]]:
    """The query for the tables that are not empty, and each table's DELETE."""
    names = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    if connection.vendor == "postgresql":
        # Rows of the trail go with their runs by a trigger, which is passed over here, and Django does not name its
        # table: they would stand there for every test that follows. On SQLite the trigger is not passed over.
        names |= {model._meta.db_table for model in apps.get_models() if not model._meta.managed}
    tables = sorted(names - KEPT)
    quoted = {table: connection.ops.quote_name(table) for table in tables}
    touched = " UNION ALL ".join(
        f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {name})" for table, name in quoted.items()
    )
    return touched, {table: f"DELETE FROM {name}" for table, name in quoted.items()}


def _copy(session: Path, source: str, target: str) -> None:
    """Copy a database that nobody else is connected to."""
    connection.close()
    if connection.vendor == "sqlite":
        shutil.copyfile(session / source, session / target)
        return
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

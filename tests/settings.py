"""Settings for tests: the product's own, on the back ends that two variables name.

MILLRACE_TEST_DATABASE = sqlite (default) | postgres
MILLRACE_TEST_BROKER   = memory (default) | redis | off

A private PostgreSQL or Redis is started by the first process of a test session; its xdist workers inherit the
addresses. Everything written goes to a temporary DATA_DIR that the first process removes.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.services import start_postgres, start_redis

DATABASES_KNOWN = ("sqlite", "postgres")
BROKERS_KNOWN = ("memory", "redis", "off")


def prepare() -> None:
    """Fill the environment that the product's settings read."""
    database = chosen("MILLRACE_TEST_DATABASE", DATABASES_KNOWN)
    broker = chosen("MILLRACE_TEST_BROKER", BROKERS_KNOWN)
    if session := os.environ.get("MILLRACE_TEST_SESSION"):
        # An xdist worker: the first process has done it. Each has a folder of its own, as it has a database of its own.
        os.environ["DATA_DIR"] = str(Path(session, os.environ.get("PYTEST_XDIST_WORKER", "one")))
        Path(os.environ["DATA_DIR"]).mkdir(exist_ok=True)
        return
    directory = tempfile.mkdtemp(prefix="millrace-tests-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    os.environ["MILLRACE_TEST_SESSION"] = directory
    os.environ["MILLRACE_TEST_BUILD"] = "true"
    os.environ["DATA_DIR"] = directory
    os.environ["SECRET_KEY"] = "a key for tests only, long enough to be one"
    for name in ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "FAILPOINTS", "DEBUG", "PORT"):
        os.environ.pop(name, None)
    if database == "postgres":
        server = start_postgres()
        atexit.register(server.stop)
        os.environ["DATABASE_URL"] = server.url
    if broker == "redis":
        queue = start_redis()
        atexit.register(queue.stop)
        os.environ["REDIS_URL"] = queue.url


def chosen(name: str, known: tuple[str, ...]) -> str:
    """The back end a variable names; the first known one where it is unset."""
    value = os.environ.setdefault(name, known[0])
    if value not in known:
        sys.exit(f"{name}={value}: use {' or '.join(known)}.")
    return value


prepare()

from builder.config.settings import *  # noqa: E402, F403
from builder.config.settings import DATABASES  # noqa: E402

# Threads of the runtime open connections of their own, which an in-memory SQLite database would hide from each other.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": Path(os.environ["MILLRACE_TEST_SESSION"]) / "test.sqlite3"}

# One round of hashing: the tests sign in thousands of times, and the strength of the hash is not what they prove.
PASSWORD_HASHERS = ["tests.hashers.QuickHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]

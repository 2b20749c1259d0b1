"""The empty database of a first start: made once in a session, copied for every installation that a test starts.

To migrate takes seven seconds of a processor, and a session starts a hundred installations. What a first start does
itself is seen where nothing is copied: `tests/builder/test_processes.py`.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME = "millrace.sqlite3"
#: Django's own command: the product's would also make what only one installation may have, as its keys.
_MIGRATE = """
import django
django.setup()
from django.core.management import call_command
from django.core.management.commands.migrate import Command
call_command(Command(), verbosity=0, interactive=False)
"""


def lay(directory: Path) -> None:
    """Put the empty database into a DATA_DIR that has none. Outside of a test session nothing is done."""
    session = os.environ.get("MILLRACE_TEST_SESSION")
    if not session or (directory / NAME).exists():
        return
    shutil.copyfile(_made(Path(session) / "installed"), directory / NAME)


def migrate(**variables: str) -> None:
    """Migrate the database that these variables name. Raises CalledProcessError."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_TEST")}
    for name in ("DATABASE_URL", "REDIS_URL", "DATA_DIR"):
        kept.pop(name, None)
    environment = {**kept, "DJANGO_SETTINGS_MODULE": "builder.config.settings", **variables}
    subprocess.run([sys.executable, "-c", _MIGRATE], cwd=ROOT, env=environment, check=True)


def _made(folder: Path) -> Path:
    """The file to copy; whoever comes first makes it, the others wait."""
    folder.mkdir(mode=0o700, exist_ok=True)
    done = folder / "made.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            migrate(DATA_DIR=str(folder))
            with closing(sqlite3.connect(folder / NAME)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (folder / NAME).rename(done)
    return done

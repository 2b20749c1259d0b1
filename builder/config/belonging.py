"""Which database a DATA_DIR belongs to.

Large bodies are files in DATA_DIR, and their rows are in the database: every process needs the same folder. A folder of
its own would break runs much later, so a process looks for the mark of its database there before it starts.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from runtime.store import artifacts
from runtime.store.models import Instance
from runtime.worker.boot import instance

#: The process that made the database's own fact may be about to write the mark.
PATIENCE_SECONDS: Final = 2.0


def mark_path() -> Path:
    """The file that holds the mark."""
    return artifacts.directory() / ".database"


def mark() -> str:
    """What is written there: says which database it is, and nothing else."""
    return hashlib.sha256(f"millrace.database:{instance().key_secret}".encode()).hexdigest()[:32]


def found() -> str:
    """What is written there; empty where there is no mark."""
    try:
        return mark_path().read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return ""


def claim() -> None:
    """Mark the folder of a new database; raise ImproperlyConfigured where the folder is not this database's."""
    from builder.config.backups.restoring import refuse_half_restored

    refuse_half_restored()
    # SQLite lies in the folder itself: whatever is written there, they belong together.
    own = connection.vendor == "sqlite"
    new = not Instance.objects.exists()
    wanted = mark()
    if (new and not found()) or (own and found() != wanted):
        _write(wanted)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (there := found()) != wanted:
        if there or time.monotonic() >= deadline:
            raise ImproperlyConfigured(_words(there, wanted))
        time.sleep(0.1)


def take_over() -> None:
    """Mark the folder as that of the database that was put in place, whatever stood there."""
    _write(mark())


def _words(there: str, wanted: str) -> str:
    what = "belongs to another database" if there else "is not the one in which this database keeps its files"
    return (
        f"DATA_DIR={settings.DATA_DIR}: this folder {what}. Every process needs the same shared folder, because large "
        f"bodies are files there. If its files are in their place nevertheless, write {wanted} into {mark_path()}."
    )


def _write(text: str) -> None:
    path = mark_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)

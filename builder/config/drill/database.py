"""A drill's own database. The first drill of a version leaves an empty one for the next: to migrate takes seconds, in
which somebody sits before the canvas and waits."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connection
from django.db.migrations.loader import MigrationLoader

__all__ = ["KEPT", "make"]

#: The folder of the empty one, beside those of the drills.
KEPT: Final = "empty"


def make(folder: Path) -> None:
    """Make the database of the drill in this folder, which is the DATA_DIR of this process."""
    own = Path(str(connection.settings_dict["NAME"]))
    empty = folder.parent / KEPT / f"{_version()}.sqlite3"
    try:
        shutil.copyfile(empty, own)
    except FileNotFoundError:
        # Django's own command: the product's makes what belongs to one installation, as its keys.
        call_command(migrate.Command(), verbosity=0, interactive=False)
        _keep(own, empty)
    call_command("migrate", verbosity=0, interactive=False)


def _version() -> str:
    """Says which migrations the database has been through."""
    names: Any = sorted(MigrationLoader(None).disk_migrations or ())
    return hashlib.sha256(f"{settings.VERSION} {names}".encode()).hexdigest()[:16]


def _keep(own: Path, empty: Path) -> None:
    """Leave a copy for the next drill, in place of an earlier version's. Where it cannot be kept, the next migrates."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with contextlib.suppress(OSError):
        empty.parent.mkdir(mode=0o700, exist_ok=True)
        # Under a name of its own first: another drill may be looking for it.
        new = empty.with_suffix(f".{os.getpid()}")
        shutil.copyfile(own, new)
        new.replace(empty)
        for other in empty.parent.iterdir():
            if other != empty and other.suffix == ".sqlite3":
                other.unlink()

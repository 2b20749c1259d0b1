from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from builder.audit import chain
from builder.config import commanded
from builder.config.backups import making
from builder.config.backups.manifest import BackupRefused
from builder.config.management import plain
from runtime import api as runtime_api


class Command(BaseCommand):
    """Makes a backup of the whole installation while it goes on working."""

    help = "Make a backup of the database, all files and what they are known by, in a new folder."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", help="a folder that is not there yet")
        parser.add_argument(
            "--with-keys", action="store_true", help="put SECRET_KEY's file and the connection keys into it, too"
        )

    def handle(self, *args: Any, folder: str, with_keys: bool, **options: Any) -> None:
        os.umask(0o077)
        plain.require_database()
        try:
            made = making.make(Path(folder).absolute(), with_keys=with_keys)
        except BackupRefused as error:
            raise CommandError(str(error)) from error
        told = made.manifest
        with transaction.atomic():
            entry = commanded.entry(
                "installation.backed_up", made_at=told.made_at, sha256=made.sha256, files=told.files
            )
            chain.append(runtime_api.ask, entry)
        self.stdout.write(
            f"Made {folder}: the database as of {told.made_at}, {told.files} files. Manifest {made.sha256}"
        )
        if not with_keys:
            self.stdout.write(
                "SECRET_KEY and the connection keys are not in it. Keep a copy of both where this backup is not: "
                "without them nothing in it that is sealed can be opened."
            )
        if made.damaged:
            for line in made.damaged[:20]:
                self.stderr.write(line)
            raise CommandError(
                f"{len(made.damaged)} files were missing or changed before the backup was made, and are not in it. All "
                "else is."
            )

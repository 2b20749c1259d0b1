from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from builder.config.backups import restoring
from builder.config.backups.manifest import BackupRefused
from builder.config.management import plain
from builder.config.management.commands.serve import only_one
from builder.config.place import Place


class Command(BaseCommand):
    """Puts a backup back, and holds it: nothing is begun before somebody has looked."""

    help = "Put back what `backup` has made. All processes must be stopped; nothing is begun before you say so."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", help="the folder of the backup")
        parser.add_argument("--check", action="store_true", help="only read all of it, and say whether it is whole")
        parser.add_argument("--replace", action="store_true", help="the installation that is here shall be replaced")

    def handle(self, *args: Any, folder: str, check: bool, replace: bool, **options: Any) -> None:
        os.umask(0o077)
        path = Path(folder).absolute()
        try:
            if check:
                told = restoring.check(path)
                self.stdout.write(f"Whole: the database as of {told.made_at}, {told.files} files.")
                return
            if settings.DATABASE_URL:
                plain.require_database()
            lock, place = only_one(), Place(alone=True)
            place.take()
            try:
                told = restoring.restore(path, replace=replace)
            finally:
                place.leave()
                lock.close()
        except (BackupRefused, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Restored: the installation as of {told.made_at}, {told.files} files. Nothing is begun yet. Start it, "
            "look at what may have been sent since with `manage.py restored`, then say `manage.py restored --confirm`."
        )

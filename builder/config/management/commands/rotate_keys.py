from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from builder.audit import chain
from builder.config import commanded
from builder.connections import crypto, services
from runtime import api as runtime_api
from runtime.store import failpoints

#: Other processes may have sealed something under the old key a moment ago.
PAUSE_SECONDS = 5


class Command(BaseCommand):
    """Seals all connections under a new key and destroys the old ones. Safe to run again, also after a kill."""

    help = "Seal every connection under a new key and destroy the old keys; --first makes the first ring."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--first", action="store_true", help="make a key ring for a new installation")
        parser.add_argument("--keep-old", action="store_true", help="leave the old keys in the ring")

    def handle(self, *args: Any, first: bool, keep_old: bool, **options: Any) -> None:
        ring = crypto.ring()
        if first:
            if settings.CONNECTION_KEYS_FILE.exists():
                raise CommandError(f"{settings.CONNECTION_KEYS_FILE} exists already. Leave --first out to rotate.")
            ring.create()
            self.stdout.write(f"Made {settings.CONNECTION_KEYS_FILE}. Every process needs this file; keep a copy safe.")
            return
        # First: the ring is a file, so there is no transaction that could hold both.
        with transaction.atomic():
            chain.append(runtime_api.ask, commanded.entry("installation.keys_rotated", keeps_old=keep_old))
        try:
            count, key_id = services.rotate(made=lambda point: failpoints.hit(f"{point}:after"))
        except (crypto.KeyMissing, crypto.SealBroken) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} connections are sealed under {key_id}.")
        if keep_old:
            return
        time.sleep(PAUSE_SECONDS)
        services.reseal_stragglers()
        gone = services.drop_old_keys()
        self.stdout.write(f"Destroyed {', '.join(gone)}." if gone else "There was no old key to destroy.")

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from builder.config import belonging, server
from builder.connections import services
from runtime.store.models import Instance


class Command(migrate.Command):
    """Django's own, which also makes what a new installation has once: the mark in DATA_DIR, the ring of keys."""

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        # With `run_syncdb` it makes the database of a test.
        if options["plan"] or options["check_unapplied"] or options["run_syncdb"]:
            return
        if server.pending_migrations():
            return  # asked to go a part of the way only
        if not Instance.objects.exists():
            belonging.claim()
        said = services.first_ring()
        if said and options["verbosity"] > 0:
            self.stdout.write(said)

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from builder.connections import services


class Command(migrate.Command):
    """Django's own, which also makes the key ring of a new installation."""

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options["plan"] or options["check_unapplied"]:
            return
        said = services.first_ring()
        if said and options["verbosity"] > 0:
            self.stdout.write(said)

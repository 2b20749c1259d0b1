from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from builder.accounts import services


class Command(BaseCommand):
    """Prints a new first-run link; earlier ones end."""

    help = "Print a new first-run link, while nobody has set this instance up."

    def handle(self, *args: Any, **options: Any) -> None:
        token = services.open_setup(now=datetime.now(UTC))
        if token is None:
            raise CommandError("This instance was set up already. Invite people from Settings.")
        self.stdout.write(f"{settings.PUBLIC_URL}/setup#token={token}")

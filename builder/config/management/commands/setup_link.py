from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from builder.accounts import services
from builder.audit import chain
from builder.config import commanded
from runtime import api as runtime_api


class Command(BaseCommand):
    """Prints a new first-run link; earlier ones end."""

    help = "Print a new first-run link, while nobody has set this instance up."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            token = services.open_setup(now=datetime.now(UTC))
            if token is not None:
                chain.append(runtime_api.ask, commanded.entry("installation.setup_link_made"))
        if token is None:
            raise CommandError("This instance was set up already. Invite people from Settings.")
        self.stdout.write(f"{settings.PUBLIC_URL}/setup#token={token}")

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from builder.accounts.models import User
from builder.audit import chain
from builder.config import commanded
from builder.connections import factors
from runtime import api as runtime_api


class Command(BaseCommand):
    """For an admin who lost the authenticator app and the recovery codes, and whom no other admin can help."""

    help = "Take the second factor off somebody's sign-in; all their sessions end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", required=True, metavar="EMAIL", help="whose")

    def handle(self, *args: Any, remove: str, **options: Any) -> None:
        email = remove.strip().lower()
        with transaction.atomic():
            user = User.objects.filter(email=email).first()
            removed = user is not None and factors.remove(user=user)
            if removed and user is not None:
                entry = commanded.entry("installation.factor_removed", person=str(user.pk), email=email)
                chain.append(runtime_api.ask, entry)
        if user is None:
            raise CommandError(f"Nobody here signs in as {email}.")
        if not removed:
            raise CommandError(f"{email} has no second factor.")
        self.stdout.write(f"{email} signs in with the password alone now. All sessions of this account have ended.")

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from builder.audit import notes
from builder.config import commanded
from builder.workflows.models import Workflow
from runtime import api
from runtime.contracts import HeldRun, Hold


class Command(BaseCommand):
    """After a restore: shows what the backup does not know of, and lets its runs go on when told to."""

    help = (
        "After a restore: show what may have been sent since the backup was made; --hold says that this database is a "
        "restored backup, --confirm lets its runs go on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hold", action="store_true", help="this database is a restored backup: begin nothing")
        parser.add_argument("--confirm", action="store_true", help="all was looked at: let the runs go on")
        parser.add_argument(
            "--schedules",
            choices=("skip", "run"),
            default="skip",
            help="with --confirm: starts whose time passed since the backup are skipped, or made up for by their rule",
        )
        parser.add_argument("--json", action="store_true", help="one JSON line for each run")

    def handle(self, *args: Any, hold: bool, confirm: bool, schedules: Any, json: bool, **options: Any) -> None:
        if hold and confirm:
            raise CommandError("Choose one: --hold before you look, --confirm when you have looked.")
        if confirm:
            with commanded.kept("installation.backup_confirmed", "instance.release", schedules=schedules):
                confirmed = api.confirm_restored(schedules=schedules)
            if not confirmed:
                raise CommandError("Nothing waits to be confirmed.")
            # The chains of the audit log end where the backup ends, and somebody has said that this is right.
            notes.accept(now=int(time.time() * 1000))
            self.stdout.write("Confirmed: runs go on within a few seconds.")
            return
        if hold:
            with commanded.kept("installation.backup_held", "instance.hold"):
                api.hold_restored()
        held = api.restored()
        if held is None:
            self.stdout.write("This database is not known to be a restored backup. --hold says that it is.")
            return
        if json:
            self._as_json()
        else:
            self._in_words(held)

    def _as_json(self) -> None:
        for run in api.held_runs():
            self.stdout.write(json.dumps(asdict(run), default=str))

    def _in_words(self, held: Hold) -> None:
        since = datetime.fromtimestamp(held.since / 1000, UTC)
        self.stdout.write(
            f"Held since {since:%Y-%m-%d %H:%M:%S} UTC (epoch {held.epoch}): {held.runs} runs of the backup are open, "
            f"{held.schedules} schedules have a start behind them. Nothing is sent.\n"
        )
        names = dict(Workflow.objects.values_list("id", "name"))
        for run in api.held_runs():
            if run.steps:
                self.stdout.write("\n".join(_lines(run, names.get(run.workflow_id, "a workflow that was deleted"))))
        self.stdout.write(
            "\nEach of these steps may have been carried out after the backup was made. Cancel the runs that must not "
            "go on (in the app, or by its API: that works while they are held), then: manage.py restored --confirm"
        )


def _lines(run: HeldRun, workflow: str) -> list[str]:
    accepted = datetime.fromtimestamp(run.accepted_at / 1000, UTC)
    cancelled = ", to be cancelled" if run.cancelled else ""
    address = f"{settings.PUBLIC_URL}/runs/{run.id}"
    found = [f"\n{workflow}, accepted {accepted:%Y-%m-%d %H:%M:%S} UTC, {run.status}{cancelled}\n  {address}"]
    for step in run.steps:
        known = "begun, and how it ended is not known" if step.begun else "not begun; since then it may have been"
        if step.effect in ("keyed", "natural"):
            coming = "it is sent under the same key as before"
        else:
            coming = "it stays in doubt" if step.begun else "if it was carried out since, it happens TWICE"
        found.append(f"  - {step.name} ({step.effect}): {known}; when you confirm, {coming}")
    return found

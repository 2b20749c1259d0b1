from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from builder.accounts.models import Workspace
from builder.audit import notes, verify
from builder.audit.exporting import signed_text
from runtime.ports import PORTS


class Command(BaseCommand):
    """Reads every chain of the audit log, and names the first row of each that is not as it was written."""

    help = "Verify the audit log: every row, their order, and the end, also against exports and what was noted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", default="", help="the id of one workspace, or installation; else all")
        parser.add_argument(
            "--export", action="append", default=[], help="an export (JSON): the log must still hold what it holds"
        )

    def handle(self, *args: Any, workspace: str, export: list[str], **options: Any) -> None:
        kept: dict[str, list[tuple[int, str]]] = {}
        for name in export:
            chain, rows = _rows_of(Path(name))
            kept.setdefault(chain, []).extend(rows)
        names = {str(one): name for one, name in Workspace.objects.values_list("id", "name")}
        known = sorted({*verify.chains_known(), *kept})
        wrong = 0
        for chain in [workspace] if workspace else known:
            found = verify.verify(chain, noted=[*notes.noted(chain), *kept.get(chain, ())])
            called = names.get(chain, chain)
            if found.fault is None:
                self.stdout.write(f"{called}: {found.rows} rows, whole. Row {found.sequence}: {found.digest}")
            else:
                wrong += 1
                self.stdout.write(f"{called}: row {found.fault.sequence} is wrong. {found.fault.message}")
        if wrong:
            raise CommandError(f"{wrong} of the chains {'is' if wrong == 1 else 'are'} not as written.")


def _rows_of(path: Path) -> tuple[str, list[tuple[int, str]]]:
    """The numbers and digests that an export holds, its end among them."""
    try:
        with path.open(encoding="utf-8") as file:
            first = json.loads(next(file))
            chain, head = str(first["chain"]), first["head"]
            rows = [(int(head["sequence"]), str(head["digest"]))]
            rows += [(int(row["sequence"]), str(row["digest"])) for row in map(json.loads, file)]
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise CommandError(f"{path} is no export of the audit log (JSON).") from error
    if not PORTS.seal.is_genuine(signed_text(chain, *rows[0]), first.get("signature")):
        raise CommandError(f"{path} was not signed by this installation, or its SECRET_KEY is another one since.")
    return chain, rows

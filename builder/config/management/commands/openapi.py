from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """Writes the OpenAPI document, to a file or to standard output."""

    help = "Write the OpenAPI document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--file", type=Path)

    def handle(self, *args: Any, file: Path | None, **options: Any) -> None:
        from builder.api.schema import document

        text = json.dumps(document(), indent=1, ensure_ascii=False, sort_keys=True, default=str) + "\n"
        if file is None:
            self.stdout.write(text, ending="")
        else:
            file.write_text(text, encoding="utf-8")

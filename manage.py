#!/usr/bin/env python
"""Millrace from the command line: `manage.py serve` for one process, `web`, `worker` and `ticker` for many."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "builder.config.settings")
    from django.core.management import execute_from_command_line

    from builder.config.management.plain import sentence

    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        said = sentence(error)
        if said is None:
            raise
        sys.exit(said)


if __name__ == "__main__":
    main()

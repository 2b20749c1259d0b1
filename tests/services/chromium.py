"""Finds a Chromium: `CHROMIUM`, the machine's own, or the one Playwright installed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.services.missing import MissingService

#: What draws no window does the same in a fifth less time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ADVICE = "No Chromium found: apt-get install chromium-headless-shell or chromium, or set CHROMIUM to its path"


def find_chromium() -> Path:
    """The browser's executable; raises MissingService."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not Path(named).exists():
            raise MissingService(f"CHROMIUM={named}: no such file")
        return Path(named)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    for found_path in sorted(cache.glob("chromium-*/chrome-linux*/chrome"), reverse=True):
        return found_path
    raise MissingService(ADVICE)

"""A Python without what an extra installs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def python_without(folder: Path, names: tuple[str, ...]) -> str:
    """A Python that has everything which this one has, but for files whose names begin so. `folder` must not exist."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (theirs,) = folder.glob("lib/python*/site-packages")
    (ours,) = {Path(place) for place in sys.path if Path(place).name == "site-packages"}
    for found in ours.iterdir():
        if not found.name.lower().startswith(names):
            (theirs / found.name).symlink_to(found)
    return str(folder / "bin" / "python")

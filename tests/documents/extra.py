"""The extra `html-pdf`, there and not there: this machine as it is, and a Python without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.documents.html import missing
from tests.extras import python_without

#: Tests of what WeasyPrint draws.
needs_html = pytest.mark.skipif(missing() is not None, reason=missing() or "")
#: What comes with the extra, by the names of their files.
_EXTRA = ("weasyprint", "tinyhtml5", "tinycss2", "cssselect2", "pydyf", "pyphen", "brotli", "_brotli", "zopfli")


def python_without_it(folder: Path) -> str:
    """A Python that has everything which this one has, but for the extra. `folder` must not exist yet."""
    return python_without(folder, _EXTRA)

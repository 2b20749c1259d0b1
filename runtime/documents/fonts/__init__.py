"""Noto Sans for documents; OFL.txt is its licence."""

from __future__ import annotations

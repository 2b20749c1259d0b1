"""Figures, measured through the product's public doors: `make bench`."""

from __future__ import annotations

"""Promises about the house itself, read from its files."""

from __future__ import annotations

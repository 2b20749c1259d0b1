"""Proofs, grouped by what they cost."""

from __future__ import annotations

"""Starts: what begins a run."""

from __future__ import annotations

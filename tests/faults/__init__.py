"""Fault tests: real processes are killed, stopped and cut off, and the outside world counts what reached it."""

from __future__ import annotations

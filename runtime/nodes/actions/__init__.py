"""Steps that act on the world outside."""

from __future__ import annotations

"""Steps that ask a person."""

from __future__ import annotations

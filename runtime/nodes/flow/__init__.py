"""Steps that decide where a run goes on."""

from __future__ import annotations

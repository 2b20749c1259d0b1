"""Steps that change data and touch nothing outside."""

from __future__ import annotations

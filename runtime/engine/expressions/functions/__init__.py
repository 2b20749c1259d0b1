"""The functions that formulas may call, one file a group. Importing this fills the registry, in this order."""

from __future__ import annotations

from runtime.engine.expressions.functions import datepatterns, dates, lists, logic, money, numbers, objects, text

__all__ = ["datepatterns", "dates", "lists", "logic", "money", "numbers", "objects", "text"]

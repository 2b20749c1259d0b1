"""What a formula reads, so that a check can tell whether it will be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: The names a formula can start from.
ROOTS: Final = ("trigger", "steps", "run", "vars", "error", "item", "index", "batch", "look_up", "data")

#: The names that list functions set for each entry; ``outer`` is the entry of the list around it.
LOCAL: Final = ("item", "index", "outer")


@dataclass(frozen=True, slots=True)
class Reference:
    """One path that a formula reads: ``steps.order.lines[0].sku`` is root ``steps``, key ``order``, the rest path.

    ``root``: one of ``ROOTS``. ``key``: the step's key for ``steps``, None for every other root (and for a bare
    ``steps``). ``path``: the names and positions after that, as far as they are written out.
    """

    root: str
    key: str | None
    path: tuple[str | int, ...]

"""How a step type stands to the world outside, and what that costs after a crash."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class EffectClass(StrEnum):
    """What may happen when a step is executed twice. Unknown means ``unsafe``."""

    PURE = "pure"
    READ = "read"
    KEYED = "keyed"
    NATURAL = "natural"
    QUERYABLE = "queryable"
    UNSAFE = "unsafe"

    @property
    def writes(self) -> bool:
        """Whether an intent must be committed before the step may start (everything above ``read``)."""
        return self not in (EffectClass.PURE, EffectClass.READ)


EFFECT_NOTES: Final[dict[EffectClass, str]] = {
    EffectClass.PURE: "Works on data only. It can be repeated at any time.",
    EffectClass.READ: "Only reads. It can be repeated at any time.",
    EffectClass.KEYED: "Sends a key by which the other system recognises a repeat, so nothing is done twice.",
    EffectClass.NATURAL: "Repeating it leaves the same result, because it names the thing that it changes.",
    EffectClass.QUERYABLE: "After an interruption the other system is asked whether it already happened.",
    EffectClass.UNSAFE: "Repeating it can do the same thing twice. After an interruption a person is asked first.",
}

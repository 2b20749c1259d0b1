"""Plain words for summaries: what a formula points at, what a condition says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.engine import conditions
from runtime.engine.expressions import ExpressionError, describe, is_expression
from runtime.engine.expressions.parsing import split

SUMMARY_LENGTH: Final = 60
_ARROW: Final = " › "
_PLAIN_PATH: Final = re.compile(r"\s*[A-Za-z_]\w*(\.\w+|\[[^\[\]]*\])*\s*\Z")
_ROOTS: Final = ("Trigger", "Run", "Variable", "Error", "Item")


def shorten(text: str, limit: int = SUMMARY_LENGTH) -> str:
    """One line of at most ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Words:
    """Names of things, for sentences. ``names`` maps step keys to step names as people gave them."""

    names: Mapping[str, str] = field(default_factory=dict)

    def value(self, value: Any) -> str:
        """A setting in words: ``{{ steps.invoice.total }}`` is "Invoice › Total", 10000 is "10,000".

        In a longer text each formula stands in brackets by the last of its names, so that it does not run into the
        sentence around it: ``Order {{ trigger.body.order_id }} is late`` is "Order [Order id] is late".
        """
        return describe(value, self.names) if not is_expression(value) or _is_single(value) else self.brief(value)

    def brief(self, value: Any) -> str:
        """Like ``value``, with every formula short and in brackets, one that stands alone too."""
        if not is_expression(value):
            return describe(value, self.names)
        try:
            pieces = split(value)
        except ExpressionError:
            return describe(value, self.names)
        return "".join(piece if isinstance(piece, str) else f"[{self._short(piece[1])}]" for piece in pieces)

    def conditions(self, group: Any) -> str:
        """A condition group in words: "Invoice › Total is more than 10,000.00 and …"; the short way where it is long.

        The short way names fields without the steps they are of, and says once what is asked of several.
        """
        whole = conditions.describe_group(group, self.names)
        if len(whole) <= SUMMARY_LENGTH:
            return whole
        rules = group.get("rules") if isinstance(group, Mapping) else None
        if not isinstance(rules, list) or any(not isinstance(rule, Mapping) or "rules" in rule for rule in rules):
            return self._without_steps(whole)
        parts: list[tuple[list[str], str]] = []
        joint = " or " if group.get("match") == "any" else " and "
        for rule in rules:
            if joint == " and " and rule.get("op") == "is_not_empty" and _says_more(rules, rule):
                continue
            sentence = self._without_steps(conditions.describe_group({"match": "all", "rules": [rule]}, self.names))
            left = self._without_steps(describe(rule.get("left"), self.names))
            rest = sentence.removeprefix(left) if sentence.startswith(f"{left} is ") else ""
            if rest and parts and parts[-1][1] == rest:
                parts[-1][0].append(left)
            else:
                parts.append(([left], rest) if rest else ([sentence], ""))
        return joint.join(_joined(lefts, rest, joint) for lefts, rest in parts)

    def _short(self, source: str) -> str:
        text = describe("{{" + source + "}}", self.names)
        return text.rpartition(_ARROW)[2] if _PLAIN_PATH.match(source) else self._without_steps(text)

    def _without_steps(self, text: str) -> str:
        for name in sorted({*self.names.values(), *_ROOTS}, key=len, reverse=True):
            if name:
                text = text.replace(name + _ARROW, "")
        return text


def _joined(lefts: Sequence[str], rest: str, joint: str) -> str:
    if len(lefts) == 1:
        return lefts[0] + rest
    verb = " are " if joint == " and " else " is "
    return f"{', '.join(lefts[:-1])}{joint}{lefts[-1]}{verb}{rest.removeprefix(' is ')}"


def _is_single(text: str) -> bool:
    """Whether a text is one formula and nothing else; one that cannot be read counts, to be shown as it is."""
    try:
        pieces = split(text)
    except ExpressionError:
        return True
    formulas = sum(not isinstance(piece, str) for piece in pieces)
    return formulas == 1 and not "".join(piece for piece in pieces if isinstance(piece, str)).strip()


def _says_more(rules: Sequence[Mapping[str, Any]], rule: Mapping[str, Any]) -> bool:
    """Whether another rule asks something of the same value, which then must be filled in anyhow."""
    return any(other.get("left") == rule.get("left") and other.get("op") != rule.get("op") for other in rules)

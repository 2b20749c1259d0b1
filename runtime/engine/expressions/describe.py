"""Formulas in words, for cards and messages: ``{{ trigger.body.total }} EUR`` is "Trigger › Total EUR"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from jinja2 import nodes

from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.template import Part, compile_template, is_expression
from runtime.engine.jsonprofile import dumps, number_text

_ROOT_WORDS: Final = {
    "trigger": "Trigger",
    "run": "Run",
    "vars": "Variable",
    "error": "Error",
    "item": "Item",
    "index": "Position",
    "batch": "Batch",
}
#: The entry of ``names`` that holds the name people gave the start; no step's key is empty.
START: Final = ""
#: Functions that change how a value is written, not what it says to a reader.
_PLAIN: Final = frozenset({"url_encode", "to_text", "text"})
#: Parts of a path that say nothing to a reader when more follows.
_SILENT: Final = ("body",)

_OPERATORS: Final[dict[type[nodes.BinExpr], str]] = {
    nodes.Add: "+",
    nodes.Sub: "−",
    nodes.Mul: "×",
    nodes.Div: "÷",
    nodes.FloorDiv: "÷",
    nodes.Mod: "modulo",
    nodes.Pow: "^",
}
_COMPARISONS: Final = {
    "eq": "is",
    "ne": "is not",
    "lt": "is less than",
    "lteq": "is at most",
    "gt": "is more than",
    "gteq": "is at least",
    "in": "is in",
    "notin": "is not in",
}


def describe(value: Any, names: Mapping[str, str] | None = None) -> str:
    """A stored value in words. ``names`` maps step keys, and `START`, to the names people gave them. Never raises."""
    names = names or {}
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,f}" if abs(value.adjusted()) < 40 else number_text(value)
    if isinstance(value, list):
        return ", ".join(describe(entry, names) for entry in value[:20])
    if not isinstance(value, str):
        return dumps(value)[:200] if isinstance(value, Mapping) else ""
    if not is_expression(value):
        return value
    try:
        template = compile_template(value)
    except ExpressionError:
        return value
    return "".join(_words(part.tree, names) if isinstance(part, Part) else part for part in template.parts)


def title_case(name: str) -> str:
    """A technical name as a label: ``netAmount`` and ``net_amount`` are both "Net amount"."""
    spaced = ""
    for position, character in enumerate(name.replace("_", " ").replace("-", " ")):
        if character.isupper() and position and spaced[-1:].islower():
            spaced += " "
        spaced += character
    words = spaced.split()
    text = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)
    return text[:1].upper() + text[1:]


def _words(node: nodes.Node, names: Mapping[str, str]) -> str:
    match node:
        case nodes.Const():
            return f"“{node.value}”" if isinstance(node.value, str) else describe(node.value, names)
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            return _path_words(node, names)
        case nodes.Call():
            return _function_words(node.node.name if isinstance(node.node, nodes.Name) else "", node.args, names)
        case nodes.Filter():
            arguments = [node.node, *node.args] if node.node is not None else list(node.args)
            return _function_words(node.name, arguments, names)
        case nodes.Test():
            return f"{_words(node.node, names)} is {node.name}"
        case nodes.Compare():
            return _words(node.expr, names) + "".join(
                f" {_COMPARISONS[operand.op]} {_words(operand.expr, names)}" for operand in node.ops
            )
        case nodes.And():
            return f"{_words(node.left, names)} and {_words(node.right, names)}"
        case nodes.Or():
            return f"{_words(node.left, names)} or {_words(node.right, names)}"
        case nodes.Not():
            return f"not {_words(node.node, names)}"
        case nodes.Neg():
            return f"−{_words(node.node, names)}"
        case nodes.BinExpr():
            return f"{_words(node.left, names)} {_OPERATORS[type(node)]} {_words(node.right, names)}"
        case nodes.Concat():
            return " ".join(_words(part, names) for part in node.nodes)
        case nodes.CondExpr():
            otherwise = f", otherwise {_words(node.expr2, names)}" if node.expr2 is not None else ""
            return f"{_words(node.expr1, names)} if {_words(node.test, names)}{otherwise}"
        case nodes.List() | nodes.Tuple():
            return ", ".join(_words(item, names) for item in node.items)
        case _:
            return "…"


def _function_words(name: str, arguments: Sequence[nodes.Node], names: Mapping[str, str]) -> str:
    words = ", ".join(_words(argument, names) for argument in arguments)
    return words if name in _PLAIN and len(arguments) == 1 else f"{title_case(name)} ({words})"


def _path_words(node: nodes.Node, names: Mapping[str, str]) -> str:
    keys: list[str] = []
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getattr):
            keys.append(title_case(node.attr))
        elif isinstance(node.arg, nodes.Const):
            position = node.arg.value
            keys.append(f"No. {position + 1}" if type(position) is int and position >= 0 else title_case(str(position)))
        else:
            keys.append("…")
        node = node.node
    if not isinstance(node, nodes.Name):
        return " › ".join([_words(node, names), *reversed(keys)])
    keys.reverse()
    if node.name == "steps" and keys:
        first = next((name for key, name in names.items() if title_case(key) == keys[0]), keys[0])
        rest = keys[1:]
    else:
        first, rest = _ROOT_WORDS.get(node.name, title_case(node.name)), keys
        if node.name == "trigger":
            first = names.get(START, first)
    if len(rest) > 1 and rest[0].lower() in _SILENT:
        rest = rest[1:]
    return " › ".join([first, *rest])

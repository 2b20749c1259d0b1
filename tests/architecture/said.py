"""Sentences as they stand in the source: what a call, a tuple or an answer says, with a word in each hole."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

from tests.architecture.source import tree

#: What stands in a hole that cannot be read off the source.
FILLER = "Zx7"
Inside = tuple[ast.AST, ...]


@cache
def _scopes(path: Path) -> tuple[Inside, ...]:
    """All that stands in each function of a file, the innermost first, and in the file."""
    functions = [one for one in ast.walk(tree(path)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return tuple(sorted((tuple(ast.walk(one)) for one in (*functions, tree(path))), key=len))


def _each(path: Path) -> Iterator[tuple[ast.AST, Inside]]:
    """Every node of a file once, with all that stands in its innermost function."""
    seen: set[int] = set()
    for inside in _scopes(path):
        for node in inside:
            if id(node) not in seen:
                seen.add(id(node))
                yield (
                    node,
                    inside + tuple(one for one in tree(path).body if isinstance(one, ast.Assign | ast.AnnAssign)),
                )


def sentences(told: ast.expr, inside: Inside) -> list[str]:
    """All that an expression can say; a hole whose words stand in the same function is filled with them."""
    match told:
        case ast.Constant():
            return [str(told.value)]
        case ast.JoinedStr():
            return ["".join(parts) for parts in product(*(sentences(part, inside) for part in told.values))]
        case ast.FormattedValue(format_spec=None):
            return sentences(told.value, inside)
        case ast.BinOp(op=ast.Add()):
            return ["".join(two) for two in product(sentences(told.left, inside), sentences(told.right, inside))]
        case ast.IfExp():
            return [*sentences(told.body, inside), *sentences(told.orelse, inside)]
        case ast.Name():
            return _named(told, inside) or [FILLER]
    return [FILLER]


def _named(name: ast.Name, inside: Inside) -> list[str]:
    """What a name means here: its last assignment, and those before it as long as each is made on a condition."""
    made: list[ast.Assign | ast.AugAssign | ast.AnnAssign] = []
    for node in inside:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        assigned = isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.lineno < name.lineno
        if assigned and isinstance(target, ast.Name) and target.id == name.id:
            made.append(node)  # type: ignore[arg-type]
    said: list[str] = []
    ends = [""]
    for node in sorted(made, key=lambda one: -one.lineno):
        if node.value is None or not _is_text(node.value):
            continue
        if isinstance(node, ast.AugAssign):
            ends = [more + end for more in sentences(node.value, inside) for end in ends]
            continue
        said += [one + end for one in sentences(node.value, inside) for end in ends]
        if node.col_offset <= _statement(name, inside).col_offset:
            break
    return said


def _statement(name: ast.Name, inside: Inside) -> ast.stmt:
    around = (one for one in inside if isinstance(one, ast.stmt) and any(part is name for part in ast.walk(one)))
    return max(around, key=lambda one: one.lineno)


def _is_text(value: ast.expr) -> bool:
    match value:
        case ast.Constant():
            return isinstance(value.value, str)
        case ast.BinOp():
            return _is_text(value.left) or _is_text(value.right)
        case ast.IfExp():
            return _is_text(value.body) or _is_text(value.orelse)
    return isinstance(value, ast.JoinedStr)


def is_sentence(text: str) -> bool:
    """Whether something is said that does not come from elsewhere."""
    return text[-1:] in (".", "?") and any(letter.isalpha() for letter in text.replace(FILLER, ""))


def said_by_calls(path: Path, name: str, code: int | str, told: int) -> Iterator[tuple[str, str]]:
    """The (code, sentence) of each call of this function or method. `code`: at which place it stands, or itself."""
    for node, inside in _each(path):
        if not isinstance(node, ast.Call) or name != getattr(node.func, "attr", getattr(node.func, "id", "")):
            continue
        codes = [code] if isinstance(code, str) else sentences(_given(node, code, "code"), inside)
        yield from product(codes, sentences(_given(node, told, "message"), inside))


def _given(call: ast.Call, place: int, name: str) -> ast.expr:
    if len(call.args) > place:
        return call.args[place]
    return next((one.value for one in call.keywords if one.arg == name), ast.Constant(FILLER))


def said_by_tuples(path: Path, parts: int = 3) -> Iterator[tuple[str, str]]:
    """The (code, sentence) of each (field path, code, sentence); of a pair with its path, the code is empty."""
    for node, inside in _each(path):
        if isinstance(node, ast.Tuple) and len(node.elts) == parts:
            code = node.elts[1] if parts > 2 else ast.Constant("")
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield from ((code.value, one) for one in sentences(node.elts[-1], inside))


def said_by_answers(path: Path, function: str) -> list[str]:
    """What a function gives back."""
    of = next(one for one in ast.walk(tree(path)) if isinstance(one, ast.FunctionDef) and one.name == function)
    inside = tuple(ast.walk(of))
    answers = (one.value for one in inside if isinstance(one, ast.Return) and one.value is not None)
    return [text for one in answers for text in sentences(one, inside)]

"""Which paths a formula reads, and whether it asks for the time."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from runtime.engine.expressions.references import LOCAL, ROOTS, Reference
from runtime.engine.expressions.registry import FUNCTIONS, Function


def collect_references(tree: nodes.Node) -> Iterator[Reference]:
    """Every path from a root that the tree reads; ``item`` and ``index`` of list functions are not references."""
    yield from _walk(tree, False)


def needs_now(tree: nodes.Expr) -> bool:
    """Whether a function in the formula asks for the present time."""
    return any((entry := _called(node)) is not None and entry.needs_now for node in (tree, *tree.find_all(nodes.Expr)))


def _called(node: nodes.Node) -> Function | None:
    """The function that is called here, whichever way it is written."""
    match node:
        case nodes.Filter():
            return FUNCTIONS.get(node.name)
        case nodes.Call(node=nodes.Name() as name):
            return FUNCTIONS.get(name.name)
    return None


def _walk(node: nodes.Node, inside: bool) -> Iterator[Reference]:
    match node:
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            keys: list[str | int] = []
            current: nodes.Node = node
            while isinstance(current, nodes.Getattr | nodes.Getitem):
                if isinstance(current, nodes.Getattr):
                    keys.append(current.attr)
                elif isinstance(current.arg, nodes.Const) and type(current.arg.value) in (str, int):
                    keys.append(current.arg.value)
                else:
                    keys.clear()  # only what leads up to a worked-out part is certain
                    yield from _walk(current.arg, inside)
                current = current.node
            if not isinstance(current, nodes.Name):
                yield from _walk(current, inside)
            elif current.name in ROOTS and not (inside and current.name in LOCAL):
                yield _reference(current.name, keys[::-1])
        case nodes.Call() | nodes.Filter():
            arguments: list[nodes.Node] = list(node.args)
            if isinstance(node, nodes.Filter):
                arguments = [node.node, *arguments] if node.node is not None else arguments
            entry = _called(node)
            kinds = [parameter.kind for parameter in entry.parameters if parameter.kind != "now"] if entry else []
            for position, argument in enumerate(arguments):
                lazy = position < len(kinds) and kinds[position] == "formula"
                yield from _walk(argument, inside or lazy)
            for pair in node.kwargs:
                lazy = entry is not None and any(p.name == pair.key and p.kind == "formula" for p in entry.parameters)
                yield from _walk(pair.value, inside or lazy)
        case _:
            for child in node.iter_child_nodes():
                yield from _walk(child, inside)


def _reference(root: str, keys: list[str | int]) -> Reference:
    if root == "steps" and keys:
        return Reference(root, str(keys[0]), tuple(keys[1:]))
    return Reference(root, None, tuple(keys))

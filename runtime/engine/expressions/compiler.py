"""From the tree of a formula to closures over data.

The list of node kinds below is the whole language. A kind that is not in it is refused when the formula is compiled,
so nothing can be reached at run time that was not allowed here by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import partial
from typing import Any, Final, TypeAlias

from jinja2 import nodes

from runtime.engine.expressions import arithmetic
from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.predicates import TESTS
from runtime.engine.expressions.references import LOCAL, ROOTS
from runtime.engine.expressions.registry import FUNCTIONS, Function, Parameter, convert
from runtime.engine.expressions.values import ABSENT, Meter, Missing, same, shown, text_of, truth
from runtime.engine.jsonprofile import JSONRefused, normalise


class Scope:
    """What one evaluation reads: the context, the entry a list function is at, and the budget."""

    __slots__ = ("context", "local", "meter")

    def __init__(self, context: Mapping[str, Any], meter: Meter, local: dict[str, Any] | None = None) -> None:
        self.context = context
        self.meter = meter
        self.local = local


Closure: TypeAlias = Callable[[Scope], Any]


def compile_tree(tree: nodes.Expr) -> Closure:
    """The closure of a formula. Raises ExpressionError for what the language does not have."""
    return _compile(tree)


def is_plain_path(tree: nodes.Node) -> bool:
    """Whether the formula only picks out a value that is already there, so that its size needs no check."""
    return isinstance(tree, nodes.Const) or plain_path(tree) is not None


def _compile(node: nodes.Node) -> Closure:
    match node:
        case nodes.Const():
            return _constant(node.value)
        case nodes.TemplateData():
            return _constant(node.data)
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            return _access(node)
        case nodes.Call():
            return _call(node)
        case nodes.Filter():
            return _filter(node)
        case nodes.Test():
            return _test(node)
        case nodes.Compare():
            return _compare(node)
        case nodes.And():
            left, right = _compile(node.left), _compile(node.right)

            def both(scope: Scope) -> Any:
                value = left(scope)
                return right(scope) if truth(value) else value

            return both
        case nodes.Or():
            left, right = _compile(node.left), _compile(node.right)

            def either(scope: Scope) -> Any:
                value = left(scope)
                return value if truth(value) else right(scope)

            return either
        case nodes.Not():
            inner = _compile(node.node)
            return lambda scope: not truth(inner(scope))
        case nodes.Neg():
            inner = _compile(node.node)
            return lambda scope: arithmetic.negate(inner(scope))
        case nodes.Pos():
            inner = _compile(node.node)
            return lambda scope: arithmetic.subtract(inner(scope), 0, scope.meter)
        case nodes.BinExpr():
            return _binary(node)
        case nodes.Concat():
            parts = [_compile(part) for part in node.nodes]

            def concatenate(scope: Scope) -> str:
                meter = scope.meter
                texts = [text_of(part(scope), meter) for part in parts]
                meter.text(sum(map(len, texts)))
                return "".join(texts)

            return concatenate
        case nodes.CondExpr():
            test, yes = _compile(node.test), _compile(node.expr1)
            no = _compile(node.expr2) if node.expr2 is not None else _constant(None)
            return lambda scope: yes(scope) if truth(test(scope)) else no(scope)
        case nodes.List() | nodes.Tuple():
            items = [_compile(item) for item in node.items]

            def make_list(scope: Scope) -> list[Any]:
                scope.meter.spend(len(items) + 1)
                return [_present(item(scope)) for item in items]

            return make_list
        case nodes.Dict():
            return _object(node)
        case _:
            raise ExpressionError("refused", f"“{type(node).__name__.lower()}” is not part of formulas.")


def _present(value: Any) -> Any:
    if type(value) is Missing:
        raise value.error()
    return value


def _constant(value: Any) -> Closure:
    try:
        fixed = normalise(value)
    except JSONRefused as refused:
        code = "number" if isinstance(value, int | Decimal) else "refused"
        raise ExpressionError(code, f"In this formula, {refused.message}.") from None
    return lambda _scope: fixed


# --- paths ------------------------------------------------------------------------------------------------------


def plain_path(node: nodes.Node) -> tuple[str, tuple[str | int, ...]] | None:
    """``steps.order.lines[0]`` as (root, keys); None when a part is worked out."""
    keys: list[str | int] = []
    while True:
        match node:
            case nodes.Name():
                return node.name, tuple(reversed(keys))
            case nodes.Getattr():
                keys.append(node.attr)
                node = node.node
            case nodes.Getitem() if isinstance(node.arg, nodes.Const) and type(node.arg.value) in (str, int):
                keys.append(node.arg.value)
                node = node.node
            case _:
                return None


def show_path(root: str, keys: tuple[str | int, ...]) -> str:
    """A path as people write it in a formula."""
    text = root
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}"
    return text if len(text) <= 120 else text[:119] + "…"


def take(holder: Any, key: Any, path: str = "") -> Any:
    """One step of a path: an object's field or a list's entry, nothing else."""
    if type(holder) is dict or isinstance(holder, Mapping):
        if type(key) is int:
            key = str(key)
        if type(key) is str:
            try:
                return holder[key]
            except KeyError:
                return Missing(path, key, holder)
    elif type(holder) is list and type(key) is int:
        if -len(holder) <= key < len(holder):
            return holder[key]
        return Missing(path, key, holder)
    elif type(holder) is Missing:
        return holder
    if type(key) is Missing:
        raise key.error()
    if type(key) not in (str, int):
        raise ExpressionError("type", f"A field is named by text or a position, not by {shown(key)}.")
    return Missing(path, key, holder)


def _access(node: nodes.Node) -> Closure:
    found = plain_path(node)
    if found is not None:
        return _fixed_path(*found)
    assert isinstance(node, nodes.Getattr | nodes.Getitem)
    inner = _compile(node.node)
    if isinstance(node, nodes.Getattr):
        name = node.attr
        return lambda scope: take(inner(scope), name)
    if isinstance(node.arg, nodes.Slice):
        return _slice(inner, node.arg)
    index = _compile(node.arg)

    def pick(scope: Scope) -> Any:
        key = index(scope)
        if type(key) is Decimal and key == key.to_integral_value():
            key = int(key)
        return take(inner(scope), key)

    return pick


def _fixed_path(root: str, keys: tuple[str | int, ...]) -> Closure:
    if root not in ROOTS:
        if root == "null" and not keys:
            return _constant(None)
        if root not in LOCAL:
            raise _unknown_name(root)
    local = root in LOCAL

    def read(scope: Scope) -> Any:
        if local and scope.local is not None:
            value = scope.local[root]
        else:
            try:
                value = scope.context[root]
            except KeyError:
                return Missing(root, "", ABSENT)
        for key in keys:
            if type(value) is dict:
                try:
                    value = value[key]
                    continue
                except KeyError:
                    pass
            before = value
            value = take(value, key)
            if type(value) is Missing:
                if value is not before:
                    value.path = show_path(root, _until(scope, root, keys, before))
                return value
        return value

    return read


def _until(scope: Scope, root: str, keys: tuple[str | int, ...], holder: Any) -> tuple[str | int, ...]:
    """The keys that lead to ``holder``: the part of the path that is there."""
    value = scope.local[root] if scope.local is not None and root in scope.local else scope.context[root]
    for count, key in enumerate(keys):
        if value is holder:
            return keys[:count]
        value = take(value, key)
    return keys


def _slice(inner: Closure, node: nodes.Slice) -> Closure:
    if node.step is not None:
        raise ExpressionError("refused", "A slice has a beginning and an end, no step.")
    start = _compile(node.start) if node.start is not None else _constant(None)
    stop = _compile(node.stop) if node.stop is not None else _constant(None)

    def cut(scope: Scope) -> Any:
        value = _present(inner(scope))
        bounds = [bound(scope) for bound in (start, stop)]
        for bound in bounds:
            if bound is not None and type(bound) is not int:
                raise ExpressionError("type", f"A position is a whole number, not {shown(bound)}.")
        if not isinstance(value, list | str):
            raise ExpressionError("type", f"Only lists and texts have parts, not {shown(value)}.")
        part = value[bounds[0] : bounds[1]]
        scope.meter.spend(1 + (len(part) if isinstance(part, list) else len(part) >> 6))
        return part

    return cut


def _unknown_name(name: str) -> ExpressionError:
    if name in FUNCTIONS:
        return ExpressionError("syntax", f"“{name}” is a function: write {FUNCTIONS[name].signature}.")
    near = get_close_matches(name[:80], [*ROOTS, *FUNCTIONS], 1, 0.7)
    hint = (
        f" Did you mean “{near[0]}”?"
        if near
        else " Data starts with trigger, steps, run or vars; text stands in quotes."
    )
    return ExpressionError("unknown_name", f"“{name[:80]}” is not known here.{hint}")


# --- operators --------------------------------------------------------------------------------------------------

_BINARY: Final[dict[type[nodes.BinExpr], Callable[[Any, Any, Meter], Any]]] = {
    nodes.Add: arithmetic.add,
    nodes.Sub: arithmetic.subtract,
    nodes.Mul: arithmetic.multiply,
    nodes.Div: arithmetic.divide,
    nodes.FloorDiv: arithmetic.divide_whole,
    nodes.Mod: arithmetic.modulo,
    nodes.Pow: arithmetic.power,
}


def _binary(node: nodes.BinExpr) -> Closure:
    operate = _BINARY.get(type(node))
    if operate is None:
        raise ExpressionError("refused", f"“{type(node).__name__}” is not part of formulas.")
    left, right = _compile(node.left), _compile(node.right)
    return lambda scope: operate(left(scope), right(scope), scope.meter)


_SIGNS: Final = {"lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}


def _contains(holder: Any, value: Any, meter: Meter) -> bool:
    value = _present(value)
    if isinstance(holder, list):
        meter.spend(len(holder))
        return any(same(entry, value, meter) for entry in holder)
    if isinstance(holder, str) and isinstance(value, str):
        meter.spend(len(holder) >> 6)
        return value in holder
    if isinstance(holder, Mapping) and isinstance(value, str):
        return value in holder
    raise _present(holder) and ExpressionError(
        "type", f"“in” looks into a list, a text or an object, not into {shown(holder)}."
    )


def _compare(node: nodes.Compare) -> Closure:
    first = _compile(node.expr)
    rest = [(operand.op, _compile(operand.expr)) for operand in node.ops]

    def compare(scope: Scope) -> bool:
        left = first(scope)
        for sign, closure in rest:
            right = closure(scope)
            match sign:
                case "eq":
                    holds = same(left, right, scope.meter)
                case "ne":
                    holds = not same(left, right, scope.meter)
                case "in":
                    holds = _contains(right, left, scope.meter)
                case "notin":
                    holds = not _contains(right, left, scope.meter)
                case _:
                    holds = arithmetic.compare(_SIGNS[sign], left, right, scope.meter)
            if not holds:
                return False
            left = right
        return True

    return compare


def _object(node: nodes.Dict) -> Closure:
    pairs = [(_compile(pair.key), _compile(pair.value)) for pair in node.items]

    def make_object(scope: Scope) -> dict[str, Any]:
        scope.meter.spend(len(pairs) + 1)
        found: dict[str, Any] = {}
        for key, value in pairs:
            name = key(scope)
            if not isinstance(name, str):
                raise ExpressionError("type", f"A field's name is text, not {shown(name)}.")
            found[name] = _present(value(scope))
        return found

    return make_object


# --- functions and tests ----------------------------------------------------------------------------------------


def _call(node: nodes.Call) -> Closure:
    if not isinstance(node.node, nodes.Name):
        raise ExpressionError(
            "unknown_function", "Only the functions of the list can be called; data has no functions of its own."
        )
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise ExpressionError("refused", "Arguments are written one by one, without *.")
    return _function(node.node.name, list(node.args), {str(pair.key): pair.value for pair in node.kwargs})


def _filter(node: nodes.Filter) -> Closure:
    if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise ExpressionError("refused", "This way of writing a function is not part of formulas.")
    return _function(node.name, [node.node, *node.args], {str(pair.key): pair.value for pair in node.kwargs})


def _function(name: str, positional: list[nodes.Expr], named: dict[str, nodes.Expr]) -> Closure:
    entry = FUNCTIONS.get(name)
    if entry is None:
        near = get_close_matches(name[:80], FUNCTIONS, 1, 0.6)
        hint = f" Did you mean “{near[0]}”?" if near else ""
        raise ExpressionError("unknown_function", f"There is no function “{name[:80]}”.{hint}")
    arguments = _bind(entry, positional, named)
    call, needs_now = entry.call, entry.needs_now

    def invoke(scope: Scope) -> Any:
        meter = scope.meter
        meter.spend(1)
        values: list[Any] = [meter, _now(scope)] if needs_now else [meter]
        try:
            for parameter, closure in arguments:
                if parameter.kind == "formula":
                    values.append(_each(closure, scope))
                elif parameter.kind == "later":
                    values.append(partial(closure, scope))
                else:
                    values.append(convert(closure(scope), parameter.kind, meter))
            return call(*values)
        except ExpressionError as error:
            if error.message[:1].islower():  # says only what is wrong: put in front where
                raise ExpressionError(error.code, f"“{name}” {error.message}") from None
            raise

    return invoke


def _each(closure: Closure, scope: Scope) -> Callable[[Any, int], Any]:
    """An argument that is worked out for each entry. One scope serves all entries of a call."""
    meter = scope.meter
    around = scope.context if scope.local is None else scope.local
    local: dict[str, Any] = {"outer": around["item"] if "item" in around else Missing("outer", "", ABSENT)}
    inner = Scope(scope.context, meter, local)

    def evaluate(item: Any, index: int) -> Any:
        meter.spend(1)
        local["item"] = item
        local["index"] = index
        try:
            return _present(closure(inner))
        except ExpressionError as error:
            if error.code in ("too_big", "too_deep"):
                raise
            raise ExpressionError(error.code, f"Entry {index + 1}: {error.message}") from None

    return evaluate


def _bind(
    entry: Function, positional: list[nodes.Expr], named: dict[str, nodes.Expr]
) -> list[tuple[Parameter, Closure]]:
    parameters = [parameter for parameter in entry.parameters if parameter.kind != "now"]
    bound: list[tuple[Parameter, Closure]] = []
    queue = list(positional)
    for parameter in parameters:
        if parameter.repeated:
            bound.extend((parameter, _compile(argument)) for argument in queue)
            queue = []
        elif queue:
            bound.append((parameter, _compile(queue.pop(0))))
        elif parameter.name in named:
            bound.append((parameter, _compile(named.pop(parameter.name))))
        elif not parameter.optional:
            raise ExpressionError("arguments", f"“{entry.name}” needs “{parameter.name}”: write {entry.signature}.")
        else:
            # What follows a left-out argument can only be given by name, which would shift it.
            late = next((later.name for later in parameters if later.name in named), None)
            if late is not None:
                raise ExpressionError("arguments", f"“{entry.name}” needs “{parameter.name}” before “{late}”.")
            break
    if queue:
        raise ExpressionError("arguments", f"“{entry.name}” has too many arguments: write {entry.signature}.")
    if named:
        raise ExpressionError(
            "arguments", f"“{entry.name}” has no argument “{next(iter(named))[:40]}”: write {entry.signature}."
        )
    return bound


def _now(scope: Scope) -> str:
    run = scope.context.get("run")
    moment = run.get("now") or run.get("started_at") if isinstance(run, Mapping) else None
    if not isinstance(moment, str):
        raise ExpressionError("missing", "The present time is not known here.")
    return moment


def _test(node: nodes.Test) -> Closure:
    test = TESTS.get(node.name)
    if test is None or node.args or node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        raise ExpressionError("unknown_function", f"“is {node.name[:40]}” is not known. Known are: {', '.join(TESTS)}.")
    inner = _compile(node.node)
    return lambda scope: test(inner(scope))

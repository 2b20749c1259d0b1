# ruff: noqa: E501 (the probes are lists to be read as such)
"""Formulas that want out, or want too much. Each must be refused or harmless, quickly, in this very process."""

from __future__ import annotations

import contextlib
import resource
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.expressions import ExpressionError, evaluate
from runtime.engine.jsonprofile import dumps


class Canary:
    """Fails the test as soon as anything of it is looked at."""

    touched = False

    def __getattribute__(self, name: str) -> Any:
        if name not in ("__class__",):
            type.__setattr__(Canary, "touched", True)
        return object.__getattribute__(self, name)


ROWS = [{"n": number, "name": f"row {number}"} for number in range(1000)]
CONTEXT: dict[str, Any] = {
    "trigger": {
        "text": "a" * 10_000,
        "rows": ROWS,
        "n": 7,
        "evil": "{{ 7 * 7 }}{% x %}",
    },
    "steps": {},
    "vars": {},
    "batch": {"canary": Canary()},
    "run": {"now": "2026-11-20T09:41:07Z"},
}

HUGE = "0" * 9_999_999
#: As much as a webhook may bring in, for formulas that look at all of it again and again.
LARGE: dict[str, Any] = {
    "trigger": {
        "huge": HUGE + "a",
        "twin": HUGE + "b",
        "long": "x." * 400_000,
        "large": {"a": "y" * 990_000},
        "same": {"a": "y" * 989_999 + "y"},
        "wide": {f"k{number}": number for number in range(100_000)},
        "rows": ROWS,
    }
}

HEAVY = [
    "count(numbers(1, 10000), trigger.huge < trigger.twin)", "count(numbers(1, 10000), starts_with(trigger.huge, trigger.twin))",
    "count(numbers(1, 10000), ends_with(trigger.huge, trigger.twin))", "sort(map(numbers(1, 9999), when(index % 2, trigger.huge, trigger.twin)))",
    "sort(numbers(1, 9999), when(index % 2, trigger.huge, trigger.twin))", "unique(numbers(1, 10000), when(index % 2, trigger.huge, trigger.twin))",
    "unique(map(numbers(1, 10000), trigger.large))", "unique(map(numbers(1, 10000), trigger.rows))", "count(numbers(1, 10000), trigger.large == trigger.same)",
    "count(numbers(1, 10000), trigger.huge == trigger.twin)", "plain_letters(repeat('\ufdfa', 240000))", "slug(repeat('\ufdfa', 240000))",
    "count(numbers(1, 9999), yes_no(trigger.huge))", "count(numbers(1, 9999), get(trigger, trigger.long))", "count(numbers(1, 9999), trigger.huge ~ 'x' == '')",
    "omit(trigger.wide, " + ", ".join(f"'{n}'" for n in range(350)) + ")",
    "count(numbers(1, 9999), parse_date(trigger.huge, 'dd.MM.yyyy'))", "count(numbers(1, 9999), trigger.huge in trigger.twin)",
]  # fmt: skip

BOMBS = [
    "'a' * 2000000000", "'a' * 10 ** 9", "[0] * 10 ** 9", "9 ** 9 ** 9", "9 ** 1000 ** 1000", "2 ** 100000", "1.1 ** 100000",
    "10 ** 1000 * 10 ** 1000", "1 / 3 ** 1000", "-1 ** 0.5", "0 ** -1", "1 << 100000", "numbers(1, 1000000000)",
    "numbers(0 - 999999999, 999999999)", "repeat('a', 999999999)", "repeat(repeat('a', 1000), 1000) ~ repeat('a', 999)",
    "pad_left('a', 999999999)", "pad_right('a', 999999999, 'x')", "replace(trigger.text, 'a', trigger.text)",
    "replace(repeat('a', 999999), 'a', repeat('b', 999))", "join(map(numbers(1, 9999), trigger.text), '')",
    "map(numbers(1, 9999), map(numbers(1, 9999), map(numbers(1, 9999), item)))",
    "map(numbers(1, 400), map(numbers(1, 400), trigger.rows))",
    "map(map(map(numbers(1, 99), trigger.rows), [item, item]), [item, item, item])",
    "sort(map(numbers(1, 9999), repeat('x', 999)))", "unique(map(numbers(1, 9999), trigger.rows))",
    "filter(numbers(1, 9999), trigger.rows == trigger.rows and all(trigger.rows, item == item))",
    "count(numbers(1, 9999), matches(trigger.text, '*a*a*a*a*a*a*b'))",
    "matches(repeat('a', 100000), '*a*a*a*a*a*a*a*a*a*b')", "to_json(map(numbers(1, 9999), trigger.rows))",
    "hash(repeat('a', 999999))", "map(numbers(1, 9999), hash(repeat('a', 999999)))",
    "strip_html(repeat('<b>', 60000))", "strip_html(repeat('<!--', 40000))", "plain_letters(repeat('é', 900000))",
    "upper(repeat('ß', 900000))", "parse_json(repeat('[', 900000))", "parse_json(repeat('[1,', 300000))",
    "base64_decode(repeat('A', 900000))", "url_encode(repeat('é', 900000))", "split(repeat('a', 900000), 'a')",
    "allocate(1, map(numbers(1, 9999), 1))", "allocate(10 ** 30, [1, 1, 1])", "round(1, 999999999)", "round(1.5, 0 - 999999999)",
    "format_number(10 ** 39, 999999999)", "add_time('9999-12-31', 999999999, 'years')", "add_workdays('2026-01-01', 999999999)",
    "add_days('0001-01-01', 0 - 5)", "from_epoch(10 ** 30)", "end_of('9999-12-31', 'year')",
    "format_date('2026-11-20', repeat('yyyy', 100000))", "parse_date(repeat('9', 99999), 'yyyy')", "in_zone('2026-11-20', '../../etc/passwd')",
    "get(trigger, repeat('a.', 400000))", "chunk(trigger.rows, 0)", "zip(trigger.rows, trigger.rows)[0:999999999999999999999]",
    "group_by(trigger.rows, repeat('k', 999999))", "index_by(trigger.rows, trigger.text)", "mid('abc', 999999999, 999999999)",
    "[" * 49 + "]" * 49, "[" * 5000 + "]" * 5000, "(" * 1900 + "1" + ")" * 1900, "1+" * 900 + "1", "not " * 450 + "true",
    "-" * 1900 + "1", "~".join(["trigger.text"] * 140), "x" * 1_000_000, "1" * 1990, "1." + "1" * 1900, "1e999999999", "0x" + "f" * 1900,
    "trigger" + ".a" * 990, "trigger" + "[0]" * 600, "1|text" * 300, "a if b else " * 150 + "c", "'" + "\\ud800" * 10 + "'", "'\\x00'",
]  # fmt: skip

ESCAPES = [
    "trigger.__class__", "trigger['__class__']", "''.__class__.__mro__", "trigger.text.__class__.__mro__[1].__subclasses__()",
    "().__class__.__bases__[0]", "trigger|attr('__class__')", "trigger.text.format(trigger)", "'{0.__class__}'.format(trigger)",
    "'%s' % trigger", "'%999999999d' % 1", "trigger.text.center(10)", "batch.canary.touched", "batch.canary", "batch.canary()",
    "batch.canary ~ ''", "[batch.canary]", "text(batch.canary)", "to_json([batch.canary])", "batch.canary == batch.canary",
    "batch.canary + 1", "self", "self.__init__.__globals__", "config", "request", "lipsum(n=10**6)", "cycler.__init__", "joiner",
    "namespace()", "range(10**9)", "dict()", "open('/etc/passwd')", "eval('1')", "exec('1')", "__import__('os')", "getattr(trigger, 'x')",
    "get(trigger, '__class__.__mro__')", "loop", "caller()", "super()", "trigger.keys()", "trigger.text.__init__", "map.__globals__",
    "upper.__globals__", "_", "__builtins__", "trigger.__ｃlass__", "*trigger", "upper(*trigger)", "upper(**trigger)", "x:=1",
    "lambda x: x", "[x for x in trigger]", "trigger.text|map('center', 10**6)", "trigger|tojson(indent=10**7)", "1 if __import__ else 2",
    "run.__class__", "env", "settings", "os.environ", "vars.__dict__", "trigger.rows.append(1)", "trigger.rows.__len__()", "steps.__iter__",
    "trigger.text|safe", "trigger.text|e", "trigger is sameas trigger", "trigger is callable", "`id`", "${7*7}", "<%= 7*7 %>", "#{7*7}",
]  # fmt: skip


def outcome(formula: str, context: dict[str, Any]) -> Any:
    try:
        return evaluate("{{ " + formula + " }}", context)
    except ExpressionError as error:
        return error


def harmless(formula: str, context: dict[str, Any] = CONTEXT) -> Any:
    """Evaluate; a clean refusal or a bounded value within the time and memory of the promise."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # A bomb takes too long every time; a machine that is busy elsewhere does not.
    for _ in range(3):
        start = time.thread_time()
        value: Any = outcome(formula, context)
        took = time.thread_time() - start
        if took < 1.0:
            break
    if isinstance(value, ExpressionError):
        assert 0 < len(value.message) < 700
    else:
        assert len(dumps(value)) < 8_000_000
    assert took < 1.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert not Canary.touched
    return value


@pytest.mark.parametrize("formula", BOMBS, ids=lambda text: text[:50])
def test_a_bomb_is_refused_or_bounded(formula: str) -> None:
    harmless(formula)


@pytest.mark.parametrize("formula", HEAVY, ids=lambda text: text[:90])
def test_going_through_large_data_again_and_again_is_refused_or_bounded(formula: str) -> None:
    harmless(formula, LARGE)


@pytest.mark.parametrize("formula", ESCAPES)
def test_nothing_leads_out_of_the_data(formula: str) -> None:
    value = harmless(formula)
    assert isinstance(value, ExpressionError) or value is None or "class" not in str(value)


def test_what_came_as_data_is_never_a_formula() -> None:
    assert evaluate("{{ trigger.evil }}", CONTEXT) == "{{ 7 * 7 }}{% x %}"
    assert evaluate("<{{ trigger.evil ~ trigger.evil }}>", CONTEXT).count("{{ 7 * 7 }}") == 2  # type: ignore[union-attr]


def test_a_field_full_of_formulas_is_refused_before_it_is_compiled() -> None:
    with pytest.raises(ExpressionError, match="characters together") as error:
        evaluate(
            "{{ trigger.n + 1 }}" * 30 + "{{ " + "1 + " * 480 + "1 }} " * 1 + ("{{ " + "1 + " * 480 + "1 }} ") * 100, {}
        )
    assert error.value.code == "too_long"
    assert evaluate("{{ 1 }} " * 400, {}) == "1 " * 400


def test_there_are_as_many_probes_as_promised() -> None:
    assert len(BOMBS) + len(ESCAPES) >= 140


names = st.sampled_from(
    ["trigger", "steps", "run", "vars", "item", "index", "upper", "map", "sum", "self", "x", "__class__"]
)
atoms = names | st.sampled_from(
    ["1", "2.5", "'a'", "[]", "{}", "none", "true", "-1", "10**9", "trigger.rows", "trigger.text"]
)
formulas = st.recursive(
    atoms,
    lambda inner: (
        st.builds("{}.{}".format, inner, names)
        | st.builds("{}[{}]".format, inner, inner)
        | st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and", "or", "is"]),
            inner,
        )
        | st.builds(
            "{}({}, {})".format,
            st.sampled_from(["map", "filter", "join", "repeat", "round", "when", "get", "sort", "x"]),
            inner,
            inner,
        )
        | st.builds("{}|{}".format, inner, names)
        | st.builds("{}({})".format, inner, inner)
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(formulas)
def test_any_formula_of_the_grammar_gives_data_or_a_clean_refusal(formula: str) -> None:
    harmless(formula)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_at_all_gives_data_or_a_clean_refusal(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        evaluate("{{" + text + "}}", CONTEXT)

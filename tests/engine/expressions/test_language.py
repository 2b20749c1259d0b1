from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from runtime.engine.expressions import (
    DEFAULT_LIMITS,
    ExpressionError,
    Limits,
    Reference,
    compile_template,
    describe,
    evaluate,
    is_expression,
    references,
    resolve,
)
from runtime.engine.expressions.describe import START
from tests.engine.cost import lines_run

CONTEXT: dict[str, Any] = {
    "trigger": {"body": {"total": Decimal("13412.80"), "items": [1, 2], "keys": "mine", "note": None, "name": "Ann"}},
    "steps": {"order": {"total": Decimal("100.10"), "lines": [{"sku": "A"}]}},
    "run": {"started_at": "2026-11-20T09:41:07Z"},
    "vars": {},
}


def test_a_field_that_is_one_formula_keeps_the_kind_of_its_value() -> None:
    assert evaluate("{{ trigger.body.items }}", CONTEXT) == [1, 2]
    assert evaluate("  {{ trigger.body.total }}\n", CONTEXT) == Decimal("13412.80")
    assert evaluate("{{ trigger.body.note }}", CONTEXT) is None


def test_a_field_with_more_than_one_formula_is_text() -> None:
    assert evaluate("{{ trigger.body.total }} {{ 'EUR' }}", CONTEXT) == "13412.80 EUR"
    assert evaluate("[{{ trigger.body.items }}] {{ trigger.body.note }}!", CONTEXT) == "[[1,2]] !"


@pytest.mark.parametrize(
    "text", ["{{ trigger.a }}", " {{ trigger.a.b }}\n", "{{ a }}", "n{{ trigger.a }}{{ trigger.a.b }}", "{{ trigger }}"]
)
@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, 7, -(2**62), Decimal("1.50"), 1.5, float("nan"), "", "text", "x" * 1_000_001, [], [1], {},
        {"b": 5}, {"b": "y" * 1_000_000}, {"b": {"b": 1}}, {"b": None}, {"B": 1}, {1}, object(),
    ],
)  # fmt: skip
def test_what_is_found_at_a_glance_is_what_a_thorough_look_finds(text: str, value: Any) -> None:
    def outcome(limits: Limits) -> tuple[str, Any]:
        try:
            return "value", compile_template(text).evaluate({"trigger": {"a": value}}, limits=limits)
        except ExpressionError as error:
            return error.code, (error.message, error.position)

    assert outcome(DEFAULT_LIMITS) == outcome(Limits())


def test_text_that_looks_like_data_stays_text() -> None:
    for text in ("1e5", "[1,2]", "{{ 7 }}", "{% raw %}", "True"):
        assert evaluate("{{ trigger.x }}", {"trigger": {"x": text}}) == text
        assert evaluate("-{{ trigger.x }}-", {"trigger": {"x": text}}) == f"-{text}-"


def test_fields_named_like_methods_are_fields() -> None:
    assert evaluate("{{ trigger.body.items[0] }} {{ trigger.body.keys }}", CONTEXT) == "1 mine"


def test_other_template_marks_are_plain_text() -> None:
    for text in ("{% if x %}", "{# note #}", "#{id}", "${x}", "a } b }} c"):
        assert evaluate(text, CONTEXT) == text
        assert not is_expression(text)


def test_braces_inside_texts_and_objects_do_not_end_a_formula() -> None:
    assert evaluate("{{ {'a': {'b': 1}} }}", CONTEXT) == {"a": {"b": 1}}
    assert evaluate("{{ '}}' ~ \"{{\" }}", CONTEXT) == "}}{{"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("{{ steps.ordr.total }}", "missing", "no step “ordr” with a result here. Did you mean “order”"),
        ("{{ steps.order.totl }}", "missing", "steps.order has no field “totl”. Did you mean “total”"),
        ("{{ steps.order.zzz }}", "missing", "It has: total, lines"),
        ("{{ trigger.body.note.x }}", "missing", "trigger.body.note is empty here, so it has no “x”"),
        ("{{ steps.order.lines.sku }}", "missing", "is a list"),
        ("{{ steps.order.lines[3].sku }}", "missing", "has 1 entries, so there is no entry 3"),
        ("{{ error.message }}", "missing", "There is no “error” here"),
        ("{{ item.sku }}", "missing", "inside list functions"),
        ("{{ tigger.body }}", "unknown_name", "Did you mean “trigger”"),
        ("{{ uper('x') }}", "unknown_function", "Did you mean “upper”"),
        ("{{ trigger.body.name.upper() }}", "unknown_function", "data has no functions of its own"),
        ("{{ trigger.body.name + 1 }}", "type", "Use “~” to join"),
        ("{{ trigger.body.name * 2 }}", "type", "text “Ann”"),
        ("{{ round('12') }}", "type", "“round” needs a number, but this is text “12”"),
        ("{{ 1 / 0 }}", "number", "Division by zero"),
        ("{{ 0 / 0.0 }}", "number", "Division by zero"),
        ("{{ 1 +", "syntax", "not closed"),
        ("{{ 1 + }}", "syntax", "stops in the middle"),
        ("{{ }}", "syntax", "nothing between"),
        ("{{ a b }}", "syntax", "not expected here"),
        ("{{ $x }}", "syntax", "not expected here"),
        ("{{ upper('a', 'b') }}", "arguments", "too many"),
        ("{{ upper(word='a') }}", "arguments", "needs “text”"),
        ("{{ 'a' < 1 }}", "type", "compares two numbers or two texts"),
        ("{{ format_date('soon', 'yyyy') }}", "date", "2026-11-20"),
        ("{{ trigger.body.total is divisibleby(3) }}", "unknown_function", "is divisibleby"),
    ],
)
def test_mistakes_are_told_in_words(text: str, code: str, words: str) -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate(text, CONTEXT)
    assert error.value.code == code
    assert words in error.value.message


def test_an_error_says_where_in_the_field_its_formula_stands() -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate("Total {{ 1 }} and {{ nothing }}", CONTEXT)
    assert error.value.position == 18


def test_references_name_every_path_a_formula_reads() -> None:
    assert references(
        "{{ steps.order.lines[0].sku ~ trigger.body['a b'] }} {{ vars.x }} {{ sum_of(steps.b.rows, item.n) }}"
    ) == [
        Reference("steps", "order", ("lines", 0, "sku")),
        Reference("trigger", None, ("body", "a b")),
        Reference("vars", None, ("x",)),
        Reference("steps", "b", ("rows",)),
    ]
    assert references("{{ steps[vars.which].total }}") == [
        Reference("vars", None, ("which",)),
        Reference("steps", None, ()),
    ]
    assert references("{{ item.total }}") == [Reference("item", None, ("total",))]


def test_resolving_a_config_touches_only_formula_fields_and_not_the_original() -> None:
    config = {"url": "/{{ steps.order.total }}", "note": "{{ kept }}", "rows": [{"v": "{{ trigger.body.items }}"}]}
    assert resolve(config, CONTEXT, ["url", "rows"]) == {
        "url": "/100.10",
        "note": "{{ kept }}",
        "rows": [{"v": [1, 2]}],
    }
    assert config["rows"] == [{"v": "{{ trigger.body.items }}"}]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{{ trigger.body.total }} EUR", "Trigger › Total EUR"),
        ("{{ steps.create_invoice.body.netAmount }}", "Book it › Net amount"),
        ("{{ round(steps.order.total, 2) }}", "Round (Order › Total, 2)"),
        ("{{ steps.order.lines[0].sku }}", "Order › Lines › No. 1 › Sku"),
        ("{{ broken", "{{ broken"),
        (10000, "10,000"),
        (Decimal("10000.00"), "10,000.00"),
        (True, "yes"),
    ],
)
def test_values_are_described_in_words(value: Any, words: str) -> None:
    assert describe(value, {"create_invoice": "Book it"}) == words


def test_the_context_is_never_changed() -> None:
    before = repr(CONTEXT)
    evaluate(
        "{{ set(trigger.body, 'x', 1) }} {{ append(trigger.body.items, 3) }} {{ merge(steps.order, trigger.body) }}",
        CONTEXT,
    )
    assert repr(CONTEXT) == before


def test_a_formula_is_compiled_once_and_then_costs_a_few_lines() -> None:
    template = compile_template("{{ steps.order.total * 1.16 }}")
    lines, _value = lines_run(lambda: template.evaluate(CONTEXT))
    assert lines < 150
    assert compile_template("{{ steps.order.total * 1.16 }}") is template


def test_the_start_is_called_by_the_name_people_gave_it() -> None:
    assert describe("{{ trigger.body.total }} EUR", {START: "Order comes in"}) == "Order comes in › Total EUR"
    assert describe("{{ trigger.body.total }} EUR") == "Trigger › Total EUR"


def test_functions_that_only_change_the_spelling_are_left_out_of_the_words() -> None:
    assert describe("/customers/{{ url_encode(trigger.body.customer) }}") == "/customers/Trigger › Customer"

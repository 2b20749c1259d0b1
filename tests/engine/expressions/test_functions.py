# ruff: noqa: E501 (tables of cases are read row by row)
from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.expressions import ExpressionError, catalogue, evaluate
from runtime.engine.expressions.registry import FUNCTIONS, GROUPS
from runtime.engine.jsonprofile import dumps

CONTEXT: dict[str, Any] = {"trigger": {"name": "Ann"}, "run": {"now": "2026-11-20T09:41:07.123Z"}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_each_function_gives_its_result(name: str) -> None:
    entry = FUNCTIONS[name]
    result = evaluate("{{ " + entry.example + " }}", CONTEXT)
    assert result == entry.result
    assert dumps(result) == dumps(entry.result)


def test_the_catalogue_is_json_with_help_for_every_function() -> None:
    entries = catalogue()
    assert len(entries) > 120
    dumps(entries)
    for entry in entries:
        assert entry["group"] in GROUPS
        assert entry["help"].endswith((".", "}", "1234.50", "units)")) or entry["help"], entry["name"]
        assert entry["name"] in entry["signature"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_refuses_too_few_arguments_in_words(name: str) -> None:
    needed = [p for p in FUNCTIONS[name].parameters if not p.optional and p.kind != "now"]
    if not needed:
        return
    with pytest.raises(ExpressionError, match="needs") as error:
        evaluate("{{ " + name + "() }}", CONTEXT)
    assert error.value.code == "arguments"


@pytest.mark.parametrize(
    ("amount", "ratios"),
    [("100", [1, 1, 1]), ("0.05", [3, 3, 3, 1]), ("-100", [1, 2]), ("0.01", [1] * 7), ("13412.80", [19, 7, 0, 74])],
)
def test_allocating_never_loses_a_cent(amount: str, ratios: list[int]) -> None:
    parts = evaluate(f"{{{{ allocate({amount}, {ratios}) }}}}", {})
    assert isinstance(parts, list)
    assert sum(parts) == Decimal(amount)  # type: ignore[arg-type]
    assert all(part == 0 for part, ratio in zip(parts, ratios, strict=True) if ratio == 0)


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("0.1 + 0.2", Decimal("0.3")),
        ("1.10", Decimal("1.10")),
        ("10 / 4", Decimal("2.5")),
        ("10 / 5", 2),
        ("7 // 2", 3),
        ("-7 % 3", 2),
        ("-7.5 % 3", Decimal("1.5")),
        ("2 ** 10", 1024),
        ("9223372036854775807 + 1", Decimal("9223372036854775808")),
        ("round(2.5)", 3),
        ("round(2.5, 0, 'half_even')", 2),
        ("round(1250, -2)", 1300),
        ("sum([0.1, 0.2, null])", Decimal("0.3")),
        ("number('1.234,56', ',')", Decimal("1234.56")),
        ("number('(12.50)')", Decimal("-12.50")),
        ("format_number(-1234567.891)", "-1,234,567.89"),
        ("convert(10, 155.32, 'JPY')", Decimal("1553")),
        ("true == 1", False),
        ("'5' == 5", False),
        ("add_time('2024-02-29', 1, 'year')", "2025-02-28"),
        ("add_time('2026-03-28T01:30:00+01:00', 1, 'days')", "2026-03-29T01:30:00+01:00"),
        ("end_of('2026-11-20', 'quarter')", "2026-12-31"),
        ("parse_date('3 Nov 26', 'd MMM yy')", "2026-11-03"),
        ("parse_date('20.11.2026 08:30', 'dd.MM.yyyy HH:mm', 'Europe/Berlin')", "2026-11-20T08:30:00+01:00"),
        ("sort([{'n': 2}, {'n': 1}, {'n': null}], item.n, true)", [{"n": 2}, {"n": 1}, {"n": None}]),
        ("unique([1, 1.0, true, '1'])", [1, True, "1"]),
        ("map(filter([1, 2, 3], item != 2), item * 10 + index)", [10, 31]),
        ("'a' in ['a', 'b'] and 'x' not in 'abc'", True),
        ("1 < 2 < 3", True),
        ("[1, 2, 3][-1]", 3),
        ("'Order ' ~ 17 ~ ' of ' ~ 1.50", "Order 17 of 1.50"),
        ("trigger.zip | default('none') | upper", "NONE"),
        ("trigger.address.zip is defined", False),
        ("first_filled(trigger.a.b, trigger.name)", "Ann"),
        ("round(number=2.345, places=2)", Decimal("2.35")),
        ("number('1,234,567.50')", Decimal("1234567.50")),
        ("number('1 234,50', ',')", Decimal("1234.50")),
        ("number('-1.234', ',')", -1234),
        ("number('.5')", Decimal("0.5")),
        (
            "map(unique([round_money(100, 'JPY'), round_money(1000, 'JPY'), round_money(10, 'JPY')]), item + 0)",
            [Decimal(100), Decimal(1000), Decimal(10)],
        ),
        (
            "unique([[1.0], [1], {'a': 1, 'b': [2]}, {'b': [2.0], 'a': 1}, [true], 'n', '1'])",
            [[Decimal("1.0")], {"a": 1, "b": [2]}, [True], "n", "1"],
        ),
        ("add_workdays('2026-11-21', 5)", "2026-11-27"),
        ("add_workdays('2026-11-22', 1)", "2026-11-23"),
        ("add_workdays('2026-11-22', 0 - 5)", "2026-11-16"),
        ("add_workdays('2026-11-21', 0 - 1)", "2026-11-20"),
        ("add_workdays('2026-11-21', 0)", "2026-11-21"),
        ("add_workdays('2026-11-20', 5)", "2026-11-27"),
        ("add_workdays('2026-11-20T23:00:00+01:00', 6)", "2026-11-30T23:00:00+01:00"),
        ("abs(0 - 1234567890123456789012.1234567890123)", Decimal("1234567890123456789012.1234567890123")),
        ("percent(1234567890123456789012345678901.23, 100)", Decimal("1234567890123456789012345678901.23")),
        (
            "allocate(12345678901234567890123456789.01, [1, 1])",
            [Decimal("6172839450617283945061728394.51"), Decimal("6172839450617283945061728394.50")],
        ),
        (
            "sum(allocate(9999999999999999999999999999999999999.0, [1, 1e-30, 1e30], 'JPY'))",
            Decimal("9999999999999999999999999999999999999"),
        ),
        ("minor_units(12345678901234567890123456789.01, 'EUR')", Decimal("1234567890123456789012345678901")),
        ("from_minor_units(123456789012, 'EUR')", Decimal("1234567890.12")),
        ("from_minor_units(1234567890123456789012345678901.0, 'EUR')", Decimal("12345678901234567890123456789.01")),
        (
            "unique([1234567890123456789012345678901.1, 1234567890123456789012345678901.2])",
            [Decimal("1234567890123456789012345678901.1"), Decimal("1234567890123456789012345678901.2")],
        ),
        ("12345678901234567890123456789.0 is odd", True),
        (
            "start_of(in_zone('2027-03-30T10:00:00Z', 'Europe/Berlin'), 'month', 'Europe/Berlin')",
            "2027-03-01T00:00:00+01:00",
        ),
        ("start_of('2026-10-31T23:30:00Z', 'month', 'Europe/Berlin')", "2026-11-01T00:00:00+01:00"),
        ("start_of('2026-11-20', 'month', 'Europe/Berlin')", "2026-11-01"),
        ("end_of('2026-10-31T23:30:00Z', 'month', 'Europe/Berlin')", "2026-11-30"),
        ("end_of('2026-10-31T23:30:00Z', 'month')", "2026-10-31"),
        ("add_days('2027-03-27T08:00:00Z', 1, 'Europe/Berlin')", "2027-03-28T09:00:00+02:00"),
        ("add_time('2027-03-27T02:30:00+01:00', 1, 'days', 'Europe/Berlin')", "2027-03-28T03:30:00+02:00"),
        ("add_time('2027-03-28T00:30:00Z', 1, 'hours', 'Europe/Berlin')", "2027-03-28T03:30:00+02:00"),
        ("add_time('2027-02-28T09:00:00Z', 1, 'months', 'Europe/Berlin')", "2027-03-28T10:00:00+02:00"),
        ("period('2026-10-31T23:30:00Z', 'Europe/Berlin')", "2026-11"),
        (
            "[hour('2026-11-20T09:41:07Z', 'Asia/Kolkata'), minute('2026-11-20T09:41:07Z', 'Asia/Kolkata'), hour('2026-11-20')]",
            [15, 11, 0],
        ),
        ("parse_date('12:05 AM 20.11.2026', 'hh:mm a dd.MM.yyyy')", "2026-11-20T00:05:00Z"),
        ("parse_date('2026-11-20 09:41:07.250', 'yyyy-MM-dd HH:mm:ss.SSS')", "2026-11-20T09:41:07.250Z"),
        (
            "map(['2026-11-20', '20.11.2026', '20.11.26', '20 Nov 2026', '20. November 2026', 'Nov 20, 2026', '2026/11/20', '2026-11-20T23:30:00-05:00', 20261120], to_date(item)) | unique",
            ["2026-11-20"],
        ),
        ("[to_date('3/4/2026', 'dmy'), to_date('3/4/2026', 'mdy')]", ["2026-04-03", "2026-03-04"]),
        ("uuid(run.now ~ 'payment') == uuid(run.now ~ 'payment')", True),
        ("[true] == [1]", False),
        ("{'a': [1.0]} == {'a': [1]}", True),
        ("[[false]] in [[[0]]]", False),
        ("format_number(0 - 0.001)", "0.00"),
        ("format_money(0 - 0.4, 'JPY')", "0 JPY"),
        ("round_money(1.23456, 'CLF')", Decimal("1.2346")),
        ("strip_html('İ<script>let secret = 1</script>b<SCRIPT>x</SCRIPT>')", "İb"),
        ("plain_letters('Œuvre ﷺ')[0:6]", "OEuvre"),
        ("map([1, 2], when(item > 1, item * 10, item))", [1, 20]),
        (
            "map([{'n': 1, 'l': [5, 6]}, {'n': 2, 'l': [7]}], map(item.l, [outer.n, item, index]))",
            [[[1, 5, 0], [1, 6, 1]], [[2, 7, 0]]],
        ),
        ("map([1], map([2], map([3], outer)))", [[[2]]]),
        ("yes_no('  YES ')", True),
    ],
)
def test_formulas_give_exact_values(formula: str, result: Any) -> None:
    value = evaluate("{{ " + formula + " }}", CONTEXT)
    assert value == result
    assert type(value) is type(result)


@pytest.mark.parametrize(
    ("formula", "advice"),
    [
        ("number('12,50')", 'number(…, ",")'),
        ("number('13.41', ',')", "number(…)"),
        ("number('1,2,3')", "three digits"),
        ("number('1234,567.00')", "three digits"),
        ("number('12 34')", "three digits"),
        ("number('1,234 567')", "three digits"),
        ("number('1.2.3')", "cannot read a number"),
        ("number('')", "cannot read a number"),
        ("number('٣')", "cannot read a number"),
    ],
)
def test_a_sign_that_groups_no_thousands_is_not_passed_over(formula: str, advice: str) -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate("{{ " + formula + " }}", {})
    assert error.value.code == "type"
    assert advice in error.value.message


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("map([{'a': 1}, {}], item.a)", "Entry 2: item has no field “a”"),
        ("filter([1, 'x'], item > 0)", "Entry 2: “>” compares"),
        ("sum_of([{'n': '5'}], number(item.n, 'x'))", "Entry 1: “number” knows"),
        ("map([[1], ['x']], map(item, item * 2))", "Entry 2: Entry 1: “*” works on numbers"),
        ("sum_of([1, 'x'], item)", "entry 2 is text “x”"),
        ("outer", "only there inside list functions"),
        ("map([1], outer)", "There is no “outer” here"),
    ],
)
def test_a_failed_list_function_says_at_which_entry(formula: str, words: str) -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate("{{ " + formula + " }}", {})
    assert words in error.value.message


@pytest.mark.parametrize(
    "formula",
    [
        "parse_date('99:00 PM 20.11.2026', 'hh:mm a dd.MM.yyyy')",
        "parse_date('00:00 PM 20.11.2026', 'hh:mm a dd.MM.yyyy')",
        "parse_date('24:00 20.11.2026', 'HH:mm dd.MM.yyyy')",
        "to_date('3/4/2026')",
        "to_date('31.02.2026')",
        "to_date('20 Foo 2026')",
        "to_date('soon')",
        "to_date(true)",
        "to_date(none)",
        "start_of('2026-11-20T00:00:00Z', 'month', 'Europe/Nowhere')",
    ],
)
def test_what_is_no_date_is_refused_as_one(formula: str) -> None:
    with pytest.raises(ExpressionError) as error:
        evaluate("{{ " + formula + " }}", {})
    assert error.value.code == "date"


@settings(max_examples=300, deadline=None)
@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-60, 60))
def test_adding_workdays_counts_the_workdays_after_a_day(start: date, count: int) -> None:
    step, left, day = (1 if count > 0 else -1), abs(count), start
    while left:
        day += timedelta(days=step)
        left -= day.weekday() < 5
    assert evaluate(f"{{{{ add_workdays('{start}', {count}) }}}}", {}) == day.isoformat()

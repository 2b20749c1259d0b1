from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runtime.catalog import CATALOG
from runtime.engine.jsonprofile import loads
from runtime.sdk import FileValue, PermanentError, Result
from runtime.sdk.json_lines import LinePages
from runtime.sdk.tables import look, rows
from runtime.sdk.testing import StepTestContext, run_step

SETTINGS: dict[str, Any] = {
    "a_name": "Bank",
    "b_name": "Ledger",
    "a_items": "{{ trigger.a }}",
    "b_items": "{{ trigger.b }}",
    "keys": [{"a": "ref", "b": "invoice"}],
    "a_amount": "amount",
    "b_amount": "open",
    "currency": "EUR",
    "excel": False,
    "csv": False,
}


async def reconciled(
    a: Any, b: Any, *, context: StepTestContext | None = None, **config: Any
) -> tuple[dict[str, Any], StepTestContext]:
    node_type = CATALOG.get("data.reconcile@1")
    assert node_type is not None
    context = context or StepTestContext()
    settings = {name: value for name, value in {**SETTINGS, **config}.items() if value is not None}
    outcome = await run_step(node_type, settings, data={"trigger": {"a": a, "b": b}}, context=context)
    assert isinstance(outcome, Result)
    output: Any = outcome.output
    return output, context


def paid(ref: str, amount: Any, **more: Any) -> dict[str, Any]:
    return {"ref": ref, "amount": amount, **more}


def due(invoice: str, amount: Any, **more: Any) -> dict[str, Any]:
    return {"invoice": invoice, "open": amount, **more}


def counts(output: dict[str, Any]) -> tuple[int, ...]:
    return tuple(output[group]["count"] for group in ("matched", "differing", "only_a", "only_b", "twice"))


async def test_every_row_is_in_one_of_five_groups() -> None:
    a = [paid("INV-1", 100), paid("INV-2", 51), paid("INV-3", 70), paid("INV-1", 100)]
    b = [due("INV-1", 100), due("INV-2", 50), due("INV-4", 20)]
    output, _ = await reconciled(a, b)
    assert counts(output) == (1, 1, 1, 1, 1)
    [differing], [only_a], [only_b], [twice] = (
        output[group]["first"] for group in ("differing", "only_a", "only_b", "twice")
    )
    assert (differing["key"], differing["why"], differing["difference"]) == ("INV-2", "amount", 1)
    assert (differing["a"], differing["b"]) == ([a[1]], [b[1]])
    assert (only_a["a"], only_a["b"], only_a["difference"]) == ([a[2]], [], None)
    assert only_b["b"] == [b[2]]
    assert (twice["a"], twice["why"], twice["a_places"]) == ([a[3]], "twice", ["entry 4"])
    assert (output["all_matched"], output["rest"]["count"]) == (False, 4)


async def test_the_totals_of_each_list_are_the_sums_of_its_groups() -> None:
    a = [paid("1", "100.10"), paid("2", "0.20"), paid("3", "7.00", cur="usd"), paid("1", "100.10")]
    b = [due("1", "100.10"), due("2", "0.30"), due("4", "5", cur="USD")]
    output, _ = await reconciled(a, b, a_currency="cur", b_currency="cur")
    eur, usd = output["totals"]
    assert (eur["currency"], usd["currency"]) == ("EUR", "USD")
    assert (eur["a"], eur["b"]) == (
        {"count": 3, "amount": Decimal("200.4")},
        {"count": 2, "amount": Decimal("100.4")},
    )
    assert (eur["difference"], usd["difference"]) == (100, 2)
    for total in (eur, usd):
        for side in ("a", "b"):
            groups = [total[group][side] for group in ("matched", "differing", "only_a", "only_b", "twice")]
            assert total[side]["count"] == sum(one["count"] for one in groups)
            assert total[side]["amount"] == sum(one["amount"] for one in groups)


@pytest.mark.parametrize(
    ("config", "amount", "group"),
    [
        ({}, "99.99", "differing"),
        ({"tolerance": "0.01"}, "99.99", "matched"),
        ({"tolerance": "0.01"}, "99.98", "differing"),
        ({"tolerance": "0.01"}, "100.01", "matched"),
        ({"percent": 1}, "99", "matched"),
        ({"percent": 1}, "98.99", "differing"),
        ({"percent": 1, "tolerance": 2}, "98", "matched"),
        ({"opposite": True}, "-100", "matched"),
    ],
)
async def test_a_difference_is_accepted_up_to_the_larger_tolerance(
    config: dict[str, Any], amount: str, group: str
) -> None:
    output, _ = await reconciled([paid("1", amount)], [due("1", 100)], **config)
    assert output[group]["count"] == 1
    if group == "matched" and "opposite" not in config:
        assert output["within_tolerance"] == 1
        assert output["matched"]["first"][0]["difference"] == Decimal(amount) - 100


async def test_amounts_are_exact_where_floats_are_not() -> None:
    output, _ = await reconciled(
        [paid("1", Decimal("0.1")), paid("1", Decimal("0.2"))], [due("1", Decimal("0.3"))], ways="sum"
    )
    assert counts(output) == (1, 0, 0, 0, 0)
    assert output["within_tolerance"] == 0
    large = Decimal("12345678901234567890.0123456789"), Decimal("12345678901234567890.0123456788")
    output, _ = await reconciled([paid("1", large[0])], [due("1", large[1])])
    assert output["differing"]["first"][0]["difference"] == Decimal("0.0000000001")


async def test_of_rows_with_one_key_those_that_fit_are_found_and_nothing_is_guessed_of_others() -> None:
    a = [paid("1", 30), paid("1", 50), paid("1", 70)]
    output, _ = await reconciled(a, [due("1", 70), due("1", 30), due("1", 55)])
    assert counts(output) == (2, 1, 0, 0, 0)
    assert output["differing"]["first"][0]["difference"] == -5
    output, _ = await reconciled(a, [due("1", 1), due("1", 30)])
    assert counts(output) == (1, 0, 0, 0, 3)
    assert {one["why"] for one in output["twice"]["first"]} == {"several"}


async def test_the_nearest_amount_is_taken_where_several_are_within_the_tolerance() -> None:
    output, _ = await reconciled([paid("1", 100)], [due("1", 98), due("1", 101)], tolerance=5)
    assert output["matched"]["first"][0]["b"] == [due("1", 101)]
    assert output["twice"]["first"][0]["b"] == [due("1", 98)]


async def test_one_payment_may_name_several_invoices() -> None:
    a = [paid("INV-1, INV-2; inv-3", 60), paid("INV-4/INV-5", 90), paid("INV-6 INV-9", 10), paid("INV-1 INV-2", 30)]
    b = [due(f"INV-{number}", number * 10) for number in range(1, 7)]
    output, _ = await reconciled(a, b, ways="named", tolerance="0.5")
    assert counts(output) == (2, 1, 0, 0, 1)
    first, second = output["matched"]["first"]
    assert [row["invoice"] for row in first["b"]] == ["INV-1", "INV-2", "INV-3"]
    assert (first["a_amount"], first["b_amount"], first["difference"]) == (60, 60, 0)
    assert [row["invoice"] for row in second["b"]] == ["INV-4", "INV-5"]
    [differing], [twice] = output["differing"]["first"], output["twice"]["first"]
    assert (differing["why"], differing["missing"], differing["difference"]) == ("missing", ["inv-9"], -50)
    assert (twice["a"], twice["why"]) == ([a[3]], "twice")


async def test_what_names_only_what_is_not_there_says_so() -> None:
    output, _ = await reconciled([paid("INV-7 INV-8", 10)], [due("INV-1", 10)], ways="named")
    [found] = output["only_a"]["first"]
    assert (found["why"], found["missing"]) == ("missing", ["inv-7", "inv-8"])


async def test_all_rows_with_a_key_are_added_up() -> None:
    a = [paid("P-1", 60), paid("P-2", 5), paid("P-3", 1), paid("P-3", 2)]
    b = [due("P-1", 10), due("P-1", 50), due("P-2", 4), due("P-2", 2)]
    output, _ = await reconciled(a, b, ways="sum")
    assert counts(output) == (1, 1, 1, 0, 0)
    assert output["differing"]["first"][0]["difference"] == -1
    assert output["only_a"]["first"][0]["a"] == a[2:]


async def test_different_currencies_never_match() -> None:
    output, _ = await reconciled([paid("1", 5, c="USD")], [due("1", 5)], a_currency="c", b_currency=None)
    [found] = output["differing"]["first"]
    assert (found["why"], found["difference"], found["currency"]) == ("currency", None, "EUR / USD")


@pytest.mark.parametrize(
    ("days", "group", "why"), [(0, "differing", "date"), (2, "differing", "date"), (3, "matched", "")]
)
async def test_dates_may_be_so_many_days_apart(days: int, group: str, why: str) -> None:
    a, b = [paid("1", 5, on="2026-11-04")], [due("1", 5, due="01.11.2026")]
    output, _ = await reconciled(a, b, a_date="on", b_date="due", days=days)
    [found] = output[group]["first"]
    assert (found["why"], found["days"]) == (why, 3)


async def test_a_day_that_can_be_read_in_two_ways_is_refused() -> None:
    with pytest.raises(PermanentError, match="“Bank”: entry 1: “04/11/2026” can be read as two days"):
        await reconciled([paid("1", 5, on="04/11/2026")], [due("1", 5, due="")], a_date="on", b_date="due")


@pytest.mark.parametrize(
    ("a", "b", "config"),
    [
        (" inv-7 ", "INV-7", {}),
        ("INV  7", "inv 7", {}),
        ("RE-0042", "RE-42", {"ignore_zeros": True}),
        (42, "0042", {"ignore_zeros": True}),
        ("INV 42/A", "inv-42 a", {"ignore_signs": True}),
        (Decimal("7.0"), 7, {}),
    ],
)
async def test_keys_are_alike_however_they_are_written(a: Any, b: Any, config: dict[str, Any]) -> None:
    output, _ = await reconciled([paid(a, 1)], [due(b, 1)], **config)
    assert output["matched"]["count"] == 1


async def test_what_tells_keys_apart_stays_told_apart() -> None:
    output, _ = await reconciled([paid("A-1", 1), paid("B-1", 1)], [due("a-1", 1), due("B1", 1)], ignore_case=False)
    assert counts(output) == (0, 0, 2, 2, 0)
    output, _ = await reconciled([paid("0", 1), paid("100", 1)], [due("000", 1), due("10", 1)], ignore_zeros=True)
    assert counts(output) == (1, 0, 1, 1, 0)


async def test_several_columns_make_one_key() -> None:
    keys = [{"a": "ref", "b": "invoice"}, {"a": "year", "b": "of.year"}]
    a = [paid("1", 5, year=2025), paid("1", 5, year=2026)]
    output, _ = await reconciled(a, [due("1", 5, of={"year": 2026})], keys=keys)
    assert counts(output) == (1, 0, 1, 0, 0)
    assert output["matched"]["first"][0]["key"] == "1 · 2026"


async def test_rows_without_a_key_match_nothing() -> None:
    output, _ = await reconciled([paid("", 5), paid("1", 5)], [due("", 5), due("1", 5)])
    assert counts(output) == (1, 0, 1, 1, 0)
    assert output["only_a"]["first"][0]["why"] == "no_key"


async def test_without_amounts_only_keys_are_compared() -> None:
    output, _ = await reconciled([{"ref": "1"}], [{"invoice": "1"}], a_amount=None, b_amount=None)
    assert counts(output) == (1, 0, 0, 0, 0)
    assert output["matched"]["first"][0]["difference"] is None


@pytest.mark.parametrize(
    ("a", "says"),
    [
        ([paid("1", "1.234")], "“Bank”: entry 1: “1.234” can be read as two amounts"),
        ([paid("1", 5), paid("2", "much")], "“Bank”: entry 2: “much” is no amount"),
        ([paid("1", None)], "entry 1: there is no amount"),
        ([paid("1", True)], "entry 1: “True” is no amount"),
        ([paid("1", Decimal("1e30"))], "more digits than an amount can have"),
        ([{"reference": "1", "amount": 5}], "“Bank” has no column “ref”. There are: reference, amount"),
        (["1"], "“Bank”: entry 1 has no names"),
    ],
)
async def test_what_cannot_be_compared_is_named_with_its_place(a: Any, says: str) -> None:
    with pytest.raises(PermanentError) as refused:
        await reconciled(a, [due("1", 5)])
    assert says in str(refused.value)


async def test_what_stands_before_the_cents_can_be_said() -> None:
    for decimal, amount in ((",", 1234), (".", Decimal("1.234"))):
        output, _ = await reconciled([paid("1", "1.234")], [due("1", amount)], decimal=decimal)
        assert output["matched"]["count"] == 1


async def test_more_rows_than_allowed_are_refused_and_none_is_left_out() -> None:
    with pytest.raises(PermanentError, match="more than 2 rows"):
        await reconciled([paid(str(n), 5) for n in range(3)], [], most=2)
    with pytest.raises(PermanentError, match="More than 1,000 rows have the key “x”"):
        await reconciled([paid("x", 5)] * 1_001, [], ways="sum")


async def test_empty_lists_are_lists_too() -> None:
    output, _ = await reconciled([], [])
    assert (counts(output), output["totals"], output["all_matched"]) == ((0, 0, 0, 0, 0), [], True)


# --- files ------------------------------------------------------------------------------------------------------------


async def kept(context: StepTestContext, name: str, mime: str, data: bytes) -> dict[str, Any]:
    return (await context.files.save(name, mime, [data])).as_json()


async def test_a_statement_with_decimal_commas_is_held_against_a_workbook_of_results() -> None:
    context = StepTestContext()
    statement = await kept(
        context, "bank.csv", "text/csv", "Buchung;Verwendungszweck;Betrag\n02.11.2026;INV-1;1.234,50\n".encode("cp1252")
    )
    config: dict[str, Any] = {
        "a_source": "file", "a_file": "{{ trigger.a }}", "a_items": None, "a_amount": "Betrag",
        "keys": [{"a": "Verwendungszweck", "b": "invoice"}],
    }  # fmt: skip
    output, _ = await reconciled(statement, [due("INV-1", Decimal("1234.5"))], context=context, **config)
    [found] = output["matched"]["first"]
    assert (found["a"][0]["Betrag"], found["a_places"]) == (Decimal("1234.5"), ["row 2"])
    # What one comparison found can be compared again.
    again: dict[str, Any] = {
        "a_source": "file", "a_file": "{{ trigger.a }}", "a_items": None, "a_amount": "a_amount",
        "keys": [{"a": "key", "b": "invoice"}],
    }  # fmt: skip
    output, _ = await reconciled(output["matched"]["file"], [due("INV-1", 1)], context=context, **again)
    assert output["differing"]["first"][0]["difference"] == Decimal("1233.5")


async def test_the_rows_of_a_data_table_are_read_to_the_last() -> None:
    config: dict[str, Any] = {
        "b_source": "table", "b_items": None, "b_table": "0199a7f0-0000-7000-8000-0000000000d1", "b_amount": "Limit",
        "keys": [{"a": "ref", "b": "Customer"}],
    }  # fmt: skip
    output, _ = await reconciled([paid("C-200", 5000)], None, **config)
    assert counts(output) == (1, 0, 0, 0, 0)


async def test_a_group_is_a_file_that_can_be_gone_through_page_by_page() -> None:
    n = 1_203
    output, context = await reconciled([paid(f"{i}", i) for i in range(n)], [due(f"{i}", i) for i in range(n)])
    file = output["matched"]["file"]
    found: list[Any] = []
    cursor: Any = None
    sizes = []
    while True:
        page = await LinePages(file, n).read_page(cursor, context)
        found += page.items
        sizes.append(len(page.items))
        assert page.total == n
        cursor = page.next
        if cursor is None:
            break
    assert sizes == [500, 500, 203]
    assert [one["a"][0]["amount"] for one in found] == list(range(n))
    with pytest.raises(PermanentError, match="1,203 entries"):
        await LinePages(file, n - 1).read_page(None, context)
    assert len(output["matched"]["first"]) == 10


async def test_the_report_is_a_table_in_which_no_text_becomes_a_formula(tmp_path: Path) -> None:
    a = [paid("INV-1", 100, Text="=1+1"), paid("INV-2", 51, Text="b")]
    output, context = await reconciled(a, [due("INV-1", 100), due("INV-2", 50)], excel=True, csv=True, name="November")
    assert (output["excel"]["name"], output["csv"]["name"]) == ("November.xlsx", "November.csv")
    for name in ("excel", "csv"):
        (tmp_path / name).write_bytes(await read(context, output[name]))
        with (tmp_path / name).open("rb") as file:
            first, second = rows(file, look(file))
        assert (first["Group"], first["Bank: Text"], first["Bank: amount"]) == ("Matched", "=1+1", 100)
        assert (second["Group"], second["Why"], second["Difference"]) == ("Differs", "The amounts differ", 1)
    assert b"'=1+1" in await read(context, output["csv"])


async def read(context: StepTestContext, file: dict[str, Any]) -> bytes:
    return (await context.files.reading(FileValue(**file))).read()


async def test_the_same_lists_give_the_same_bytes() -> None:
    a = [paid(f"{i % 7}", i % 3, Text="x") for i in range(40)]
    b = [due(f"{i % 5}", i % 4) for i in range(30)]
    first, one = await reconciled(a, b, excel=True, csv=True, tolerance=1)
    second, other = await reconciled(a, b, excel=True, csv=True, tolerance=1)
    assert first == second
    assert one.files.kept == other.files.kept
    lines = (await read(one, first["rest"]["file"])).splitlines()
    told: list[Any] = [loads(line) for line in lines]
    order = ["differing", "only_a", "only_b", "twice"]
    assert [one["group"] for one in told] == sorted((one["group"] for one in told), key=lambda name: order.index(name))


# --- the form ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"a_amount": ""}, "a_amount"),
        ({"b_amount": ""}, "b_amount"),
        ({"a_date": "on"}, "b_date"),
        ({"b_name": "Bank"}, "b_name"),
        ({"keys": []}, "keys"),
        ({"ways": "named", "keys": [{"a": "x", "b": "y"}, {"a": "z", "b": "z"}]}, "keys"),
        ({"a_source": "file"}, "a_file"),
        ({"b_source": "table"}, "b_table"),
    ],
)
def test_what_is_missing_is_said_with_its_field(config: dict[str, Any], field: str) -> None:
    node_type = CATALOG.get("data.reconcile@1")
    assert node_type is not None
    assert field in [found for found, _, _ in node_type.problems({**SETTINGS, **config})]
    assert node_type.problems(SETTINGS) == []


async def test_of_very_many_with_one_key_the_nearest_amount_is_found() -> None:
    b = [due("C-1", amount) for amount in range(1, 1_001)]
    output, _ = await reconciled([paid("C-1", Decimal("900.02")), paid("C-1", Decimal("-0.03"))], b, tolerance=0.05)
    [found] = output["matched"]["first"]
    assert (found["b_amount"], output["matched"]["count"]) == (900, 1)

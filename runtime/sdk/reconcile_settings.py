"""The settings of comparing two lists: where each comes from, what they are compared by, and what counts as equal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Literal

from runtime.sdk.fields import Config, Number, Text, field
from runtime.sdk.reconcile_rules import Rules, Ways
from runtime.sdk.reconcile_values import Alike, Reading

__all__ = ["MOST_ROWS", "ReconcileSettings", "rules_of"]

MOST_ROWS: Final = 500_000
_FIRST: Final = "First list"
_SECOND: Final = "Second list"
_KEY: Final = "What belongs together"
_AMOUNT: Final = "Amounts"
_DATE: Final = "Dates"
_SOURCES: Final = (
    ("list", "A list of this workflow"),
    ("file", "The rows of a file (CSV, Excel)"),
    ("table", "The rows of a data table"),
)


class KeyPair(Config):
    a: str = field(
        title="Column in the first list",
        widget="table-column",
        hints={"table": "a_table"},
        placeholder="Reference",
        order=1,
        min_length=1,
        max_length=200,
    )
    b: str = field(
        title="Column in the second list",
        widget="table-column",
        hints={"table": "b_table"},
        placeholder="Invoice",
        order=2,
        min_length=1,
        max_length=200,
    )


class FirstSettings(Config):
    a_name: Text = field(
        "First list", title="What it is called", placeholder="Bank statement", group=_FIRST, order=1, min_length=1,
        max_length=60,
    )  # fmt: skip
    a_source: Literal["list", "file", "table"] = field(
        "list", title="Where it comes from", widget="choice", options=_SOURCES, group=_FIRST, order=2
    )
    a_items: list[Any] = field(
        default_factory=list,
        title="The list",
        help="Entries with names, such as the rows that an earlier step gave.",
        widget="json",
        expression=True,
        required=True,
        hints={"mayBeEmpty": True},
        placeholder="{{ steps.statement.rows }}",
        show_if={"a_source": ["list"]},
        group=_FIRST,
        order=3,
    )
    a_file: Any = field(
        None,
        title="File",
        help="A CSV file or an Excel workbook (.xlsx), or the rows of a file that the start asked for.",
        widget="file",
        expression=True,
        required=True,
        placeholder="{{ trigger.statement }}",
        show_if={"a_source": ["file"]},
        group=_FIRST,
        order=4,
    )
    a_sheet: Text = field(
        "",
        title="Sheet",
        help="Empty: the first one.",
        expression=True,
        advanced=True,
        show_if={"a_source": ["file"]},
        group=_FIRST,
        order=40,
        max_length=100,
    )
    a_table: str = field(
        "",
        title="Table",
        widget="data-table",
        required=True,
        show_if={"a_source": ["table"]},
        group=_FIRST,
        order=5,
        max_length=64,
    )


class SecondSettings(Config):
    b_name: Text = field(
        "Second list", title="What it is called", placeholder="Open items", group=_SECOND, order=6, min_length=1,
        max_length=60,
    )  # fmt: skip
    b_source: Literal["list", "file", "table"] = field(
        "list", title="Where it comes from", widget="choice", options=_SOURCES, group=_SECOND, order=7
    )
    b_items: list[Any] = field(
        default_factory=list,
        title="The list",
        help="Entries with names, such as the rows that an earlier step gave.",
        widget="json",
        expression=True,
        required=True,
        hints={"mayBeEmpty": True},
        placeholder="{{ steps.ledger.body.items }}",
        show_if={"b_source": ["list"]},
        group=_SECOND,
        order=8,
    )
    b_file: Any = field(
        None,
        title="File",
        help="A CSV file or an Excel workbook (.xlsx), or the rows of a file that the start asked for.",
        widget="file",
        expression=True,
        required=True,
        placeholder="{{ trigger.ledger }}",
        show_if={"b_source": ["file"]},
        group=_SECOND,
        order=9,
    )
    b_sheet: Text = field(
        "",
        title="Sheet",
        help="Empty: the first one.",
        expression=True,
        advanced=True,
        show_if={"b_source": ["file"]},
        group=_SECOND,
        order=41,
        max_length=100,
    )
    b_table: str = field(
        "",
        title="Table",
        widget="data-table",
        required=True,
        show_if={"b_source": ["table"]},
        group=_SECOND,
        order=10,
        max_length=64,
    )


class ReconcileSettings(FirstSettings, SecondSettings):
    keys: list[KeyPair] = field(
        title="The same in both lists",
        help="A row of the first list belongs to the row of the second in which the same stands in these columns.",
        widget="list",
        hints={"add": "Add a column"},
        group=_KEY,
        order=11,
        min_length=1,
        max_length=5,
    )
    ways: Ways = field(
        "one",
        title="How many belong together",
        help="Where one row names several, commas, semicolons, slashes, plus signs or spaces stand between them.",
        widget="choice",
        options=(
            ("one", "One row and one row"),
            ("named", "One row of the first list may name several of the second"),
            ("sum", "All rows with the same key, added up"),
        ),
        group=_KEY,
        order=12,
    )
    ignore_case: bool = field(
        True, title="Capital and small letters are the same", widget="toggle", group=_KEY, advanced=True, order=42
    )
    ignore_zeros: bool = field(
        False,
        title="Zeros before a number do not count",
        help="0042 and 42 are the same.",
        widget="toggle",
        group=_KEY,
        advanced=True,
        order=43,
    )
    ignore_signs: bool = field(
        False,
        title="Only letters and digits count",
        help="INV-42 and INV 42 are the same.",
        widget="toggle",
        group=_KEY,
        advanced=True,
        order=44,
    )
    a_amount: str = field(
        "",
        title="Amount in the first list",
        help="The column. Leave both empty where only the keys are compared.",
        widget="table-column",
        hints={"table": "a_table"},
        placeholder="Amount",
        group=_AMOUNT,
        order=13,
        max_length=200,
    )
    b_amount: str = field(
        "",
        title="Amount in the second list",
        widget="table-column",
        hints={"table": "b_table"},
        placeholder="open",
        group=_AMOUNT,
        order=14,
        max_length=200,
    )
    tolerance: Number = field(
        0,
        title="Accept a difference up to",
        help="In the currency of the rows. What is within it counts as matched, and is reported with its difference.",
        widget="number",
        expression=True,
        group=_AMOUNT,
        order=15,
        ge=0,
        le=1_000_000_000,
    )
    percent: Number = field(
        0,
        title="… or up to so many percent",
        help="Of the amount in the second list. The larger of the two counts.",
        widget="number",
        expression=True,
        group=_AMOUNT,
        advanced=True,
        order=45,
        ge=0,
        le=100,
    )
    a_currency: str = field(
        "",
        title="Currency in the first list",
        help="The column. Amounts of different currencies are never added up, and never match.",
        widget="table-column",
        hints={"table": "a_table"},
        placeholder="Currency",
        group=_AMOUNT,
        order=16,
        max_length=200,
    )
    b_currency: str = field(
        "",
        title="Currency in the second list",
        widget="table-column",
        hints={"table": "b_table"},
        placeholder="currency",
        group=_AMOUNT,
        order=17,
        max_length=200,
    )
    currency: Text = field(
        "",
        title="Currency of rows that name none",
        placeholder="EUR",
        expression=True,
        group=_AMOUNT,
        order=18,
        max_length=20,
    )
    opposite: bool = field(
        False,
        title="The second list has the opposite sign",
        help="As where a payment is 100 in the one and -100 in the other.",
        widget="toggle",
        group=_AMOUNT,
        advanced=True,
        order=46,
    )
    decimal: Literal["auto", ",", "."] = field(
        "auto",
        title="Amounts that are text",
        help="Where 1.234 can be read in two ways, nothing is guessed: the step fails and says where.",
        widget="choice",
        options=(("auto", "Only what can be read in one way"), (",", "1.234,56"), (".", "1,234.56")),
        group=_AMOUNT,
        advanced=True,
        order=47,
    )
    a_date: str = field(
        "",
        title="Date in the first list",
        help="The column. Leave both empty where dates do not matter.",
        widget="table-column",
        hints={"table": "a_table"},
        placeholder="Booked on",
        group=_DATE,
        advanced=True,
        order=48,
        max_length=200,
    )
    b_date: str = field(
        "",
        title="Date in the second list",
        widget="table-column",
        hints={"table": "b_table"},
        placeholder="due",
        group=_DATE,
        advanced=True,
        order=49,
        max_length=200,
    )
    days: Number = field(
        0,
        title="Accept so many days between them",
        widget="number",
        group=_DATE,
        advanced=True,
        order=50,
        ge=0,
        le=3_650,
    )
    excel: bool = field(True, title="Make a report for Excel", widget="toggle", group="Report", order=19)
    csv: bool = field(True, title="Make a report as CSV", widget="toggle", group="Report", advanced=True, order=51)
    name: Text = field(
        "Reconciliation",
        title="Name of the report",
        help="Without an ending.",
        expression=True,
        group="Report",
        order=20,
        min_length=1,
        max_length=200,
    )
    most: int = field(
        100_000,
        title="At most so many rows of each list",
        help="A longer one is refused, so that none is left out unseen.",
        widget="number",
        group="Report",
        advanced=True,
        order=52,
        ge=1,
        le=MOST_ROWS,
    )


def rules_of(config: ReconcileSettings) -> Rules:
    """What these settings compare by."""
    alike = Alike(config.ignore_case, config.ignore_zeros, config.ignore_signs)
    dated = bool(config.a_date and config.b_date)
    counted = bool(config.a_amount and config.b_amount)

    def reading(side: Literal["a", "b"]) -> Reading:
        return Reading(
            keys=tuple(getattr(pair, side) for pair in config.keys),
            amount=getattr(config, f"{side}_amount") if counted else "",
            currency_column=getattr(config, f"{side}_currency"),
            day=getattr(config, f"{side}_date") if dated else "",
            currency=config.currency.strip().upper(),
            decimal=config.decimal,
            negate=config.opposite and side == "b",
            split=config.ways == "named" and side == "a",
            alike=alike,
        )

    days = int(config.days) if dated else None
    tolerance, percent = Decimal(config.tolerance), Decimal(config.percent)
    return Rules(reading("a"), reading("b"), config.ways, tolerance, percent, days)

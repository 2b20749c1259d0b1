"""What a workflow expects of a table: its columns, and which of a file's own columns are likely meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, Literal, TypeAlias

from runtime.sdk.fields import Config, field

__all__ = ["COLUMN_TYPES", "ColumnType", "TableColumn", "column_problems", "proposed"]

ColumnType: TypeAlias = Literal["text", "number", "amount", "date", "yes_no"]

COLUMN_TYPES: Final[tuple[tuple[ColumnType, str], ...]] = (
    ("text", "Text"),
    ("number", "Number"),
    ("amount", "Amount of money"),
    ("date", "Date"),
    ("yes_no", "Yes or no"),
)


class TableColumn(Config):
    """One column that a workflow expects."""

    name: str = field(title="Name in the data", order=1, pattern=r"^[A-Za-z][A-Za-z0-9_]{0,59}$")
    label: str = field(title="Name of the column", order=2, min_length=1, max_length=200)
    type: ColumnType = field("text", title="Kind", widget="choice", options=COLUMN_TYPES, order=3)
    currency: str = field(
        "",
        title="Currency",
        placeholder="EUR",
        help="With it the row has amount and currency, as a question of money does; without, the number alone.",
        show_if={"type": ["amount"]},
        order=4,
        pattern=r"^([A-Z]{3})?$",
    )
    required: bool = field(False, title="May not be empty", widget="toggle", order=5)
    key: bool = field(
        False,
        title="Tells rows apart",
        help="No two rows may be alike in all columns for which this is on.",
        widget="toggle",
        order=6,
    )
    also: list[str] = field(
        default_factory=list,
        title="Other names it goes by",
        help="By these the column is found, too, where a file calls it so.",
        widget="list",
        advanced=True,
        order=7,
        max_length=20,
    )


#: What people call the same thing, in the languages in which exports come most.
_SAME: Final = (
    ("amount", "betrag", "summe", "montant", "importe", "importo", "castka", "ποσο", "bedrag", "kwota"),
    ("date", "datum", "fecha", "data", "ημερομηνια", "dato"),
    ("due date", "due", "fällig", "fälligkeit", "fällig am", "splatnost", "échéance"),
    ("invoice number", "invoice no", "invoice", "rechnungsnummer", "rechnungsnr", "rechnung", "belegnummer",
     "cislo faktury", "facture", "αριθμος τιμολογιου"),
    ("customer", "kunde", "debitor", "client", "zakaznik", "πελατης", "klient"),
    ("customer number", "customer no", "kundennummer", "kundennr", "debitorennummer"),
    ("supplier", "vendor", "lieferant", "kreditor", "fournisseur", "dodavatel", "προμηθευτης"),
    ("cost centre", "cost center", "kostenstelle", "kst", "centre de coûts", "nakladove stredisko"),
    ("account", "konto", "account number", "kontonummer", "compte", "ucet", "λογαριασμος"),
    ("currency", "währung", "devise", "moneda", "mena", "νομισμα", "valuta"),
    ("description", "beschreibung", "text", "buchungstext", "verwendungszweck", "reference", "popis", "περιγραφη"),
    ("quantity", "menge", "anzahl", "quantité", "mnozstvi", "ποσοτητα"),
    ("price", "preis", "prix", "cena", "τιμη"),
    ("name", "nom", "nazev", "ονομα", "bezeichnung"),
    ("email", "e-mail", "mail", "e-mail address", "e-mail-adresse"),
    ("paid", "bezahlt", "payé", "zaplaceno"),
)  # fmt: skip
_LIKE: Final = 0.84


def plain(name: str) -> str:
    """A name by which columns are compared: small letters and digits, without accents, a number of something as no."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    bare = re.sub(r"[\W_]+", "", "".join(one for one in folded if not unicodedata.combining(one)))
    return re.sub(r"(nummer|number|num|nr)$", "no", bare)


_GROUPS: Final = tuple(frozenset(map(plain, names)) for names in _SAME)


def proposed(columns: Sequence[TableColumn], headers: Sequence[str]) -> dict[str, str]:
    """Which of the file's columns each expected one likely means: name → header; what is not found has none.

    No header is proposed twice; the surest go first, and of the equally sure the ones further left.
    """
    scored = [
        (-score, place, at, column.name, header)
        for place, column in enumerate(columns)
        for at, header in enumerate(headers)
        if (score := _likeness(column, header)) > 0
    ]
    found: dict[str, str] = {}
    for _, _, _, name, header in sorted(scored):
        if name not in found and header not in found.values():
            found[name] = header
    return {column.name: found[column.name] for column in columns if column.name in found}


def _likeness(column: TableColumn, header: str) -> float:
    given = plain(header)
    if not given:
        return 0
    names = [plain(one) for one in (column.label, column.name, *column.also)]
    if given in names:
        return 5
    if any(given in group and any(name in group for name in names) for group in _GROUPS):
        return 4
    long = [name for name in names if len(name) >= 4]
    if len(given) >= 4 and any(name in given or given in name for name in long):
        return 2
    best = max((SequenceMatcher(None, name, given).ratio() for name in long), default=0.0)
    return 1 + best if best >= _LIKE else 0


def column_problems(entry: Mapping[str, Any], path: str) -> list[tuple[str, str, str]]:
    """What is wrong with the columns of a question for rows: (field path, code, message)."""
    columns = entry.get("columns")
    rows = [one for one in columns if isinstance(one, Mapping)] if isinstance(columns, list) else []
    if not rows:
        return [(f"{path}.columns", "required", "“Columns” needs at least one column.")]
    found: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    for index, column in enumerate(rows):
        name = str(column.get("name", ""))
        if name.lower() in seen:
            said = f"Two columns are called “{name}” in the data."
            found.append((f"{path}.columns[{index}].name", "duplicate", said))
        seen.add(name.lower())
    return found

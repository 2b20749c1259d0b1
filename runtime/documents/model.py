"""What a design is: strict models, version 1. Texts may hold formulas; they are data and never markup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from runtime.documents.problems import DocumentProblem

MOST_BLOCKS: Final = 60
MOST_COLUMNS: Final = 12
MOST_ROWS: Final = 5_000
MOST_PAGES: Final = 300
MOST_PIXELS: Final = 4_000_000
LONGEST_TEXT: Final = 20_000

_COLOUR: Final = r"^#[0-9a-fA-F]{6}$"
_LANGUAGE: Final = r"^[a-z]{2,3}(_[A-Z]{2})?$"
_CURRENCY: Final = r"^[A-Z]{3}$"
_PATTERNS: Final = {
    _COLOUR: "is a colour such as #1f5f8b.",
    _LANGUAGE: "is a language such as en, de or pt_BR.",
    _CURRENCY: "is a currency such as EUR, by its three letters.",
}


def _shown(widget: str, *, data: bool = False, more: bool = False) -> dict[str, Any]:
    """How a form shows it; `data`: formulas may stand in it; `more`: folded away, at the end."""
    hints: dict[str, Any] = {"widget": widget}
    if data:
        hints["expression"] = True
    if more:
        hints |= {"advanced": True, "order": 2_000}
    return {"x-ui": hints}


Formula = Annotated[str, Field(max_length=2_000, json_schema_extra=_shown("text", data=True))]
Rule = Annotated[str, Field(max_length=2_000, json_schema_extra=_shown("text", data=True, more=True))]
Words = Annotated[str, Field(max_length=LONGEST_TEXT, json_schema_extra=_shown("textarea", data=True))]
Line = Annotated[str, Field(max_length=LONGEST_TEXT, json_schema_extra=_shown("text", data=True))]
Label = Annotated[str, Field(max_length=LONGEST_TEXT, json_schema_extra=_shown("text", data=True, more=True))]
Colour = Annotated[str, Field(pattern=_COLOUR, json_schema_extra=_shown("colour"))]
Align = Literal["left", "centre", "right"]
Format = Literal["text", "number", "money", "date"]
Margin = Annotated[float, Field(ge=5, le=60)]


class Part(BaseModel):
    """Refuses fields that it does not know and values of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Page(Part):
    """Paper and habits. Margins in millimetres; `size` of letters in points, by which titles, tables and small print
    grow, too; `language` as `en`, `de` or `pt_BR`; `currency` by ISO 4217."""

    paper: Literal["A4", "A5", "Letter"] = "A4"
    orientation: Literal["portrait", "landscape"] = "portrait"
    top: Margin = 18
    bottom: Margin = 18
    left: Margin = 18
    right: Margin = 18
    size: Annotated[float, Field(ge=7, le=14)] = 9.5
    text: Colour = "#1f2933"
    accent: Colour = "#1f5f8b"
    language: Annotated[str, Field(pattern=_LANGUAGE)] = "en"
    currency: Annotated[str, Field(pattern=_CURRENCY)] = "EUR"
    decimals: Annotated[int, Field(ge=0, le=6)] = 2
    dates: Literal["short", "medium", "long"] = "medium"


class Block(Part):
    """What all blocks have. `show_if`: a formula; the block is left out where it gives no, nothing, 0 or empty."""

    show_if: Rule = ""


class Logo(Block):
    """A picture by its name among the pictures given; height in millimetres."""

    kind: Literal["logo"]
    image: Annotated[str, Field(min_length=1, max_length=200, json_schema_extra=_shown("picture"))]
    height: Annotated[float, Field(gt=2, le=80)] = 16
    align: Align = "left"


class Title(Block):
    kind: Literal["title"]
    text: Line
    align: Align = "left"


class Party(Part):
    label: Line = ""
    text: Words


class Parties(Block):
    """Addresses side by side; lines of a text are lines of the address."""

    kind: Literal["parties"]
    parties: Annotated[list[Party], Field(min_length=1, max_length=3)]


class Pair(Part):
    label: Line
    value: Line
    format: Format = "text"


class Pairs(Block):
    """Keys and values, one under the other."""

    kind: Literal["pairs"]
    pairs: Annotated[list[Pair], Field(min_length=1, max_length=40)]


class Column(Part):
    """`value` is worked out for each row, which is `item`. `width`: a share of the table's width."""

    title: Line
    value: Formula
    format: Format = "text"
    width: Annotated[float, Field(gt=0, le=100)] = 1
    align: Align | None = None
    total: bool = False


class Table(Block):
    """`rows`: a formula that gives a list. `group`: a formula for each row; sums stand where what it gives changes. The
    words for sums are those of the page's language where they are empty."""

    kind: Literal["table"]
    rows: Formula
    columns: Annotated[list[Column], Field(min_length=1, max_length=MOST_COLUMNS)]
    group: Rule = ""
    total_label: Label = ""
    subtotal_label: Label = ""
    carried_label: Label = ""


class Text(Block):
    kind: Literal["text"]
    text: Words
    bold: bool = False
    align: Align = "left"


class Notes(Block):
    """Small print."""

    kind: Literal["notes"]
    text: Words


class QrCode(Block):
    """A QR code of a text; size in millimetres."""

    kind: Literal["qr"]
    text: Line
    size: Annotated[float, Field(ge=10, le=80)] = 28
    align: Align = "left"


class Space(Block):
    """Empty height in millimetres, with a line or without."""

    kind: Literal["space"]
    height: Annotated[float, Field(ge=0, le=200)] = 6
    line: bool = False


AnyBlock = Annotated[
    Logo | Title | Parties | Pairs | Table | Text | Notes | QrCode | Space, Field(discriminator="kind")
]


#: Each kind of block by its name, in the order in which they are offered.
BLOCKS: Final[Mapping[str, type[Block]]] = {
    "title": Title,
    "text": Text,
    "parties": Parties,
    "pairs": Pairs,
    "table": Table,
    "notes": Notes,
    "logo": Logo,
    "qr": QrCode,
    "space": Space,
}


class Design(Part):
    """A whole document. `header` and `footer` stand on each page; `pages` writes “1 / 3” beside the footer. `sample`:
    data that the designer shows it with; what is drawn otherwise has data of its own."""

    version: Literal[1]
    title: Line
    page: Page = Page()
    header: Words = ""
    footer: Words = ""
    pages: bool = True
    blocks: Annotated[list[AnyBlock], Field(max_length=MOST_BLOCKS)]
    sample: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Drawn:
    """`data`: the PDF, or a PNG of one page; `pages`: how many the document has."""

    data: bytes
    pages: int


def design_of(stored: Mapping[str, Any]) -> Design:
    """The design of a JSON document; raises DocumentProblem `design` that names the first field that does not fit."""
    try:
        return Design.model_validate(stored)
    except ValidationError as refused:
        first = refused.errors(include_url=False)[0]
        place = first["loc"]
        block = place[1] if len(place) > 1 and place[0] == "blocks" and isinstance(place[1], int) else None
        # Within a block the first part says its kind.
        inner = place if block is None else place[3:]
        field = ".".join(map(str, inner))
        told = f"{field or ('The design' if block is None else 'It')}: {_plainly(first)}"
        raise DocumentProblem("design", told, block, field) from None


def _plainly(error: ErrorDetails) -> str:
    """What is wrong with a field, and what it takes."""
    limits = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "needs a value."
        case "extra_forbidden":
            return "is not known here: remove it."
        case "string_pattern_mismatch":
            return _PATTERNS.get(limits["pattern"], "is written in another way.")
        case "greater_than_equal":
            return f"is at least {limits['ge']:g}."
        case "greater_than":
            return f"is more than {limits['gt']:g}."
        case "less_than_equal":
            return f"is at most {limits['le']:g}."
        case "string_too_short":
            return "needs a value."
        case "string_too_long":
            return f"has at most {limits['max_length']:,} characters."
        case "too_short":
            return f"has at least {limits['min_length']}."
        case "too_long":
            return f"has at most {limits['max_length']}."
        case "literal_error" | "union_tag_invalid":
            return f"is one of {limits.get('expected') or limits['expected_tags']}."
    return f"{error['msg']}."

"""Create a document: a PDF of a design and data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.sdk import (
    JSON,
    Config,
    Context,
    EffectClass,
    Example,
    NodeType,
    Result,
    Text,
    Words,
    field,
)
from runtime.sdk.documents import data_of, design_problem


class CreateDocumentConfig(Config):
    # Its formulas speak of the document's own data and are worked out where it is drawn.
    design: dict[str, Any] = field(
        default_factory=dict,
        title="Design",
        help="What the document looks like.",
        widget="design",
        required=True,
        order=1,
    )
    data: Any = field(
        None,
        title="Data",
        help="An object: what the design shows as “data”.",
        widget="json",
        expression=True,
        placeholder="{{ steps.read.rows[0] }}",
        required=True,
        order=2,
    )
    name: Text = field(
        "document",
        title="Name of the file",
        help="Without an ending.",
        expression=True,
        order=3,
        min_length=1,
        max_length=200,
    )


async def run(config: CreateDocumentConfig, step_input: JSON, context: Context) -> Result:
    data = data_of(config.data)
    made = await context.documents.draw(config.design, data)
    file = await context.files.save(f"{config.name}.pdf", "application/pdf", [made.data])
    return Result({"file": file.as_json(), "pages": made.pages}, note=file.name)


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    design = config.get("design")
    if not isinstance(design, Mapping) or not design:
        return []
    told = design_problem(design)
    return [] if told is None else [("design", "design", told)]


def summary(config: Mapping[str, Any], words: Words) -> str:
    return words.value(config["name"]) if config["name"] else ""


_DESIGN: dict[str, JSON] = {
    "version": 1,
    "title": "Invoice {{ data.number }}",
    "footer": "Harbour Supplies Ltd",
    "blocks": [
        {"kind": "title", "text": "Invoice {{ data.number }}"},
        {"kind": "pairs", "pairs": [{"label": "Customer", "value": "{{ data.customer }}"}]},
        {
            "kind": "table",
            "rows": "{{ data.lines }}",
            "columns": [
                {"title": "Item", "value": "{{ item.name }}", "width": 3},
                {"title": "Amount", "value": "{{ item.amount }}", "format": "money", "total": True},
            ],
        },
    ],
}

NODE = NodeType(
    name="documents.create",
    version=1,
    category="data",
    icon="file-text",
    title="Create a document",
    description="Makes a PDF, such as an invoice or a statement, of a design and data.",
    synonyms=("pdf", "document", "invoice", "statement", "letter", "report", "print", "receipt"),
    config=CreateDocumentConfig,
    run=run,
    effect=EffectClass.READ,
    summary=summary,
    extra_problems=problems,
    effect_note="Makes a file of this workspace, which counts once the step has succeeded. It can be repeated.",
    examples=(
        Example(
            title="An invoice",
            config={
                "design": _DESIGN,
                "data": {"number": "2026-118", "customer": "Müller GmbH", "lines": [{"name": "Paper", "amount": 12}]},
                "name": "Invoice 2026-118",
            },
            output={
                "file": {
                    "id": "0199a7f0-0000-7000-8000-0000000000f2",
                    "name": "Invoice 2026-118.pdf",
                    "mime": "application/pdf",
                    "size": 19131,
                    "sha256": "35019a7d27eef7e1cb35ccdeebfb2343b6b75201313b84058d0a3da3ae973f6d",
                },
                "pages": 1,
            },
        ),
    ),
)

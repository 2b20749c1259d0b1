"""PDF from HTML: a template of one's own and data become a document. An extra: see `docs/documents.md`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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
from runtime.sdk.documents import data_of, template_problem

_TEMPLATE: Final = """\
<style>
  @page { size: A4; margin: 18mm; @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt } }
  body { font: 9.5pt "Noto Sans"; color: #1f2933 }
  h1 { font-size: 18pt; color: #1f5f8b }
  table { width: 100%; border-collapse: collapse }
  th, td { text-align: left; padding: 1.5mm 1mm; border-bottom: 0.2mm solid #d5dbe1 }
  .amount { text-align: right }
</style>
<h1>Invoice {{ data.number }}</h1>
<p>{{ data.customer }}</p>
<table>
  <thead><tr><th>Item</th><th class="amount">Amount</th></tr></thead>
  <tr data-each="{{ data.lines }}">
    <td>{{ item.name }}</td>
    <td class="amount" data-format="money">{{ item.amount }}</td>
  </tr>
</table>
"""


class PdfFromHtmlConfig(Config):
    # Its formulas speak of the document's own data and are worked out where it is drawn.
    template: Text = field(
        "",
        title="Template",
        help="HTML with styles. {{ data.… }} is the data, written so that it never becomes HTML. data-each repeats an "
        "element for a list, data-if leaves it out, data-format writes money, number or date, data-html takes HTML of "
        "a value you trust.",
        widget="code",
        required=True,
        order=1,
        max_length=200_000,
    )
    data: Any = field(
        None,
        title="Data",
        help="An object: what the template shows as “data”.",
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
    language: Text = field(
        "en", title="Language", help="How numbers and dates are written: en, de, pt_BR …", order=4, max_length=10
    )
    currency: Text = field("EUR", title="Currency", help="Three letters, such as EUR.", order=5, max_length=10)


async def run(config: PdfFromHtmlConfig, step_input: JSON, context: Context) -> Result:
    data = data_of(config.data)
    made = await context.documents.print_html(config.template, data, language=config.language, currency=config.currency)
    file = await context.files.save(f"{config.name}.pdf", "application/pdf", [made.data])
    return Result({"file": file.as_json(), "pages": made.pages}, note=file.name)


def problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    template, language, currency = (config.get(name) for name in ("template", "language", "currency"))
    if not isinstance(template, str) or not template:
        return []
    written = [one if isinstance(one, str) and one else usual for one, usual in ((language, "en"), (currency, "EUR"))]
    told = template_problem(template, *written)
    return [] if told is None else [told]


def summary(config: Mapping[str, Any], words: Words) -> str:
    return words.value(config["name"]) if config["name"] else ""


NODE = NodeType(
    name="documents.from_html",
    version=1,
    category="data",
    icon="code",
    title="PDF from HTML",
    description="Makes a PDF of a template in HTML and data, for who writes HTML and CSS. Needs an extra.",
    synonyms=("html", "css", "pdf", "document", "template", "weasyprint", "print", "letter"),
    config=PdfFromHtmlConfig,
    run=run,
    effect=EffectClass.READ,
    summary=summary,
    extra_problems=problems,
    defaults={"template": _TEMPLATE},
    effect_note="Makes a file of this workspace, which counts once the step has succeeded. It can be repeated.",
    examples=(
        Example(
            title="An invoice",
            config={
                "template": _TEMPLATE,
                "data": {"number": "2026-118", "customer": "Müller GmbH", "lines": [{"name": "Paper", "amount": 12}]},
                "name": "Invoice 2026-118",
                "language": "en",
                "currency": "EUR",
            },
            output={
                "file": {
                    "id": "0199a7f0-0000-7000-8000-0000000000f2",
                    "name": "Invoice 2026-118.pdf",
                    "mime": "application/pdf",
                    "size": 6586,
                    "sha256": "d4fe6abee00e7ab1a4ccae2e1dc6d4d5a27655527c503560b8c010049c29be2e",
                },
                "pages": 1,
            },
        ),
    ),
)

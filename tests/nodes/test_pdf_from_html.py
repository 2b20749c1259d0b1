from __future__ import annotations

from typing import Any

import pypdfium2
import pytest

from runtime.catalog import CATALOG
from runtime.documents.html import missing
from runtime.sdk import NodeType, PermanentError, Result
from runtime.sdk.testing import StepTestContext, run_step
from tests.documents.extra import needs_html
from tests.documents.test_draw import pages, picture

FOUND = CATALOG.get("documents.from_html@1")
assert FOUND is not None
NODE: NodeType[Any] = FOUND


async def made(template: str, data: Any, context: StepTestContext | None = None, **config: Any) -> tuple[Any, bytes]:
    context = context or StepTestContext()
    settings = {"template": template, "data": "{{ trigger.it }}", "name": "Paper", **config}
    outcome = await run_step(NODE, settings, data={"trigger": {"it": data}}, context=context)
    assert isinstance(outcome, Result)
    output: Any = outcome.output
    (pdf,) = [data for one, data in context.files.kept.items() if str(one) == output["file"]["id"]]
    return output, pdf


def problems(template: str, **more: Any) -> list[tuple[str, str, str]]:
    return NODE.problems({"template": template, "data": {"a": 1}, "name": "x", **more})


@needs_html
async def test_what_a_new_step_starts_with_is_an_invoice() -> None:
    example = NODE.examples[0].config
    output, pdf = await made(NODE.start_config["template"], example["data"], name="{{ trigger.it.number }}")  # type: ignore[arg-type]
    assert output["file"]["name"] == "2026-118.pdf"
    assert (output["file"]["mime"], output["file"]["size"], output["pages"]) == ("application/pdf", len(pdf), 1)
    (text,) = pages(pdf)
    for words in ("Invoice 2026-118", "Müller GmbH", "€12.00", "1 / 1"):
        assert words in text
    assert problems(NODE.start_config["template"]) == []  # type: ignore[arg-type]


@needs_html
async def test_a_picture_is_a_file_of_the_workspace() -> None:
    context = StepTestContext()
    file = await context.files.save("logo.png", "image/png", [picture(40, 20)])
    _, pdf = await made(f'<img src="picture:{file.id}">', {"a": 1}, context)
    assert any(isinstance(one, pypdfium2.PdfImage) for one in pypdfium2.PdfDocument(pdf)[0].get_objects())


@needs_html
@pytest.mark.parametrize(
    ("template", "more", "field", "words"),
    [
        ("<p>\n{{ data. }}", {}, "template", "Line 2: "),
        ("<p>{{ steps.read.rows }}", {}, "template", "in the setting Data"),
        ("<p>{{ look_up('x') }}", {}, "template", "Line 1: "),
        ('<img src="picture:0199a7f0-0000-7000-8000-00000000000-">', {}, "template", "the id of a file"),
        ("x", {"language": "xx"}, "language", "The language “xx” is not known"),
        ("x", {"currency": "euro"}, "currency", "The currency is a currency such as EUR"),
    ],
)
def test_what_cannot_be_drawn_is_a_problem_before_anything_runs(
    template: str, more: dict[str, Any], field: str, words: str
) -> None:
    ((found, _, message),) = problems(template, **more)
    assert found == field
    assert words in message


@needs_html
@pytest.mark.parametrize(
    ("template", "data", "words"),
    [
        ("<p>{{ data.no }}", {"a": 1}, "Line 1: .*no"),
        ("<p>x", [1], "must be an object"),
        ('<img src="https://example.org/x.png">', {"a": 1}, "is not fetched"),
    ],
)
async def test_what_stands_in_the_way_of_one_document_is_told(template: str, data: Any, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        await made(template, data)


async def test_the_check_says_what_this_machine_lacks_and_so_does_a_run() -> None:
    lacking = missing()
    if lacking is None:
        assert problems("x") == []
        return  # what a Python without it says is looked at in `test_html_missing`
    assert problems("x") == [("template", "not_installed", lacking)]
    with pytest.raises(PermanentError, match="install"):
        await made("x", {"a": 1})

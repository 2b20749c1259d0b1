from __future__ import annotations

from typing import Any

import pypdfium2
import pytest

from runtime.catalog import CATALOG
from runtime.documents.ready import NAMES, ready
from runtime.sdk import NodeType, PermanentError, Result
from runtime.sdk.testing import StepTestContext, run_step
from tests.documents.test_draw import picture

FOUND = CATALOG.get("documents.create@1")
assert FOUND is not None
NODE: NodeType[Any] = FOUND


async def made(design: Any, data: Any, context: StepTestContext | None = None, **config: Any) -> tuple[Any, bytes]:
    context = context or StepTestContext()
    settings = {"design": design, "data": "{{ trigger.it }}", "name": "Paper", **config}
    outcome = await run_step(NODE, settings, data={"trigger": {"it": data}}, context=context)
    assert isinstance(outcome, Result)
    output: Any = outcome.output
    (pdf,) = [data for one, data in context.files.kept.items() if str(one) == output["file"]["id"]]
    return output, pdf


@pytest.mark.parametrize("name", NAMES)
async def test_a_ready_design_becomes_a_file_of_the_workspace(name: str) -> None:
    found = ready(name)
    output, pdf = await made(found.stored, found.sample, name="{{ trigger.it.number }}/a")
    assert output["file"]["name"] == f"{found.sample['number']}_a.pdf"
    assert (output["file"]["mime"], output["file"]["size"], output["pages"]) == ("application/pdf", len(pdf), 1)
    assert str(found.sample["number"]) in pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()
    assert NODE.problems({"design": found.stored, "data": found.sample, "name": "x"}) == []


async def test_its_formulas_are_those_of_the_document_and_not_of_the_workflow() -> None:
    design = {"version": 1, "title": "x", "blocks": [{"kind": "text", "text": "{{ data.total * 2 }}"}]}
    _, pdf = await made(design, {"total": 21})
    assert "42" in pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()


async def test_a_logo_is_a_file_of_the_workspace() -> None:
    context = StepTestContext()
    file = await context.files.save("logo.png", "image/png", [picture(40, 20)])
    design = {"version": 1, "title": "x", "blocks": [{"kind": "logo", "image": file.id}]}
    output, _ = await made(design, {"a": 1}, context)
    assert output["pages"] == 1


@pytest.mark.parametrize(
    ("design", "words"),
    [
        ({"version": 1, "title": "x", "blocks": [{"kind": "space", "hight": 3}]}, "Block 1: hight"),
        ({"version": 2, "title": "x", "blocks": []}, "version"),
        ({"version": 1, "title": "x", "blocks": [{"kind": "logo", "image": "Logo.png"}]}, "no file of this workspace"),
        ({"version": 1, "title": "x", "page": {"language": "xx"}, "blocks": []}, "language"),
    ],
)
def test_a_design_that_cannot_be_drawn_is_a_problem_before_anything_runs(design: Any, words: str) -> None:
    ((field, _, message),) = NODE.problems({"design": design, "data": {"a": 1}, "name": "x"})
    assert field == "design"
    assert words in message


@pytest.mark.parametrize(
    ("design", "data", "words"),
    [
        (
            {"version": 1, "title": "x", "blocks": [{"kind": "text", "text": "{{ data.no }}"}]},
            {"a": 1},
            "Block 1: .*no",
        ),
        ({"version": 1, "title": "x", "blocks": []}, [1], "must be an object"),
    ],
)
async def test_what_stands_in_the_way_of_one_document_is_told(design: Any, data: Any, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        await made(design, data)

"""Documents over the API: designs to begin with, and what a design looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.conf import settings

from runtime.documents.ready import NAMES
from tests.builder.conftest import World
from tests.documents.test_draw import picture
from tests.factories import Answer

PATH = "/documents/preview"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def shown(world: World, design: Any, data: Any, **body: Any) -> Answer:
    return world.as_bo.post(f"{world.here}{PATH}", {"design": design, "data": data, **body})


def test_each_ready_design_can_be_looked_at_with_its_sample(world: World) -> None:
    found = world.as_bo.get(f"{world.here}/documents/designs").body["items"]
    assert [one["id"] for one in found] == list(NAMES)
    for one in found:
        page = shown(world, one["design"], one["design"]["sample"])
        assert (page.status, page.headers["Content-Type"], page.headers["X-Pages"]) == (200, "image/png", "1")
        assert page.raw.startswith(b"\x89PNG")
        whole = shown(world, one["design"], one["design"]["sample"], form="pdf")
        assert (whole.status, whole.headers["Content-Type"]) == (200, "application/pdf")
        assert one["name"] in pypdfium2.PdfDocument(whole.raw)[0].get_textpage().get_text_range()


def test_the_model_says_what_a_form_asks_for(world: World) -> None:
    told = world.as_bo.get(f"{world.here}/documents/model").body
    assert list(told["blocks"]) == ["title", "text", "parties", "pairs", "table", "notes", "logo", "qr", "space"]
    assert set(told["design"]["properties"]) == {"title", "page", "header", "footer", "pages", "sample"}
    columns = told["blocks"]["table"]["properties"]["columns"]
    assert columns["maxItems"] == 12
    assert columns["items"]["properties"]["value"]["x-ui"] == {"widget": "text", "expression": True}
    assert told["design"]["properties"]["page"]["properties"]["accent"]["x-ui"] == {"widget": "colour"}
    for one in world.as_bo.get(f"{world.here}/documents/designs").body["items"]:
        assert {block["kind"] for block in one["design"]["blocks"]} <= set(told["blocks"])


def test_what_stands_in_the_way_is_told_with_the_place_of_its_block(world: World) -> None:
    design = {"version": 1, "title": "x", "blocks": [{"kind": "space"}, {"kind": "text", "text": "{{ data.no }}"}]}
    answer = world.as_bo.post(f"{world.here}{PATH}", {"design": design, "data": {}})
    assert (answer.status, answer.body["code"], answer.body["params"]["block"]) == (422, "document_refused", 1)
    assert "no" in answer.body["title"]


def test_a_logo_without_a_picture_is_told_by_its_block_and_field(world: World) -> None:
    for image, told in (("", "image: needs a value."), ("logo.png", "A logo’s picture is not among")):
        design = {"version": 1, "title": "x", "blocks": [{"kind": "space"}, {"kind": "logo", "image": image}]}
        refused = shown(world, design, {})
        assert (refused.status, refused.body["params"]["block"], refused.body["params"]["field"]) == (422, 1, "image")
        assert refused.body["title"].startswith(told)


def test_a_logo_of_another_workspace_is_as_absent_as_any(world: World) -> None:
    raw = picture(40, 20)
    mine = world.as_alice.call(
        "POST", f"{world.here}/files?name=logo.png", raw=raw, headers={"Content-Type": "image/png"}
    )
    assert mine.status == 201
    for image, wanted in ((mine.body["id"], 200), ("0199a7f0-0000-7000-8000-00000000beef", 422), ("logo.png", 422)):
        design = {"version": 1, "title": "x", "blocks": [{"kind": "logo", "image": image}]}
        assert shown(world, design, {}).status == wanted

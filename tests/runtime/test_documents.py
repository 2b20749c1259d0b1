"""Documents that steps make: drawn beside the loop, kept as files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.conf import settings

from runtime import api
from runtime.contracts import RunView
from runtime.documents.ready import ready
from runtime.store.models import File
from tests.documents.test_draw import picture
from tests.runtime.machine import WORKSPACE, Machine, detail, flow, step

MISSING = "0199a7f0-0000-7000-8000-00000000beef"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)


def draw(machine: Machine, design: Any, data: Any) -> RunView:
    paper = step("paper", "documents.create@1", {"design": design, "data": data, "name": "May"})
    return machine.run(flow("start -> paper", paper))


def test_a_document_is_drawn_and_kept_as_a_file(machine: Machine) -> None:
    found = ready("statement")
    image = io.BytesIO(picture(60, 30))
    logo = api.add_file(workspace_id=WORKSPACE, name="logo.png", mime="image/png", read=image.read, by=None)
    run = draw(
        machine,
        {**found.stored, "blocks": [{"kind": "logo", "image": str(logo.id)}, *found.stored["blocks"]]},
        found.sample,
    )
    assert run.status == "completed"
    output: Any = detail(run.id, "paper").output
    row = File.objects.get(run_id=run.id)
    assert (output["file"]["id"], output["pages"], row.name) == (str(row.pk), 1, "May.pdf")
    pdf = b"".join(api.open_file(workspace_id=WORKSPACE, file_id=row.pk).portions)
    assert str(found.sample["number"]) in pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range()


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"kind": "title", "text": "{{ data.number }}"}, "Block 1"),
        ({"kind": "logo", "image": MISSING}, "file"),
    ],
)
def test_what_stands_in_the_way_of_a_document_is_told_and_nothing_is_kept(
    machine: Machine, block: dict[str, Any], words: str
) -> None:
    run = draw(machine, {"version": 1, "title": "x", "blocks": [block]}, {"a": 1})
    assert run.status == "dead_lettered"
    error = detail(run.id, "paper").attempts[-1].error
    assert error is not None
    assert words in error["message"]
    assert not File.objects.exists()

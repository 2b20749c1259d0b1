"""The pages that the server writes look like the front end."""

from __future__ import annotations

import re

import pytest

from builder.api.decision_page import STYLE
from runtime.intake.pages import LOOK
from tests.product import ROOT

UI = ROOT / "frontend" / "src" / "ui"


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"(--\w+): ?(#[0-9a-f]{6})", css))


@pytest.mark.parametrize("style", [LOOK, STYLE], ids=["a link that lets a run go on", "a link in a mail"])
def test_a_page_for_people_outside_has_the_colours_and_the_font_of_the_front_end(style: str) -> None:
    ours = (UI / "tokens.css").read_text().split('[data-theme="dark"]')
    theirs = re.split(r"@media ?\(prefers-color-scheme: ?dark\)", style)
    assert (len(ours), len(theirs)) == (2, 2)
    for light_or_dark, tokens in zip(theirs, ours, strict=True):
        found = colours(light_or_dark)
        assert len(found) > 7
        assert found.items() <= colours(tokens).items()
    used = set(re.findall(r"var\((--\w+)\)", style))
    assert used <= colours(theirs[0]).keys() == colours(theirs[1]).keys()
    [font] = re.findall(r'url\("/assets/(.+?)"\)', style)
    assert font in (UI / "base.css").read_text()
    assert f'"{font}"' in (ROOT / "frontend" / "vite.config.ts").read_text()

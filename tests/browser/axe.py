"""Accessibility findings of a page, by axe-core."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.product import ROOT

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

#: The rules that can see a theme: between two themes of a screen nothing but colours differs.
THEMED = ("color-contrast", "link-in-text-block")


@cache
def source() -> str:
    return AXE.read_text(encoding="utf-8")


def findings(
    page: Page, *, impacts: tuple[str, ...] = ("serious", "critical"), only: Sequence[str] | None = None
) -> list[str]:
    """What axe finds of these impacts, one line each with the place. `only`: these rules of axe, not all."""
    if page.evaluate("() => !window.axe"):
        page.evaluate(source())
    options: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": list(only)} if only else {})}
    result: dict[str, Any] = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']} {node.get('failureSummary', '')[:200]}"
        for violation in result["violations"]
        if violation["impact"] in impacts
        for node in violation["nodes"]
    ]

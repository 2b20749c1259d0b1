"""Accessibility findings of a page, by axe-core."""

from __future__ import annotations

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.product import ROOT

AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


@cache
def source() -> str:
    return AXE.read_text(encoding="utf-8")


def findings(page: Page, *, impacts: tuple[str, ...] = ("serious", "critical")) -> list[str]:
    """What axe finds of these impacts, one line each with the place."""
    page.evaluate(source())
    result: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']} {node.get('failureSummary', '')[:200]}"
        for violation in result["violations"]
        if violation["impact"] in impacts
        for node in violation["nodes"]
    ]

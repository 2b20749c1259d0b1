"""What the browser tests of the editor share: small workflows made by the API, and the editor's parts by name."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.product import Api

Link = tuple[str, str] | tuple[str, str, str]

#: What Esc may change: the panel, the list of data, a list of choices, where the focus is, and what stands there.
LEFT = """() => {
  const at = document.activeElement;
  const open = ["[data-testid=step-panel]", "[data-flyout]", ".cm-tooltip", "[role=menu]", "[role=listbox]"];
  const counts = open.map((one) => document.querySelectorAll(one).length);
  return JSON.stringify([...counts, at === document.body || at?.outerHTML, at?.value]);
}"""
#: Where each card is on the screen, once all of them are drawn.
PLACES = """() => {
  const cards = [...document.querySelectorAll(".react-flow [data-step]")];
  if (cards.some((one) => !one.checkVisibility({ visibilityProperty: true }))) return "";
  return JSON.stringify(cards.map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return [one.dataset.step, Math.round(x), Math.round(y), Math.round(width), Math.round(height)];
  }));
}"""
Opens = Callable[..., Page]


def step(key: str, type_: str, name: str, at: tuple[int, int], **config: Any) -> dict[str, Any]:
    """A step whose id is its key."""
    position = {"x": at[0], "y": at[1]}
    return {"id": key, "key": key, "name": name, "type": type_, "config": config, "position": position, "settings": {}}


def edit_fields(key: str, name: str, at: tuple[int, int], **fields: object) -> dict[str, Any]:
    """A step that sets fields."""
    rows = [{"name": field, "value": value} for field, value in fields.items()]
    return step(key, "data.edit_fields@1", name, at, fields=rows)


def graph(steps: Sequence[Mapping[str, Any]], links: Sequence[Link]) -> dict[str, Any]:
    """A document; a link is (source, target) or (source, way, target)."""
    return {
        "format": "millrace.workflow",
        "version": 1,
        "nodes": list(steps),
        "edges": [
            {
                "id": f"e{number}",
                "source": link[0],
                "sourceHandle": link[1] if len(link) == 3 else "out",
                "target": link[-1],
                "targetHandle": "in",
            }
            for number, link in enumerate(links)
        ],
        "annotations": [],
    }


def chain() -> dict[str, Any]:
    """Orders › Prepare › Finish, where Finish reads what Prepare set."""
    return graph(
        [
            step("orders", "trigger.webhook@1", "Orders", (0, 0)),
            edit_fields("prepare", "Prepare", (0, 150), total="{{ trigger.body.total }}"),
            edit_fields("finish", "Finish", (0, 300), sum="{{ steps.prepare.total }}"),
        ],
        [("orders", "prepare"), ("prepare", "finish")],
    )


class Editor:
    """The editor of one workflow, in one page."""

    def __init__(self, page: Page, api: Api, workflow: str) -> None:
        self.page, self.api, self.workflow = page, api, workflow
        # Not the word alone: a toast of an earlier save says it too.
        self.saved = page.locator('[data-testid="save-state"][data-state="saved"]')
        self.panel = page.get_by_test_id("step-panel")
        self.steps = page.locator("[data-testid^=step-][data-step]")

    def card(self, step: str) -> Locator:
        """The card of a step by its id: the key follows the name."""
        return self.page.locator(f'[data-step="{step}"]')

    def focus(self, step: str) -> None:
        """Give a card the focus and select it, without its panel."""
        self.card(step).get_by_role("button").first.click()
        if (self.page.viewport_size or {"width": 0})["width"] >= 1280:
            # It opens a moment later; an Esc before that would close nothing.
            expect(self.panel).to_be_visible()
        self.press("Escape")
        expect(self.panel).to_have_count(0)
        expect(self.card(step).get_by_role("button").first).to_be_focused()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def add(self, search: str, title: str) -> None:
        """A, some letters, Enter, and back to the card."""
        self.press("a")
        self.pick(search, title)

    def pick(self, search: str, title: str) -> None:
        expect(self.page.get_by_role("combobox", name="What should happen?")).to_be_focused()
        self.page.keyboard.type(search)
        expect(self.page.get_by_role("option", selected=True)).to_have_text(re.compile(f"^{title}"))
        self.press("Enter")
        expect(self.panel.get_by_label("Name of the step")).to_have_value(title)
        self.leave()

    def leave(self) -> None:
        """Esc until the panel is closed: the list of data goes first. Each has done what it does before the next."""
        for _ in range(5):
            if self.panel.count() == 0:
                return
            before = self.page.evaluate(LEFT)
            self.press("Escape")
            deadline = time.monotonic() + 5
            while self.page.evaluate(LEFT) == before and time.monotonic() < deadline:
                self.page.wait_for_timeout(30)
        expect(self.panel).to_have_count(0)

    def settled(self) -> None:
        """Wait until the cards stay where they are: before that, a place that is measured is one of before."""
        before, still, deadline = "", 0, time.monotonic() + 60
        while still < 3:
            assert time.monotonic() < deadline, "the cards never stay where they are"
            now = self.page.evaluate(PLACES)
            still = still + 1 if now == before and now else 0
            before = now
            self.page.wait_for_timeout(60)

    def draft(self) -> dict[str, Any]:
        """The document as the server has it, once everything is saved."""
        self.press("Control+s")
        expect(self.saved.first).to_be_visible()
        document: dict[str, Any] = self.api.call("GET", f"W/workflows/{self.workflow}/draft")["graph"]
        return document

    def links(self) -> set[tuple[str, str, str]]:
        """All links of the saved document by the names of the steps."""
        document = self.draft()
        names = {node["id"]: node["name"] for node in document["nodes"]}
        return {(names[edge["source"]], edge["sourceHandle"], names[edge["target"]]) for edge in document["edges"]}


def new_editor(signed_in: Opens, api: Api, name: str, document: Mapping[str, Any] | None = None, **page: Any) -> Editor:
    """Make a workflow and open its editor."""
    made = api.call("POST", "W/workflows", {"name": name, **({"graph": document} if document else {})})
    editor = Editor(signed_in(f"/workflows/{made['id']}/build", **page), api, made["id"])
    ready = editor.page.get_by_role("application").or_(editor.page.get_by_role("tree", name="Outline"))
    expect(ready.first).to_be_visible()
    return editor

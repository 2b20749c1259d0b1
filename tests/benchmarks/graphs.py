"""The workflows that are measured, as documents."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

HTTP_TARGET = "http://practice-company/pay"


def node(id_: str, type_: str, config: dict[str, Any] | None = None) -> dict[str, Any]:
    """One step; its key and name are its id."""
    return {"id": id_, "key": id_, "name": id_, "type": type_, "config": config or {}, "settings": {}}


def line(steps: Sequence[dict[str, Any]], ways: dict[str, str] | None = None) -> dict[str, Any]:
    """A document whose steps follow each other; `ways` names the way out where it is not `out`."""
    edges = []
    for number, (before, after) in enumerate(itertools.pairwise(steps)):
        edges.append(
            {
                "id": f"e{number}",
                "source": before["id"],
                "sourceHandle": (ways or {}).get(before["id"], "out"),
                "target": after["id"],
                "targetHandle": "in",
            }
        )
    placed = [{**step, "position": {"x": 0, "y": 140 * number}} for number, step in enumerate(steps)]
    return {"format": "millrace.workflow", "version": 1, "nodes": placed, "edges": edges, "annotations": []}


def webhook(respond: str = "immediately") -> dict[str, Any]:
    """An open webhook that recognises no repeats."""
    return node("order", "trigger.webhook@1", {"methods": ["POST"], "respond": respond})


def edit(id_: str, source: str = "{{ trigger.body.id }}") -> dict[str, Any]:
    """A pure step that sets two fields."""
    fields = [{"name": "number", "value": source}, {"name": "label", "value": f"Order {source}"}]
    return node(id_, "data.edit_fields@1", {"fields": fields})


def decision() -> dict[str, Any]:
    """A decision that every measured order passes."""
    rule = {"left": "{{ trigger.body.total }}", "op": "gt", "right": "100", "type": "number"}
    return node("big", "flow.decision@1", {"conditions": {"match": "all", "rules": [rule]}})


def call(url: str) -> dict[str, Any]:
    """A write to the outside world, with its own key."""
    body = {"order": "{{ trigger.body.id }}"}
    return node("pay", "http.request@1", {"method": "POST", "url": url, "body_type": "json", "json_body": body})


def accepts() -> dict[str, Any]:
    """What intake is measured on: a webhook and one step."""
    return line([webhook(), edit("keep")])


def flow(respond: str = "immediately") -> dict[str, Any]:
    """webhook → edit → decision → edit → HTTP."""
    return line(
        [webhook(respond), edit("first"), decision(), edit("second", "{{ steps.first.number }}"), call(HTTP_TARGET)],
        {"big": "yes"},
    )


def undone() -> dict[str, Any]:
    """webhook → HTTP → a failure that asks for undo, which is another HTTP call."""
    pay, back = call(HTTP_TARGET), {**call(f"{HTTP_TARGET}/back"), "id": "back", "key": "back", "name": "back"}
    stop = {**node("stop", "flow.fail@1", {"message": "Out of stock"}), "settings": {"on_failure": "undo"}}
    drawn = line([webhook(), pay, stop])
    drawn["nodes"].append({**back, "position": {"x": 340, "y": 140}})
    link = {"id": "undo", "source": "pay", "sourceHandle": "undo", "target": "back", "targetHandle": "in"}
    drawn["edges"].append(link)
    return drawn


def retried() -> dict[str, Any]:
    """webhook → HTTP that is refused once and tried again a moment later."""
    again = {"attempts": 2, "strategy": "fixed", "first_seconds": 0.05, "jitter": 0}
    once = call("http://practice-company/once/{{ run.id }}")
    return line([webhook(), {**once, "settings": {"retry": again}}])


def each(items: int) -> dict[str, Any]:
    """webhook → For each of so many items, ten at a time: HTTP."""
    config = {"items": list(range(items)), "at_a_time": 10, "collect": False}
    drawn = line([webhook(), node("each", "flow.for_each@1", config)])
    drawn["nodes"].append({**call(HTTP_TARGET), "parent": "each", "position": {"x": 0, "y": 0}})
    return drawn


def each_halved(items: int) -> dict[str, Any]:
    """webhook → For each of so many items, ten at a time, of which every other one fails by its formula."""
    halves = [number % 2 for number in range(items)]
    config = {"items": halves, "at_a_time": 10, "collect": False, "stop": "never", "most_items": items}
    drawn = line([webhook(), node("each", "flow.for_each@1", config)])
    half = node("half", "data.edit_fields@1", {"fields": [{"name": "share", "value": "{{ 100 / item }}"}]})
    drawn["nodes"].append({**half, "parent": "each", "position": {"x": 0, "y": 0}})
    return drawn


def statements(items: int, table: str, design: dict[str, Any]) -> dict[str, Any]:
    """webhook → For each of so many students of another system, read 500 at a time: draw a statement, keep a row, post
    it to the ledger; with control totals and a manifest."""
    config = {
        "source": "pages",
        "url": f"http://practice-company/students/1/{items // 500}",
        "list_path": "students",
        "next_by": "url",
        "next_path": "next",
        "most_items": items,
        "item_key": "{{ item.number }}",
        "label": "{{ item.number }}",
        "at_a_time": 64,
        "collect": False,
        "stop": "never",
        "amount": "{{ item.amount }}",
        "posted": "{{ item.amount }}",
        "manifest": True,
    }
    draw = node("draw", "documents.create@1", {"design": design, "data": "{{ item }}", "name": "{{ item.number }}"})
    row = [{"name": "number", "value": "{{ item.number }}"}, {"name": "amount", "value": "{{ item.amount }}"}]
    row += [{"name": "sha256", "value": "{{ steps.draw.file.sha256 }}"}]
    keep = node("keep", "tables.save@1", {"table": table, "values": row})
    body = {"number": "{{ item.number }}", "amount": "{{ item.amount }}", "file": "{{ steps.draw.file.sha256 }}"}
    pay = node("pay", "http.request@1", {"method": "POST", "url": HTTP_TARGET, "body_type": "json", "json_body": body})
    drawn = line([webhook(), node("each", "flow.for_each@1", config)])
    inside = line([draw, keep, pay])
    drawn["nodes"] += [{**one, "parent": "each"} for one in inside["nodes"]]
    drawn["edges"] += [{**edge, "id": f"inside-{edge['id']}"} for edge in inside["edges"]]
    return drawn


def ten_steps(respond: str = "immediately") -> dict[str, Any]:
    """Ten pure steps in a row."""
    return pure_steps(10, respond)


def pure_steps(count: int, respond: str = "immediately") -> dict[str, Any]:
    """So many pure steps in a row."""
    steps = [webhook(respond), edit("s1")]
    steps += [edit(f"s{number}", f"{{{{ steps.s{number - 1}.number }}}}") for number in range(2, count + 1)]
    return line(steps)


def first_step() -> dict[str, Any]:
    """A webhook whose first step tells the outside world at once."""
    return line([webhook(), call("http://practice-company/first/{{ trigger.body.id }}")])


def waits(steps: int, seconds: float) -> dict[str, Any]:
    """Steps that each wait a little, so that a run view has something to paint."""
    nodes = [webhook()]
    nodes += [
        node(f"w{number}", "flow.wait@1", {"mode": "for", "amount": seconds, "unit": "seconds"})
        for number in range(steps)
    ]
    return line(nodes)


def many(steps: int) -> dict[str, Any]:
    """A big workflow for the canvas: rows of ten side by side."""
    nodes = [{**webhook(), "position": {"x": 0, "y": 0}}]
    edges = []
    for number in range(steps - 1):
        column, row = number % 10, number // 10
        step = edit(f"n{number}")
        nodes.append({**step, "position": {"x": column * 320, "y": 160 + row * 160}})
        before = "order" if row == 0 else f"n{number - 10}"
        edges.append(
            {"id": f"e{number}", "source": before, "sourceHandle": "out", "target": step["id"], "targetHandle": "in"}
        )
    return {"format": "millrace.workflow", "version": 1, "nodes": nodes, "edges": edges, "annotations": []}

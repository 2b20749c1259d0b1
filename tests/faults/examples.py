"""The workflows that the fault tests run. Each call to the outside names `<event key>/<step>` as its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Example:
    """A workflow and what its completed run must have done."""

    name: str
    graph: Mapping[str, Any]
    #: Steps that call the outside: each exactly once in effect. With the most tries that no fault of ours explains.
    effects: Mapping[str, int]
    #: Steps that wait, in milliseconds.
    waits: Mapping[str, int] = field(default_factory=dict)
    #: Steps that a completed run has passed over.
    skipped: frozenset[str] = frozenset()
    #: Bytes of ballast in the event's body.
    ballast: int = 0
    #: How its run ends.
    ends: str = "completed"
    #: Or in doubt, where a process died around a call that carries no key.
    may_end_in_doubt: bool = False


def node(id_: str, type_: str, config: dict[str, Any], settings: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "id": id_,
        "key": id_,
        "name": id_.capitalize(),
        "type": type_,
        "config": config,
        "settings": settings or {},
    }


def graph(nodes: Sequence[dict[str, Any]], edges: Sequence[str]) -> dict[str, Any]:
    """A document; an edge is written `source -> target` or `source:port -> target`."""
    drawn = []
    for number, edge in enumerate(edges):
        start, target = edge.split(" -> ")
        source, _, port = start.partition(":")
        drawn.append(
            {
                "id": f"e{number}",
                "source": source,
                "sourceHandle": port or "out",
                "target": target,
                "targetHandle": "in",
            }
        )
    placed = [{**one, "position": {"x": 0, "y": 150 * number}} for number, one in enumerate(nodes)]
    return {"format": "millrace.workflow", "version": 1, "nodes": placed, "edges": drawn, "annotations": []}


def webhook(respond: str = "immediately") -> dict[str, Any]:
    config = {"methods": ["POST"], "dedupe": "header", "dedupe_header": "Idempotency-Key", "respond": respond}
    return node("start", "trigger.webhook@1", config)


def edit(id_: str, value: str) -> dict[str, Any]:
    return node(id_, "data.edit_fields@1", {"fields": [{"name": "number", "value": value}]})


def invoice(
    id_: str,
    *,
    customer: str = "C-100",
    behaviour: str = "",
    retry: dict[str, Any] | None = None,
    key: bool = True,
    undo_on_failure: bool = False,
) -> dict[str, Any]:
    """A POST that makes out an invoice: asked twice without its key, there would be two."""
    config: dict[str, Any] = {
        "method": "POST",
        "url": "http://practice-company/invoices",
        "body_type": "json",
        "json_body": {"order": f"{{{{ trigger.body.id }}}}/{id_}", "customer": customer, "amount": "12.50"},
        "send_key": key,
    }
    if behaviour:
        config["headers"] = [{"name": "X-Practice-Behaviour", "value": behaviour}]
    settings: dict[str, Any] = {"retry": retry} if retry else {}
    if undo_on_failure:
        settings["on_failure"] = "undo"
    return node(id_, "http.request@1", config, settings)


def wait(id_: str, seconds: float) -> dict[str, Any]:
    return node(id_, "flow.wait@1", {"mode": "for", "amount": seconds, "unit": "seconds"})


_QUICK_RETRY = {"attempts": 4, "strategy": "fixed", "first_seconds": 0.2, "jitter": 0, "total_seconds": 600}


def linear(
    *, respond: str = "respond_step", slow: int = 0, second: str = "", ballast: int = 0, name: str = "Linear"
) -> Example:
    """webhook → edit → HTTP POST → edit → HTTP POST → respond. `second`: how the company behaves to the second call."""
    behaviour = f"slow={slow}" if slow else ""
    body = {"id": "{{ trigger.body.id }}", "invoice": "{{ steps.second.body.id }}"}
    nodes = [
        webhook(respond),
        edit("prepare", "{{ trigger.body.id }}"),
        invoice("first", behaviour=behaviour),
        edit("between", "{{ steps.first.body.id }}"),
        invoice("second", customer="{{ steps.between.number }}", behaviour=second or behaviour),
    ]
    edges = ["start -> prepare", "prepare -> first", "first -> between", "between -> second"]
    if respond == "respond_step":
        nodes.append(node("answer", "flow.respond@1", {"status": 200, "body_type": "json", "json_body": body}))
        edges.append("second -> answer")
    return Example(name, graph(nodes, edges), {"first": 1, "second": 1}, ballast=ballast)


def branching(*, slow: int = 0, seconds: float = 1.2) -> Example:
    """A decision, a fork of two calls, a join, a call that fails once, a wait, a last call."""
    behaviour = f"slow={slow}" if slow else ""
    condition = {"left": "{{ trigger.body.amount }}", "op": "gt", "right": "10", "type": "number"}
    nodes = [
        webhook(),
        node("large", "flow.decision@1", {"conditions": {"match": "all", "rules": [condition]}}),
        invoice("left", behaviour=behaviour),
        invoice("right", behaviour=behaviour),
        invoice("never"),
        edit("both", "{{ steps.left.body.id }} {{ steps.right.body.id }}"),
        invoice("retried", customer="{{ steps.both.number }}", behaviour="fail=503*1", retry=_QUICK_RETRY),
        wait("pause", seconds),
        invoice("last", customer="{{ steps.retried.body.id }}"),
    ]
    edges = ["start -> large", "large:yes -> left", "large:yes -> right", "large:no -> never", "left -> both"]
    edges += ["right -> both", "both -> retried", "retried -> pause", "pause -> last"]
    return Example(
        "Branching",
        graph(nodes, edges),
        {"left": 1, "right": 1, "retried": 2, "last": 1},
        waits={"pause": int(seconds * 1000)},
        skipped=frozenset({"never"}),
    )


def saga(*, slow: int = 0) -> Example:
    """Three calls, each with the call that undoes it, the third at the same time as the second; a fourth whose answer
    is lost, so that nobody knows whether it happened, and that asks for undo. One undo works at its second try."""
    behaviour = f"slow={slow}" if slow else ""
    lost = {"attempts": 1}
    calls = [
        invoice("first", behaviour=behaviour),
        invoice("second", behaviour=behaviour),
        invoice("third", behaviour=behaviour),
        invoice("fourth", behaviour="drop", retry=lost, undo_on_failure=True),
    ]
    undos = [invoice(f"undo_{call['id']}", behaviour=behaviour) for call in calls]
    undos[0] = invoice("undo_first", customer="{{ steps.first.body.id }}", behaviour="fail=503*1", retry=_QUICK_RETRY)
    edges = ["start -> first", "first -> second", "first -> third", "second -> fourth", "third -> fourth"]
    edges += [f"{call['id']}:undo -> undo_{call['id']}" for call in calls]
    once = {step["id"]: 1 for step in (*calls, *undos)}
    return Example("Saga", graph([webhook(), *calls, *undos], edges), {**once, "undo_first": 2}, ends="compensated")


def approval(*, minutes: float = 0, all_of: str = "") -> Example:
    """A call, a question to people, a call by their answer. `minutes`: until it is too late, and nothing follows.
    `all_of`: each in this group has to approve."""
    question = {"title": "{{ trigger.body.id }}", "limit": minutes, "unit": "minutes", "comment": "never"}
    if all_of:
        question |= {"people": all_of, "rule": "all"}
    nodes = [webhook(), invoice("first"), node("ask", "people.approval@1", question), invoice("yes"), invoice("no")]
    edges = ["start -> first", "first -> ask", "ask:approved -> yes", "ask:rejected -> no"]
    if minutes:
        nothing = frozenset({"yes", "no"})
        return Example("Too late", graph(nodes, edges), {"first": 1}, skipped=nothing)
    return Example(
        "Approval by all" if all_of else "Approval",
        graph(nodes, edges),
        {"first": 1, "yes": 1},
        skipped=frozenset({"no"}),
    )


def signals(*, seconds: float = 0.4, name: str = "Signals") -> Example:
    """A call, a pause, a wait for an event, a call, a wait for the run's link, a call."""
    event = {"name": "paid", "key": "{{ trigger.body.id }}"}
    nodes = [
        webhook(),
        invoice("first"),
        wait("pause", seconds),
        node("paid", "flow.wait_event@1", event),
        invoice("second", customer="{{ steps.paid.data }}"),
        node("confirmed", "flow.wait_signal@1", {}),
        invoice("third", customer="{{ steps.confirmed.data }}"),
    ]
    edges = ["start -> first", "first -> pause", "pause -> paid", "paid -> second", "second -> confirmed"]
    once = {"first": 1, "second": 1, "third": 1}
    return Example(
        name, graph(nodes, [*edges, "confirmed -> third"]), once, waits={"pause": int(seconds * 1000)}
    )  # fmt: skip


def nothing_comes() -> Example:
    """A wait for an event that does not come in time."""
    event = {"name": "never", "key": "{{ trigger.body.id }}", "limit": 0.03, "unit": "minutes"}
    nodes = [webhook(), node("wait", "flow.wait_event@1", event), invoice("came"), invoice("late")]
    edges = ["start -> wait", "wait:out -> came", "wait:timeout -> late"]
    return Example("Nothing comes", graph(nodes, edges), {"late": 1}, skipped=frozenset({"came"}))


def telling() -> Example:
    """Sends the event that the run waits for whose key stands before the `!` of its own."""
    event = {"name": "paid", "key": '{{ before(trigger.body.id, "!") }}', "data": '"C-100"'}
    nodes = [webhook(), node("tell", "flow.send_event@1", event), invoice("after")]
    return Example("Telling", graph(nodes, ["start -> tell", "tell -> after"]), {"after": 1})


def unrepeatable(*, slow: int = 0) -> Example:
    """A call that carries no key: done again, it would be done twice."""
    once = invoice("once", key=False, behaviour=f"slow={slow}" if slow else "")
    nodes = [webhook(), edit("prepare", "{{ trigger.body.id }}"), once, edit("after", "x")]
    edges = ["start -> prepare", "prepare -> once", "once -> after"]
    return Example("Unrepeatable", graph(nodes, edges), {"once": 1}, may_end_in_doubt=True)


def looked_up(*, behaviour: str = "ignore", name: str = "Looked up", tries: int = 1) -> Example:
    """A call that the other side carries out as often as it comes, and of which it can be asked whether it has."""
    once = invoice("once", behaviour=behaviour, retry=_QUICK_RETRY)
    at = "http://practice-company/invoices/by-key/{{ look_up.key }}"
    once["config"] |= {"in_doubt": "look_up", "look_up_url": at, "look_up_after": 0.1}
    after = edit("after", "{{ steps.once.body.id }}")
    return Example(name, graph([webhook(), once, after], ["start -> once", "once -> after"]), {"once": tries})


def saved(connection: str, *, exists: str = "fail", name: str = "Saved") -> Example:
    """A file of some size that is saved in a folder of this machine under the event's name."""
    rows = [{"text": "{{ trigger.body.ballast }}"}]
    config = {"connection": connection, "file": "{{ steps.make.file }}", "exists": exists}
    config |= {"name": "{{ trigger.body.id }}.csv", "folder": "in/{{ trigger.body.amount }}"}
    nodes = [
        webhook(),
        node("make", "files.write_table@1", {"rows": rows, "name": "rows", "format": "csv"}),
        node("save", "files.save_folder@1", config, {"retry": _QUICK_RETRY}),
        edit("after", "{{ steps.save.path }}"),
    ]
    return Example(name, graph(nodes, ["start -> make", "make -> save", "save -> after"]), {}, ballast=900_000)


def accepting() -> Example:
    """As little as can be: a start and one pure step."""
    return Example("Accepting", graph([webhook(), edit("keep", "{{ trigger.body.id }}")], ["start -> keep"]), {})


def items(*, count: int = 4, at_a_time: int = 2, slow: int = 0) -> Example:
    """A For each with a call for every item, by a run of its own; one item at its second try. Then a last call. The
    calls inside are told apart by `of_items`."""
    inside = _of_item("make", slow=slow)
    lines = [f"{{{{ trigger.body.id }}}}.{number}" for number in range(count)]
    each = node("each", "flow.for_each@1", {"items": lines, "at_a_time": at_a_time})
    nodes = [webhook(), each, {**inside, "parent": "each"}, invoice("last")]
    return Example("Items", graph(nodes, ["start -> each", "each -> last"]), {"last": 1})


def items_paged(*, count: int = 7, on_a_page: int = 3) -> Example:
    """The same for the entries of a list that is read a page at a time, each begun when the one before is through."""
    config = {
        "source": "pages",
        "url": f"http://practice-company/shipments?of={count}&limit={on_a_page}",
        "list_path": "shipments",
        "next_by": "cursor",
        "next_path": "paging.cursor",
        "item_key": "{{ item.id }}",
        "at_a_time": 2,
    }
    inside = _of_item("make")
    inside["config"]["json_body"]["order"] = "item:{{ trigger.body.id }}.{{ item.number }}/make"
    nodes = [webhook(), node("each", "flow.for_each@1", config), {**inside, "parent": "each"}]
    return Example("Items paged", graph(nodes, ["start -> each"]), {})


def items_filed(*, count: int = 7) -> Example:
    """The same for the rows of a file, which an earlier step has written."""
    rows = [{"number": number} for number in range(1, count + 1)]
    table = node("table", "files.write_table@1", {"rows": rows, "name": "Rows", "format": "csv"})
    config = {"source": "file", "file": "{{ steps.table.file }}", "key_column": "number", "at_a_time": 2}
    inside = _of_item("make")
    inside["config"]["json_body"]["order"] = "item:{{ trigger.body.id }}.{{ item.number }}/make"
    nodes = [webhook(), table, node("each", "flow.for_each@1", config), {**inside, "parent": "each"}]
    return Example("Items filed", graph(nodes, ["start -> table", "table -> each"]), {})


def reviewed(*, count: int = 3) -> Example:
    """A list that people review and release; then a call for each row that is accepted, told apart by `of_items`."""
    rows = [{"number": number, "amount": 10} for number in range(1, count + 1)]
    columns = [{"name": "number"}, {"name": "amount", "type": "amount", "total": True}]
    listed = {"title": "{{ trigger.body.id }}", "items": rows, "columns": columns, "currency": "EUR"}
    inside = _of_item("make")
    inside["config"]["json_body"]["order"] = "item:{{ trigger.body.id }}.{{ item.number }}/make"
    each = node("each", "flow.for_each@1", {"source": "review", "reviewed": "{{ steps.list.accepted }}"})
    nodes = [webhook(), node("list", "people.review@1", listed), each, {**inside, "parent": "each"}]
    return Example("Reviewed", graph(nodes, ["start -> list", "list:released -> each"]), {})


def items_undone(*, count: int = 3) -> Example:
    """The same one after another, each with the call that undoes it; then a step that fails and has all undone."""
    lines = [f"{{{{ trigger.body.id }}}}.{number}" for number in range(count)]
    each = node("each", "flow.for_each@1", {"items": lines})
    bodies = [{**_of_item(key), "parent": "each"} for key in ("make", "unmake")]
    fails = node("fails", "flow.fail@1", {"message": "Enough"}, {"on_failure": "undo"})
    edges = ["start -> each", "each -> fails", "make:undo -> unmake"]
    return Example("Items undone", graph([webhook(), each, *bodies, fails], edges), {}, ends="compensated")


def items_failing(*, count: int = 3) -> Example:
    """A For each whose second item is not taken at its first go: the run fails, and goes on when it is retried."""
    lines = [f"{{{{ trigger.body.id }}}}.{number}" for number in range(count)]
    each = node("each", "flow.for_each@1", {"items": lines})
    inside = _of_item("make", behaviour='{{ when(index == 1, "fail=503*1", "slow=0") }}', retry={"attempts": 1})
    return Example(
        "Items failing",
        graph([webhook(), each, {**inside, "parent": "each"}], ["start -> each"]),
        {},
        ends="dead_lettered",
    )


def of_items(orders: Sequence[str], key: str) -> list[str]:
    """What the calls inside did for this event, in that order: `make.0`."""
    mine = [order.removeprefix("item:").split("/") for order in orders if order.startswith(f"item:{key}.")]
    return [f"{step}.{item.rpartition('.')[2]}" for item, step in mine]


def _of_item(id_: str, *, slow: int = 0, behaviour: str = "", retry: dict[str, Any] | None = None) -> dict[str, Any]:
    made = invoice(id_, behaviour=behaviour or (f"slow={slow}" if slow else ""), retry=retry)
    made["config"]["json_body"] = {**made["config"]["json_body"], "order": f"item:{{{{ item }}}}/{id_}"}
    return made


def limited(connection: str, *, name: str = "Limited") -> Example:
    """Two calls by a connection that takes only so many."""
    calls = [invoice("first"), invoice("second")]
    for call in calls:
        call["config"]["connection"] = connection
    links = ["start -> first", "first -> second"]
    return Example(name, graph([webhook(), *calls], links), {"first": 1, "second": 1})

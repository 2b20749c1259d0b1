"""What is wrong with a draft, in words that say what to do. Errors stop a publish; warnings and hints do not.

`check` = the drawing (`shape.py`) + what needs the catalog: types, ports, required fields, references, failure paths.
It takes any JSON, never raises, and needs linear time, so it runs at every save.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from runtime.engine import containers
from runtime.engine.drawing import CatalogView, Drawing, Link, ReferenceView, Step, StepTypeInfo
from runtime.engine.findings import Findings
from runtime.engine.graph import DEFAULT_IN, DEFAULT_OUT, ERROR_PORT, UNDO_PORT, sorted_topologically
from runtime.engine.naming_check import check_naming
from runtime.engine.needs import LINK_STEP
from runtime.engine.problems import Problem
from runtime.engine.shape import node_name, structural_problems
from runtime.engine.undo_check import check_undo

__all__ = ["CatalogView", "Problem", "ReferenceView", "StepTypeInfo", "check"]

#: Roots that mean something in every step.
_ROOTS: Final = frozenset({"trigger", "steps", "run", "vars"})
#: Roots that mean something only for the items of a container.
_ITEM_ROOTS: Final = frozenset({"item", "index", "batch"})
#: Looking for what somebody meant is slow; the first few times help most.
_MAX_SUGGESTIONS: Final = 20

T = TypeVar("T")


def check(document: object, catalog: CatalogView) -> list[Problem]:
    """Everything to put right in the document: the drawing first, then step by step in the document's order."""
    found = Findings(structural_problems(document))
    if not isinstance(document, Mapping):
        return found
    if any(problem.code in ("document.too_many_nodes", "document.too_many_edges") for problem in found):
        return found
    drawing = _read(document, catalog, found)
    _check_starts(drawing, found)
    upstream = _Upstream(drawing)
    for step in drawing.steps.values():
        _check_config(step, found)
        _check_way_in(step, drawing, found)
        _check_ways_out(step, found)
        _check_failure(step, found)
        _check_references(step, drawing, upstream, found)
    check_undo(drawing, found)
    check_naming(document, drawing, found)
    return found


def _read(document: Mapping[str, Any], catalog: CatalogView, found: Findings) -> Drawing:
    drawing = Drawing({}, {})
    for item in _items(document.get("nodes")):
        node, type_name = item.get("id"), item.get("type")
        if not isinstance(node, str) or node in drawing.steps:
            continue
        name = node_name(item)
        info = _type_info(catalog, node, name, type_name, found) if isinstance(type_name, str) else None
        step = Step(
            id=node,
            key=item["key"] if isinstance(item.get("key"), str) else None,
            name=name,
            config=_mapping(item.get("config")),
            settings=_mapping(item.get("settings")),
            info=info,
            parent=item["parent"] if isinstance(item.get("parent"), str) else None,
            is_container=isinstance(type_name, str) and containers.is_container(type_name),
        )
        if info is not None:
            step.is_trigger = info.is_trigger
            step.ports = _ports(info, step, found)
        drawing.steps[node] = step
        if step.key is not None:
            drawing.by_key.setdefault(step.key, step)
    for item in _items(document.get("edges")):
        source, target = item.get("source"), item.get("target")
        if isinstance(source, str) and isinstance(target, str) and {source, target} <= drawing.steps.keys():
            given_id, handle, target_handle = item.get("id"), item.get("sourceHandle"), item.get("targetHandle")
            link = Link(
                given_id if isinstance(given_id, str) else None,
                source,
                handle if isinstance(handle, str) and handle else DEFAULT_OUT,
                target,
                target_handle if isinstance(target_handle, str) and target_handle else DEFAULT_IN,
            )
            drawing.steps[source].out.append(link)
            drawing.steps[target].into.append(link)
    for step in drawing.steps.values():
        if step.parent is not None and (parent := drawing.steps.get(step.parent)) is not None:
            parent.body.append(step.id)
    return drawing


def _type_info(catalog: CatalogView, node: str, name: str, type_name: str, found: Findings) -> StepTypeInfo | None:
    info = catalog.get(type_name)
    if info is None:
        shown = type_name[:100]
        found.error(
            "node.type_unknown",
            f"The step type “{shown}” is not installed here. Choose another step, or install it.",
            node=node,
            field="step.type",
            type=shown,
            step=name,
        )
    return info


def _ports(info: StepTypeInfo, step: Step, found: Findings) -> tuple[str, ...] | None:
    nothing: tuple[str, ...] | None = None
    return _asked(lambda: tuple(info.ports(step.config)), nothing, step.id, step.name, found)


def _check_starts(drawing: Drawing, found: Findings) -> None:
    starts = [step for step in drawing.steps.values() if step.is_trigger]
    if not starts:
        found.error("graph.no_start", "Nothing starts this workflow. Add a start, such as a webhook or a schedule.")
    elif all(step.disabled for step in starts):
        found.error(
            "graph.starts_disabled",
            "Every start of this workflow is switched off. Switch one on.",
            node=starts[0].id,
            field="settings.disabled",
        )
    waiting = [step.id for step in starts]
    drawing.reachable.update(waiting)
    while waiting:
        for target in drawing.after(waiting.pop()):
            if target not in drawing.reachable:
                drawing.reachable.add(target)
                waiting.append(target)


def _check_config(step: Step, found: Findings) -> None:
    info = step.info
    if info is None:
        return
    nothing: list[tuple[str, str, str]] = []
    answers = _asked(lambda: list(info.problems(step.config)), nothing, step.id, step.name, found)
    for path, code, message in answers:
        # What is switched off does not run, so it may stay unfinished.
        report = found.warning if step.disabled else found.error
        report(code, message, node=step.id, field=path or None, step=step.name)
    for path, code, message in _asked(lambda: list(info.warnings(step.config)), nothing, step.id, step.name, found):
        found.warning(code, message, node=step.id, field=path or None, step=step.name)


def _check_way_in(step: Step, drawing: Drawing, found: Findings) -> None:
    seen: set[tuple[str, str]] = set()
    for link in step.into:
        if step.is_trigger:
            found.error(
                "edge.into_start",
                f"“{step.name}” is a start: nothing can lead to it. Delete the link.",
                node=step.id,
                edge=link.id,
                step=step.name,
            )
        elif link.target_handle != DEFAULT_IN:
            found.error(
                "edge.unknown_way_in",
                f"“{step.name}” has no way in called “{link.target_handle}”. Delete the link and draw it anew.",
                node=step.id,
                edge=link.id,
                field="targetHandle",
                step=step.name,
                handle=link.target_handle,
            )
        if (link.source, link.handle) in seen:
            found.warning(
                "edge.duplicate",
                f"Two links lead from “{drawing.steps[link.source].name}” to “{step.name}”. One is enough: delete one.",
                node=step.id,
                edge=link.id,
                source=drawing.steps[link.source].name,
                target=step.name,
            )
        seen.add((link.source, link.handle))
    wanted = 0 if step.info is None else containers.arrivals_needed(step.info.type, step.config)
    if step.into and wanted > max(len(seen), 1):
        found.warning(
            "node.too_few_branches",
            f"“{step.name}” waits for {wanted} branches, and fewer lead to it ({len(seen)}). It goes on when all of "
            "them have come: draw the others, or ask for fewer.",
            node=step.id,
            field="number",
            step=step.name,
            wanted=wanted,
            count=len(seen),
        )
    # Not said of unknown types: it may be a start that is not installed.
    if step.info is not None and step.id not in drawing.reachable:
        if step.into:
            found.warning(
                "node.unreachable",
                f"“{step.name}” never runs: no start leads to it. Connect it, or delete it.",
                node=step.id,
                step=step.name,
            )
        else:
            found.warning(
                "node.not_connected",
                f"“{step.name}” is not connected, so it never runs. Draw a link to it, or delete it.",
                node=step.id,
                step=step.name,
            )


def _check_ways_out(step: Step, found: Findings) -> None:
    if step.info is None or step.ports is None:
        return
    for link in step.out:
        if link.handle == UNDO_PORT:
            continue
        if link.handle not in step.ports and not (link.handle == ERROR_PORT and step.info.has_error_port):
            found.error(
                "edge.unknown_port",
                f"“{step.name}” has no way out called “{link.handle}”. Draw the link from one that it has"
                + (f": {', '.join(step.ports[:8])}." if step.ports else ", or delete it."),
                node=step.id,
                edge=link.id,
                field="sourceHandle",
                step=step.name,
                port=link.handle,
                ports=list(step.ports),
            )
    if step.is_container and not step.body:
        report = found.warning if step.disabled else found.error
        report(
            "container.empty",
            f"“{step.name}” has nothing to do: put at least one step into it.",
            node=step.id,
            step=step.name,
        )
    if len(step.ports) > 1 and not step.out:
        found.append(
            Problem(
                "hint",
                "node.leads_nowhere",
                f"Nothing follows “{step.name}”, whichever way it goes. Connect one of its ways out.",
                node=step.id,
                params={"step": step.name, "ports": list(step.ports)},
            )
        )


def _check_failure(step: Step, found: Findings) -> None:
    if step.info is None or step.ports is None:
        return
    on_failure = step.settings.get("on_failure", "stop")
    drawn = [link for link in step.out if link.handle == ERROR_PORT]
    if on_failure == "person" and step.is_trigger:
        found.error(
            "failure.person_at_start",
            f"“{step.name}” is a start: nobody can be asked about its failure. Choose “Stop the run”.",
            node=step.id,
            field="settings.on_failure",
            step=step.name,
        )
    if on_failure == "error_port" and not step.info.has_error_port:
        found.error(
            "failure.no_error_port",
            f"“{step.name}” has no failure path. Choose something else under “If it fails”.",
            node=step.id,
            field="settings.on_failure",
            step=step.name,
        )
    elif on_failure == "error_port" and not drawn:
        found.warning(
            "failure.path_missing",
            f"“{step.name}” is to go to another step if it fails, but no failure path is drawn: the run will stop. "
            "Draw the path, or choose “Stop the run”.",
            node=step.id,
            field="settings.on_failure",
            step=step.name,
        )
    elif drawn and on_failure != "error_port" and step.info.has_error_port:
        # Whoever drew the path counts on it; what is switched off may stay unfinished.
        report = found.warning if step.disabled else found.error
        does = "carries on" if on_failure == "continue" else "stops the run"
        report(
            "failure.path_unused",
            f"“{step.name}” {does} when it fails, so its failure path is never taken. Choose “Go to another step” "
            "under “If it fails”, or delete the path.",
            node=step.id,
            edge=drawn[0].id,
            field="settings.on_failure",
            step=step.name,
        )
    ways = list(dict.fromkeys(link.handle for link in step.out if link.handle in step.ports))
    if len(step.ports) > 1 and ways and DEFAULT_OUT not in ways and (on_failure == "continue" or step.disabled):
        why = "is switched off" if step.disabled else "carries on after a failure"
        found.warning(
            "node.way_is_a_guess",
            f"“{step.name}” {why}, so it cannot choose a way: runs go on by “{ways[0]}”. Check that this is right.",
            node=step.id,
            field="settings.disabled" if step.disabled else "settings.on_failure",
            step=step.name,
            port=ways[0],
        )


class _Upstream:
    """Which steps come before which. One bit a step, so that the largest graph costs some milliseconds."""

    def __init__(self, drawing: Drawing) -> None:
        steps = drawing.steps
        pairs = [(step.id, target) for step in steps.values() for target in drawing.after(step.id)]
        order = sorted_topologically(steps, pairs)
        #: False when links go round in a circle: then "before" has no meaning, and the circle is the problem to solve.
        self.known = len(order) == len(steps)
        self._bit = {node: 1 << index for index, node in enumerate(order)}
        self._before: dict[str, int] = {}
        #: Steps behind a failure path.
        self.after_failure: set[str] = set()
        for node in order:
            before = 0
            for link in steps[node].into:
                before |= self._before[link.source] | self._bit[link.source]
                if link.handle == ERROR_PORT or link.source in self.after_failure:
                    self.after_failure.add(node)
            if steps[node].parent in steps and not steps[node].into:
                # What stands inside begins with what the container knows.
                before |= self._before.get(steps[node].parent or "", 0)
            self._before[node] = before

    def has(self, node: str, before: str) -> bool:
        return bool(self._before[node] & self._bit[before])


def _check_references(step: Step, drawing: Drawing, upstream: _Upstream, found: Findings) -> None:
    info = step.info
    if info is None:
        return
    nothing: list[tuple[str, ReferenceView]] = []
    answers = _asked(lambda: list(info.references(step.config)), nothing, step.id, step.name, found)
    for path, reference in answers:
        at = path or None
        if reference.root in _ITEM_ROOTS:
            if _knows_items(step, path):
                continue
            found.error(
                "reference.no_items",
                f"“{reference.root}” is only known inside For each. Choose other data.",
                node=step.id,
                field=at,
                step=step.name,
                root=reference.root,
            )
        elif reference.root == "look_up":
            if not path.startswith("look_up_"):
                found.error(
                    "reference.no_look_up",
                    "“look_up” is only known where a step looks up whether it happened. Choose other data.",
                    node=step.id,
                    field=at,
                    step=step.name,
                )
        elif reference.root == "error":
            # An undo step sees the failure for which the run is undone.
            if upstream.known and step.id not in upstream.after_failure and step.undoes is None:
                found.warning(
                    "reference.no_error",
                    f"“error” is only filled on a failure path, and none leads to “{step.name}”. Choose other data.",
                    node=step.id,
                    field=at,
                    step=step.name,
                )
        elif reference.root not in _ROOTS:
            found.error(
                "reference.unknown",
                f"There is no data called “{reference.root[:100]}”. Choose a field from the list.",
                node=step.id,
                field=at,
                step=step.name,
                root=reference.root[:100],
            )
        elif reference.root == "run" and reference.path[:1] == ("links",):
            _check_link(step, reference.path[1:2], at, drawing, found)
        elif reference.root == "steps" and reference.key is not None:
            _check_step_reference(step, reference.key, at, drawing, upstream, found)


def _check_link(step: Step, path: tuple[str | int, ...], at: str | None, drawing: Drawing, found: Findings) -> None:
    """`run.links.confirmed` is there where a step of this key waits for its link."""
    key = str(path[0]) if path else ""
    other = drawing.by_key.get(key)
    if other is not None and (other.info is None or other.info.type.partition("@")[0] == LINK_STEP):
        return
    found.error(
        "reference.no_link",
        f"There is no step called “{key[:100]}” that waits for a signal, so it has no link. Choose one from the list.",
        node=step.id,
        field=at,
        step=step.name,
        key=key[:100],
    )


def _check_step_reference(
    step: Step, key: str, at: str | None, drawing: Drawing, upstream: _Upstream, found: Findings
) -> None:
    other = drawing.by_key.get(key)
    if other is None:
        close: list[str] = []
        if drawing.suggestions < _MAX_SUGGESTIONS:
            drawing.suggestions += 1
            close = difflib.get_close_matches(key[:100], drawing.by_key, n=1)
        hint = f" Did you mean “{close[0]}”?" if close else " Choose a field from the list."
        found.error(
            "reference.step_missing",
            f"This uses data of a step called “{key[:100]}”, which is not there.{hint}",
            node=step.id,
            field=at,
            step=step.name,
            key=key[:100],
            suggestion=close[0] if close else None,
        )
    elif other.parent == step.id and at == containers.ENDED_FIELD:
        return
    elif other.id == step.id:
        found.error(
            "reference.itself",
            f"“{step.name}” uses its own result, which is not there before it has run. Choose an earlier step.",
            node=step.id,
            field=at,
            step=step.name,
        )
    elif other.parent is not None and other.parent not in drawing.around(step.id):
        frame = drawing.steps.get(other.parent)
        found.error(
            "reference.inside_container",
            f"This uses data of “{other.name}”, which is different for each item of "
            f"“{other.parent if frame is None else frame.name}”. Use the result of that step as a whole.",
            node=step.id,
            field=at,
            step=step.name,
            other=other.name,
            key=key,
        )
    elif upstream.known and step.id in drawing.reachable and not upstream.has(step.id, other.id):
        found.error(
            "reference.not_before",
            f"This uses data of “{other.name}”, which does not come before “{step.name}”. Connect it before, or choose "
            "an earlier step.",
            node=step.id,
            field=at,
            step=step.name,
            other=other.name,
            key=key,
        )


def _knows_items(step: Step, path: str) -> bool:
    """Whether there is an item where this formula is worked out: in a body, and in what a container says of each."""
    if step.parent is not None:
        return True
    return step.info is not None and re.split(r"[.\[]", path)[0] in containers.item_fields(step.info.type)


def _asked(question: Callable[[], T], otherwise: T, node: str, name: str, found: Findings) -> T:
    """The answer of a step type. One that breaks over a config must not keep the draft from being saved."""
    try:
        return question()
    except Exception as fault:
        found.error(
            "node.type_broken",
            f"“{name}” could not be checked: its step type stumbled over its set-up. Set it up anew.",
            node=node,
            step=name,
            fault=type(fault).__name__,
        )
        return otherwise


def _items(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

"""What is wrong with the undo steps of a draft: each belongs to one action, and stands outside of the way forward."""

from __future__ import annotations

from runtime.engine.drawing import Drawing, Link, Step
from runtime.engine.findings import Findings
from runtime.engine.graph import UNDO_PORT


def check_undo(drawing: Drawing, found: Findings) -> None:
    """Report what keeps undo from working as drawn, and what would stay done."""
    for step in drawing.steps.values():
        _check_action(step, found)
        if step.undoes is not None:
            _check_undo_step(step, drawing.steps[step.undoes], found)
    steps = drawing.steps.values()
    if any(step.settings.get("on_failure") == "undo" or step.undo_links for step in steps):
        for step in steps:
            _check_missing(step, found)


def _check_action(step: Step, found: Findings) -> None:
    links = step.undo_links
    if not links:
        return
    if step.info is not None and not step.info.is_action:
        found.error(
            "edge.undo_unsupported",
            f"“{step.name}” does nothing outside, so there is nothing to undo. Delete the link.",
            node=step.id,
            edge=links[0].id,
            field="sourceHandle",
            step=step.name,
        )
    for link in links[1:]:
        found.error(
            "undo.twice",
            f"“{step.name}” has two undo steps. Delete one of the links.",
            node=step.id,
            edge=link.id,
            step=step.name,
        )
    if step.settings.get("undo") == "nothing":
        found.error(
            "undo.contradiction",
            f"“{step.name}” has an undo step, and says that nothing is to be undone. Choose one.",
            node=step.id,
            field="settings.undo",
            step=step.name,
        )


def _check_undo_step(step: Step, action: Step, found: Findings) -> None:
    names = {"step": step.name, "action": action.name}
    if step.info is not None and not step.info.is_action:
        found.error(
            "undo.not_an_action",
            f"“{step.name}” cannot undo anything: only a step that does something outside can. Choose another step.",
            node=step.id,
            edge=_first_undo_link(step).id,
            step=step.name,
        )
    first = _first_undo_link(step)
    for link in step.into:
        if link is not first:
            found.error(
                "undo.into_flow",
                f"“{step.name}” undoes “{action.name}”, so nothing else may lead to it. Delete the other link.",
                node=step.id,
                edge=link.id,
                **names,
            )
    for link in step.out:
        found.error(
            "undo.leads_on",
            f"“{step.name}” undoes “{action.name}”: nothing follows an undo step. Delete the link.",
            node=step.id,
            edge=link.id,
            **names,
        )
    if step.disabled:
        found.warning(
            "undo.switched_off",
            f"“{step.name}” is switched off, so “{action.name}” stays done when a run is undone.",
            node=step.id,
            field="settings.disabled",
            **names,
        )
    if step.settings.get("on_failure", "stop") != "stop":
        found.warning(
            "undo.failure_setting",
            f"If “{step.name}” fails, the other undo steps go on and the run ends as not fully undone, whatever is "
            "chosen here.",
            node=step.id,
            field="settings.on_failure",
            step=step.name,
        )


def _check_missing(step: Step, found: Findings) -> None:
    if step.info is None or step.disabled or step.undo_links or step.undoes is not None:
        return
    if step.settings.get("undo") == "nothing":
        return
    try:
        writes = step.info.writes(step.config)
    except Exception:
        # A type that breaks over a config has been reported as such.
        return
    if writes:
        found.warning(
            "undo.missing",
            f"“{step.name}” stays done when a run is undone. Draw an undo step, or say that nothing is to be undone.",
            node=step.id,
            field="settings.undo",
            step=step.name,
        )


def _first_undo_link(step: Step) -> Link:
    return next(link for link in step.into if link.handle == UNDO_PORT)

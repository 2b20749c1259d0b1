"""Failed runs that are gone on with by other values, many at once: what can be changed, and whether it may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from runtime.api.dead_letters import letters_page
from runtime.contracts import JSON, EditableLetter, EditsRefused, Page, RetryRefused, RunEdit, RuntimeRefused
from runtime.interpreter.edited_retries import given_to, settings_with, text, why_fixed
from runtime.interpreter.plain_retries import ASKS, NeedsSomebody, look_plainly
from runtime.store import beside
from runtime.store.artifacts import ArtifactDamaged

__all__ = ["MOST_EDITED", "Checked", "check_edits", "editable_letters"]

#: Runs that are given other values at once.
MOST_EDITED: Final = 200
_CHANGED: Final = "Somebody has gone on with this run, or decided about it, since these rows were read."
_UNREADABLE: Final = "What this step was given cannot be read any more."
_REFUSALS: Final = (NeedsSomebody, RuntimeRefused, ArtifactDamaged, OSError)


class Checked:
    """Edits that may be: as rows keep them, and what of them goes on record."""

    def __init__(self) -> None:
        self.texts: dict[UUID, str] = {}
        self._changes: dict[str, list[tuple[str, JSON, JSON, list[str]]]] = {}

    def add(self, edit: RunEdit, before: JSON, after: JSON) -> None:
        self.texts[edit.run_id] = text(edit)
        names = [".".join(path) for path, _ in edit.fields]
        self._changes.setdefault(edit.node, []).append((str(edit.run_id), before, after, names))

    def told(self) -> dict[str, JSON]:
        """By step: the names of what was changed; what it was and is in all of the runs, by digest alone."""
        return {
            node: {
                "changed": list(dict.fromkeys(name for *_, names in rows for name in names)),
                "sha256_before": beside.digest({run: before for run, before, _, _ in rows}),
                "sha256_after": beside.digest({run: after for run, _, after, _ in rows}),
            }
            for node, rows in self._changes.items()
        }


def editable_letters(
    *, workspace_id: UUID, cause: str, sending_id: UUID | None = None, after: str | None = None, limit: int = 50
) -> Page[EditableLetter]:
    """Those of one cause that wait for a decision, the newest run first, with what their failed step was given;
    `sending_id`: only those that were sent to somebody with it. Raises BadCursor."""
    found, cursor = letters_page(workspace_id, cause, after, limit, "node_id", "message", sending_id=sending_id)
    items = []
    for view, row in found:
        type_name, given, fixed = _looked_at(workspace_id, view.id, row["node_id"])
        items.append(EditableLetter(view, row["node_id"], type_name, row["message"], given, fixed))
    return Page(items, cursor)


def check_edits(workspace_id: UUID, edits: Sequence[RunEdit], letters: Mapping[UUID, int]) -> Checked:
    """What these edits come to. `letters`: runs that wait for a decision, with the generation that failed. Raises
    EditsRefused with a sentence for each run that cannot have them."""
    checked, refused = Checked(), {}
    for edit in edits:
        if letters.get(edit.run_id) != edit.generation:
            refused[str(edit.run_id)] = _CHANGED
            continue
        try:
            found = look_plainly(workspace_id, edit.run_id)
            checked.add(edit, *settings_with(found, edit))
        except _REFUSALS as error:
            refused[str(edit.run_id)] = _sentence(error)
    if refused:
        raise EditsRefused(refused)
    return checked


def _looked_at(workspace_id: UUID, run_id: UUID, node: str) -> tuple[str | None, JSON, str | None]:
    """The type of the step, what it was given, and why it cannot be given anything else here."""
    try:
        found = look_plainly(workspace_id, run_id)
        drawn = found.version.graph.by_id.get(node)
        given = given_to(found, node)
        return None if drawn is None else drawn.type, given, why_fixed(found, node, given)
    except _REFUSALS as error:
        return None, None, _sentence(error)


def _sentence(error: Exception) -> str:
    """What is said of a run that cannot be given other values: one of `_REFUSALS`."""
    match error:
        case NeedsSomebody():
            return ASKS
        case RetryRefused():
            return next(iter(error.fields.values()), error.message)
        case RuntimeRefused():
            return error.message
        case _:
            return _UNREADABLE

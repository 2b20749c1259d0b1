"""Lists that a second person releases, and runs that are gone on with by other settings than theirs.

Whoever may go on with a run that failed may give it other settings. Behind a release that would do what nobody
released; so there it is refused. A step that is wrong is mended in the workflow, and a row that is wrong in a list that
is reviewed anew. That nobody says for one run who releases is held by `questions` and `four_eyes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from runtime.engine.graph import Node
from runtime.interpreter.versions import container_of, parsed
from runtime.store.models import Run

__all__ = ["AS_RELEASED", "of_a_release", "refused"]

AS_RELEASED: Final = (
    "This row was released as it is, and nobody changes it behind that. Retry it as it is; or settle it by hand, and"
    " put what is right into a list that is reviewed anew."
)
_OTHER_ROWS: Final = "The rows of this step were released, and it goes on with these and no others."
_REVIEW: Final = "review"


def of_a_release(run: Mapping[str, Any]) -> bool:
    """Whether this run (`parent_run_id`, `parent_node`), or one around it, does an entry of a released list."""
    row: Mapping[str, Any] | None = run
    while row is not None and row["parent_run_id"] is not None:
        around = Run.objects.filter(pk=row["parent_run_id"])
        found = around.values("version_id", "parent_run_id", "parent_node").first()
        if found is not None and _reads_a_review(found["version_id"], row["parent_node"]):
            return True
        row = found
    return False


def refused(node: Node, given: Any, after: Mapping[str, Any]) -> str | None:
    """Why a step cannot have the settings `after`; None where it can. `given`: those that it was last given."""
    before: Mapping[str, Any] = given if isinstance(given, Mapping) else node.config
    is_other = any(after.get(name) != before.get(name) for name in ("source", "reviewed"))
    return _OTHER_ROWS if is_other and node.config.get("source") == _REVIEW else None


def _reads_a_review(version_id: UUID, node: str) -> bool:
    around = container_of(parsed(version_id).graph, node)
    return around is not None and around.prepared is not None and around.prepared.raw.get("source") == _REVIEW

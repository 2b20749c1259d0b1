"""Steps that have others done by runs of their own: containers, whose body is a graph, and calls of other workflows.

Told by the names of their types, as starts are, so that the engine needs no catalog.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

#: What a worker has to know to carry on a run that has others done; an older one leaves it to others (I30).
NEEDS_ENGINE: Final = 5
#: And to carry on the run of an item that a person has left out.
SKIP_NEEDS_ENGINE: Final = 6
#: Containers in containers: no deeper than that.
MOST_DEEP: Final = 4

_CONTAINERS: Final = ("flow.for_each@", "flow.repeat@")
_CALL: Final = "flow.run_workflow@"
_JOIN: Final = "flow.together@"
_REVIEW: Final = "people.review@"
#: The type of the step that undoes what the runs of a container or of a call did. It is drawn by nobody.
UNDO_TYPE: Final = "flow.undo_items@1"
_UNDO: Final = ".undo"
_LONGEST_ID: Final = 64


#: The setting that is worked out as each of its runs ends, from what the steps inside gave.
ENDED_FIELD: Final = "posted"


def is_container(type_name: str) -> bool:
    """Whether steps of this type have a body."""
    return type_name.startswith(_CONTAINERS)


def in_turns(type_name: str) -> bool:
    """Whether it is a container whose runs are turns: each goes by what the one before it has come to."""
    return type_name.startswith(_CONTAINERS[1])


def item_fields(type_name: str) -> tuple[str, ...]:
    """The settings that are worked out for each entry of a list, so that they know `item` and `index`: of a container,
    for each of its runs; of a review, for each row."""
    if type_name.startswith(_CONTAINERS[0]):
        return ("label", "item_key", "amount", "currency", ENDED_FIELD)
    if type_name.startswith(_REVIEW):
        return ("rules",)
    return ("until",) if is_container(type_name) else ()


def is_call(type_name: str) -> bool:
    """Whether steps of this type run another workflow."""
    return type_name.startswith(_CALL)


def has_runs(type_name: str) -> bool:
    """Whether steps of this type have something done by runs of their own."""
    return is_container(type_name) or is_call(type_name) or type_name == UNDO_TYPE


def waits_for_call(type_name: str, config: Mapping[str, Any]) -> bool:
    """Whether a step runs another workflow and waits for its end."""
    return is_call(type_name) and config.get("wait", True) is not False


def arrivals_needed(type_name: str, config: Mapping[str, Any]) -> int:
    """How many of the links to a step have to be taken before it begins; 0: all that still can be."""
    if not type_name.startswith(_JOIN):
        return 0
    match config.get("wait_for"):
        case "first":
            return 1
        case "number":
            number = config.get("number")
            return number if isinstance(number, int) and number > 0 else 1
        case _:
            return 0


def undo_id(container: str) -> str:
    """The id of the step that undoes what the runs of this one did. No drawn step can have it: it has a dot in it."""
    if len(container) + len(_UNDO) > _LONGEST_ID:
        container = f"{container[:48]}.{hashlib.sha256(container.encode()).hexdigest()[:10]}"
    return container + _UNDO

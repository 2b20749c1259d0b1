"""What people read of steps whose own runs did not come to a good end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from runtime.engine.jsonprofile import JSON, dumps
from runtime.engine.state import StepError
from runtime.engine.undo import ASKS_FIRST
from runtime.interpreter.payloads import MOST_BYTES
from runtime.interpreter.rows import error_of
from runtime.sdk import PermanentError
from runtime.store.children import MOST_DEEP, Callee, Child

#: So many are told of.
SHOWN: Final = 3


#: So many runs are looked into, and so many of their steps named.
MOST_LOOKED_INTO = 10
#: In the error of a run of which nobody knows whether all of it was undone.
_UNSURE: Final = '"may_have_happened":true'


def turn_failed(turn: Child) -> StepError:
    """The turn that a repetition came to did not end well."""
    return _error("own_run_failed", f"Turn {turn.index + 1} failed", f"{_told(turn, 1)}.")


def failures(name: str, first: Sequence[Child], failed: int, total: int, *, called: bool = False) -> StepError:
    """Some of its runs failed; the first ones are named. `called`: its one run is that of another workflow."""
    told = "; ".join(_told(row, total) for row in first)
    more = f"; and {failed - len(first)} more" if failed > len(first) else ""
    if total == 1:
        return _error("own_run_failed", "The called workflow failed" if called else "Its only item failed", f"{told}.")
    return _error(
        "items_failed",
        f"{failed} of {total} failed",
        f"“{name}” goes no further. {told}{more}. Retry the run when the cause is mended: what is done is kept.",
    )


def _told(row: Child, total: int) -> str:
    error = error_of(row.error)
    if error is None:
        why = _STATUS.get(row.status, row.status)
    elif error.title.rstrip(".") == error.message.rstrip("."):
        why = error.title.rstrip(".")
    else:
        why = f"{error.title}. {error.message}".rstrip(".")
    if total == 1:
        return why
    called = f" ({row.label})" if row.label else ""
    return f"Number {row.index + 1}{called}: {why}"


_STATUS: Final = {"cancelled": "it was cancelled", "compensated": "it was undone"}


def decide_first(name: str, rows: Sequence[Child]) -> StepError:
    """Its runs cannot be gone on with before somebody says what became of something."""
    first = rows[0]
    called = f" ({first.label})" if first.label else ""
    return _error(
        ASKS_FIRST,
        "Somebody has to decide first",
        f"{len(rows)} of the runs of “{name}” cannot go on by themselves, the first is number {first.index + 1}"
        f"{called}: open it, retry it there, and retry this run then.",
    )


def changed(index: int) -> StepError:
    """The list is another one than at the first go."""
    return _error(
        "items_changed",
        "It is not the same as before",
        f"Number {index + 1} was given something else when it was begun. Start a new run for what is new.",
    )


def too_many_items(name: str, most: int) -> StepError:
    return _error(
        "too_many_items",
        "There are more entries than it takes",
        f"“{name}” takes at most {most:,}, and these are done. Allow more, and retry the run: it goes on "
        "with the next.",
    )


def too_many_pages(name: str, most: int) -> StepError:
    return _error(
        "too_many_pages",
        "There are more pages than it reads",
        f"“{name}” reads at most {most:,}, and what they held is done. Allow more, and retry the run: it goes on with "
        "the next.",
    )


def no_key(where: str, column: str) -> PermanentError:
    """`column`: what it should be known by stands there; empty: a formula says it."""
    told = (
        f"The column “{column}” is empty in {where}."
        if column
        else f"The formula “Known again by” gave nothing for {where}."
    )
    return PermanentError("An entry cannot be told from others", told, "no_item_key")


def twice(where: str) -> PermanentError:
    told = f"{where[0].upper()}{where[1:]} has come before. What came until then is done."
    return PermanentError("An entry came twice", told, "item_twice")


def done_before(where: str, key: str, run_id: UUID) -> PermanentError:
    told = (
        f"{where[0].upper()}{where[1:]} ({key}) was done by an earlier run: {run_id}. What came until then is done. "
        "Take it out of the list, or let such entries be passed over."
    )
    return PermanentError("An entry was done before", told, "item_done_before")


def called_otherwise() -> StepError:
    """A call that did something outside would be given something else, and nobody said that it may."""
    return _error(
        "items_changed",
        "It is not the same as before",
        "It would be given something else than when it was begun. Retry the run, and say that it may run anew.",
    )


def never_enough(name: str, turns: int) -> StepError:
    return _error(
        "not_reached",
        "It never came to hold",
        f"“{name}” was done {turns:,} times, and still it is not enough. Allow more turns, or a longer pause.",
    )


def no_answer(value: JSON) -> StepError:
    shown = dumps(value)[:60]
    return _error(
        "until_no_answer",
        "“Until” says neither yes nor no",
        f'The formula gave {shown}. It has to be true or false, such as {{{{ item.status == "done" }}}}.',
    )


def to_look_into(standing: Sequence[Child], asks: Sequence[UUID]) -> list[UUID]:
    """Of the runs that were not undone those that are told of: some of which nobody knows whether they were, and some
    of the others."""
    unsure = [row.id for row in standing if row.error is not None and _UNSURE in row.error] + list(asks)
    sure = [row.id for row in standing if row.error is None or _UNSURE not in row.error]
    return unsure[:MOST_LOOKED_INTO] + sure[:MOST_LOOKED_INTO]


def not_undone(
    name: str,
    rows: Sequence[Child],
    asks: int,
    total: int,
    left: Sequence[str] = (),
    gone: Sequence[str] = (),
    unsure: Sequence[str] = (),
) -> StepError:
    """`left`, `gone`, `unsure`: steps in these runs that are still done, that were undone, and of which nobody knows
    whether they were."""
    numbers = ", ".join(str(row.index + 1) for row in rows[:10])
    more = f" and {len(rows) - 10} more" if len(rows) > 10 else ""
    where = f": look at number {numbers}{more}" if rows else ""
    error = _error(
        "items_not_undone",
        f"{len(rows) + asks} of {total} could not be undone",
        f"Not everything that “{name}” did is undone{where}." + _inside(left, gone, unsure),
    )
    return replace(error, may_have_happened=bool(unsure))


def _inside(left: Sequence[str], gone: Sequence[str], unsure: Sequence[str]) -> str:
    said = (("Still done in it", left), ("Nobody knows whether undone in it", unsure), ("Undone in it", gone))
    return "".join(f" {what}: {', '.join(names[:MOST_LOOKED_INTO])}." for what, names in said if names)


def too_large() -> StepError:
    return StepError(
        code="output_too_large",
        title="The results are too large together",
        message=f"A step may give at most {MOST_BYTES // 2**20} MiB. Switch off “Collect the results”.",
        kind="data",
        may_have_happened=True,
    )


def why_not(callee: Callee | None, depth: int) -> StepError | None:
    """Why a workflow cannot be run as a step; None where it can."""
    if callee is None:
        return _not_begun("not_live", "There is no such live workflow", "Publish it, or choose another one.")
    if not callee.trigger_nodes:
        return _not_begun(
            "not_callable", "It cannot be called", "Give it the start “Called by another workflow”, and publish it."
        )
    if not callee.enabled:
        return _not_begun("switched_off", "The workflow is switched off", "Switch it on, then retry this run.")
    if depth >= MOST_DEEP:
        return _not_begun(
            "too_deep",
            "Workflows run each other without end",
            f"This run stands in {depth} others, each begun by the one before. Look for a workflow that runs itself.",
        )
    return None


def _not_begun(code: str, title: str, message: str) -> StepError:
    return StepError(code=code, title=title, message=message, kind="config")


def _error(code: str, title: str, message: str) -> StepError:
    # Whatever its runs did is theirs to know: undoing the step asks each of them.
    return StepError(code=code, title=title, message=message, kind="items", may_have_happened=True)

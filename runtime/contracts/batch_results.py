"""What came of the entries of a batch, one by one, as it crosses the front door."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.engine.jsonprofile import JSON


@dataclass(frozen=True, slots=True)
class EntryResult:
    """An entry, and what came of it. `number`: from 1, None of one that began no run; `status`: done, failed, skipped
    (by a person), open, undone, cancelled, or passed_over (it came twice, or was done before). `item`: what it was
    given, None where that is not known any more; `message`: why it failed, was skipped or passed over; `result`: what
    its last step gave, None where that was too large or several gave something."""

    number: int | None
    label: str | None
    place: str
    status: str
    message: str
    item: JSON
    result: JSON

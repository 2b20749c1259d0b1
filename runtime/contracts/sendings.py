"""What crosses the front door when dead letters are sent to somebody's inbox."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

__all__ = ["MOST_SENT", "MOST_SENT_NOTE", "LettersWith", "SendingView"]

#: More letters than this are not sent at once.
MOST_SENT = 5_000
MOST_SENT_NOTE = 2_000


@dataclass(frozen=True, slots=True)
class SendingView:
    """Dead letters that were sent to somebody's inbox. `to`: as `Addressee.token`. Of `total` letters `open` still wait
    for a decision. `workflow_id`, `version_id`, `node`, `code`, `title`, `cause`: of the newest of them, as far as all
    of them have the same; else None or empty. `ended_as`: done · taken_back · handed_on · settled · left; empty while
    it is under way."""

    id: UUID
    to: str
    note: str
    total: int
    open: int
    cause: str
    workflow_id: UUID | None
    version_id: UUID | None
    node: str
    code: str
    title: str
    at: int
    by: UUID | None
    ended_at: int | None
    ended_as: str
    ended_by: UUID | None


@dataclass(frozen=True, slots=True)
class LettersWith:
    """With whom letters are: `count` of those that were asked about, since `at` (ms), sent by `by`."""

    sending_id: UUID
    to: str
    at: int
    by: UUID | None
    count: int

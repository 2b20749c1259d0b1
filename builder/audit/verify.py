"""Whether a chain is as it was written: every row, their order, and its end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.db.models import Count, Max, QuerySet

from builder.audit import chain as chains
from builder.audit.chain import COLUMNS, NOTHING_BEFORE
from builder.audit.erasing import VERB, list_digest
from builder.audit.models import AuditHead, AuditRedaction, AuditRow
from runtime.api import ask

_PORTION: Final = 1_000

What = Literal["changed", "missing", "inserted", "does_not_follow", "cut_off", "other_than_noted"]

WORDS: Final[Mapping[What, str]] = {
    "changed": "The row is not what was written.",
    "missing": "The row is gone.",
    "inserted": "The row was not written by Millrace.",
    "does_not_follow": "The row does not follow the one before it: rows were exchanged, removed or put in.",
    "cut_off": "The row and all behind it are gone.",
    "other_than_noted": "The row is another one than was noted elsewhere: the chain was written anew.",
}


@dataclass(frozen=True, slots=True)
class Redaction:
    """What a row says now, by its digest, and in which row of the chain the deed stands."""

    sha256: str
    deed: int


NO_REDACTIONS: Final[Mapping[int, Sequence[Redaction]]] = {}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row that is wrong."""

    sequence: int
    what: What

    @property
    def message(self) -> str:
        """The same in words."""
        return WORDS[self.what]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `rows`: how many were looked at. `sequence`, `digest`: where the chain ends by its head."""

    chain: str
    rows: int
    sequence: int
    digest: str
    fault: Fault | None

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault is None


def verify(chain: str, *, noted: Iterable[tuple[int, str]] = ()) -> Verdict:
    """Read the whole chain, while others append to it. `noted`: numbers and digests of rows as somebody kept them
    elsewhere, from an export or a note: a chain that was cut off and given a new end, or written anew, does not have
    them."""
    head = chains.head(ask, chain)
    here = AuditRow.objects.filter(chain=chain)
    redactions = redactions_of(chain)
    count, fault = judge(_rows(here, head[0]), head, dict(noted), redactions)
    if fault is not None and (newer := redactions_of(chain)) != redactions:
        # Somebody was erased while the rows were read.
        head = chains.head(ask, chain)
        count, fault = judge(_rows(here, head[0]), head, dict(noted), newer)
    if fault is None and here.filter(sequence__lte=head[0]).count() != count:
        twice = here.values_list("sequence").annotate(rows=Count("pk")).filter(rows__gt=1).order_by("sequence")
        fault = Fault(next((number for number, _ in twice), 1), "inserted")
    if fault is None:
        # In this order: who appends moves the head in the same transaction.
        last = here.aggregate(last=Max("sequence"))["last"] or 0
        if last > (end := chains.head(ask, chain)[0]):
            fault = Fault(end + 1, "inserted")
    return Verdict(chain, count, *head, fault)


def redactions_of(chain: str) -> dict[int, list[Redaction]]:
    """What is said of rows that a person was taken out of, by their numbers, in the order in which it was done."""
    found: dict[int, list[Redaction]] = {}
    rows = AuditRedaction.objects.filter(chain=chain).order_by("deed", "sequence")
    for sequence, sha256, deed in rows.values_list("sequence", "sha256", "deed"):
        found.setdefault(sequence, []).append(Redaction(sha256, deed))
    return found


def _rows(here: QuerySet[AuditRow], last: int) -> Iterator[tuple[Any, ...]]:
    after = -(2**62)
    while True:
        chosen = here.filter(sequence__gt=after, sequence__lte=last).order_by("sequence", "id")
        page: list[tuple[Any, ...]] = list(chosen.values_list(*COLUMNS)[:_PORTION])
        yield from page
        if len(page) < _PORTION:
            return
        after = page[-1][1]


def chains_known() -> list[str]:
    """Every chain of which there is a row or an end."""
    heads = set(AuditHead.objects.values_list("chain", flat=True))
    return sorted(heads | set(AuditRow.objects.values_list("chain", flat=True).distinct()))


def judge(
    rows: Iterable[Sequence[Any]],
    head: tuple[int, str],
    noted: Mapping[int, str],
    redactions: Mapping[int, Sequence[Redaction]] = NO_REDACTIONS,
) -> tuple[int, Fault | None]:
    """How many rows were looked at, up to the one that `head` names, and the first that is wrong. A row that a person
    was taken out of says what its last redaction says; each deed behind it must vouch for all that it redacted."""
    last, previous, count = 0, NOTHING_BEFORE, 0
    owed: dict[int, list[tuple[int, str]]] = {}
    for sequence, found in redactions.items():
        for one in found:
            owed.setdefault(one.deed, []).append((sequence, one.sha256))
    for row in rows:
        sequence, before, said = row[1], row[-2], row[-1]
        count += 1
        if sequence <= last:
            return count, Fault(sequence, "inserted")
        if sequence != last + 1:
            return count, Fault(last + 1, "missing")
        redacted = redactions.get(sequence)
        if _digest(row) != (redacted[-1].sha256 if redacted else said):
            return count, Fault(sequence, "changed")
        if sequence in owed and not _vouches(row, owed.pop(sequence)):
            return count, Fault(sequence, "changed")
        if before != previous:
            return count, Fault(sequence, "does_not_follow")
        if noted.get(sequence, said) != said:
            return count, Fault(sequence, "other_than_noted")
        last, previous = sequence, said
    if last < max([head[0], *noted]):
        return count, Fault(last + 1, "cut_off")
    if previous != head[1]:
        return count, Fault(last, "changed")
    if owed:
        # No such deed is in the chain: whoever changed these rows was not Millrace.
        return count, Fault(min(sequence for told in owed.values() for sequence, _ in told), "changed")
    return count, None


def _vouches(row: Sequence[Any], redacted: Sequence[tuple[int, str]]) -> bool:
    """Whether this is a deed that says exactly this of rows before it."""
    named = dict(zip(COLUMNS, row, strict=True))
    told = json.loads(named["detail"]).get("redacted") or {}
    before = all(sequence < named["sequence"] for sequence, _ in redacted)
    return before and named["verb"] == VERB and told.get("sha256") == list_digest(redacted)


def _digest(row: Sequence[Any]) -> str:
    try:
        found = chains.document(row)
    except (ValueError, TypeError):
        return ""
    # A detail that means the same and is written otherwise was touched, too.
    return chains.digest_of(found) if chains.canonical(found["detail"]) == row[12] else ""

"""Every read of the audit log: pages, the history of one thing, who and what there is to filter by."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db.models import Q, QuerySet

from builder.audit.models import AuditRow

T = TypeVar("T")

_PORTION: Final = 500
_MOST_FACETS: Final = 500


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows. `since` and `until` (not included): milliseconds; `text`: in names, addresses and details."""

    actor_id: str = ""
    verbs: tuple[str, ...] = ()
    object_kind: str = ""
    object_id: str = ""
    since: int | None = None
    until: int | None = None
    text: str = ""

    @property
    def are_none(self) -> bool:
        """Whether every row is meant."""
        return self == Filters()


@dataclass(frozen=True, slots=True)
class Facets:
    """Whom and what a chain tells of: actors as (kind, id, name), the newest name of each; verbs; kinds of things."""

    actors: list[tuple[str, str, str]]
    verbs: list[str]
    kinds: list[str]


def rows(chain: str, filters: Filters) -> QuerySet[AuditRow]:
    """The rows meant, in no order."""
    found = AuditRow.objects.filter(chain=chain)
    if filters.actor_id:
        found = found.filter(actor_id=filters.actor_id)
    if filters.verbs:
        found = found.filter(verb__in=filters.verbs)
    if filters.object_kind:
        found = found.filter(object_kind=filters.object_kind)
    if filters.object_id:
        found = found.filter(object_id=filters.object_id)
    if filters.since is not None:
        found = found.filter(at__gte=filters.since)
    if filters.until is not None:
        found = found.filter(at__lt=filters.until)
    for word in filters.text.split():
        # In details a text stands as JSON writes it.
        written = json.dumps(word, ensure_ascii=False)[1:-1]
        found = found.filter(
            Q(actor_name__icontains=word)
            | Q(object_name__icontains=word)
            | Q(address__icontains=word)
            | Q(verb__icontains=word)
            | Q(detail__icontains=written)
        )
    return found


def page(chain: str, filters: Filters, *, before: int | None, most: int) -> list[AuditRow]:
    """The newest rows, those before the number `before`."""
    found = rows(chain, filters)
    return list((found if before is None else found.filter(sequence__lt=before)).order_by("-sequence")[:most])


def about(
    chain: str, things: Mapping[str, Sequence[str]], *, after: int = 0, verbs: Collection[str] = ()
) -> Iterator[AuditRow]:
    """What was done to any of these things, by kind and ids, behind the number `after`, in the order of the log; a
    portion of the rows is held at a time. `verbs`: of these deeds only."""
    here = AuditRow.objects.filter(chain=chain)
    numbers: list[int] = []
    for kind, ids in things.items():
        for portion in _portions(ids):
            meant = here.filter(object_kind=kind, object_id__in=portion, sequence__gt=after)
            # Their numbers alone, in no order: asked for in order, or for several kinds at once, SQLite would read the
            # whole chain for them.
            numbers += meant.values_list("sequence", flat=True)
    chosen = here.filter(verb__in=verbs) if verbs else here
    for wanted in _portions(sorted(numbers)):
        yield from chosen.filter(sequence__in=wanted).order_by("sequence")


def within(
    chain: str,
    verbs: Collection[str],
    *,
    since: int,
    until: int | None,
    most: int,
    things: Collection[str] | None = None,
    says: str = "",
) -> list[AuditRow]:
    """The newest rows of these deeds from `since` until `until` (ms, not included). The numbers go up with the log, the
    times need not: a clock may have been set back. `things`: done to one of these; None: to anything. `says`: with this
    among their details."""
    here = AuditRow.objects.filter(chain=chain, at__gte=since)
    if until is not None:
        here = here.filter(at__lt=until)
    if things is not None:
        here = here.filter(object_id__in=things)
    if says:
        here = here.filter(detail__contains=f'"{says}":')
    found: list[AuditRow] = []
    for verb in verbs:
        # By the index of the deed, in its order: such deeds are few, and the range may hold a million others.
        found += here.filter(verb=verb).order_by("-sequence")[:most]
    return sorted(found, key=lambda row: -row.sequence)[:most]


def _portions(whole: Sequence[T]) -> Iterator[list[T]]:
    return (list(whole[begin : begin + _PORTION]) for begin in range(0, len(whole), _PORTION))


def walk(chain: str, filters: Filters, *, until: int) -> Iterator[AuditRow]:
    """The rows meant in their order, up to the number `until`; a portion is held at a time."""
    after = 0
    while True:
        chosen = rows(chain, filters).filter(sequence__gt=after, sequence__lte=until)
        portion = list(chosen.order_by("sequence")[:_PORTION])
        yield from portion
        if len(portion) < _PORTION:
            return
        after = portion[-1].sequence


def facets(chain: str) -> Facets:
    """What there is to filter by."""
    here = AuditRow.objects.filter(chain=chain)
    names: dict[str, tuple[str, str, str]] = {}
    listed = here.exclude(actor_id="").values_list("actor_kind", "actor_id", "actor_name").distinct()
    for kind, actor_id, name in listed[:_MOST_FACETS]:
        names[actor_id] = (kind, actor_id, name)
    verbs = here.order_by("verb").values_list("verb", flat=True).distinct()
    kinds = here.exclude(object_kind="").order_by("object_kind").values_list("object_kind", flat=True).distinct()
    return Facets(sorted(names.values(), key=lambda one: one[2].casefold()), list(verbs), list(kinds))


def detail_of(row: AuditRow) -> dict[str, Any]:
    """A row's details."""
    found = json.loads(row.detail)
    return found if isinstance(found, dict) else {}

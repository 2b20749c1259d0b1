"""Taking a person's name out of the log, so that everything else of it stays, and stays verifiable.

The rows keep their numbers, their digests and what ties each to the one before it: the chain is as long as it was, and
as hard to forge. Of a row that named the person the text is another one now, so its digest can no longer be worked out
from it. What the text is now is told by a *redaction*: the digest of the new text. All redactions of one deed are
summed up in a digest that stands in the deed's own row, further on in the same chain. So whoever changes a row must
have a deed in the chain that says so, and whoever verifies the chain holds each changed row against that deed.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from django.db.models import Q

from builder.audit import chain as chains
from builder.audit.chain import COLUMNS, Entry, canonical, digest_of, document
from builder.audit.models import AuditErasing, AuditRedaction, AuditRow
from runtime.api import ask, digest
from runtime.contracts import JSON
from runtime.contracts.people import Erased

__all__ = ["VERB", "erase", "list_digest", "names_in"]

#: The deed that vouches for redactions.
VERB: Final = "person.erased"
_PORTION: Final = 500


def list_digest(redactions: Sequence[tuple[int, str]]) -> str:
    """What a deed's own row says of its redactions: numbers of rows, and the digests of their texts."""
    return digest([[sequence, sha256] for sequence, sha256 in sorted(redactions)])


def names_in(person_id: str) -> set[str]:
    """Names that the log knows somebody by, besides the one that they have now."""
    found: set[str] = set(AuditRow.objects.filter(actor_id=person_id).values_list("actor_name", flat=True).distinct())
    for detail in AuditRow.objects.filter(verb="profile.changed", object_id=person_id).values_list("detail", flat=True):
        told: Any = json.loads(detail)
        for side in ("before", "after"):
            name = (told.get(side) or {}).get("name")
            found |= {name} if isinstance(name, str) else set()
    return found - {""}


def erase(who: Erased, ids: frozenset[str], entry_for: Callable[[str], Entry], always: str) -> int:
    """Take the person out of every chain, within the caller's transaction; of how many rows. `ids`: of them and of
    their memberships. `entry_for`: the deed's row in a chain; in the chain `always` there is one whatever is found."""
    changed = 0
    for chain in sorted({always, *AuditRow.objects.order_by().values_list("chain", flat=True).distinct()}):
        found = list(_changes(chain, who, ids))
        if not found and chain != always:
            continue
        told = [(sequence, sha256) for sequence, sha256, _ in found]
        entry = entry_for(chain)
        about: dict[str, JSON] = {"rows": len(told), "sha256": list_digest(told)}
        detail = {**who.cleaned_in({**entry.detail}, keys=True), "redacted": about}
        at = chains.append(ask, dataclasses.replace(entry, detail=detail))
        AuditRedaction.objects.bulk_create(
            [AuditRedaction(chain=chain, sequence=sequence, sha256=sha256, deed=at) for sequence, sha256 in told],
            batch_size=_PORTION,
        )
        # The database refuses every change of a row but while this stands, which nobody outside of this sees.
        AuditErasing.objects.create(pk=1)
        for _, _, row in found:
            AuditRow.objects.filter(pk=row.pk).update(
                actor_name=row.actor_name, object_name=row.object_name, detail=row.detail, address=row.address,
                agent=row.agent,
            )  # fmt: skip
        AuditErasing.objects.all().delete()
        changed += len(found)
    return changed


def _changes(chain: str, who: Erased, ids: frozenset[str]) -> Iterator[tuple[int, str, AuditRow]]:
    """The rows of a chain that tell of the person: their number, the digest of what they say from now on, and that."""
    words = Q(actor_id__in=ids) | Q(object_id__in=ids)
    for one in who.emails | who.names:
        words |= Q(actor_name__icontains=one) | Q(object_name__icontains=one) | Q(detail__icontains=_escaped(one))
    for row in AuditRow.objects.filter(words, chain=chain).order_by("sequence").iterator(_PORTION):
        before = (row.actor_name, row.object_name, row.detail, row.address, row.agent)
        row.actor_name = who.cleaned(row.actor_name)[:200]
        row.object_name = who.cleaned(row.object_name)[:200]
        row.detail = canonical(who.cleaned_in(json.loads(row.detail), keys=True))
        if row.actor_id in ids or (row.object_id in ids and row.actor_kind == "nobody"):
            # From where somebody came says who it was.
            row.address = row.agent = ""
        if (row.actor_name, row.object_name, row.detail, row.address, row.agent) != before:
            yield row.sequence, digest_of(document([getattr(row, name) for name in COLUMNS])), row


def _escaped(text: str) -> str:
    """As it stands in a document."""
    return json.dumps(text, ensure_ascii=False)[1:-1]

"""Events that wait for their run: a schedule's start behind an earlier one, or one of a past time."""

from __future__ import annotations

from typing import Final

from django.db.models import CharField, Func, QuerySet

from runtime.store.models import Event

__all__ = ["queued"]

#: The word itself and no parameter: only then does SQLite see that an index holds just those events.
_QUEUED: Final = Func(template="'queued'", output_field=CharField())


def queued() -> QuerySet[Event]:
    """Those that wait, by the small index that holds only them."""
    return Event.objects.filter(verdict=_QUEUED)

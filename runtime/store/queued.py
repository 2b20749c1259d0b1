"""Events that wait for their run: a schedule's start behind an earlier one, or one of a past time."""

from __future__ import annotations

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from runtime.store.models import Event

__all__ = ["queued"]


def queued() -> QuerySet[Event]:
    """Those that wait, by the small index that holds only them: SQLite takes it for a word, not for a parameter."""
    return Event.objects.filter(RawSQL("verdict = 'queued'", (), output_field=BooleanField()))

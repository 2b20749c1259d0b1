from __future__ import annotations

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """The runtime's rows."""

    name = "runtime.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class StoreConfig(AppConfig):
    """The runtime's rows."""

    name = "runtime.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

    def import_models(self) -> None:
        super().import_models()
        # Its rows have a file of their own.
        import_module("runtime.store.transitions")

    def ready(self) -> None:
        pre_migrate.connect(_before, sender=self)
        post_migrate.connect(_after, sender=self)


def _before(using: str, **_: Any) -> None:
    from runtime.store import trail

    trail.uninstall(using)


def _after(using: str, **_: Any) -> None:
    from runtime.store import trail

    trail.install(using)

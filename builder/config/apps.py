from __future__ import annotations

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Holds the management commands and wires the runtime's ports once all apps are loaded."""

    name = "builder.config"
    label = "config"

    def ready(self) -> None:
        from builder.config import wiring

        wiring.connect()
        wiring.keep_elsewhere()

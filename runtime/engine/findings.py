"""What a check has found so far."""

from __future__ import annotations

from typing import Any

from runtime.engine.problems import Problem


class Findings(list[Problem]):
    """Problems found so far."""

    def error(
        self,
        code: str,
        message: str,
        *,
        node: str | None = None,
        edge: str | None = None,
        field: str | None = None,
        **params: Any,
    ) -> None:
        self.append(Problem("error", code, message, node, edge, field, params))

    def warning(
        self,
        code: str,
        message: str,
        *,
        node: str | None = None,
        edge: str | None = None,
        field: str | None = None,
        **params: Any,
    ) -> None:
        self.append(Problem("warning", code, message, node, edge, field, params))

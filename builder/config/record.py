"""What the runtime does after whoever asked for it has gone, put on record in the workspace's audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from builder.audit import later
from runtime.api import Ask


class AuditLog:
    """The runtime's `Record`."""

    def decided(
        self, record: str, became: Literal["took_effect", "refused"], ask: Ask, facts: Mapping[str, Any]
    ) -> None:
        """A decision has come to its effect, or to none."""
        later.decided(record, became, ask, facts)

    def swept(
        self,
        *,
        workspace_id: UUID,
        by: UUID | None,
        removed: Mapping[str, int],
        kept: Mapping[str, int],
        rules: Mapping[str, int],
    ) -> None:
        """A sweep has ended."""
        from builder.accounts import sweeps

        sweeps.swept(workspace_id, {"removed": {**removed}, "kept": {**kept}, "days": {**rules}}, by=by)

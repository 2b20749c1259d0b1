"""The last line of defence: a view that does not say who may use it lets nobody in."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request


class Denied(BasePermission):
    """Refuses everything. Views built on `builder.api.operation.ApiView` check rights per operation instead."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False

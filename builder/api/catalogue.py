"""What there is to draw with: step types, formula functions, kinds of connection. The same for everybody."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from builder.accounts.rights import Action
from builder.api.operation import Answer, ApiView, Call, View, operation
from builder.api.shapes import Items
from builder.connections import kinds
from runtime import api as runtime_api
from runtime.catalog import CATALOG
from runtime.contracts import dumps


class StepTypes(View):
    """All step types; `etag` changes when any of them does."""

    items: list[dict[str, Any]]
    etag: str


@lru_cache(maxsize=1)
def _step_types() -> StepTypes:
    specs = [dict(spec) for spec in CATALOG.specs()]
    return StepTypes(items=specs, etag=hashlib.sha256(dumps(specs).encode()).hexdigest()[:16])


class NodeTypes(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=StepTypes)
    def get(self, call: Call) -> Answer:
        """The step types: forms, ways out, examples."""
        found = _step_types()
        return Answer(found, 200, {"ETag": f'"{found.etag}"', "Cache-Control": "private, no-cache"})


class Functions(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=Items[dict[str, Any]])
    def get(self, call: Call) -> Items[dict[str, Any]]:
        """The functions that formulas can use, each with an example."""
        return Items[dict[str, Any]](items=[dict(function) for function in runtime_api.functions()])


class ConnectionKinds(ApiView):
    @operation(Action.CONNECTION_USE, answer=Items[dict[str, Any]])
    def get(self, call: Call) -> Items[dict[str, Any]]:
        """The kinds of connection and their fields."""
        return Items[dict[str, Any]](items=kinds.specs())

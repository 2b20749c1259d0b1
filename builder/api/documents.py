"""Documents while they are designed: what comes along, and what a design looks like. Nothing runs, nothing is kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import StreamingHttpResponse
from pydantic import Field

from builder.accounts.rights import Action
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.shapes import Items
from runtime import api as runtime_api


class DesignView(View):
    """A design that comes with Millrace. `design` holds sample data, too."""

    id: str
    name: str
    design: dict[str, Any]


class DesignModelView(View):
    """What a design may hold, as JSON Schemas with hints for forms (`x-ui`), as those of step types: `design`, a whole
    one without its blocks, and `blocks`, each kind by its name, in the order in which they are offered."""

    design: dict[str, Any]
    blocks: dict[str, dict[str, Any]]
    most_blocks: int


class DocumentBody(Body):
    """A design and the data to show it with. `form`: the whole as `pdf`, or one `page` as `png`, `wide` pixels wide."""

    design: dict[str, Any]
    data: dict[str, Any]
    form: Literal["pdf", "png"] = "png"
    page: Annotated[int, Field(ge=1, le=300)] = 1
    wide: Annotated[int, Field(ge=100, le=2_000)] = 800


class Designs(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=Items[DesignView])
    def get(self, call: Call) -> Items[DesignView]:
        """The designs to begin with."""
        found = runtime_api.ready_designs()
        return Items[DesignView](items=[DesignView(id=one.id, name=one.name, design=one.design) for one in found])


class Model(ApiView):
    @operation(Action.WORKFLOW_SEE, answer=DesignModelView)
    def get(self, call: Call) -> DesignModelView:
        """What a design may hold."""
        found = runtime_api.design_model()
        return DesignModelView(design=found.design, blocks=found.blocks, most_blocks=found.most_blocks)


class PreviewDocument(ApiView):
    @operation(Action.WORKFLOW_EDIT, body=DocumentBody, file=True, does="nothing")
    def post(self, call: Call, *, body: DocumentBody) -> StreamingHttpResponse:
        """What a document looks like. The header `X-Pages` says how many pages it has."""
        picture = body.form == "png"
        made = runtime_api.preview_document(
            workspace_id=call.workspace.id,
            design=body.design,
            data=body.data,
            page=body.page if picture else None,
            wide=body.wide,
        )
        headers = {
            "Content-Disposition": f'{"inline" if picture else "attachment"}; filename="preview.{body.form}"',
            "X-Pages": str(made.pages),
            "Cache-Control": "no-store",
        }
        return StreamingHttpResponse(
            iter([made.data]), content_type="image/png" if picture else "application/pdf", headers=headers
        )

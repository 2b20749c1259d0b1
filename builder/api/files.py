"""Files: uploaded, looked at and downloaded in portions, listed, packed together, removed."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.http import StreamingHttpResponse
from pydantic import Field

from builder.accounts.rights import Action
from builder.accounts.selectors import names_of
from builder.accounts.times import stamp
from builder.api.cursors import PageQuery
from builder.api.operation import ApiView, Call, Query, View, operation
from builder.api.problems import Refusal
from builder.api.shapes import Paged
from builder.workflows.selectors import file_uses, names, step_names
from runtime import api as runtime_api
from runtime.contracts.files import FileFilters, FileTooLarge, FileView


class FilesQuery(PageQuery):
    """Which files: those of a run, and of all that it began (`inside`), those with this in their names."""

    run: UUID | None = None
    inside: bool = False
    search: Annotated[str, Field(max_length=200)] = ""


class ArchiveQuery(Query):
    """Which files: these, those of a run, and of all that it began (`inside`), or those with this in their names."""

    ids: Annotated[list[UUID], Field(max_length=500, json_schema_extra={"many": True})] = []
    run: UUID | None = None
    inside: bool = False
    search: Annotated[str, Field(max_length=200)] = ""


class NewFileQuery(Query):
    """What the file is called."""

    name: Annotated[str, Field(min_length=1, max_length=400)]


class ContentQuery(Query):
    """`show`: to be looked at in the browser, where its type can do no harm there."""

    show: bool = False


class RemoveQuery(Query):
    """`even_if_used`: also where a workflow names it, which fails there from then on."""

    even_if_used: bool = False


class FileShape(View):
    """A file. `run_id`, `node` and `step` (its name): of the step that made it; `created_by`: who uploaded it."""

    id: UUID
    name: str
    mime: str
    size: int
    sha256: str
    created_at: str
    created_by: str | None
    workflow_id: UUID | None
    workflow_name: str | None
    run_id: UUID | None
    node: str | None
    step: str | None


class FileTotalShape(View):
    """How many files, `size`: their bytes together, `most`: so many one archive takes."""

    count: int
    size: int
    most: int


class FileUseShape(View):
    """A workflow that names a file: in its draft, in its live version, or both; `steps`: their names."""

    id: UUID
    name: str
    steps: list[str]
    draft: bool
    live: bool


class FileUses(View):
    """All of them."""

    items: list[FileUseShape]


class FilePreviewShape(View):
    """How a file can be looked at. `kind` `picture` and `pdf`: its `content` with `show` is that, and of type `mime`;
    `text`, `table`: the beginning stands here; `none`: `reason` says why not, `most` how many bytes (`large`) or
    pixels (`pixels`) there may be. `header`: the first row holds names; `more`: the file goes on where this ends."""

    kind: Literal["picture", "pdf", "text", "table", "none"]
    reason: Literal["", "empty", "large", "pixels", "active", "damaged", "sort"]
    most: int
    name: str
    size: int
    mime: str
    width: int
    height: int
    text: str
    rows: list[list[str]]
    header: bool
    more: bool


class Files(ApiView):
    @operation(Action.FILE_SEE, query=FilesQuery, answer=Paged[FileShape])
    def get(self, call: Call, *, query: FilesQuery) -> Paged[FileShape]:
        """Files of the workspace, newest first."""
        page = runtime_api.files(
            workspace_id=call.workspace.id,
            filters=FileFilters(run_id=query.run, inside=query.inside, search=query.search),
            after=query.cursor,
            limit=query.limit,
        )
        return Paged[FileShape](items=file_shapes(call, page.items), next_cursor=page.next_cursor)

    @operation(
        Action.FILE_ADD,
        query=NewFileQuery,
        answer=FileShape,
        status=201,
        also=(408, 409, 413, 415),
        upload=True,
        repeat="stored_apart",
        does="file.added",
    )
    def post(self, call: Call, *, query: NewFileQuery) -> FileShape:
        """Upload one file: the body is the file, in whatever type it has; its name stands in the query."""
        meta = call.request.META
        mime = str(meta.get("CONTENT_TYPE", ""))
        if mime.strip().lower().startswith(("multipart/", "application/x-www-form-urlencoded")):
            raise _form_refused()
        length = str(meta.get("CONTENT_LENGTH") or "")
        try:
            added = runtime_api.add_file(
                workspace_id=call.workspace.id,
                name=query.name,
                mime=mime,
                read=call.request.read,
                by=call.person.id,
                size=int(length) if length.isdecimal() else None,
            )
        except FileTooLarge as error:
            raise Refusal(413, error.code, error.message, params=error.params) from error
        except (TimeoutError, ConnectionError) as error:
            raise Refusal(408, "too_slow", "The file came too slowly, or not to its end. Nothing was kept.") from error
        return file_shapes(call, [added])[0]


class Archive(ApiView):
    @operation(Action.FILE_SEE, query=ArchiveQuery, file=True, does="files.downloaded")
    def get(self, call: Call, *, query: ArchiveQuery) -> StreamingHttpResponse:
        """Many files as one ZIP, made while it is sent."""
        portions = runtime_api.archive(workspace_id=call.workspace.id, filters=_filters(query))
        headers = {"Content-Disposition": 'attachment; filename="files.zip"', "Accept-Ranges": "none"}
        return StreamingHttpResponse(portions, content_type="application/zip", headers=headers)


class Total(ApiView):
    @operation(Action.FILE_SEE, query=ArchiveQuery, answer=FileTotalShape)
    def get(self, call: Call, *, query: ArchiveQuery) -> FileTotalShape:
        """How many files an archive of these would hold, and how large they are."""
        found = runtime_api.files_total(workspace_id=call.workspace.id, filters=_filters(query))
        return FileTotalShape(count=found.count, size=found.size, most=found.most)


class OneFile(ApiView):
    @operation(Action.FILE_SEE, answer=FileShape)
    def get(self, call: Call, *, file_id: UUID) -> FileShape:
        """One file, without its bytes."""
        return file_shapes(call, [runtime_api.file(workspace_id=call.workspace.id, file_id=file_id)])[0]

    @operation(
        Action.FILE_REMOVE, query=RemoveQuery, status=204, also=(409,), repeat="stored_apart", does="file.removed"
    )
    def delete(self, call: Call, *, file_id: UUID, query: RemoveQuery) -> None:
        """Remove a file for good; one that a workflow names only where that is said to be known."""
        runtime_api.file(workspace_id=call.workspace.id, file_id=file_id)
        uses = [] if query.even_if_used else file_uses(workspace_id=call.workspace.id, file_id=file_id)
        if uses:
            raise Refusal(
                409,
                "file_used",
                f"The workflow “{uses[0].name}” uses this file. Choose another one there first.",
                params={"workflow": uses[0].name, "count": len(uses)},
            )
        runtime_api.remove_file(workspace_id=call.workspace.id, file_id=file_id, by=call.person.id)


class Uses(ApiView):
    @operation(Action.FILE_SEE, answer=FileUses)
    def get(self, call: Call, *, file_id: UUID) -> FileUses:
        """The workflows that name this file: as a document's logo, or in a setting of a step."""
        runtime_api.file(workspace_id=call.workspace.id, file_id=file_id)
        found = file_uses(workspace_id=call.workspace.id, file_id=file_id)
        return FileUses(
            items=[
                FileUseShape(id=one.workflow_id, name=one.name, steps=list(one.steps), draft=one.draft, live=one.live)
                for one in found
            ]
        )


class Preview(ApiView):
    @operation(Action.FILE_SEE, answer=FilePreviewShape, does="file.shown")
    def get(self, call: Call, *, file_id: UUID) -> FilePreviewShape:
        """How the file can be looked at, told by its bytes; of texts and tables the first 200 lines."""
        found = runtime_api.preview_file(workspace_id=call.workspace.id, file_id=file_id)
        if found.kind not in ("text", "table"):
            # Nothing of it is handed out here; what is opened to be shown goes on record as a download does.
            call.deed.nothing()
        return FilePreviewShape(
            kind=found.kind,
            reason=found.reason,
            most=found.most,
            name=found.view.name,
            size=found.view.size,
            mime=found.mime,
            width=found.width,
            height=found.height,
            text=found.text,
            rows=[list(row) for row in found.rows],
            header=found.header,
            more=found.more,
        )


class Content(ApiView):
    @operation(Action.FILE_SEE, query=ContentQuery, file=True, does="file.downloaded")
    def get(self, call: Call, *, file_id: UUID, query: ContentQuery) -> StreamingHttpResponse:
        """The file itself, whole; ranges are not served."""
        found = runtime_api.open_file(workspace_id=call.workspace.id, file_id=file_id, show=query.show)
        headers = {
            "Content-Disposition": found.disposition,
            "Content-Length": str(found.view.size),
            "Accept-Ranges": "none",
            "X-Content-Type-Options": "nosniff",
            # Whatever it is, opened by its address it may do nothing here.
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return StreamingHttpResponse(found.portions, content_type=found.view.mime, headers=headers)


def _filters(query: ArchiveQuery) -> FileFilters:
    return FileFilters(run_id=query.run, inside=query.inside, search=query.search, ids=tuple(query.ids))


def _form_refused() -> Refusal:
    """The answer to a form."""
    return Refusal(
        415,
        "unsupported_media_type",
        "Send the file itself as the body, with its own Content-Type; forms are not taken here.",
    )


def file_shapes(call: Call, views: list[FileView]) -> list[FileShape]:
    """Files with the names of those who made them."""
    here = call.workspace.id
    people = names_of({view.created_by for view in views if view.created_by is not None})
    workflows = names(workspace_id=here, workflow_ids={view.workflow_id for view in views if view.workflow_id})
    return [
        FileShape(
            id=view.id,
            name=view.name,
            mime=view.mime,
            size=view.size,
            sha256=view.sha256,
            created_at=stamp(view.created_at),
            created_by=None if view.created_by is None else people.get(view.created_by, ""),
            workflow_id=view.workflow_id,
            workflow_name=None if view.workflow_id is None else workflows.get(view.workflow_id),
            run_id=view.run_id,
            node=view.node,
            step=None
            if view.node is None or view.version_id is None
            else step_names(workspace_id=here, version_id=view.version_id).get(view.node),
        )
        for view in views
    ]

"""Workspaces, their members and their tokens."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.conf import settings
from pydantic import Field

from builder.accounts import selectors, services
from builder.accounts.models import ApiToken, Membership, Role, User
from builder.accounts.rights import Action, Scope
from builder.accounts.times import maybe, stamp
from builder.api import cursors, shapes
from builder.api.cursors import PageQuery
from builder.api.operation import Access, ApiView, Body, Call, View, operation
from builder.api.problems import Refusal, invalid, not_here
from builder.api.session import Currency, Email, Language, Name, NewWorkspace, TimeZone, refused
from builder.api.shapes import Items, Paged, WorkspaceView

FieldName = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]


class WorkspaceChanges(Body):
    """What to change about the workspace."""

    name: Name | None = None
    language: Language | None = None
    time_zone: TimeZone | None = None
    currency: Currency | None = None
    #: Names of fields whose values are shown to nobody unasked; a name counts however it is written.
    sensitive_fields: Annotated[list[FieldName], Field(max_length=100)] | None = None


class MemberView(View):
    """A member, or somebody invited who has not answered yet. `second_factor`: signing in asks for a code, too."""

    id: UUID
    user_id: UUID | None
    name: str
    email: str
    role: str
    active: bool
    invited: bool
    last_seen_at: str | None
    second_factor: bool


class Invite(Body):
    """Whom to invite, and as what."""

    email: Email
    role: Role


class InvitationView(View):
    """An invitation. The link is shown once; pass it on yourself."""

    id: UUID
    email: str
    role: str
    link: str
    expires_at: str


class MemberChanges(Body):
    """A new role, or on and off."""

    role: Role | None = None
    active: bool | None = None


class TokenView(View):
    """A program's key, without the key. `replaced_by`: the one made in its place; both are accepted until this one
    expires. `mine`: it acts as the asker, who alone may replace it."""

    id: UUID
    name: str
    scopes: list[str]
    prefix: str
    owner: str
    mine: bool
    created_at: str
    expires_at: str
    last_used_at: str | None
    replaced_by: UUID | None


class NewToken(Body):
    """What the token is for, what it may do, and for how long."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4)]
    expires_days: Annotated[int, Field(ge=1, le=services.LONGEST_TOKEN_DAYS)] = 90


class MadeToken(TokenView):
    """A new token, shown this once."""

    token: str


class Workspaces(ApiView):
    @operation(Access.SIGNED_IN, answer=Items[WorkspaceView])
    def get(self, call: Call) -> Items[WorkspaceView]:
        """The workspaces one may enter."""
        return Items[WorkspaceView](items=[shapes.workspace(row) for row in selectors.memberships_of(call.person)])

    @operation(
        Access.SIGNED_IN,
        body=NewWorkspace,
        answer=WorkspaceView,
        status=201,
        also=(403,),
        repeat="stored",
        does="workspace.created",
    )
    def post(self, call: Call, *, body: NewWorkspace) -> WorkspaceView:
        """Make a workspace; for instance admins, who become its first admin."""
        if not call.person.is_instance_admin:
            raise Refusal(403, "forbidden", "Only an admin of this instance makes workspaces.")
        try:
            workspace = services.make_workspace(
                name=body.name,
                language=body.language,
                time_zone=body.time_zone,
                currency=body.currency,
                admin=call.person,
            )
        except services.AccountsRefused as error:
            raise refused(error) from error
        call.deed.about(workspace.id)
        call.deed.in_workspaces([workspace.id])
        return shapes.workspace(Membership(user=call.person, workspace=workspace, role=Role.ADMIN))


class OneWorkspace(ApiView):
    @operation(Action.WORKSPACE_SEE, answer=WorkspaceView)
    def get(self, call: Call) -> WorkspaceView:
        """The workspace."""
        return shapes.workspace(Membership(workspace=call.workspace, role=call.role))

    @operation(
        Action.WORKSPACE_EDIT, body=WorkspaceChanges, answer=WorkspaceView, repeat="stored", does="workspace.changed"
    )
    def patch(self, call: Call, *, body: WorkspaceChanges) -> WorkspaceView:
        """Change its name, language, time zone, currency, or which fields are sensitive."""
        try:
            services.change_workspace(workspace=call.workspace, **body.model_dump(exclude_none=True))
        except services.AccountsRefused as error:
            raise refused(error) from error
        return shapes.workspace(Membership(workspace=call.workspace, role=call.role))


class Members(ApiView):
    @operation(Action.MEMBERS_MANAGE, query=PageQuery, answer=Paged[MemberView])
    def get(self, call: Call, *, query: PageQuery) -> Paged[MemberView]:
        """People here and people invited, newest first."""
        found = selectors.members(
            workspace_id=call.workspace.id, now=call.now, after=cursors.to_id(query.cursor), most=query.limit + 1
        )
        rows, next_cursor = cursors.page_of(found, query.limit)
        return Paged[MemberView](items=[_member(one) for one in rows], next_cursor=next_cursor)

    @operation(
        Action.MEMBERS_MANAGE,
        body=Invite,
        answer=InvitationView,
        status=201,
        repeat="stored",
        secret=True,
        does="member.invited",
    )
    def post(self, call: Call, *, body: Invite) -> InvitationView:
        """Invite somebody. A second invitation to the same address replaces the first."""
        try:
            row, token = services.invite(
                workspace=call.workspace, email=body.email, role=body.role, by=call.person, now=call.now
            )
        except services.AccountsRefused as error:
            raise refused(error) from error
        call.deed.about(row.id, row.email)
        return InvitationView(
            id=row.id,
            email=row.email,
            role=row.role,
            # After the #, which browsers keep to themselves: the token reaches no log.
            link=f"{settings.PUBLIC_URL}/invitation#token={token}",
            expires_at=stamp(row.expires_at),
        )


class OneMember(ApiView):
    @operation(
        Action.MEMBERS_MANAGE,
        body=MemberChanges,
        answer=MemberView,
        also=(409,),
        repeat="stored",
        does="member.changed",
    )
    def patch(self, call: Call, *, member_id: UUID, body: MemberChanges) -> MemberView:
        """Change a member's role, or switch them off."""
        try:
            services.change_member(
                workspace=call.workspace, membership_id=member_id, role=body.role, active=body.active
            )
        except services.AccountsRefused as error:
            raise refused(error) from error
        found = selectors.member(workspace_id=call.workspace.id, membership_id=member_id)
        if found is None:
            raise not_here("member")
        return _member(found)

    @operation(Action.MEMBERS_MANAGE, also=(409,), repeat="stored", does="member.removed")
    def delete(self, call: Call, *, member_id: UUID) -> None:
        """Take somebody out of the workspace, or withdraw an invitation."""
        if services.withdraw(workspace=call.workspace, invitation_id=member_id):
            return
        try:
            services.remove_member(workspace=call.workspace, membership_id=member_id)
        except services.AccountsRefused as error:
            raise refused(error) from error


class Tokens(ApiView):
    @operation(Action.TOKENS_MANAGE, query=PageQuery, answer=Paged[TokenView])
    def get(self, call: Call, *, query: PageQuery) -> Paged[TokenView]:
        """The living tokens, newest first."""
        found = selectors.tokens(
            workspace_id=call.workspace.id, after=cursors.to_id(query.cursor), most=query.limit + 1
        )
        rows, next_cursor = cursors.page_of(found, query.limit)
        return Paged[TokenView](items=[token_view(row, call.person) for row in rows], next_cursor=next_cursor)

    @operation(
        Action.TOKENS_MANAGE,
        body=NewToken,
        answer=MadeToken,
        status=201,
        also=(403,),
        repeat="stored",
        secret=True,
        does="token.created",
    )
    def post(self, call: Call, *, body: NewToken) -> MadeToken:
        """Make a token. It acts as you, narrowed to its scopes, and is shown this once."""
        if call.token is not None:
            raise Refusal(403, "forbidden", "A token cannot make tokens. Sign in to make one.")
        if not body.name.strip():
            raise invalid({"name": ["This is needed."]})
        row, token = services.make_token(
            workspace=call.workspace,
            owner=call.person,
            name=body.name,
            scopes=body.scopes,
            days=body.expires_days,
            now=call.now,
        )
        call.deed.about(row.id)
        return MadeToken(**token_view(row, call.person).model_dump(), token=token)


class OneToken(ApiView):
    @operation(Action.TOKENS_MANAGE, repeat="stored", does="token.revoked")
    def delete(self, call: Call, *, token_id: UUID) -> None:
        """End a token at once."""
        if not services.revoke_token(workspace=call.workspace, token_id=token_id, now=call.now):
            raise not_here("token")


def _member(member: selectors.Member) -> MemberView:
    return MemberView(
        id=member.id,
        user_id=member.user_id,
        name=member.name,
        email=member.email,
        role=member.role,
        active=member.active,
        invited=member.invited,
        last_seen_at=maybe(member.last_seen_at),
        second_factor=member.second_factor,
    )


def token_view(row: ApiToken, asker: User) -> TokenView:
    """A token as the API tells it."""
    return TokenView(
        id=row.id,
        name=row.name,
        scopes=list(row.scopes),
        prefix=f"{services.TOKEN_PREFIX}…{row.last_four}",
        owner=row.owner.name,
        mine=row.owner_id == asker.id,
        created_at=stamp(row.created_at),
        expires_at=stamp(row.expires_at),
        last_used_at=maybe(row.last_used_at),
        replaced_by=row.replaced_by_id,
    )

"""Who can be asked: the people of a workspace, and groups of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from builder.accounts import groups, selectors
from builder.accounts.models import Group, Role
from builder.accounts.rights import Action
from builder.accounts.services import AccountsRefused
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import not_here
from builder.api.session import refused
from builder.api.shapes import Items

GroupName = Annotated[str, Field(max_length=200)]
MemberIds = Annotated[list[UUID], Field(max_length=500)]


class ColleagueView(View):
    """A colleague, as far as one needs to know to ask them. `member`: the id of their membership. `admin`: whether they
    give others their roles."""

    member: UUID
    name: str
    email: str
    admin: bool


class AskableGroup(View):
    """A group, and how many are in it."""

    id: UUID
    name: str
    count: int


class Askable(View):
    """Whom a step can ask, and whom a question can be handed over to."""

    people: list[ColleagueView]
    groups: list[AskableGroup]


class MemberGroupView(View):
    """A group. `members`: ids of memberships, by the members' names."""

    id: UUID
    name: str
    members: list[UUID]


class NewGroup(Body):
    """A group's name, and who is in it."""

    name: GroupName
    members: MemberIds = []


class GroupChanges(Body):
    """A new name, or other members."""

    name: GroupName | None = None
    members: MemberIds | None = None


class People(ApiView):
    @operation(Action.PEOPLE_SEE, answer=Askable)
    def get(self, call: Call) -> Askable:
        """The people and groups of this workspace who can be asked."""
        rows = selectors.active_members(workspace_id=call.workspace.id)
        active = {row.id for row in rows}
        return Askable(
            people=[
                ColleagueView(member=row.id, name=row.user.name, email=row.user.email, admin=row.role == Role.ADMIN)
                for row in rows
            ],
            groups=[
                AskableGroup(id=one.id, name=one.name, count=sum(row.pk in active for row in one.members.all()))
                for one in groups.groups(workspace_id=call.workspace.id)
            ],
        )


class MemberGroups(ApiView):
    @operation(Action.MEMBERS_MANAGE, answer=Items[MemberGroupView])
    def get(self, call: Call) -> Items[MemberGroupView]:
        """The groups with their members, by name."""
        return Items[MemberGroupView](items=[_view(one) for one in groups.groups(workspace_id=call.workspace.id)])

    @operation(
        Action.MEMBERS_MANAGE, body=NewGroup, answer=MemberGroupView, status=201, repeat="stored", does="group.created"
    )
    def post(self, call: Call, *, body: NewGroup) -> MemberGroupView:
        """Make a group, by whose name steps ask its members together."""
        try:
            made = groups.make_group(workspace=call.workspace, name=body.name, members=body.members)
        except AccountsRefused as error:
            raise refused(error) from error
        call.deed.about(made.id)
        return _view(made)


class OneMemberGroup(ApiView):
    @operation(Action.MEMBERS_MANAGE, body=GroupChanges, answer=MemberGroupView, repeat="stored", does="group.changed")
    def patch(self, call: Call, *, group_id: UUID, body: GroupChanges) -> MemberGroupView:
        """Rename it, or change who is in it. Steps that name it by its old name find it still."""
        try:
            groups.change_group(workspace=call.workspace, group_id=group_id, name=body.name, members=body.members)
        except AccountsRefused as error:
            raise refused(error) from error
        found = groups.group(workspace_id=call.workspace.id, group_id=group_id)
        if found is None:
            raise not_here("group")
        return _view(found)

    @operation(Action.MEMBERS_MANAGE, repeat="stored", does="group.removed")
    def delete(self, call: Call, *, group_id: UUID) -> None:
        """Remove the group. Steps that name it then fail, in words; open questions to it alone go to the admins."""
        if not groups.remove_group(workspace=call.workspace, group_id=group_id):
            raise not_here("group")


def _view(row: Group) -> MemberGroupView:
    members = sorted(
        row.members.select_related("user").all(), key=lambda one: (one.user.name.casefold(), one.user.email)
    )
    return MemberGroupView(id=row.id, name=row.name, members=[one.pk for one in members])

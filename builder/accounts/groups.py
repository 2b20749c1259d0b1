"""Groups of members, who are asked together: every read and every write."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from builder.accounts.models import Group, Membership, Workspace
from builder.accounts.services import AccountsRefused


def key_of(name: str) -> str:
    """A name as it is compared: blanks and capitals do not count."""
    return " ".join(name.split()).casefold()


def groups(*, workspace_id: UUID) -> list[Group]:
    """The workspace's groups by name, with their members."""
    rows = Group.objects.filter(workspace_id=workspace_id).prefetch_related("members__user")
    return sorted(rows, key=lambda group: group.key)


def group(*, workspace_id: UUID, group_id: UUID) -> Group | None:
    """One group of this workspace."""
    return Group.objects.filter(workspace_id=workspace_id, pk=group_id).prefetch_related("members__user").first()


@transaction.atomic
def make_group(*, workspace: Workspace, name: str, members: Sequence[UUID]) -> Group:
    """A group of these members (ids of memberships). Raises AccountsRefused naming the field."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    name, key = _free_name(workspace, name, None)
    made = Group.objects.create(workspace=workspace, name=name, key=key)
    made.members.set(_members(workspace, members))
    return made


@transaction.atomic
def change_group(
    *, workspace: Workspace, group_id: UUID, name: str | None = None, members: Sequence[UUID] | None = None
) -> Group:
    """Rename it, or change who is in it. Steps that name it by its old name find it still."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    row = Group.objects.filter(workspace=workspace, pk=group_id).first()
    if row is None:
        raise AccountsRefused("not_found", "There is no such group here.", status=404)
    if name is not None:
        name, key = _free_name(workspace, name, row)
        if key != row.key:
            row.former_keys = [one for one in (*row.former_keys, row.key) if one != key]
        row.name, row.key = name, key
        row.save(update_fields=["name", "key", "former_keys"])
    if members is not None:
        row.members.set(_members(workspace, members))
    return row


def left_alone(*, workspace_id: UUID, membership_id: UUID) -> list[Group]:
    """The groups in which nobody is left once this member is not, by name."""
    rows = Group.objects.filter(workspace_id=workspace_id, members=membership_id).prefetch_related("members__user")
    others = (
        (group, [one for one in group.members.all() if one.pk != membership_id and one.active and one.user.is_active])
        for group in rows
    )
    return sorted((group for group, left in others if not left), key=lambda group: group.key)


@transaction.atomic
def let_in(*, workspace: Workspace, group_id: UUID, membership_id: UUID) -> bool:
    """Have one more in it; False where there is no such group or member here, or they are in it already."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    group = Group.objects.filter(workspace=workspace, pk=group_id).first()
    member = Membership.objects.filter(workspace=workspace, pk=membership_id).first()
    if group is None or member is None or group.members.filter(pk=member.pk).exists():
        return False
    group.members.add(member)
    return True


def remove_group(*, workspace: Workspace, group_id: UUID) -> bool:
    """Remove it; False where this workspace has no such group. Its members stay."""
    return bool(Group.objects.filter(workspace=workspace, pk=group_id).delete()[0])


def _free_name(workspace: Workspace, name: str, mine: Group | None) -> tuple[str, str]:
    name = " ".join(name.split())
    key = key_of(name)
    if not key or len(name) > 80:
        raise AccountsRefused("name_invalid", "A name has 1 to 80 characters.", field="name")
    if any(one in name for one in ",;@") or key.startswith(("role:", "group:")) or not name.isprintable():
        raise AccountsRefused("name_invalid", "A name has no commas and no @ in it: steps list names.", field="name")
    for other in Group.objects.filter(workspace=workspace):
        # Not even an old name: a workflow that still uses it would ask other people from one day to the next.
        if (mine is None or other.pk != mine.pk) and key in (other.key, *other.former_keys):
            called = "is called so" if key == other.key else f"was called so before it became “{other.name}”"
            raise AccountsRefused("name_taken", f"Another group {called}. Choose another name.", field="name")
    return name, key


def _members(workspace: Workspace, wanted: Sequence[UUID]) -> list[Membership]:
    found = list(Membership.objects.filter(workspace=workspace, pk__in=wanted))
    if len(found) != len(set(wanted)):
        raise AccountsRefused("member_unknown", "Somebody of these is no member here.", field="members")
    return found

"""Inviting many people at once, out of a list that somebody pasted."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from django.conf import settings
from pydantic import Field

from builder.accounts import inviting, services
from builder.accounts.inviting import Listed, ListedState
from builder.accounts.models import Role, Workspace
from builder.accounts.rights import Action
from builder.accounts.times import stamp
from builder.api.deeds import NOTHING
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import Refusal


class InviteOutcome(StrEnum):
    """What came of an entry of a list."""

    INVITED = "invited"
    RENEWED = "renewed"
    LEFT = "left"
    MEMBER = "member"
    TWICE = "twice"
    NO_ADDRESS = "no_address"


class PeopleList(Body):
    """Whom to invite: each line as it was pasted. Addresses within a line have commas, semicolons or tabs between them,
    and may have a name: `Ines Kaya <ines@example.com>`. At most 200 different addresses."""

    people: Annotated[list[str], Field(min_length=1, max_length=10_000)]


class InviteList(PeopleList):
    """Whom to invite, and all of them as what. `renew`: who has an open invitation gets a new link, and the earlier one
    stops working; otherwise it is left as it is."""

    role: Role
    renew: bool = False


class ListedPerson(View):
    """An entry of a list: its line, from 1, and as it was written. `email`: as it would be kept; empty where it is no
    address. `state`: new · member (already) · invited (has an open invitation) · twice (stands further up, too) ·
    no_address. `role`: that they have here, or were offered."""

    line: int
    text: str
    email: str
    state: ListedState
    role: str


class InviteListCheck(View):
    """What was understood of a list, entry by entry, and how many there are of each."""

    people: list[ListedPerson]
    new: int
    members: int
    invited: int
    twice: int
    no_addresses: int


class InvitedPerson(View):
    """What came of an entry. `outcome`: invited · renewed (has a new link, the earlier one stopped working) · left (has
    an open invitation, which is as it was) · member (already) · twice · no_address. The link is shown once; pass it on
    yourself."""

    line: int
    text: str
    email: str
    outcome: InviteOutcome
    role: str
    link: str | None
    expires_at: str | None


class InviteReport(View):
    """What came of each entry of a list."""

    people: list[InvitedPerson]


class CheckInviteList(ApiView):
    @operation(Action.MEMBERS_MANAGE, body=PeopleList, answer=InviteListCheck, does=NOTHING)
    def post(self, call: Call, *, body: PeopleList) -> InviteListCheck:
        """What would be understood of a list of people to invite. Nobody is invited."""
        found = _read(call, body)
        states = [one.state for one in found]
        return InviteListCheck(
            people=[
                ListedPerson(line=one.line, text=one.text, email=one.email, state=one.state, role=one.role)
                for one in found
            ],
            new=states.count(ListedState.NEW),
            members=states.count(ListedState.MEMBER),
            invited=states.count(ListedState.INVITED),
            twice=states.count(ListedState.TWICE),
            no_addresses=states.count(ListedState.NO_ADDRESS),
        )


class InviteMany(ApiView):
    @operation(
        Action.MEMBERS_MANAGE,
        body=InviteList,
        answer=InviteReport,
        repeat="stored",
        secret=True,
        does="member.invited",
    )
    def post(self, call: Call, *, body: InviteList) -> InviteReport:
        """Invite everybody of a list. What is no address hinders nobody else."""
        # Of two lists at the same moment the second sees whom the first has invited.
        Workspace.objects.select_for_update().get(pk=call.workspace.pk)
        found = _read(call, body)
        if not any(one.email for one in found):
            raise Refusal(422, "nobody_to_invite", "There is no e-mail address in this list.")
        # Each invitation is a deed of its own, as if it were the only one; the list itself is none.
        call.deed.nothing()
        return InviteReport(people=[_invite(call, one, body) for one in found])


def _read(call: Call, body: PeopleList) -> list[Listed]:
    try:
        return inviting.read(workspace=call.workspace, lines=body.people, now=call.now)
    except inviting.TooManyPeople as error:
        raise Refusal(
            422,
            "too_many_people",
            f"At most {inviting.MOST_PEOPLE} people can be invited at a time; these are {error.found}.",
            params={"most": inviting.MOST_PEOPLE, "found": error.found},
        ) from error
    except inviting.ListTooLong as error:
        raise Refusal(
            422,
            "list_too_long",
            f"This list is too long to be one of at most {inviting.MOST_PEOPLE} people.",
            params={"most": inviting.MOST_PEOPLE},
        ) from error


_OUTCOMES: Final = {
    ListedState.NEW: InviteOutcome.INVITED,
    ListedState.INVITED: InviteOutcome.LEFT,
    ListedState.MEMBER: InviteOutcome.MEMBER,
    ListedState.TWICE: InviteOutcome.TWICE,
    ListedState.NO_ADDRESS: InviteOutcome.NO_ADDRESS,
}


def _invite(call: Call, one: Listed, body: InviteList) -> InvitedPerson:
    outcome = _OUTCOMES[one.state]
    if outcome is InviteOutcome.LEFT and body.renew:
        outcome = InviteOutcome.RENEWED
    if outcome in (InviteOutcome.INVITED, InviteOutcome.RENEWED):
        try:
            return _invited(call, one, outcome, body.role)
        except services.AccountsRefused:
            # Joined since the list was read: by a link that was theirs already.
            outcome = InviteOutcome.MEMBER
    return InvitedPerson(
        line=one.line, text=one.text, email=one.email, outcome=outcome, role=one.role, link=None, expires_at=None
    )


def _invited(call: Call, one: Listed, outcome: InviteOutcome, role: Role) -> InvitedPerson:
    with call.deed.also("member.invited", {"role": role}) as deed:
        row, token = services.invite(workspace=call.workspace, email=one.email, role=role, by=call.person, now=call.now)
        deed.about(row.id, row.email)
    return InvitedPerson(
        line=one.line,
        text=one.text,
        email=row.email,
        outcome=outcome,
        role=row.role,
        # After the #, which browsers keep to themselves: the token reaches no log.
        link=f"{settings.PUBLIC_URL}/invitation#token={token}",
        expires_at=stamp(row.expires_at),
    )

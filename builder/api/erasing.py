"""Erasing somebody: what says who they are is replaced by a pseudonym wherever it is kept as such."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from django.db import transaction
from pydantic import Field

from builder.accounts import erasing
from builder.accounts.rights import Action
from builder.accounts.services import AccountsRefused
from builder.api.operation import ApiView, Body, Call, View, operation
from builder.api.problems import invalid
from builder.api.session import refused
from builder.audit import chain
from builder.audit import erasing as audit
from builder.audit.chain import Entry
from builder.workflows import recent, saved_views, seen
from builder.workflows import selectors as workflows
from runtime import api as runtime_api


class Erase(Body):
    """The e-mail address of who is to be erased, typed once more; and why."""

    email: Annotated[str, Field(min_length=3, max_length=254)]
    reason: Annotated[str, Field(min_length=1, max_length=400)]


class ErasedShape(View):
    """How they are called from now on, and in how many rows they were replaced. `workflows`: names of those in which
    their address is still written as one to ask; whoever draws these takes it out."""

    pseudonym: str
    rows: int
    workflows: list[str]


class EraseMember(ApiView):
    @operation(
        Action.MEMBERS_MANAGE, body=Erase, answer=ErasedShape, also=(404, 409), repeat="stored_apart",
        does="person.erased",
    )  # fmt: skip
    def post(self, call: Call, *, member_id: UUID, body: Erase) -> ErasedShape:
        """Replace a person's name and address by a pseudonym: in the account, questions, answers, reviews, mails and
        the audit log, which stays verifiable. It cannot be taken back. Given again, it goes on where it was."""
        try:
            who = erasing.look(workspace=call.workspace, membership_id=member_id, by=call.person)
        except AccountsRefused as error:
            raise refused(error) from error
        if body.email.strip().lower() not in who.person.emails:
            raise invalid({"email": ["This is not the address of this person."]})
        person = erasing.with_names(who.person, audit.names_in(str(who.person.id)))
        try:
            with transaction.atomic():
                if erasing.shut_out(who):
                    # Whatever becomes of the rest: that nobody comes in here any more is on record.
                    chain.append(runtime_api.ask, replace(call.deed.entry(person.pseudonym), verb="member.removed"))
        except AccountsRefused as error:
            raise refused(error) from error
        # Then what the runtime keeps, in transactions of its own: until the account itself is erased this can be
        # given again.
        rows = runtime_api.erase_person(person)
        # A version never changes: whoever takes the address out of a draft publishes another one.
        named = {name for _, name in workflows.naming(workspace_id=call.workspace.id, emails=person.emails)}

        def entry_for(chain: str) -> Entry:
            return replace(call.deed.entry(person.pseudonym), chain=chain)

        with transaction.atomic():
            erasing.erase(who, person)
            seen.forget(who.user)
            recent.forget(who.user)
            saved_views.forget(who.user, person)
            rows += audit.erase(person, who.ids, entry_for, str(call.workspace.id))
        call.deed.told(True)
        return ErasedShape(pseudonym=person.pseudonym, rows=rows, workflows=sorted(named))

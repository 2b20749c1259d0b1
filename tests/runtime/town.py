"""People for tests of the runtime: a directory with members, groups and roles, as the builder keeps one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from runtime.contracts import Absent, Addressee, Away, Person, StandIn, Voter
from runtime.engine.ids import uuid7
from runtime.ports import PeopleUnknown
from tests.runtime.machine import WORKSPACE


@dataclass
class Town:
    """Members by first name; each has the address `<name>@example.com`."""

    roles: dict[str, str] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    ids: dict[str, UUID] = field(default_factory=dict)
    group_ids: dict[str, UUID] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    #: Who stands in, by who is away; empty for nobody.
    away: dict[str, str] = field(default_factory=dict)
    until: str | None = "2026-12-03"
    #: When absences begin, in ms.
    since: int = 0

    def __post_init__(self) -> None:
        for name in self.roles:
            self.ids[name] = uuid7()
        for name in self.groups:
            self.group_ids[name] = uuid7()

    def person(self, name: str) -> Person:
        return Person(
            self.ids[name], f"{name}@example.com", name.capitalize(), self.languages.get(name, "en"), "Europe/Berlin"
        )

    def as_(self, name: str) -> Voter:
        """Somebody as a voter, with the groups and the role of today."""
        inside = tuple(self.group_ids[group] for group, members in self.groups.items() if name in members)
        role = self.roles[name]
        stands_for = tuple(self.absent(one) for one, other in self.away.items() if other == name)
        return Voter(
            self.ids[name], name.capitalize(), f"{name}@example.com", inside, role, role != "viewer", stands_for
        )

    def absent(self, name: str) -> Absent:
        return Absent(self.ids[name], f"{name}@example.com", name.capitalize(), self.until)

    # --- runtime.ports.People ---------------------------------------------------------------------------------

    def find(self, *, workspace_id: UUID, names: Sequence[str]) -> tuple[Addressee, ...]:
        unknown = [name for name in names if self._one(name) is None]
        if unknown:
            raise PeopleUnknown(unknown)
        return self.known(workspace_id=workspace_id, tokens=names)

    def known(self, *, workspace_id: UUID, tokens: Sequence[str]) -> tuple[Addressee, ...]:
        wanted = tokens or [f"{name}@example.com" for name in self.roles]
        return tuple(one for one in map(self._one, wanted) if one is not None)

    def voter(self, *, workspace_id: UUID, email: str) -> Voter | None:
        name = email.partition("@")[0]
        return self.as_(name) if name in self.roles else None

    def mark(self, *, workspace_id: UUID) -> str | None:
        return repr((self.roles, {name: sorted(members) for name, members in self.groups.items()}))

    def stand_ins(self, *, workspace_id: UUID, emails: Sequence[str]) -> tuple[StandIn, ...]:
        names = [email.partition("@")[0] for email in emails]
        return tuple(StandIn(self.absent(one), self.person(self.away[one])) for one in names if self.away.get(one))

    def absences(self) -> tuple[Away, ...]:
        return tuple(
            Away(WORKSPACE, self.absent(one), self.since, self.person(hand) if hand else None)
            for one, hand in self.away.items()
        )

    def _one(self, token: str) -> Addressee | None:
        if "@" in token:
            name = token.partition("@")[0]
            return Addressee(token, name, (self.person(name),)) if name in self.roles else None
        if token.startswith("role:"):
            role = token.removeprefix("role:")
            return Addressee(token, role, tuple(self.person(name) for name, has in self.roles.items() if has == role))
        for group, members in self.groups.items():
            if token in (group, f"group:{self.group_ids[group]}"):
                people = tuple(self.person(name) for name in sorted(members) if name in self.roles)
                return Addressee(f"group:{self.group_ids[group]}", group, people)
        return None


def town() -> Town:
    """Ines and Omar are in Finance, Ada rules, Vic looks on."""
    return Town(
        roles={"ines": "reviewer", "omar": "builder", "ada": "admin", "vic": "viewer"},
        groups={"Finance": {"ines", "omar"}},
    )

"""The people of a sandbox: everybody who is named is here, and every group and role has enough members."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from runtime.contracts import Voter
from runtime.contracts.people import Addressee, Person
from runtime.ports import Anybody

__all__ = ["Crowd", "voter"]

_PLACE = "sandbox.invalid"


class Crowd(Anybody):
    """`size`: how many are in each group and have each role."""

    def __init__(self, size: int) -> None:
        self._size = size

    @classmethod
    def for_graphs(cls, graphs: Iterable[Mapping[str, Any]]) -> Crowd:
        """One in which each approval of these graphs can be given."""
        asked = (node.get("config", {}).get("number") for graph in graphs for node in graph["nodes"])
        return cls(max([2, *(int(number) for number in asked if isinstance(number, int | float))]))

    def find(self, *, workspace_id: UUID, names: Sequence[str]) -> tuple[Addressee, ...]:
        """Whom these are: each an address of its own."""
        addresses = dict.fromkeys(one for name in names for one in self._members(name))
        return tuple(Addressee(one, one, (Person(None, one, one),)) for one in addresses)

    def known(self, *, workspace_id: UUID, tokens: Sequence[str]) -> tuple[Addressee, ...]:
        """The same; of none: as many as are in a group."""
        return self.find(workspace_id=workspace_id, names=tokens or ["everybody"])

    def _members(self, name: str) -> Iterator[str]:
        if "@" in name:
            yield name.lower()
            return
        word = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40] or "group"
        yield from (f"{word}-{number}@{_PLACE}" for number in range(1, self._size + 1))


def voter(address: str = f"drill@{_PLACE}") -> Voter:
    """Somebody of it: the same in every process of a drill."""
    return Voter(uuid5(NAMESPACE_URL, f"mailto:{address}"), "Drill", address)

"""Erasing somebody from what the runtime keeps of people, across all workspaces."""

from __future__ import annotations

from runtime.contracts.people import Erased
from runtime.store import erasing

__all__ = ["erase_person"]


def erase_person(who: Erased) -> int:
    """Replace their name and address by the pseudonym in questions, answers, mails and reviews; of how many rows. What
    runs were given and gave is not looked through: that goes by the rules of retention. Given again, it goes on."""
    return erasing.erase_person(who)

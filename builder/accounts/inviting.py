"""Many people to invite at once, read out of whatever somebody pasted: a column of a spreadsheet, the line of a mail's
addressees, one address under the other.

Of a line that has an address in it, what stands beside is passed over where it can only be a name: another cell of a
row, words in quotes, several words, or the surname of `Kaya, Ines <ines@example.com>`. Everything else that is no
address is named with its line, and hinders nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from builder.accounts.models import Invitation, Membership, Workspace
from builder.accounts.services import AccountsRefused, checked_email

#: At most so many different addresses in one list.
MOST_PEOPLE: Final = 200
#: At most so many of all that a list holds, with what stands there twice and what is no address.
MOST_ENTRIES: Final = 1_000
MOST_CHARACTERS: Final = 100_000
_MOST_SHOWN: Final = 120
#: What copying out of tables and web pages leaves in a text, and nobody sees.
_UNSEEN: Final = dict.fromkeys(
    map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e")
)


class TooManyPeople(Exception):
    """More different addresses than one list may have: so many."""

    def __init__(self, found: int) -> None:
        super().__init__(found)
        self.found = found


class ListTooLong(Exception):
    """More text than a list of so many people can need."""


class ListedState(StrEnum):
    """What an entry of a list is. NEW: nobody who is known here; INVITED: there is an open invitation already;
    TWICE: it stands further up, too."""

    NEW = "new"
    MEMBER = "member"
    INVITED = "invited"
    TWICE = "twice"
    NO_ADDRESS = "no_address"


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of a list: its line (from 1), as it was written, its address ("" where it is none), and the role that
    the person has here or was offered."""

    line: int
    text: str
    email: str
    state: ListedState
    role: str = ""


def read(*, workspace: Workspace, lines: Sequence[str], now: datetime) -> list[Listed]:
    """What each entry of the list is, in the order of the list. Raises TooManyPeople, ListTooLong."""
    if sum(len(line) + 1 for line in lines) > MOST_CHARACTERS:
        raise ListTooLong
    entries: list[tuple[int, str, str]] = []
    for number, line in enumerate(_one_by_one(lines), start=1):
        entries += [(number, text, _address(text)) for text in _entries(line)]
        if len(entries) > MOST_ENTRIES:
            raise ListTooLong
    emails = {email for _, _, email in entries if email}
    if len(emails) > MOST_PEOPLE:
        raise TooManyPeople(len(emails))
    here = Membership.objects.filter(workspace=workspace, user__email__in=emails)
    members = dict(here.values_list("user__email", "role"))
    offers = Invitation.objects.filter(workspace=workspace, email__in=emails, accepted_at=None, expires_at__gt=now)
    invited = dict(offers.values_list("email", "role"))
    found: list[Listed] = []
    seen: set[str] = set()
    for number, text, email in entries:
        if not email:
            state = ListedState.NO_ADDRESS
        elif email in seen:
            state = ListedState.TWICE
        else:
            state = (
                ListedState.MEMBER if email in members else ListedState.INVITED if email in invited else ListedState.NEW
            )
        seen.add(email)
        found.append(Listed(number, _short(text), email, state, members.get(email) or invited.get(email, "")))
    return found


def _one_by_one(lines: Sequence[str]) -> Iterator[str]:
    """The lines, where a program sends several as one."""
    for line in lines:
        yield from line.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _entries(line: str) -> list[str]:
    """What of a line is an address, or was meant as one."""
    line = line.translate(_UNSEEN)
    if not line.replace(",", " ").replace(";", " ").strip():
        return []
    if "@" not in line:
        return [line.strip()]
    found: list[str] = []
    cells = line.split("\t")
    for cell in cells:
        chunks = _split(cell, ";")
        for chunk in chunks:
            pieces = _split(chunk, ",")
            alone = len(cells) > 1 and len(chunks) == len(pieces) == 1
            for place, piece in enumerate(pieces):
                surname = place + 1 < len(pieces) and pieces[place + 1].endswith(">")
                words = piece.split()
                if "@" in piece:
                    several = "<" not in piece and all("@" in word for word in words)
                    found += words if several else [piece]
                elif not (alone or surname or _quoted(piece) or len(words) > 1):
                    found.append(piece)
    return found


def _split(text: str, at: str) -> list[str]:
    """A text at this sign, but for where it stands in quotes; a quote that is never closed is none."""
    quotes = text.count('"') % 2 == 0
    pieces, begin, within = [], 0, False
    for place, sign in enumerate(text):
        if sign == '"' and quotes:
            within = not within
        elif sign == at and not within:
            pieces.append(text[begin:place])
            begin = place + 1
    pieces.append(text[begin:])
    return [piece.strip() for piece in pieces if piece.strip()]


def _address(text: str) -> str:
    """The address as it is kept, "" where this is none. `Ines Kaya <ines@example.com>` is one."""
    if text.endswith(">") and text.count("<") == 1:
        name, _, text = text[:-1].partition("<")
        name = _bare(name)
        # Two different addresses, and nobody knows which of them was meant.
        if "@" in name and name.lower() != text.strip().lower():
            return ""
    text = _bare(text)
    if text.lower().startswith("mailto:"):
        text = text[len("mailto:") :]
    try:
        return checked_email(text)
    except AccountsRefused:
        return ""


def _quoted(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"


def _bare(text: str) -> str:
    text = text.strip()
    return text[1:-1].strip() if _quoted(text) else text


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"

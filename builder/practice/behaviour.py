"""How the company can be told to misbehave, as real partners do.

A behaviour is written as words: `slow=500` (answer after 500 ms), `fail=503` (refuse, nothing applied), `drop` (apply,
then cut the connection), `reset` (cut it before applying), `hang` (apply, never answer), `limit=2` (429 with
`Retry-After: 2`), `ignore` (apply every call, whatever its key). `fail=503*2` holds for the first two calls with the
same key only; `;` joins several.

It comes from the header `X-Practice-Behaviour`, from the path (`/with/fail=503*2/invoices`), or from a standing order
(`POST /behaviour`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

WORD = re.compile(r"(slow|fail|drop|reset|hang|limit|ignore)(?:=([0-9]{1,6}))?(?:\*([0-9]{1,4}))?\Z")
NEEDS_NUMBER = ("slow", "fail", "limit")
LONGEST_SECONDS = 600


class BehaviourRefused(ValueError):
    """Words that are no behaviour; the message says which."""


@dataclass(frozen=True, slots=True)
class Word:
    """One behaviour. `times` limits it to the first calls with the same key; None means every call."""

    kind: str
    number: int | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """All that holds for one call."""

    text: str = ""
    words: tuple[Word, ...] = field(default=())

    def word(self, kind: str, earlier_calls: int) -> Word | None:
        """The word of this kind if it still holds after so many earlier calls with the same key."""
        for word in self.words:
            if word.kind == kind and (word.times is None or earlier_calls < word.times):
                return word
        return None


def parse(text: str) -> Behaviour:
    """Read a behaviour; raises BehaviourRefused."""
    words = []
    for part in re.split(r"[;,]", text):
        part = part.strip()
        if not part:
            continue
        found = WORD.match(part)
        if found is None:
            raise BehaviourRefused(
                f"“{part[:40]}” is no behaviour: use slow=ms, fail=status, drop, reset, hang, limit=s."
            )
        kind, number, times = found.groups()
        if (number is None) == (kind in NEEDS_NUMBER):
            raise BehaviourRefused(f"“{part[:40]}”: {kind} {'needs' if number is None else 'takes no'} number.")
        if kind == "fail" and not 400 <= int(number) <= 599:
            raise BehaviourRefused(f"“{part[:40]}”: a refusal has a status from 400 to 599.")
        if kind == "slow" and int(number) > LONGEST_SECONDS * 1000:
            raise BehaviourRefused(f"“{part[:40]}”: at most {LONGEST_SECONDS * 1000} ms.")
        words.append(Word(kind, int(number) if number else None, int(times) if times else None))
    return Behaviour(";".join(part.strip() for part in re.split(r"[;,]", text) if part.strip()), tuple(words))


def join(*behaviours: Behaviour) -> Behaviour:
    """All words of several behaviours, earlier ones first."""
    filled = [behaviour for behaviour in behaviours if behaviour.words]
    return Behaviour(
        ";".join(behaviour.text for behaviour in filled), tuple(word for one in filled for word in one.words)
    )


def from_path(path: str) -> tuple[str, Behaviour]:
    """Take `/with/<behaviour>` off a path; raises BehaviourRefused."""
    if not path.startswith("/with/"):
        return path, Behaviour()
    words, separator, rest = path.removeprefix("/with/").partition("/")
    return f"/{rest}" if separator else "/", parse(words)

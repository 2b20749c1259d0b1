"""E-mail addresses as people write them into a field, read strictly: what two readers could read differently is none.

The library's reader forgives: of ``ann@ex ample.com`` it makes ``ann@example.com``, of ``a@b.com <x@evil.com>`` two.
"""

from __future__ import annotations

import re
from typing import Final

from runtime.sdk.addresses import read_host
from runtime.sdk.errors import PermanentError

_LOCAL: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~][A-Za-z0-9!#$%&'*+/=?^_`{|}~-]*(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z"
)
_NAMED: Final = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>\Z")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\Z')
_LONGEST_LOCAL: Final = 64


def split_mailboxes(text: str) -> list[str]:
    """The entries of a field, cut at commas and semicolons that stand in no quotes; empty ones are left out."""
    entries, quoted, start = [], False, 0
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and quoted:
            position += 1
        elif character == '"':
            quoted = not quoted
        elif character in ",;" and not quoted:
            entries.append(text[start:position])
            start = position + 1
        position += 1
    entries.append(text[start:])
    return [entry.strip() for entry in entries if entry.strip()]


def read_mailbox(entry: str) -> tuple[str, str, str]:
    """One entry as (name, what is before the @, host in ASCII); raises ValueError where it is no address."""
    named = _NAMED.match(entry)
    name, address = (named["name"].strip(), named["address"].strip()) if named else ("", entry)
    if quoted := _QUOTED.match(name):
        name = re.sub(r"\\(.)", r"\1", quoted[1])
        if "@" in name:
            name = ""  # a display name that looks like another address deceives the reader
    elif "@" in name or '"' in name:
        raise ValueError("two addresses in one")
    local, at, host = address.rpartition("@")
    if not at or len(local) > _LONGEST_LOCAL or not _LOCAL.match(local) or local.startswith("-"):
        raise ValueError("not an address")
    if "." not in host.strip(".") and host.lower() != "localhost":
        raise ValueError("not a host")
    try:
        ascii_host = read_host(address, host)
    except PermanentError:
        raise ValueError("not a host") from None
    return name, local, ascii_host if host.lower() != ascii_host else host

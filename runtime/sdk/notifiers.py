"""The services that alerts reach by the library Apprise: which may be used, and one made of its address.

What a service sends goes through a way that the caller opens (`notifier_door`), never by a connection of the library's
own. So only services are taken whose sources lead out by `requests` alone; the list is made of those sources, and a
test holds it. The library is read when the first address of its kind is, for it takes half a second.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from runtime.sdk.errors import PermanentError

__all__ = ["NotReached", "is_service", "make_service", "refused_service", "scheme_of"]


class NotReached(Exception):
    """A request did not get through. A service takes it for a broken connection."""


_LISTED: Final = Path(__file__).with_name("apprise_services.json")
_MAIL: Final = frozenset({"mailto", "mailtos", "deltachat", "deltachats"})


@cache
def _listed() -> tuple[dict[str, str], frozenset[str]]:
    read = json.loads(_LISTED.read_text(encoding="utf-8"))
    return read["usable"], frozenset(read["refused"])


def scheme_of(address: str) -> str:
    """What stands before `://`, empty where nothing does."""
    scheme, found, _ = address.strip().partition("://")
    return scheme.lower() if found else ""


def is_service(address: str) -> bool:
    """Whether this is the address of a service that may be used."""
    return scheme_of(address) in _listed()[0]


def refused_service(address: str) -> PermanentError | None:
    """Why an address is refused that Apprise knows, and what to use instead; None where that is not why."""
    scheme = scheme_of(address)
    if scheme not in _listed()[1]:
        return None
    if scheme in _MAIL:
        return PermanentError(
            "This address cannot be used",
            "mail goes to the people of a channel, by its mail server. Choose them there.",
            "address_service",
        )
    return PermanentError(
        "This address cannot be used",
        "this service opens connections of its own or reads files of the server, which Millrace does not let through. "
        "Use another one, or a web address that takes JSON.",
        "address_service",
    )


def make_service(address: str) -> Any:
    """The service that this address names, ready to be told something. Raises PermanentError in words that hold no
    part of the address."""
    from runtime.sdk.notifier_door import prepared

    module, _, name = _listed()[0][scheme_of(address)].partition(":")
    try:
        plugin = getattr(prepared(import_module(module)), name)
        read = plugin.parse_url(address.strip())
        if read:
            return _made(plugin, read)
    except Exception:
        # Its own words may hold a part of the address.
        pass
    raise PermanentError(
        "This address cannot be read",
        "something is missing in it, or not written as this service wants it.",
        "address_service",
    )


def _made(plugin: Any, read: dict[str, Any]) -> Any:
    from runtime.sdk.notifier_door import asset

    # Millrace has its own order of trying again, and waits for nobody in between.
    service = plugin(**{**read, "asset": asset(), "retry": 0, "wait": 0.0})
    if not service.enabled:
        raise ValueError("not enabled")
    service.request_rate_per_sec = min(float(service.request_rate_per_sec), 0.5)
    return service

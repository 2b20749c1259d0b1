"""The company's list of shipments, which it gives out page by page in every way that partners do.

`GET /shipments?of=250`: so many there are. `limit` says how many a page holds (50), `page` (from 1), `offset` or
`cursor` which page. The answer names the next page by its address, by a cursor and by a Link header. With `shift=1`
each page begins one entry early, as of a list into which somebody writes meanwhile.
"""

from __future__ import annotations

import sqlite3
from urllib.parse import parse_qs, urlencode

from builder.practice.asking import Call, Refused, whole
from runtime.contracts import JSON

MOST = 1_000_000


def shipments(_database: sqlite3.Connection, call: Call) -> tuple[int, JSON]:
    """One page of them."""
    asked = _asked(call)
    count, limit, at, shift = _place(asked)
    first = max(at - shift, 0)
    rows: list[JSON] = [{"id": f"S-{n + 1}", "number": n + 1} for n in range(first, min(at + limit, count))]
    following = _next(asked, count, limit, at)
    return 200, {
        "shipments": rows,
        "total": count,
        "paging": {
            "next": None if following is None else f"/shipments?{following}",
            "cursor": _cursor(count, limit, at),
        },
    }


def link(call: Call) -> tuple[tuple[str, str], ...]:
    """The Link header of such a page."""
    if call.path != "/shipments" or call.method != "GET":
        return ()
    try:
        asked = _asked(call)
        following = _next(asked, *_place(asked)[:3])
    except Refused:
        return ()
    first = '</shipments>; rel="first"'
    return (("Link", first if following is None else f'{first}, </shipments?{following}>; rel="next"'),)


def _asked(call: Call) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(call.query).items()}


def _place(asked: dict[str, str]) -> tuple[int, int, int, int]:
    """How many there are, how many on a page, how many before this one, and by how many it begins too early."""
    count = min(whole(asked.get("of", "250")), MOST)
    limit = max(1, min(whole(asked.get("limit", "50")), 1_000))
    if "cursor" in asked:
        at = whole(asked["cursor"].removeprefix("after-"))
    elif "page" in asked:
        at = max(whole(asked["page"]) - 1, 0) * limit
    else:
        at = whole(asked.get("offset", "0"))
    return count, limit, at, whole(asked.get("shift", "0"))


def _cursor(count: int, limit: int, at: int) -> str | None:
    return f"after-{at + limit}" if at + limit < count else None


def _next(asked: dict[str, str], count: int, limit: int, at: int) -> str | None:
    cursor = _cursor(count, limit, at)
    if cursor is None:
        return None
    kept = {name: value for name, value in asked.items() if name not in ("page", "offset", "cursor")}
    return urlencode({**kept, "cursor": cursor})

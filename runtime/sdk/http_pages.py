"""A list that another system gives out page by page over HTTP."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urljoin

from runtime.engine.jsonprofile import JSON, JSONRefused
from runtime.sdk.addresses import read_address
from runtime.sdk.bodies import response_json, response_text
from runtime.sdk.calls import REFUSED_HEADERS, Signed, refuse, sign_in, with_query
from runtime.sdk.context import Context, HttpAnswer
from runtime.sdk.errors import PermanentError
from runtime.sdk.headers import check_header
from runtime.sdk.sources import Page

__all__ = ["HttpPages", "Next", "at_path"]

Next = Literal["url", "page", "offset", "cursor", "link"]

_RECORDED: Final = 4_000
#: Bytes of an answer that is read in a thread.
_LARGE: Final = 128 * 1024
_LINK: Final = re.compile(r"<([^<>]*)>([^<]*)")
_IS_NEXT: Final = re.compile(r';\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?(?=\s*[;,]|\s*$)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HttpPages:
    """See `sources.Source`. The cursor holds what the next call needs: an address, a number, or the other side's text.

    By number and by offset a page with fewer entries than `size` is the last, or an empty one where that is not known
    (0). By address, cursor and Link header the last one is that which names no next; an empty page may have one.
    """

    url: str
    connection: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    #: Where in the answer the list stands, names with dots between; empty: the answer is the list.
    list_path: str
    next_by: Next
    next_path: str = ""
    #: The parameter that names the page, the offset or the cursor.
    name: str = "page"
    first: int = 1
    #: The parameter that says how many entries a page is to have; empty: none.
    size_name: str = ""
    size: int = 0
    total_path: str = ""

    async def read_page(self, cursor: JSON, context: Context) -> Page:
        url, query = self._call(cursor)
        host = read_address(url).host
        if host != read_address(self.url).host and self.headers:
            raise PermanentError(
                "The next page is elsewhere",
                f"The next page is at {host}, which must not see the headers that are set here. Keep what signs you in "
                "in a connection for both hosts.",
                "next_elsewhere",
            )
        signed = await sign_in(context, self.connection, host, list(self.headers), query)
        answer = await self._answer(context, url, signed)
        if answer.status == 401 and signed.renew is not None:
            # A token can be ended before its time.
            signed.renew()
            signed = await sign_in(context, self.connection, host, list(self.headers), query)
            answer = await self._answer(context, url, signed)
        kind = answer.headers.get("content-type", "")
        if not 200 <= answer.status <= 299:
            text = signed.redactor.text(response_text(kind, answer.content)[:_RECORDED])
            refuse(answer, host, text, None, None)
        try:
            if len(answer.content) < _LARGE:
                body = response_json(kind, answer.content)
            else:
                # Whoever shares the loop does not wait for it.
                body = await asyncio.to_thread(response_json, kind, answer.content)
        except JSONRefused as refused:
            raise PermanentError(
                "The answer is not data", f"{host} answered with what cannot be read as JSON: {refused}.", "not_json"
            ) from None
        items = at_path(body, self.list_path)
        if not isinstance(items, list):
            raise PermanentError("There is no list in the answer", self._no_list(body, items), "no_list")
        total = at_path(body, self.total_path) if self.total_path else None
        following = self._next(cursor, body, answer, len(items))
        if following is not None and following == cursor:
            raise PermanentError(
                "The pages go round in a circle",
                f"{host} says that the next page is the same one again. Check how the next page is found.",
                "pages_in_a_circle",
            )
        return Page(tuple(items), following, total if type(total) is int and total >= 0 else None)

    async def _answer(self, context: Context, url: str, signed: Signed) -> HttpAnswer:
        for name, value in signed.headers:
            try:
                check_header(name, value, REFUSED_HEADERS)
            except ValueError as error:
                raise PermanentError("A header cannot be sent", f"{error}.", "header") from None
        return await context.http.request(
            "GET",
            with_query(url, signed.query),
            headers=signed.headers,
            total_seconds=context.timeout_seconds,
            drop_on_redirect=signed.drop,
        )

    def _call(self, cursor: JSON) -> tuple[str, list[tuple[str, str]]]:
        """Address and query of this page."""
        if isinstance(cursor, Mapping) and isinstance(cursor.get("url"), str):
            return str(cursor["url"]), []
        query = list(self.query)
        at: Any = cursor.get("at") if isinstance(cursor, Mapping) else None
        if self.next_by in ("page", "offset"):
            query.append((self.name, str(self.first if at is None else at)))
        elif self.next_by == "cursor" and at is not None:
            query.append((self.name, str(at)))
        if self.size_name and self.size:
            query.append((self.size_name, str(self.size)))
        return self.url, query

    def _next(self, cursor: JSON, body: JSON, answer: HttpAnswer, count: int) -> JSON:
        at: Any = cursor.get("at") if isinstance(cursor, Mapping) else None
        match self.next_by:
            case "page":
                return None if self._is_last(count) else {"at": (self.first if at is None else int(at)) + 1}
            case "offset":
                return None if self._is_last(count) else {"at": (self.first if at is None else int(at)) + count}
            case "link":
                return self._address(_next_link(answer.headers.get("link", "")), answer)
            case "url":
                return self._address(at_path(body, self.next_path), answer)
            case "cursor":
                found = at_path(body, self.next_path)
                if found in (None, "", False):
                    return None
                if isinstance(found, str) or type(found) is int:
                    return {"at": found}
                raise self._unusable(found)

    def _is_last(self, count: int) -> bool:
        return count == 0 or count < self.size

    def _address(self, found: JSON, answer: HttpAnswer) -> JSON:
        if found in (None, "", False):
            return None
        if not isinstance(found, str):
            raise self._unusable(found)
        return {"url": urljoin(answer.url or self.url, found)}

    def _unusable(self, found: JSON) -> PermanentError:
        return PermanentError(
            "The next page cannot be told",
            f"“{self.next_path}” in the answer holds {_sort(found)}, where the next page should be named.",
            "next_unusable",
        )

    def _no_list(self, body: JSON, found: JSON) -> str:
        where = f"At “{self.list_path}” in the answer" if self.list_path else "In its place"
        names = [name for name, value in body.items() if isinstance(value, list)] if isinstance(body, dict) else []
        hint = f" A list stands at “{names[0]}”." if names else ""
        return f"{where} stands {_sort(found)}.{hint} Say where the list is."


def at_path(value: JSON, path: str) -> JSON:
    """What stands at this place, names and numbers with dots between; None where nothing does."""
    for part in filter(None, path.strip().removeprefix("$").split(".")):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isascii() and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _next_link(header: str) -> str | None:
    """The address with `rel="next"` of a Link header (RFC 8288)."""
    for address, parameters in _LINK.findall(header):
        if _IS_NEXT.search(parameters.rstrip().rstrip(",")):
            return str(address).strip()
    return None


def _sort(value: JSON) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "yes or no", type(None): "nothing"}
    return names.get(type(value), "a number")

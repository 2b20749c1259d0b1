"""The page behind a run's link, for people: what is waited for, and a button. It can do nothing but send the button's
form back to where it came from."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from runtime.intake.answers import Answer
from runtime.store.signals import Used

__all__ = ["Language", "asked", "done", "not_here", "wanted"]

Language = Literal["en", "de"]

_HEADERS: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    # The address is the secret.
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_WORDS: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "title": "A workflow waits for this",
        "open": "Press the button, and it goes on.",
        "button": "Confirm",
        "resumed": "Thank you. It goes on.",
        "again": "This was confirmed already. There is nothing more to do.",
        "late": "It is too late: the time for this is over.",
        "ended": "Nobody waits for this any more.",
        "missing": "There is no such link. Perhaps not all of it was copied.",
    },
    "de": {
        "title": "Ein Ablauf wartet darauf",
        "open": "Ein Klick auf den Knopf, und er geht weiter.",
        "button": "Bestätigen",
        "resumed": "Danke. Es geht weiter.",
        "again": "Das wurde schon bestätigt. Es ist nichts mehr zu tun.",
        "late": "Es ist zu spät: Die Zeit dafür ist vorbei.",
        "ended": "Darauf wartet niemand mehr.",
        "missing": "Diesen Link gibt es nicht. Vielleicht wurde er nicht ganz kopiert.",
    },
}
_STATUS: Final = {"open": 200, "resumed": 202, "again": 200, "other": 409, "late": 410, "ended": 410, "missing": 404}
_PAGE: Final = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: light-dark(#f6f6f4, #17181a);
  color: light-dark(#1d1f23, #ececea); font: 16px/1.5 system-ui, sans-serif; }}
main {{ box-sizing: border-box; width: min(30rem, 100vw - 2rem); padding: 2rem; border-radius: 12px;
  background: light-dark(#fff, #212327); border: 1px solid light-dark(#e2e2de, #35383d); }}
h1 {{ margin: 0 0 .5rem; font-size: 1.25rem; line-height: 1.35; overflow-wrap: anywhere; }}
p {{ margin: 0; }}
button {{ margin-top: 1.5rem; width: 100%; min-height: 44px; border: 0; border-radius: 8px; cursor: pointer;
  background: light-dark(#1f5fd0, #7fb0ff); color: light-dark(#fff, #10213f); font: inherit; font-weight: 600; }}
button:focus-visible {{ outline: 2px solid currentColor; outline-offset: 2px; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p role="status">{text}</p>
{form}</main>
</body>
</html>
"""


def wanted(headers: Mapping[bytes, Sequence[bytes]]) -> Language | None:
    """The language of whoever wants a page; None for a program, which wants data."""
    accepted = b",".join(headers.get(b"accept", ())).lower()
    if b"text/html" not in accepted:
        return None
    first = b",".join(headers.get(b"accept-language", ())).strip().lower()
    return "de" if first.startswith(b"de") else "en"


def asked(language: Language, used: Used) -> Answer:
    """The page of a link that was opened: nothing was done by that."""
    return _page(language, used, form=used.what == "open")


def done(language: Language, used: Used) -> Answer:
    """What came of pressing the button."""
    return _page(language, used, form=False)


def not_here(language: Language) -> Answer:
    """The page for a link that is none."""
    return _page(language, Used("missing"), form=False)


def _page(language: Language, used: Used, *, form: bool) -> Answer:
    words = _WORDS[language]
    what = "again" if used.what == "other" else used.what
    button = f'<form method="post"><button type="submit">{words["button"]}</button></form>\n' if form else ""
    title = html.escape(used.title or words["title"])
    body = _PAGE.format(language=language, title=title, text=words[what], form=button).encode()
    return Answer(_STATUS[used.what], (*_HEADERS, (b"content-length", b"%d" % len(body))), body)

"""The page behind a run's link, for people: what is waited for, and a button. It can do nothing but send the button's
form back to where it came from."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from runtime.intake.answers import Answer
from runtime.store.signals import Used

__all__ = ["LOOK", "Language", "asked", "done", "not_here", "wanted"]

Language = Literal["en", "de"]

_HEADERS: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; font-src 'self'; form-action 'self'; base-uri 'none'; "
        b"frame-ancestors 'none'",
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
#: The font and the colours of the front end, by the names that they have there.
LOOK: Final = """
@font-face { font-family: "Inter Variable"; font-weight: 100 900; font-display: swap;
  src: url("/assets/inter-latin-wght-normal.woff2") format("woff2-variations"); }
:root { color-scheme: light dark; --canvas: #f4f6f9; --surface: #ffffff; --border: #dde2ea; --ink: #152033;
  --ink2: #4a566b; --accent: #3346c2; --accentHover: #2837a3; --onAccent: #ffffff; --focus: #3346c2; }
@media (prefers-color-scheme: dark) { :root { --canvas: #0f141c; --surface: #161c26; --border: #2b3544;
  --ink: #e8ecf3; --ink2: #b4bece; --accent: #8fa0ff; --accentHover: #a8b5ff; --onAccent: #10162e;
  --focus: #a8b5ff; } }"""
_PAGE: Final = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{look}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--canvas);
  color: var(--ink); font: 15px/1.5 "Inter Variable", Inter, system-ui, "Segoe UI", Roboto, sans-serif; }}
main {{ box-sizing: border-box; width: min(30rem, 100vw - 2rem); padding: 2rem; border-radius: 12px;
  background: var(--surface); border: 1px solid var(--border); }}
h1 {{ margin: 0 0 .5rem; font-size: 20px; font-weight: 600; line-height: 1.35; overflow-wrap: anywhere; }}
p {{ margin: 0; color: var(--ink2); }}
button {{ margin-top: 1.5rem; width: 100%; min-height: 44px; border: 0; border-radius: 8px; cursor: pointer;
  background: var(--accent); color: var(--onAccent); font: inherit; font-weight: 600; }}
button:hover {{ background: var(--accentHover); }}
button:focus-visible {{ outline: 2px solid var(--focus); outline-offset: 2px; }}
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
    body = _PAGE.format(look=LOOK, language=language, title=title, text=words[what], form=button).encode()
    return Answer(_STATUS[used.what], (*_HEADERS, (b"content-length", b"%d" % len(body))), body)

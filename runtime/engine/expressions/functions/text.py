"""Text. No pattern language: a pattern of a user's cannot be stopped once it runs."""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import string
import unicodedata
import uuid
from typing import Any, Final
from urllib.parse import quote, unquote

from runtime.engine.expressions.errors import ExpressionError
from runtime.engine.expressions.registry import function
from runtime.engine.expressions.values import Meter, same, text_of


@function("text", "upper(text:text)", "The text in capital letters.", 'upper("Invoice")', "INVOICE")
def upper(meter: Meter, text: str) -> str:
    meter.text(len(text) * 3)
    return text.upper()


@function("text", "lower(text:text)", "The text in small letters.", 'lower("Invoice")', "invoice")
def lower(meter: Meter, text: str) -> str:
    meter.text(len(text) * 3)
    return text.lower()


@function(
    "text", "title(text:text)", "Every word with a capital first letter.", 'title("ann maria lee")', "Ann Maria Lee"
)
def title(meter: Meter, text: str) -> str:
    meter.text(len(text) * 3)
    return " ".join(word[:1].upper() + word[1:].lower() for word in text.split(" "))


@function("text", "trim(text:text)", "The text without spaces at both ends.", 'trim("  A-17 ")', "A-17")
def trim(meter: Meter, text: str) -> str:
    meter.text(len(text))
    return text.strip()


@function("text", "squeeze(text:text)", "Runs of spaces and line ends become one space.", 'squeeze("a   b")', "a b")
def squeeze(meter: Meter, text: str) -> str:
    meter.text(len(text))
    return " ".join(text.split())


def _filling(meter: Meter, text: str, length: int, fill: str) -> str:
    if len(fill) != 1:
        raise ExpressionError("arguments", "fills with exactly one character.")
    meter.text(max(length, len(text)))
    return fill * (length - len(text))


@function(
    "text", "pad_left(text:text, length:whole, fill:text?)", "Fill up on the left.", 'pad_left(42, 6, "0")', "000042"
)
def pad_left(meter: Meter, text: str, length: int, fill: str = " ") -> str:
    return _filling(meter, text, length, fill) + text


@function(
    "text", "pad_right(text:text, length:whole, fill:text?)", "Fill up on the right.", 'pad_right("ab", 4, ".")', "ab.."
)
def pad_right(meter: Meter, text: str, length: int, fill: str = " ") -> str:
    return text + _filling(meter, text, length, fill)


@function("text", "left(text:text, count:whole)", "The first characters.", 'left("INV-1042", 3)', "INV")
def left(meter: Meter, text: str, count: int) -> str:
    meter.text(len(text))
    return text[: max(count, 0)]


@function("text", "right(text:text, count:whole)", "The last characters.", 'right("INV-1042", 4)', "1042")
def right(meter: Meter, text: str, count: int) -> str:
    meter.text(len(text))
    return text[-count:] if count > 0 else ""


@function(
    "text",
    "mid(text:text, start:whole, count:whole)",
    "Characters from a position, counted from 1.",
    'mid("INV-1042", 5, 2)',
    "10",
)
def mid(meter: Meter, text: str, start: int, count: int) -> str:
    meter.text(len(text))
    return text[max(start, 1) - 1 : max(start, 1) - 1 + max(count, 0)]


@function("text", "length(value:any)", "How many characters, entries or fields.", 'length("INV-1042")', 8)
def length(meter: Meter, value: Any) -> int:
    return len(value) if isinstance(value, list | dict) else len(text_of(value, meter))


@function("text", "split(text:text, by:text)", "Cut a text into a list.", 'split("a;b;c", ";")', ["a", "b", "c"])
def split(meter: Meter, text: str, by: str) -> list[str]:
    if not by:
        raise ExpressionError("arguments", "needs a text to split by.")
    meter.text(len(text))
    meter.spend(text.count(by) + 1)
    return text.split(by)


@function("text", "lines(text:text)", "The lines of a text as a list.", 'lines("a\\nb")', ["a", "b"])
def lines(meter: Meter, text: str) -> list[str]:
    meter.spend(len(text) // 4 + 1)
    return text.splitlines()


@function("text", "words(text:text)", "The words of a text as a list.", 'words("pay  by card")', ["pay", "by", "card"])
def words(meter: Meter, text: str) -> list[str]:
    meter.spend(len(text) // 2 + 1)
    return text.split()


@function("text", "join(list:list, by:text?)", "Put a list together as one text.", 'join(["a", "b"], ", ")', "a, b")
def join(meter: Meter, entries: list[Any], by: str = ", ") -> str:
    meter.spend(len(entries))
    texts = [text_of(entry, meter) for entry in entries]
    meter.text(sum(map(len, texts)) + len(by) * len(texts))
    return by.join(texts)


@function(
    "text", "replace(text:text, old:text, new:text)", "Replace every occurrence.", 'replace("1.234", ".", "")', "1234"
)
def replace(meter: Meter, text: str, old: str, new: str) -> str:
    if not old:
        raise ExpressionError("arguments", "needs a text to look for.")
    meter.spend(len(text) >> 6)
    meter.text(len(text) + text.count(old) * max(len(new) - len(old), 0))
    return text.replace(old, new)


@function("text", "repeat(text:text, times:whole)", "The text several times.", 'repeat("-", 5)', "-----")
def repeat(meter: Meter, text: str, times: int) -> str:
    meter.text(len(text) * max(times, 0))
    return text * max(times, 0)


@function(
    "text",
    "contains(text:any, part:any)",
    "Whether a text or list contains something.",
    'contains("INV-1042", "INV")',
    True,
)
def contains(meter: Meter, text: Any, part: Any) -> bool:
    if isinstance(text, list):
        meter.spend(len(text))
        return any(same(entry, part, meter) for entry in text)
    whole = text_of(text, meter)
    meter.text(len(whole))
    return text_of(part, meter) in whole


@function(
    "text",
    "starts_with(text:text, part:text)",
    "Whether a text begins like this.",
    'starts_with("INV-1042", "INV-")',
    True,
)
def starts_with(meter: Meter, text: str, part: str) -> bool:
    meter.spend(len(part) >> 10)
    return text.startswith(part)


@function(
    "text", "ends_with(text:text, part:text)", "Whether a text ends like this.", 'ends_with("scan.pdf", ".pdf")', True
)
def ends_with(meter: Meter, text: str, part: str) -> bool:
    meter.spend(len(part) >> 10)
    return text.endswith(part)


@function(
    "text",
    "matches(text:text, pattern:text)",
    "Whether a text looks like a pattern: * any characters, ? one.",
    'matches("INV-1042", "INV-*")',
    True,
)
def matches(meter: Meter, text: str, pattern: str) -> bool:
    """Classic two-pointer wildcard match: at most len(text) × len(pattern) steps, counted."""
    here = there = 0
    star = mark = -1
    steps = 0
    while here < len(text):
        steps += 1
        if steps & 63 == 0:
            meter.spend(16)
        if there < len(pattern) and (pattern[there] == "?" or pattern[there] == text[here]) and pattern[there] != "*":
            here += 1
            there += 1
        elif there < len(pattern) and pattern[there] == "*":
            star, mark = there, here
            there += 1
        elif star >= 0:
            mark += 1
            here, there = mark, star + 1
        else:
            return False
    return all(character == "*" for character in pattern[there:])


@function(
    "text",
    "between(text:text, start:text, end:text)",
    "What stands between two texts; empty when they are not there.",
    'between("Order <A-17> paid", "<", ">")',
    "A-17",
)
def between(meter: Meter, text: str, start: str, end: str) -> str:
    meter.text(len(text))
    _before, found, rest = text.partition(start) if start else ("", "x", text)
    inside, closed, _after = rest.partition(end) if end else (rest, "x", "")
    return inside if found and closed else ""


@function(
    "text",
    "before(text:text, part:text)",
    "What stands before a text; all when it is not there.",
    'before("ann@example.com", "@")',
    "ann",
)
def before(meter: Meter, text: str, part: str) -> str:
    meter.text(len(text))
    return text.partition(part)[0] if part else text


@function(
    "text",
    "after(text:text, part:text)",
    "What stands after a text; empty when it is not there.",
    'after("ann@example.com", "@")',
    "example.com",
)
def after(meter: Meter, text: str, part: str) -> str:
    meter.text(len(text))
    return text.partition(part)[2] if part else text


@function("text", "digits(text:text)", "Only the digits of a text.", 'digits("+49 (30) 12-34")', "49301234")
def digits(meter: Meter, text: str) -> str:
    meter.spend(len(text) // 16 + 1)
    return "".join(character for character in text if character in "0123456789")


@function(
    "text",
    "plain_letters(text:text)",
    "Letters without accents: é becomes e, ß becomes ss.",
    'plain_letters("Müller & Søn")',
    "Muller & Son",
)
def plain_letters(meter: Meter, text: str) -> str:
    meter.spend(len(text) // 4 + 1)
    meter.text(len(text))
    if text.isascii():
        return text
    pieces = []
    length = 0
    # In parts, because one letter can become eighteen; marks are dropped, so their order across parts does not matter.
    for start in range(0, len(text), _PART):
        part = text[start : start + _PART].translate(_LETTERS)
        pieces.append("".join(c for c in unicodedata.normalize("NFKD", part) if not unicodedata.combining(c)))
        length += len(pieces[-1])
        meter.text(len(pieces[-1]) if length <= meter.longest else length)
    return "".join(pieces)


_PART: Final = 4_096
_LETTERS: Final = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "Ø": "O",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "Đ": "D",
    }
)


@function(
    "text",
    "slug(text:text)",
    "Small letters, digits and dashes, for names in addresses.",
    'slug("Über uns: Kontakt!")',
    "uber-uns-kontakt",
)
def slug(meter: Meter, text: str) -> str:
    plain = plain_letters(meter, text).lower()
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in plain).split())


@function(
    "text",
    "html_escape(text:text)",
    "Safe to place in HTML.",
    'html_escape("<b>5 > 4</b>")',
    "&lt;b&gt;5 &gt; 4&lt;/b&gt;",
)
def html_escape(meter: Meter, text: str) -> str:
    meter.text(len(text) * 6)
    return html.escape(text)


@function(
    "text", "strip_html(text:text)", "The words of an HTML text.", 'strip_html("<p>Dear <b>Ann</b></p>")', "Dear Ann"
)
def strip_html(meter: Meter, text: str) -> str:
    """One pass with `find`, so that no input takes longer than its length; a tag that never ends is dropped."""
    meter.text(len(text))
    meter.spend(text.count("<") * 2)
    lowered = text.translate(_SMALL)  # lower() can change the length of a text
    found: list[str] = []
    position = 0
    while position < len(text):
        start = text.find("<", position)
        if start < 0:
            found.append(text[position:])
            break
        found.append(text[position:start])
        name = lowered[start + 1 : start + 12]
        if name.startswith("!--"):
            end, length = text.find("-->", start), 3
        elif name.startswith(("script", "style")):
            tag = "</script" if name.startswith("script") else "</style"
            end, length = lowered.find(tag, start), 0
        elif name[:1].isalpha() or name[:1] in ("/", "!", "?"):
            end, length = text.find(">", start), 1
            if name.lstrip("/").startswith(_BREAKS):
                found.append("\n")
        else:
            found.append("<")  # a sign, not a tag
            position = start + 1
            continue
        if end < 0:
            break
        position = end + length
    lines = (" ".join(line.split()) for line in html.unescape("".join(found)).replace("\x00", "").split("\n"))
    return "\n".join(line for line in lines if line)


_SMALL: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_BREAKS = ("br", "p>", "p ", "div", "tr", "li", "h1", "h2", "h3", "table", "ul", "ol")


@function("text", "url_encode(text:text)", "Safe to place in a web address.", 'url_encode("a b&c")', "a%20b%26c")
def url_encode(meter: Meter, text: str) -> str:
    meter.text(len(text) * 12)
    return quote(text, safe="")


@function("text", "url_decode(text:text)", "Undo url_encode.", 'url_decode("a%20b%26c")', "a b&c")
def url_decode(meter: Meter, text: str) -> str:
    meter.text(len(text))
    return unquote(text).replace("\x00", "")


@function("text", "base64_encode(text:text)", "The text in Base64.", 'base64_encode("Ann:secret")', "QW5uOnNlY3JldA==")
def base64_encode(meter: Meter, text: str) -> str:
    meter.text(len(text) * 6)
    return base64.b64encode(text.encode()).decode()


@function("text", "base64_decode(text:text)", "Read a Base64 text.", 'base64_decode("QW5u")', "Ann")
def base64_decode(meter: Meter, text: str) -> str:
    meter.text(len(text))
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        raise ExpressionError("type", "needs Base64 of a text.") from None
    if "\x00" in decoded:
        raise ExpressionError("type", "needs Base64 of a text.")
    return decoded


@function(
    "text",
    "hash(text:text, kind:text?)",
    "A fingerprint: sha256 (usual), sha512, sha1 or md5.",
    'left(hash("abc"), 12)',
    "ba7816bf8f01",
)
def hash_(meter: Meter, text: str, kind: str = "sha256") -> str:
    if kind not in ("md5", "sha1", "sha256", "sha512"):
        raise ExpressionError("arguments", "knows sha256, sha512, sha1 and md5.")
    meter.text(len(text) * 4)
    return hashlib.new(kind, text.encode(), usedforsecurity=False).hexdigest()


@function(
    "text",
    "uuid(text:text)",
    "An id made from a text: the same text always gives the same id, so a repeated step sends it again.",
    'uuid("order A-17")',
    "017e60be-3a7e-5fba-b011-de657d4ee216",
)
def uuid_(meter: Meter, text: str) -> str:
    meter.text(len(text) * 4)
    return str(uuid.uuid5(_NAMESPACE, text))


_NAMESPACE: Final = uuid.UUID("6f1c0d5e-3b1f-5d0c-9a53-6d696c6c7261")

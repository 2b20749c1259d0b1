"""Bytes of the world as data: request and response bodies."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from runtime.engine.jsonprofile import JSON, JSONRefused, loads, normalise
from runtime.sdk.packing import PackingError, Unpacker, codings

_MAX_FORM_FIELDS: Final = 1_000
# Shorter ones without an escape hold nothing that could be refused: no NUL, no name that is too long.
_QUICK_QUERY: Final = 500
_MAX_UNPACKED: Final = 10 * 1024 * 1024
#: What went wrong with a packed body → code and sentence.
_PACKING: Final = {
    "unknown": ("encoding", "the content encoding {coding} is not understood"),
    "damaged": ("damaged", "the packed body is damaged"),
    "cut_off": ("damaged", "the packed body is cut off"),
    "too_big": ("too_large", "the body is larger than 10 MiB when unpacked"),
}
#: What a charset is called → Python's name. A list, because Python knows "encodings" that are none of text.
_TEXT_CHARSETS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "latin-1": "latin-1",
    "iso-8859-2": "iso8859-2",
    "iso-8859-9": "iso8859-9",
    "iso-8859-15": "iso8859-15",
    "windows-1250": "cp1250",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
    "windows-1254": "cp1254",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "koi8-r": "koi8-r",
    "shift_jis": "shift_jis",
    "euc-jp": "euc-jp",
    "gbk": "gbk",
    "gb2312": "gbk",
    "gb18030": "gb18030",
    "big5": "big5",
    "euc-kr": "euc-kr",
}
#: A mark at the beginning says it before any header does.
_BYTE_ORDER_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def media_type(content_type: str) -> tuple[str, str]:
    """A Content-Type as (``application/json``, charset); both lower case, charset empty when not given."""
    kind, _, rest = content_type.partition(";")
    charset = ""
    for parameter in rest.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'").lower()
    return kind.strip().lower(), charset


def is_json_type(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json") or kind == "text/json"


def parse_request_body(content_type: str, body: bytes, content_encoding: str = "") -> JSON:
    """A webhook's body as data: JSON, form fields, or text. Raises JSONRefused when it is not what it says.

    A body without a type is read as JSON where it is JSON, else as text. Only UTF-8 is taken. Nothing is None. A
    multipart form gives its text fields; a file in it gives {filename, content_type, size}.
    """
    if content_encoding:
        body = unpack(body, content_encoding)
    if not body:
        return None
    kind, charset = media_type(content_type)
    if kind == "multipart/form-data":
        return parse_multipart(content_type, body)
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise JSONRefused("charset", "only UTF-8 bodies are understood")
    if is_json_type(kind):
        return loads(body)
    if kind == "application/x-www-form-urlencoded":
        return parse_form(body)
    if kind == "":
        try:
            return loads(body)
        except JSONRefused:
            pass
    try:
        return normalise(body.decode())
    except UnicodeDecodeError:
        raise JSONRefused("not_text", f"the body is not text (type {kind or 'not given'})") from None


def parse_form(body: bytes) -> JSON:
    """URL-encoded form fields; a name that comes several times gives a list."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FORM_FIELDS, errors="strict")
    except ValueError:  # UnicodeDecodeError is one
        raise JSONRefused("not_form", f"the form cannot be read (or has more than {_MAX_FORM_FIELDS} fields)") from None
    found: dict[str, JSON] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(earlier := found[name], list):
            earlier.append(value)
        else:
            found[name] = [earlier, value]
    return normalise(found)


def parse_query(query: str) -> tuple[tuple[str, str], ...]:
    """A query string as pairs of name and value. Raises JSONRefused for what no document can hold, such as NUL."""
    if not query:
        return ()
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    if "%" in query or len(query) > _QUICK_QUERY:
        for name, value in pairs:
            normalise({name: value})
    return pairs


def unpack(body: bytes, content_encoding: str) -> bytes:
    """The body behind a Content-Encoding: gzip or deflate, at most 10 MiB of it. Raises JSONRefused."""
    try:
        unpacker = Unpacker(content_encoding, _MAX_UNPACKED)
        unpacked = unpacker.feed(body)
        unpacker.finish()
    except PackingError as error:
        code, message = _PACKING[error.code]
        raise JSONRefused(code, message.format(coding=", ".join(codings(content_encoding))[:60])) from None
    return unpacked


_BOUNDARY: Final = re.compile(r";\s*boundary\s*=\s*(?:\"([^\"]+)\"|([^\";,\s]+))", re.IGNORECASE)
_PARAMETER: Final = re.compile(r";\s*([a-z*]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\";\s]+))", re.IGNORECASE)


def parse_multipart(content_type: str, body: bytes) -> JSON:
    """The fields of a multipart form; a name that comes several times gives a list. Raises JSONRefused."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise JSONRefused("not_form", "the multipart body names no boundary")
    mark = b"--" + (found[1] or found[2]).encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise JSONRefused("not_form", "the multipart body is cut off, or its boundary is another one")
    if len(pieces) > _MAX_FORM_FIELDS + 2:
        raise JSONRefused("not_form", f"the form has more than {_MAX_FORM_FIELDS} fields")
    fields: dict[str, JSON] = {}
    for piece in pieces[1:-1]:
        name, value = _part(piece)
        if name not in fields:
            fields[name] = value
        elif isinstance(earlier := fields[name], list):
            earlier.append(value)
        else:
            fields[name] = [earlier, value]
    return normalise(fields)


def _part(piece: bytes) -> tuple[str, JSON]:
    head, separator, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    try:
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.decode().split("\r\n"))
        }
        given = {name.lower(): (a or b) for name, a, b in _PARAMETER.findall(headers.get("content-disposition", ""))}
        if not separator or "name" not in given:
            raise JSONRefused("not_form", "a part of the multipart body has no name")
        if "filename" in given or "filename*" in given:
            return given["name"], {
                "filename": given.get("filename", ""),
                "content_type": headers.get("content-type", "application/octet-stream"),
                "size": len(content),
            }
        return given["name"], content.decode()
    except UnicodeDecodeError:
        raise JSONRefused("not_form", "a field of the form is not UTF-8") from None


def response_text(content_type: str, content: bytes) -> str:
    """A response as text that can be stored, whatever the other system sent."""
    content, charset = _charset(content_type, content)
    text = content.decode(charset, errors="replace")
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def response_json(content_type: str, content: bytes) -> JSON:
    """A response as data, in the charset that it names or begins with; raises JSONRefused."""
    content, charset = _charset(content_type, content)
    try:
        return loads(content.decode(charset))
    except UnicodeDecodeError:
        raise JSONRefused("charset", f"its text is not in the charset {charset.upper()}") from None


def _charset(content_type: str, content: bytes) -> tuple[bytes, str]:
    """The content without a byte order mark, and the charset it is in."""
    for mark, charset in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :], charset
    return content, _TEXT_CHARSETS.get(media_type(content_type)[1], "utf-8")

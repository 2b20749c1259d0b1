"""The one JSON that Millrace accepts, stores and returns, the same on every database.

Finite numbers only: integers within ±2**63-1 stay ``int``, numbers with a fraction or an exponent become exact
``Decimal`` (at most 40 digits, magnitude within 10**±300). UTF-8 without a byte order mark, no NUL, no lone
surrogates, nothing nested deeper than 64, keys of at most 1,024 bytes, no key twice in one object, order of keys kept.
What the world sends has at most 1,000,000 parts: ten bytes of text can take a hundred times as much memory when read.

``loads`` reads bytes of the world, ``loads_stored`` reads what ``dumps`` wrote, ``normalise`` applies the same law to
Python values. Everything refused raises ``JSONRefused`` with a path such as ``items[3].price``.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn, TypeAlias

import orjson

JSON: TypeAlias = "bool | int | Decimal | str | list[JSON] | dict[str, JSON] | None"

MAX_DEPTH: Final = 64
MAX_KEY_BYTES: Final = 1024
MAX_INTEGER: Final = 2**63 - 1
MAX_DIGITS: Final = 40
MAX_EXPONENT: Final = 300
MAX_PARTS: Final = 1_000_000

_PLAIN_NAME = re.compile(r"[^\W\d]\w*\Z")


class JSONRefused(ValueError):
    """A document or value outside the profile.

    ``code``: a stable word for programs (``not_json``, ``duplicate_key``, ``number_too_big`` …).
    ``path``: where, like ``items[3].price``; empty for the document as a whole.
    ``message``: one plain sentence.
    """

    def __init__(self, code: str, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.code = code
        self.path = path
        self.message = message


def loads(raw: bytes | bytearray | memoryview | str) -> JSON:
    """Read one JSON document sent by the world. Raises ``JSONRefused``, never anything else."""
    text = _decode(raw)
    if len(text) < _LARGE:
        return _read(text)
    if _parts_at_most(text) > MAX_PARTS and _parts(text) > MAX_PARTS:
        raise JSONRefused("too_many", f"the document has more than {MAX_PARTS:,} parts; send it in several")
    with _uncollected():
        return _read(text)


def loads_stored(raw: bytes | str) -> JSON:
    """Read a document written by ``dumps``: same values, without checking the law again."""
    return _STORED.decode(raw if isinstance(raw, str) else raw.decode())  # type: ignore[no-any-return]


def dumps(value: object) -> str:
    """Write a value of the profile: compact, keys in their order, decimals as exact number text."""
    return dumps_bytes(value).decode()


def dumps_bytes(value: object) -> bytes:
    """Like ``dumps``, as UTF-8 bytes."""
    try:
        return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise JSONRefused("not_json", f"this value cannot be written as JSON ({error})") from None


def normalise(value: object) -> JSON:
    """Return ``value`` as a fresh document of the profile; tuples become lists, floats exact decimals."""
    try:
        return _normalise(value, 0)
    except JSONRefused as refused:
        raise _short(refused) from None


def number_text(number: Decimal) -> str:
    """The text of a decimal as JSON writes it: plain digits where they stay readable."""
    text = str(number)
    if "." in text and "E" not in text:
        return text  # so are nearly all
    if not number.is_finite():
        raise JSONRefused("not_finite", "infinity and NaN are not numbers here")
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent > 0 or number.adjusted() < -MAX_DIGITS:
        return str(number)
    plain = format(number, "f")
    # A whole number outside 64 bits must come back as a decimal, not be refused as an integer.
    if exponent == 0 and (len(plain) > 18 and abs(int(number)) > MAX_INTEGER):
        # One more digit would not fit: it stays a decimal by an exponent.
        return plain + (".0" if len(plain.lstrip("-")) < MAX_DIGITS else "e0")
    return plain


def check_decimal(number: Decimal, path: str = "") -> Decimal:
    """Return the decimal if it is finite and of at most 40 digits; raise ``JSONRefused`` otherwise."""
    if not number.is_finite():
        raise JSONRefused("not_finite", "infinity and NaN are not numbers here", path)
    _sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if len(digits) > MAX_DIGITS:
        raise JSONRefused("number_too_long", f"this number has more than {MAX_DIGITS} digits", path)
    if number.adjusted() < -MAX_EXPONENT or exponent < -(MAX_EXPONENT + MAX_DIGITS):
        raise JSONRefused("number_too_small", _NUMBER_MESSAGES["number_too_small"], path)
    if number.adjusted() > MAX_EXPONENT or exponent > MAX_EXPONENT + MAX_DIGITS:
        raise JSONRefused("number_too_big", f"this number is outside 10^±{MAX_EXPONENT}", path)
    if exponent > 0 and len(digits) + exponent <= MAX_DIGITS:
        return Decimal(int(number))  # 1e2 is shown to people as 100
    return number


def path_of(parent: str, part: str | int) -> str:
    """Extend a path by a list index or an object key."""
    if isinstance(part, int):
        return f"{parent}[{part}]"
    if _PLAIN_NAME.match(part):
        return f"{parent}.{part}" if parent else part
    shown = part if len(part) <= 60 else part[:57] + "…"
    return f"{parent}[{json.dumps(shown)}]"


# --- reading -----------------------------------------------------------------------------------------------------


#: Shorter documents cannot have too many parts, and are read in no time.
_LARGE: Final = 256 * 1024
_PORTION: Final = 64 * 1024
#: Escapes that can stand for NUL or for half a character.
_DOUBTFUL: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_BAD_TEXT: Final = re.compile("[\x00\ud800-\udfff]")


def _read(text: str) -> JSON:
    try:
        value = _FAST.decode(text)
    except json.JSONDecodeError as error:
        raise _not_json(error) from None
    except RecursionError:
        raise JSONRefused("too_deep", _TOO_DEEP) from None
    except (_Suspect, ValueError, InvalidOperation):
        return _slow(text)
    # Few brackets cannot be nested deeply; without such an escape no string holds NUL or half a character.
    nested = text.count("[") + text.count("{") > MAX_DEPTH and _is_too_deep(value)
    if nested or (_DOUBTFUL.search(text) is not None and _has_bad_text(value)):
        return _slow(text)
    return value  # type: ignore[no-any-return]


def _parts_at_most(text: str) -> int:
    """No fewer than the parts of this document, for no more than a look at its bytes."""
    return 1 + text.count(",") + text.count("[") + text.count("{")


def _parts(text: str) -> int:
    """The parts of this document without what stands in its strings; in portions, so that others get their turn."""
    count = 1
    quoted = escaped = False
    for start in range(0, len(text), _PORTION):
        portion = text[start : start + _PORTION]
        # What a backslash covers is nothing to look at; one may stand at the end, before the next portion.
        portion = portion[escaped:].replace("\\\\", "")
        escaped = portion.endswith("\\")
        pieces = portion.replace('\\"', "").split('"')
        count += _parts_at_most(" ".join(pieces[quoted::2])) - 1
        quoted ^= len(pieces) % 2 == 0
    return count


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the collector back: it would go through the growing document again and again, and find nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _is_too_deep(value: Any) -> bool:
    """Level by level, without a copy."""
    level = [value] if type(value) in (list, dict) else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for box in level
            for item in (box if type(box) is list else box.values())
            if type(item) is list or type(item) is dict
        ]
        if not level:
            return False
    return True


def _has_bad_text(value: Any) -> bool:
    """Whether a text or a key, at any depth, holds NUL or half a character."""
    level = [value]
    while level:
        further: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is str:
                if _BAD_TEXT.search(item) is not None:
                    return True
            elif kind is list:
                further.extend(item)
            elif kind is dict:
                further.extend(item)
                further.extend(item.values())
        level = further
    return False


def _not_json(error: json.JSONDecodeError) -> JSONRefused:
    where = f"at line {error.lineno}, column {error.colno}"
    return JSONRefused("not_json", f"this is not JSON: {error.msg.removesuffix(' at')} {where}")


class _Suspect(Exception):
    """The quick reader met something to look at again slowly, where the path is known."""


class _Pairs(list[tuple[str, Any]]):
    """An object as read, before its keys are known to be unique."""


class _BadNumber:
    def __init__(self, text: str, code: str) -> None:
        self.text = text
        self.code = code


def _decode(raw: bytes | bytearray | memoryview | str) -> str:
    if isinstance(raw, str):
        text = raw
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise JSONRefused("lone_surrogate", "the text holds half of a character (lone surrogate)") from None
    else:
        try:
            text = str(raw, "utf-8")
        except UnicodeDecodeError as error:
            raise JSONRefused("not_utf8", f"the bytes are not UTF-8 (byte {error.start})") from None
    if text.startswith("\ufeff"):
        raise JSONRefused("byte_order_mark", "the document starts with a byte order mark; send plain UTF-8")
    return text


def _fast_integer(text: str) -> int:
    if len(text) < 19:
        return int(text)
    if len(text) > 20 or abs(number := int(text)) > MAX_INTEGER:
        raise _Suspect
    return number


def _fast_decimal(text: str) -> Decimal:
    if len(text) > 400:
        raise _Suspect
    number = Decimal(text)
    if len(text) < 19 and "e" not in text and "E" not in text:
        return number
    try:
        return check_decimal(number)
    except JSONRefused:
        raise _Suspect from None


def _fast_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Suspect
    for key in found:
        if len(key) > MAX_KEY_BYTES // 4:
            raise _Suspect
    return found


def _fast_constant(_name: str) -> NoReturn:
    raise _Suspect


def _slow_integer(text: str) -> Any:
    if len(text) > 20 or abs(int(text)) > MAX_INTEGER:
        return _BadNumber(text, "number_too_big")
    return int(text)


def _slow_decimal(text: str) -> Any:
    if len(text) > 400:
        return _BadNumber(text, "number_too_long")
    try:
        return check_decimal(Decimal(text))
    except JSONRefused as refused:
        return _BadNumber(text, refused.code)
    except InvalidOperation:
        return _BadNumber(text, "number_too_small" if "-" in text[1:] else "number_too_big")


def _slow_constant(name: str) -> Any:
    return _BadNumber(name, "not_finite")


_FAST = json.JSONDecoder(
    object_pairs_hook=_fast_object,
    parse_int=_fast_integer,
    parse_float=_fast_decimal,
    parse_constant=_fast_constant,
)
_SLOW = json.JSONDecoder(
    object_pairs_hook=_Pairs,
    parse_int=_slow_integer,
    parse_float=_slow_decimal,
    parse_constant=_slow_constant,
)
_STORED = json.JSONDecoder(parse_float=Decimal)


def _slow(text: str) -> JSON:
    """Read again to say precisely what is wrong and where."""
    try:
        value = _SLOW.decode(text)
    except json.JSONDecodeError as error:
        raise _not_json(error) from None
    except RecursionError:
        raise JSONRefused("too_deep", _TOO_DEEP) from None
    except ValueError as error:
        raise JSONRefused("not_json", f"this is not JSON: {error}") from None
    try:
        return _inspect(value, 0)
    except JSONRefused as refused:
        raise _short(refused) from None


_TOO_DEEP = f"the document is nested deeper than {MAX_DEPTH} levels"
_NUMBER_MESSAGES = {
    "not_finite": "infinity and NaN are not JSON numbers",
    "number_too_big": "this number is too big to be kept exactly; send it as text",
    "number_too_small": "this number is too close to zero to be kept exactly; send it as text",
    "number_too_long": f"this number has more than {MAX_DIGITS} digits; send it as text",
}


def _inspect(value: Any, depth: int) -> JSON:
    kind = type(value)
    if kind is str:
        _check_text(value)
        return value  # type: ignore[no-any-return]
    if kind is list:
        _check_depth(depth)
        items: list[JSON] = []
        try:
            for item in value:
                items.append(_inspect(item, depth + 1))
        except JSONRefused as refused:
            raise _within(len(items), refused) from None
        return items
    if kind is _Pairs:
        _check_depth(depth)
        found: dict[str, JSON] = {}
        for key, item in value:
            _check_key(key)
            if key in found:
                raise JSONRefused("duplicate_key", "this key stands twice in the same object", path_of("", key))
            try:
                found[key] = _inspect(item, depth + 1)
            except JSONRefused as refused:
                raise _within(key, refused) from None
        return found
    if kind is _BadNumber:
        raise JSONRefused(value.code, _NUMBER_MESSAGES[value.code])
    return value  # type: ignore[no-any-return]


def _within(part: str | int, refused: JSONRefused) -> JSONRefused:
    """The same refusal, seen from one level further out: places are worked out only where something is refused."""
    here = path_of("", part)
    joint = "." if refused.path and not refused.path.startswith("[") else ""
    return JSONRefused(refused.code, refused.message, here + joint + refused.path)


def _short(refused: JSONRefused) -> JSONRefused:
    """Where something is nested too deeply, the beginning of the way there says enough."""
    if refused.code != "too_deep" or len(refused.path) <= 30:
        return refused
    return JSONRefused(refused.code, refused.message, refused.path[:29] + "…")


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise JSONRefused("too_deep", _TOO_DEEP)


def _check_key(key: str) -> None:
    if len(key) > MAX_KEY_BYTES // 4 and len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
        raise JSONRefused("key_too_long", f"a key is longer than {MAX_KEY_BYTES} bytes")
    _check_text(key)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise JSONRefused("nul", "the text holds a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise JSONRefused("lone_surrogate", "the text holds half of a character (lone surrogate)") from None


_SHORT_KEY: Final = MAX_KEY_BYTES // 4


# --- Python values -----------------------------------------------------------------------------------------------


def _normalise(value: Any, depth: int) -> JSON:
    kind = type(value)
    if kind is str:
        _check_text(value)
        return value  # type: ignore[no-any-return]
    if value is None or kind is bool:
        return value  # type: ignore[no-any-return]
    if kind is int:
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value  # type: ignore[no-any-return]
        raise JSONRefused("number_too_big", _NUMBER_MESSAGES["number_too_big"])
    if kind is Decimal:
        return check_decimal(value)
    if kind is dict or isinstance(value, Mapping):
        _check_depth(depth)
        found: dict[str, JSON] = {}
        for key, item in value.items():
            # Short plain keys and plain values are nearly all there is: they are looked at here, without a call.
            if type(key) is not str or len(key) > _SHORT_KEY or not key.isascii() or "\x00" in key:
                if not isinstance(key, str):
                    raise JSONRefused("key_not_text", "keys of an object are text")
                _check_key(key)
                key = str(key)
            kind = type(item)
            if kind is str:
                if item.isascii() and "\x00" not in item:
                    found[key] = item
                    continue
            elif item is None or kind is bool or (kind is int and -MAX_INTEGER <= item <= MAX_INTEGER):
                found[key] = item
                continue
            try:
                found[key] = _normalise(item, depth + 1)
            except JSONRefused as refused:
                raise _within(key, refused) from None
        return found
    if kind is list or isinstance(value, list | tuple):
        _check_depth(depth)
        items: list[JSON] = []
        try:
            for item in value:
                items.append(_normalise(item, depth + 1))
        except JSONRefused as refused:
            raise _within(len(items), refused) from None
        return items
    if isinstance(value, str):
        return _normalise(str.__str__(value), depth)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise JSONRefused("not_finite", _NUMBER_MESSAGES["not_finite"])
        return check_decimal(Decimal(repr(float(value))))
    if isinstance(value, int):
        return _normalise(int(value), depth)
    raise JSONRefused("not_json", f"a value of kind {kind.__name__} has no place in JSON")


def _default(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(number_text(value))
    raise TypeError(f"a value of kind {type(value).__name__} has no place in JSON")

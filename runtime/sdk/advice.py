"""What is wrong or unwise in the settings of a request: (field path, code, sentence)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

from runtime.engine.expressions import ExpressionError, compile_template, is_expression
from runtime.sdk.redaction import is_secret_name

Advice = tuple[str, str, str]

#: A longer text is not repeated in what is said of it.
_LONGEST_SHOWN: Final = 60
_INSTEAD: Final = "Everybody who may open this workflow can read it: keep it in a connection."
#: Names of query parameters that are secrets, beside those that sound so everywhere.
_KEYS: Final = frozenset(("key", "sig", "code", "auth", "pass", "pwd", "sid", "access-key"))


def address_problems(field: str, title: str, url: Any) -> list[Advice]:
    """What is wrong with an address as stored; one that begins with a formula is left to the run."""
    if not isinstance(url, str) or not url or url.lstrip().startswith("{{"):
        return []
    if not url.strip().lower().startswith(("http://", "https://")):
        return [(field, "address", f"“{title}” must begin with https:// or http://.")]
    if "@" in url.split("://", 1)[1].split("/", 1)[0]:
        return [(field, "address", f"“{title}” must not hold a user name or password: use a connection.")]
    return []


def secret_pairs(field: str, pairs: Any) -> Iterator[Advice]:
    """Headers and query parameters that hold a secret written out."""
    for index, pair in enumerate(pairs if isinstance(pairs, list) else ()):
        if not isinstance(pair, Mapping):
            continue
        name, value = pair.get("name"), pair.get("value")
        if not isinstance(name, str) or not isinstance(value, str) or not value.strip() or is_expression(value):
            continue
        if _is_secret(name, query=field == "query"):
            yield f"{field}[{index}].value", "secret_in_settings", f"“{name[:60]}” looks like a secret. {_INSTEAD}"


def address_advice(url: Any, *, with_connection: bool) -> Iterator[Advice]:
    """A secret in an address, and a secret whose address is somebody else's data."""
    if not isinstance(url, str):
        return
    address, _, query = url.partition("?")
    for pair in query.partition("#")[0].split("&"):
        name, _, value = pair.partition("=")
        name = unquote_plus(name)
        if value and not is_expression(pair) and _is_secret(name, query=True):
            says = f"“{name[:60]}” in the address looks like a secret. {_INSTEAD}"
            yield "url", "secret_in_settings", says
    host = address.partition("://")[2] or address
    if with_connection and is_expression(host.split("/", 1)[0]):
        says = "The host in the address is a formula: data decides where the sign-in would go. Write the host out."
        yield "url", "formula_in_host", says


def _is_secret(name: str, *, query: bool) -> bool:
    lowered = name.lower().replace("_", "-")
    if "idempoten" in lowered:
        return False
    return is_secret_name(lowered) or (query and lowered in _KEYS)


def formula_problems(field: str, title: str, text: Any, example: str) -> list[Advice]:
    """Whether this setting is one formula, whose value may be true or false: a text never is either, nor is any other
    value written out. `example`: without its braces. What is missing, or cannot be read, is said elsewhere."""
    if not isinstance(text, str) or not text.strip():
        return []
    try:
        template = compile_template(text)
    except ExpressionError:
        return []
    if template.never_true_or_false:
        meant = f"{{{{ {example} }}}}"
        said = f"“{title}” is always the same value, which says neither yes nor no. Compare something, such as {meant}."
    elif template.single is not None:
        return []
    elif is_expression(text):
        said = f"“{title}” has to be one formula with nothing beside it, such as {{{{ {example} }}}}."
    else:
        plain = text.strip()
        example = plain if len(plain) <= _LONGEST_SHOWN and not set("{}") & set(plain) else example
        meant = f"{{{{ {example} }}}}"
        said = f"“{title}” is a plain text, which says neither yes nor no. Write it as a formula, such as {meant}."
    return [(field, "formula", said)]

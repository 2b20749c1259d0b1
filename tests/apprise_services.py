"""Which services of Apprise may be used, read from the sources of its plugins, and what the picker shows of them.

A plugin may be used where nothing but `requests` leads out of it: Millrace puts its own door in place of that. What a
plugin may import is listed here, not what it may not: what a new version brings is refused until somebody looks.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

#: They lead nowhere by themselves.
_HARMLESS: Final = """
    __future__ base64 binascii calendar collections collections.abc contextlib copy dataclasses datetime email.header
    email.mime.application email.mime.multipart email.mime.text email.utils enum gzip hashlib hmac html itertools json
    json.decoder logging math random re requests requests.auth secrets string time typing urllib.parse uuid
    xml.sax.saxutils cryptography.exceptions cryptography.hazmat cryptography.hazmat.primitives
    cryptography.hazmat.primitives.asymmetric cryptography.hazmat.primitives.asymmetric.ed25519
    cryptography.hazmat.primitives.ciphers cryptography.hazmat.primitives.ciphers.aead
    cryptography.hazmat.primitives.kdf.hkdf cryptography.hazmat.primitives.serialization os os.path
"""
HARMLESS: Final = frozenset(_HARMLESS.split())
#: Of the library itself. `attachment` and `apprise_attachment` are replaced, as `open` is.
_OWN: Final = """
    apprise.apprise_attachment apprise.asset apprise.attachment.base apprise.attachment.memory apprise.common
    apprise.compat.py39 apprise.conversion apprise.exception apprise.locale apprise.logger apprise.url
    apprise.utils.base64 apprise.utils.cwe312 apprise.utils.logic apprise.utils.parse apprise.utils.sanitize
    apprise.utils.templates apprise.utils.xml apprise.plugins.base
"""
OWN: Final = frozenset(_OWN.split())
#: What a plugin may do with `os`: nothing that touches the machine.
OS: Final = frozenset({"path", "urandom", "linesep", "basename", "splitext", "join"})
CALLS: Final = frozenset({"eval", "exec", "compile", "__import__", "import_module", "getattr_static"})
#: Millrace speaks to these itself, or what they reach is reached better otherwise.
NATIVE: Final = frozenset({"slack", "discord", "workflow", "workflows", "mmost", "mmosts", "json", "jsons"})
#: What it needs besides an address is a file.
_NEEDS_FILE: Final = frozenset({"apprise.plugins.fcm"})
#: Replaced under their names in a plugin's module: an import elsewhere, or under another name, would get around that.
_REPLACED: Final = frozenset({"requests", "AppriseAttachment"})
_ROOMS: Final = "apprise.plugins."
#: What is called so is a secret, though the library does not say so of each.
_SECRET: Final = re.compile(r"\b(token|secret|password|routing key)$", re.IGNORECASE)


def _package() -> Path:
    import apprise

    return Path(apprise.__file__).parent


def _source(module: str) -> Path | None:
    path = _package().parent / module.replace(".", "/")
    for found in (path / "__init__.py", path.with_suffix(".py")):
        if found.is_file():
            return found
    return None


def imported(module: str) -> Iterator[str]:
    """What a module imports, each by its whole name."""
    path = _source(module)
    assert path is not None, module
    parts = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{name}.{alias.name}"
                yield whole if node.level and _source(whole) else name


@cache
def modules_of(module: str) -> frozenset[str]:
    """A plugin's module and all others of plugins that it needs."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [name for name in imported(one) if name.startswith(_ROOMS) and name not in OWN]
    return frozenset(found)


def leads_out(module: str) -> list[str]:
    """Why a plugin may not be used: what it needs besides `requests`."""
    wrong: list[str] = []
    for one in sorted(modules_of(module)):
        wrong += [name for name in imported(one) if not name.startswith(_ROOMS) and name not in HARMLESS | OWN]
        path = _source(one)
        assert path is not None
        tree = ast.parse(path.read_text(encoding="utf-8"))
        wrong += list(_out_of_place(tree))
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id="os"), attr=name) if name not in OS:
                    wrong.append(f"os.{name}")
                case ast.Attribute(value=ast.Attribute(value=ast.Name(id="os"), attr="path"), attr=name) if (
                    name not in OS
                ):
                    wrong.append(f"os.path.{name}")
                case ast.ImportFrom(module="os" | "os.path", names=names):
                    wrong += [f"os.{alias.name}" for alias in names if alias.name not in OS]
                case ast.ImportFrom(module="requests", names=names, level=0):
                    # The door takes the place of the module's name; what is taken out of it would be missed.
                    wrong += [f"requests.{alias.name}" for alias in names]
                case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                    wrong.append(name)
    return wrong


def _out_of_place(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            name = "requests" if isinstance(node, ast.Import) else str(node.module)
            names = {alias.name: alias.asname for alias in node.names}
            taken = names.keys() & _REPLACED
            if taken and (node not in tree.body or any(names[one] for one in taken)):
                yield f"a late import of {name}"


@cache
def _details() -> list[dict[str, Any]]:
    import apprise

    _plugins()
    found: list[dict[str, Any]] = apprise.Apprise().details(show_disabled=True)["schemas"]
    return found


@cache
def _plugins() -> dict[str, tuple[str, str]]:
    """Scheme → module and class."""
    from apprise.manager_plugins import NotificationManager

    manager: Any = NotificationManager  # it says nothing of its types
    manager = manager()
    with warnings.catch_warnings():
        # One of those that are refused needs what newer Pythons have no more.
        warnings.simplefilter("ignore", DeprecationWarning)
        schemes = list(manager.schemas())
    return {str(scheme): (manager[scheme].__module__, manager[scheme].__name__) for scheme in schemes}


@cache
def usable() -> dict[str, tuple[str, str]]:
    """Scheme → module and class, of what may be used."""
    return {
        scheme: where for scheme, where in sorted(_plugins().items())
        if scheme not in NATIVE and where[0] not in _NEEDS_FILE and not leads_out(where[0])
    }  # fmt: skip


def schemes() -> str:
    """`runtime/sdk/apprise_services.json`."""
    made = {
        "generated": "by `make api` from the sources of Apprise. Do not edit.",
        "usable": {scheme: f"{module}:{name}" for scheme, (module, name) in usable().items()},
        "refused": sorted(set(_plugins()) - set(usable()) - NATIVE),
    }
    return json.dumps(made, indent=1) + "\n"


def _fields(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    templates = " ".join(map(str, told["templates"]))
    for name, token in told["tokens"].items():
        if name == "schema" or f"{{{name}}}" not in templates:
            continue
        one: dict[str, Any] = {"name": name, "label": label(token)}
        if token.get("private") or _SECRET.search(label(token)):
            one["secret"] = True
        if token.get("required"):
            one["required"] = True
        if str(token["type"]).startswith("list:"):
            one["list"] = (token.get("delim") or ["/"])[0]
        if str(token["type"]) == "choice:string":
            one["options"] = sorted(map(str, token["values"]))
        found.append(one)
    return found


def label(token: Mapping[str, Any]) -> str:
    """How a field is called."""
    return str(token.get("name") or "").strip()


@cache
def _shown() -> list[dict[str, Any]]:
    found = []
    for told in _details():
        every = [*sorted(told["secure_protocols"] or ()), *sorted(told["protocols"] or ())]
        every = [scheme for scheme in every if scheme in usable()]
        if not every:
            continue
        plain = [scheme for scheme in every if scheme in (told["protocols"] or ())]
        secure = [scheme for scheme in every if scheme not in plain]
        one = {
            "name": str(told["service_name"]),
            "scheme": (secure or plain)[0],
            "setup": str(told["setup_url"] or told["service_url"] or ""),
            "templates": sorted({str(one) for one in told["details"]["templates"]}),
            "fields": _fields(told["details"]),
        }
        if secure and plain and any("{host}" in str(way) for way in told["details"]["templates"]):
            one["plain"] = plain[0]
        found.append(one)
    return sorted(found, key=lambda one: str(one["name"]).casefold())


def picker() -> str:
    """`frontend/src/pages/alerts/services.gen.json`."""
    made = {"generated": "by `make api` from Apprise. Do not edit.", "services": _shown()}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def words() -> str:
    """`frontend/src/i18n/en/services.json`: what the fields of services are called."""
    labels = sorted({field["label"] for one in _shown() for field in one["fields"]})
    return json.dumps({"fields": {one: one for one in labels}}, indent=2, ensure_ascii=False) + "\n"

"""HTML becomes a PDF by WeasyPrint, which is an extra: it needs libraries of the machine.

Only what comes with a document is shown: pictures that were handed over and `data:` addresses. Nothing is fetched, no
file is read, and the fonts are those that stand here.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from runtime.documents.figures import figures
from runtime.documents.model import MOST_PAGES, Drawn
from runtime.documents.problems import DocumentProblem

__all__ = ["close_the_network", "missing", "print_html"]

_FONTS: Final = Path(__file__).with_name("fonts")
#: What WeasyPrint opens; each by the names that it has on Linux and on macOS.
_LIBRARIES: Final = (
    ("Pango", ("libpango-1.0.so.0", "libpango-1.0.dylib")),
    ("Pango", ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib")),
    ("HarfBuzz", ("libharfbuzz.so.0", "libharfbuzz.0.dylib")),
    ("HarfBuzz", ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib")),
)
_PACKAGES: Final = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_LONGEST_ADDRESS: Final = 80
#: Addresses that begin nowhere begin here, and are refused like others.
_HERE: Final = "https://template.invalid/"


@lru_cache(maxsize=1)
def missing() -> str | None:
    """What has to be installed on this machine before HTML can become a PDF, in plain words; None where all is there.
    Asked once in a process."""
    if find_spec("weasyprint") is None:
        return (
            "PDF from HTML is an extra that is not installed on this machine. Whoever runs Millrace installs it with "
            "“make html-pdf” and starts Millrace again."
        )
    for library, names in _LIBRARIES:
        if not any(_opens(name) for name in names):
            return (
                f"PDF from HTML needs the library {library}, which is not on this machine. Whoever runs Millrace "
                f"installs it, on Debian and Ubuntu with “{_PACKAGES}”, and starts Millrace again."
            )
    return None


def print_html(told: Mapping[str, Any], data: Mapping[str, Any], images: Mapping[str, bytes]) -> Drawn:
    """The PDF of a template and its data. `told`: `template`, `language` and `currency`; `images`: what it shows as
    `picture:…`, by these names. Raises DocumentProblem.

    For a process of its own: it bounds neither time nor memory, and asks for fonts by the process's environment.
    """
    if (lacking := missing()) is not None:
        raise DocumentProblem("missing", lacking)
    weasyprint = _weasyprint()
    # Read by what comes with WeasyPrint.
    from runtime.documents.markup import filled

    page = filled(told["template"], data, figures(told["language"], told["currency"], 2, "medium"))
    fetcher, refused = _only_given(images)
    try:
        document = weasyprint.HTML(string=page, url_fetcher=fetcher, base_url=_HERE).render()
        if len(document.pages) > MOST_PAGES:
            told_so = f"A document has at most {MOST_PAGES} pages; this one has {len(document.pages)}."
            raise DocumentProblem("limit", told_so)
        return Drawn(document.write_pdf(), len(document.pages))
    except refused as error:
        raise DocumentProblem("image", str(error)) from None


def close_the_network() -> None:
    """No code of this process speaks to the network from here on, or starts another. It cannot be taken back."""

    def refuse(event: str, _: object) -> None:
        if event in _CLOSED:
            raise PermissionError(f"A process that draws documents does not do this: {event}")

    sys.addaudithook(refuse)


_CLOSED: Final = frozenset(
    {
        "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
        "subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system",
    }
)  # fmt: skip


@lru_cache(maxsize=1)
def _weasyprint() -> Any:
    """The library, told to know no fonts but ours."""
    os.environ["FONTCONFIG_FILE"] = str(_FONTS / "fonts.conf")
    try:
        import weasyprint
    except OSError as error:
        raise DocumentProblem("missing", f"WeasyPrint cannot be used on this machine: {error}") from None
    # What it has to say of styles that it does not know goes nowhere.
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    logging.getLogger("fontTools").setLevel(logging.CRITICAL)
    return weasyprint


def _only_given(images: Mapping[str, bytes]) -> tuple[Any, type[BaseException]]:
    """What gives WeasyPrint the pictures of a document and refuses every other address, and what it raises then."""
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class OnlyGiven(URLFetcher):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__(allowed_protocols=("data",), allow_redirects=False, fail_on_errors=False)

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith("data:"):
                try:
                    return super().fetch(url, headers)
                except (ValueError, OSError):
                    raise FatalURLFetchingError("What stands in a data: address cannot be read.") from None
            name = url.removeprefix("picture:").lower()
            if url.startswith("picture:") and name in images:
                return URLFetcherResponse(url, images[name])
            url = url.removeprefix(_HERE)
            short = url if len(url) <= _LONGEST_ADDRESS else url[:_LONGEST_ADDRESS] + "…"
            raise FatalURLFetchingError(
                f"“{short}” is not fetched: a document shows the pictures of this workspace that its template names "
                "(picture: and their id) and those in data: addresses, and has its styles in <style>."
            )

    return OnlyGiven(), FatalURLFetchingError


def _opens(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True

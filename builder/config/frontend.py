"""The built front end: hashed files that never change, and one page for every other address."""

from __future__ import annotations

import re
import secrets
from email.utils import parsedate
from pathlib import Path
from typing import Any, Final

from whitenoise.base import WhiteNoise  # type: ignore[import-untyped]

from builder.config.door import Scope, Send
from builder.config.middleware import HEADERS

_HASHED: Final = re.compile(r"^/assets/.+[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
_CHUNK: Final = 256 * 1024
#: Mantine sets its variables in a style element of its own making; scripts are files of ours, and nothing else.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; frame-src 'self'; "
    "object-src 'none'"
)
#: PDFs are read in a worker whose only policy is its own: it opens no address and makes no code of text, whatever a
#: file asks for. Its decoders of scans are WebAssembly, which the page hands it.
_READER: Final = re.compile(r"^/assets/pdf\.worker\.")
_READER_POLICY: Final = "default-src 'none'; script-src 'wasm-unsafe-eval'"
_MISSING: Final = (
    b"<!doctype html><meta charset=utf-8><title>Millrace</title><h1>The pages are not built yet</h1>"
    b"<p>Run <code>make run</code>, which builds them. The API is at <a href='/api/v1/docs'>/api/v1/docs</a>.</p>"
)


class Pages:
    """Serves `directory`, the output of the front end's build."""

    def __init__(self, directory: Path, *, security: dict[str, str]) -> None:
        self._index = directory / "index.html"
        self._security = security
        self._files: dict[str, Any] = {}
        self._page: tuple[float, str] | None = None
        if directory.is_dir():
            noise = WhiteNoise(
                None,
                root=str(directory),
                allow_all_origins=False,
                max_age=60,
                immutable_file_test=lambda _path, url: bool(_HASHED.match(url)),
            )
            self._files = noise.files
            self._files.pop("/index.html", None)
            self._files = {url: file for url, file in self._files.items() if not url.endswith(".map")}

    async def __call__(self, scope: Scope, send: Send) -> None:
        """A file where there is one; nothing for a file that is missing; the page for everything else."""
        path, method = scope["path"], scope["method"]
        if method not in ("GET", "HEAD"):
            await _answer(send, 405, b"", {"Allow": "GET, HEAD", **self._security})
            return
        file = self._files.get(path)
        if file is not None:
            await self._file(file, scope, send)
        elif path.startswith("/assets/") or path.rsplit("/", 1)[-1].startswith("."):
            await _answer(send, 404, b"There is no such file.", {"Content-Type": "text/plain", **self._security})
        else:
            await self._index_page(scope, send)

    async def _file(self, file: Any, scope: Scope, send: Send) -> None:
        environ = {
            "HTTP_" + name.decode("latin-1").upper().replace("-", "_"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range")
        }
        since = environ.get("HTTP_IF_MODIFIED_SINCE")
        if since is not None and parsedate(since) is None:
            del environ["HTTP_IF_MODIFIED_SINCE"]
        response = file.get_response(scope["method"], environ)
        lines = {**dict(response.headers), **self._security}
        if _READER.match(scope["path"]):
            lines["Content-Security-Policy"] = _READER_POLICY
        try:
            await _start(send, int(response.status), lines)
            # Files are small and in the page cache: reading them does not hold up the loop.
            while response.file is not None and (part := response.file.read(_CHUNK)):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            if response.file is not None:
                response.file.close()

    async def _index_page(self, scope: Scope, send: Send) -> None:
        try:
            stamp = self._index.stat().st_mtime
        except FileNotFoundError:
            await _answer(send, 503, _MISSING, {"Content-Type": "text/html; charset=utf-8", **self._security})
            return
        if self._page is None or self._page[0] != stamp:
            self._page = (stamp, self._index.read_text(encoding="utf-8"))
        nonce = secrets.token_urlsafe(16)
        body = self._page[1].replace("__CSP_NONCE__", nonce).encode()
        await _answer(
            send,
            200,
            body if scope["method"] == "GET" else b"",
            {
                "Content-Type": "text/html; charset=utf-8",
                "Content-Length": str(len(body)),
                "Cache-Control": "no-cache",
                "Content-Security-Policy": _POLICY.format(nonce=nonce),
                **self._security,
            },
        )


def security_headers(*, secure: bool) -> dict[str, str]:
    """What every page and file carries."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        **HEADERS,
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


async def _start(send: Send, status: int, headers: dict[str, str]) -> None:
    lines = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})


async def _answer(send: Send, status: int, body: bytes, headers: dict[str, str]) -> None:
    await _start(send, status, {"Content-Length": str(len(body)), **headers})
    await send({"type": "http.response.body", "body": body})

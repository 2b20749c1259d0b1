"""The line that people copy to try a webhook opens the door, once the secret stands in it."""

from __future__ import annotations

import itertools
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from builder.api import curl
from runtime.catalog import CATALOG
from runtime.intake.signatures import check, scheme_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "http://127.0.0.1:8000/hooks/abc"
SAMPLE = '{"name":"O\'Brien & \\"co\\" $HOME `id`","n":1.50}'
SHOW = '#!/bin/sh\nfor part; do printf "%s\\036" "$part"; done\n'


def whole(**config: Any) -> dict[str, Any]:
    return CATALOG.filled("trigger.webhook@1", config)


def sent(directory: Path, text: str) -> tuple[dict[bytes, list[bytes]], bytes]:
    """The headers and the body that curl is called with when a shell runs this line."""
    stand_in = directory / "curl"
    stand_in.write_text(SHOW)
    stand_in.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", text],
        env={"PATH": f"{directory}:/usr/bin:/bin", "HOME": "/nobody"},
        capture_output=True,
        check=True,
        timeout=20,
    )
    assert done.stderr == b""
    parts = done.stdout.split(b"\x1e")[:-1]
    headers: dict[bytes, list[bytes]] = {}
    for flag, value in itertools.pairwise(parts):
        if flag == b"-H":
            name, _, rest = value.partition(b": ")
            headers.setdefault(name.lower(), []).append(rest)
    return headers, parts[parts.index(b"-d") + 1] if b"-d" in parts else b""


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"hmac_preset": "shopify"},
        {"hmac_preset": "stripe"},
        {"hmac_preset": "standard"},
        {"hmac_preset": "custom"},
        {"hmac_preset": "custom", "hmac_algorithm": "sha512", "hmac_encoding": "base64", "hmac_prefix": '$v"1`='},
        {"hmac_preset": "custom", "hmac_signed": "timestamp.body", "hmac_algorithm": "sha1"},
        {"methods": ["DELETE"]},
    ],
    ids=["github", "shopify", "stripe", "standard", "custom", "custom base64", "custom stamped", "no body"],
)
def test_a_signed_line_signs_what_it_sends(tmp_path: Path, config: dict[str, Any]) -> None:
    complete = whole(auth="hmac", **config)
    text = curl.line(URL, complete, SAMPLE)
    assert text.count("YOUR-SECRET") == 1
    headers, body = sent(tmp_path, text.replace("YOUR-SECRET", SECRET))
    assert body == (b"" if "methods" in config else SAMPLE.encode())
    verdict = check(scheme_of(complete), headers, body, [SECRET.encode()], time.time())
    assert verdict.valid, verdict.reason


def test_a_line_names_the_header_that_the_door_looks_at(tmp_path: Path) -> None:
    headers, body = sent(tmp_path, curl.line(URL, whole(auth="header"), SAMPLE))
    assert headers[b"x-webhook-token"] == [b"YOUR-SECRET"]
    assert body == SAMPLE.encode()


def test_a_line_for_an_open_webhook_is_short() -> None:
    assert curl.line(URL, whole(methods=["GET"]), SAMPLE) == f"curl -i -X GET {URL}"
    assert curl.line(URL, whole(), None) == (
        f"curl -i -X POST {URL} -H 'Content-Type: application/json' -d '{curl.GREETING}'"
    )

from __future__ import annotations

from typing import Any

import pytest

from runtime.sdk.connections import KINDS, host_allowed

HTTP = {
    "http_basic": {"username": "ann", "password": "s3cret-pw"},
    "http_bearer": {"token": "tok-12345"},
    "http_header": {"name": "X-Key", "value": "key-12345"},
    "http_query": {"name": "key", "value": "key-12345"},
}


@pytest.mark.parametrize("kind", HTTP)
def test_a_secret_without_a_host_is_not_kept(kind: str) -> None:
    def found(**more: Any) -> list[tuple[str, str]]:
        return [problem[:2] for problem in KINDS[kind].problems({**HTTP[kind], **more})]

    assert found() == [("allowed_hosts", "required")]
    assert found(allowed_hosts=[]) == [("allowed_hosts", "required")]
    assert found(allowed_hosts=["api.example.com"]) == []
    assert found(base_url="https://api.example.com/me") == []
    assert found(allowed_hosts=["https://api.example.com"]) == [("allowed_hosts[0]", "host")]
    assert found(allowed_hosts=["*"]) == [("allowed_hosts[0]", "host")]
    assert found(base_url="api.example.com") == [("base_url", "address")]
    assert found(allowed_hosts=["a.example.com"], base_url="https://b.example.com/") == [("base_url", "host")]


@pytest.mark.parametrize(
    ("fields", "host", "allowed"),
    [
        ({}, "api.example.com", False),
        ({"allowed_hosts": ["API.example.com "]}, "api.example.com", True),
        ({"allowed_hosts": ["api.example.com"]}, "api.example.com.evil.com", False),
        ({"allowed_hosts": ["*.example.com"]}, "a.b.example.com", True),
        ({"allowed_hosts": ["*.example.com"]}, "example.com", False),
        ({"allowed_hosts": ["*.example.com"]}, "badexample.com", False),
        ({"allowed_hosts": ["bücher.example"]}, "xn--bcher-kva.example", True),
        ({"allowed_hosts": ["2606:4700::1111"]}, "2606:4700::1111", True),
        ({"base_url": "https://api.example.com:8443/me"}, "api.example.com", True),
        ({"base_url": "https://api.example.com/me"}, "example.com", False),
        ({"base_url": "nonsense"}, "nonsense", False),
    ],
)
def test_a_secret_goes_to_its_own_hosts_only(fields: dict[str, Any], host: str, allowed: bool) -> None:
    assert host_allowed(fields, host) is allowed


def test_a_mail_connection_asks_for_nothing_that_nobody_reads() -> None:
    """Whether the server drops repeats is a setting of the step, which alone knows what a repeat would do."""
    kind = KINDS["smtp"]
    assert "recognises_repeats" not in kind.spec()["fields"]["properties"]
    stored = {"host": "mail.example.com", "from_address": "a@example.com", "recognises_repeats": True}
    assert kind.problems(stored) == []

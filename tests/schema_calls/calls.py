"""Makes calls as each role, and judges the answers by the published document."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import requests
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.schema_calls.town import Town

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass(slots=True)
class Tally:
    """What was called and how it was answered. `failures`: each kind, with how often it came and the first call."""

    calls: Counter[str] = field(default_factory=Counter)
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    unsent: int = 0
    failures: dict[tuple[str, str, str], list[Any]] = field(default_factory=dict)

    def note(self, where: str, status: int, failure: Exception, words: str) -> None:
        """Remember a failure."""
        what = f"{type(failure).__name__}: {failure}".split("\n\n")[0][:300]
        found = self.failures.setdefault((where, str(status), what), [0, words])
        found[0] += 1

    def told(self) -> str:
        """The failures for people."""
        return "\n".join(
            f"{count} × {where} {status}: {what}\n{words}"
            for (where, status, what), (count, words) in self.failures.items()
        )


def make(town: Town, operation: Any, cases: Iterable[Any], tally: Tally) -> None:
    """Send every case as everybody, one after another."""
    for case in cases:
        for someone in town.callers:
            caller = town.caller(someone, operation.label)
            if caller is None:
                continue
            try:
                answer = case.call(
                    base_url=town.product.url, session=caller.session, headers=caller.headers, timeout=60,
                    allow_redirects=False,
                )  # fmt: skip
            except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError):
                tally.unsent += 1
                continue
            tally.calls[caller.role] += 1
            tally.statuses[caller.role][answer.status_code] += 1
            try:
                case.validate_response(answer, checks=CHECKS, headers=caller.headers)
            except FailureGroup as group:
                for failure in group.exceptions:
                    words = f"  as {caller.role}: {case.as_curl_command()[:1500]}\n  answered {answer.content[:600]!r}"
                    tally.note(operation.label, answer.status_code, failure, words)

"""Looking up over HTTP whether something happened: the settings, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from runtime.engine.jsonprofile import JSON
from runtime.sdk.advice import address_problems
from runtime.sdk.errors import PermanentError, RetryableError
from runtime.sdk.fields import Conditions, Config, Number, field
from runtime.sdk.http import is_among, parse_codes, reason
from runtime.sdk.probes import DidNotHappen, Happened, Patience, Verdict, Work
from runtime.sdk.results import Result
from runtime.sdk.rules import decide

WRITES = ("POST", "PUT", "PATCH", "DELETE")
#: Answers after which another look may tell.
_PASSING = (408, 425, 429)
_GROUP = "A lost answer"
_SHOWN = {"in_doubt": ["look_up"]}
_IS_THERE = {
    "match": "all",
    "rules": [{"left": "{{ look_up.status }}", "op": "eq", "right": "200", "type": "number"}],
}


class LookUpSettings(Config):
    """What a step that calls over HTTP can be told about it. `in_doubt` is shown for methods that change something."""

    in_doubt: Literal["usual", "look_up"] = field(
        "usual",
        title="If the answer is lost",
        help="The connection broke, nothing came in time, or the machine went down: nobody knows then whether it "
        "happened.",
        widget="choice",
        options=(
            ("usual", "Send it again if that is safe; stop or ask if not"),
            ("look_up", "Look up first whether it happened"),
        ),
        show_if={"method": list(WRITES)},
        group=_GROUP,
        order=20,
    )
    look_up_url: str = field(
        "",
        title="Look up at",
        help="Asked with GET, signed in as the step is. Insert The look-up › Key, or other data that names what was "
        "asked for.",
        widget="url",
        deferred=True,
        placeholder="https://api.example.com/invoices?key={{ look_up.key }}",
        show_if=_SHOWN,
        required=True,
        group=_GROUP,
        order=21,
        max_length=8000,
    )
    look_up_found: Conditions = field(
        _IS_THERE,
        title="It happened if",
        help="Asked of what the other system answers. If it does not hold, it did not happen, and the step is sent "
        "again with its key.",
        widget="conditions",
        deferred=True,
        show_if=_SHOWN,
        group=_GROUP,
        order=22,
    )
    look_up_output: Any = field(
        "{{ look_up.body }}",
        title="Then the step gives",
        help="What later steps find as this step's “body”, like {{ look_up.body.items[0] }}.",
        widget="json",
        deferred=True,
        show_if=_SHOWN,
        group=_GROUP,
        order=23,
    )
    look_up_missing: str = field(
        "404",
        title="It did not happen if the status is",
        help="After any other status that is no success nobody can tell: it is looked up again, and then a person is "
        "asked.",
        show_if=_SHOWN,
        group=_GROUP,
        advanced=True,
        order=24,
        max_length=200,
    )
    look_up_after: Number = field(
        2,
        title="Look after (seconds)",
        help="Some systems find a thing only a little later.",
        widget="number",
        show_if=_SHOWN,
        group=_GROUP,
        advanced=True,
        order=25,
        ge=0,
        le=3600,
    )
    look_up_times: int = field(
        5,
        title="Look at most so often",
        help="While it cannot tell, each pause is twice as long as the one before. Then a person is asked.",
        widget="number",
        show_if=_SHOWN,
        group=_GROUP,
        advanced=True,
        order=26,
        ge=1,
        le=20,
    )


def looks_up(config: Mapping[str, Any]) -> bool:
    """Whether a step with these settings looks up what happened before it is sent again."""
    return config.get("method") in WRITES and config.get("in_doubt") == "look_up"


def patience(config: LookUpSettings) -> Patience:
    return Patience(int(config.look_up_times), float(config.look_up_after))


def judged(config: LookUpSettings, host: str, answer: Result, work_out: Work, now_ms: int) -> Verdict:
    """What the answer (a result of the HTTP step, whatever its status) says. Raises StepFailure if it cannot tell."""
    given: Any = answer.output
    status: int = given["status"]
    if is_among(status, config.look_up_missing):
        return DidNotHappen(answer.request, answer.response)
    if not 200 <= status <= 299:
        passes = status >= 500 or status in _PASSING
        raise (RetryableError if passes else PermanentError)(
            "The look-up cannot tell",
            f"{host} answered the look-up with status {status} ({reason(status)}).",
            f"look_up_{status}",
            request=answer.request,
            response=answer.response,
        )
    found: dict[str, JSON] = {name: given[name] for name in ("status", "headers", "body")}
    try:
        if not decide(work_out(config.look_up_found, found, spare=True), now_ms):
            return DidNotHappen(answer.request, answer.response)
        body = work_out(config.look_up_output, found)
    except PermanentError as failure:
        failure.request, failure.response = answer.request, answer.response
        raise
    return Happened(answer._replace(output={**given, "body": body}, note=f"Looked up: status {status}"))


def look_up_problems(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is wrong with these settings, besides what each field says itself."""
    if not looks_up(config):
        return []
    found = address_problems("look_up_url", "Look up at", config.get("look_up_url"))
    try:
        parse_codes(str(config.get("look_up_missing", "404")))
    except ValueError as error:
        found.append(("look_up_missing", "invalid", f"“It did not happen if the status is” {error}."))
    return found


def look_up_warnings(config: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What is unwise in these settings."""
    url = config.get("look_up_url")
    if not looks_up(config) or not isinstance(url, str) or not url:
        return []
    if "{{" not in url:
        return [
            (
                "look_up_url",
                "look_up_same",
                "“Look up at” is the same for every run, so it may find what another run did. Put in "
                "{{ look_up.key }}, or data that only this run has.",
            )
        ]
    if "look_up.key" in url and not config.get("send_key", True):
        return [
            (
                "look_up_url",
                "look_up_key",
                "“Look up at” asks for the key, and the step does not send it. Switch on “Safe to repeat”, or look for "
                "something else.",
            )
        ]
    return []

"""How a step says that it failed. Whether to try again is said here, by the one who knows; nobody parses messages."""

from __future__ import annotations

from runtime.engine.jsonprofile import JSON


class StepFailure(Exception):
    """Base of the two failures a step type may raise. Anything else counts as ``PermanentError("unexpected")``.

    ``title``: what happened, a few words. ``message``: what, why, and what to do, in the words of the reader.
    ``code``: a stable word for programs. ``detail``: the other system's own text, shown under "Technical details".
    ``maybe_applied``: the effect was started and its outcome is unknown (time-out, lost answer), as opposed to refused.
    ``request`` and ``response``: redacted summaries for the record of this try.
    """

    retryable = False

    def __init__(
        self,
        title: str,
        message: str = "",
        code: str = "failed",
        *,
        detail: str | None = None,
        retry_after_seconds: float | None = None,
        http_status: int | None = None,
        maybe_applied: bool = False,
        request: JSON = None,
        response: JSON = None,
    ) -> None:
        super().__init__(message or title)
        self.title = title
        self.message = message or title
        self.code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.http_status = http_status
        self.maybe_applied = maybe_applied
        self.request = request
        self.response = response


class RetryableError(StepFailure):
    """It may work when it is tried again: no connection, time-out, 408, 425, 429, 5xx."""

    retryable = True


class PermanentError(StepFailure):
    """It will not work without a change by a person: wrong data, refused, not found."""

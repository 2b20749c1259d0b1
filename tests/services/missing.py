"""What happens where a service is not there: skipped loudly on a laptop, a failure on a build machine."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


class MissingService(Exception):
    """No such server on this machine; the message says how to get one."""


def on_ci() -> bool:
    """Whether this is a build machine, where nothing may be skipped."""
    return os.environ.get("CI", "").lower() == "true"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the running test with its reason, or fail it where CI=true."""
    if on_ci():
        pytest.fail(f"{reason} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(reason)

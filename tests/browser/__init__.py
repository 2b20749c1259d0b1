"""What people do, in a real browser, on the whole product."""

from __future__ import annotations

"""Sessions in the database, as Django keeps them, with two rules of our own.

A key that is none of ours never reaches the database. A session that ends with the browser ends on the server, too,
after a day: Django would keep its row for as long as one that was to be remembered.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from django.contrib.sessions.backends import db

BROWSER_SESSION: Final = timedelta(days=1)
_KEY: Final = re.compile(r"[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    """Loads and saves one session."""

    def _validate_session_key(self, key: str | None) -> bool:
        return isinstance(key, str) and _KEY.fullmatch(key) is not None

    def get_session_cookie_age(self) -> int:
        """How long a session without a time of its own lives, in seconds."""
        ends_with_browser = self.get("_session_expiry") == 0
        return int(BROWSER_SESSION.total_seconds()) if ends_with_browser else super().get_session_cookie_age()

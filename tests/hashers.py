"""A password hasher for tests, quick because signing in is not what they measure."""

from __future__ import annotations

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """PBKDF2 with one round."""

    algorithm = "pbkdf2_quick"
    iterations = 1

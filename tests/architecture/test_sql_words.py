"""What SQL is written with: both databases know it, SQLites that Python is shipped with among them."""

from __future__ import annotations

import io
import tokenize

from tests.architecture.source import name_of, python_files

#: What SQLite learned late, and since when; whoever needs it for PostgreSQL alone stands below.
LATE = {"IS DISTINCT FROM": "3.39", "IS NOT DISTINCT FROM": "3.39", "RIGHT JOIN": "3.39", "FULL JOIN": "3.39"}
TRANSLATED = {"runtime/store/trail.py": "says it to SQLite in other words (`_sqlite_words`)"}


def test_no_statement_says_what_older_sqlites_do_not_know() -> None:
    """Triggers were spared it before. A Python of today may well bring an SQLite of 2021 along."""
    found = []
    for path in python_files("runtime/", "builder/"):
        name = name_of(path)
        if name in TRANSLATED:
            continue
        for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
            if token.type != tokenize.COMMENT:
                found += [f"{name}:{token.start[0]}: {word}" for word in LATE if word in token.string]
    assert found == []

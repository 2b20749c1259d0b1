"""Proof that the tests bite: one line is made wrong, and a named test has to notice."""

"""Encrypted credentials of the outside systems: sealed here, opened only for a step that names one."""

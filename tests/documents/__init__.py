"""Designs and data become PDFs, which are opened and read again."""

from __future__ import annotations

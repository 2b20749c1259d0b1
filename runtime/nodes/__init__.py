"""Step types, one file each; `runtime.catalog` finds them."""

from __future__ import annotations

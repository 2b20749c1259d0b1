"""The interpreter: carries one claimed run through its version's graph, the engine deciding, the store remembering.

`driver.py` is the loop, `attempts.py` one attempt, `units.py` and `rows.py` the way to rows and back. It knows of no
process, queue or network: `Shell` says what it needs of the worker that hosts it.
"""

from __future__ import annotations

from runtime.interpreter.driver import Driver
from runtime.interpreter.loading import Loaded, loaded
from runtime.interpreter.shell import Shell
from runtime.interpreter.versions import Unsupported, Version, Versions

__all__ = ["Driver", "Loaded", "Shell", "Unsupported", "Version", "Versions", "loaded"]

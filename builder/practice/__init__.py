"""The practice company: a small real company with an HTTP API and a mail box, for examples, the tour and tests.

It keeps its books in a database file of its own and knows nothing of Millrace. Only `example.py` does: it installs
the workflows *Order to cash*, *Payment run with undo*, *Refund with approval*, *Month-end statements* and *Bank
statement reconciliation*, which do business with this company.
"""

from __future__ import annotations

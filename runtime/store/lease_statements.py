"""The SQL of leases that are kept and given back; see `statements.py`."""

from __future__ import annotations

from typing import Final

from runtime.store.dialect import Statement
from runtime.store.statements import LEASE_MS

__all__ = ["KEEP_LAPSED", "RELEASE_LEASES", "RENEW_LEASES"]

# A renewed lease moves the time to look again along with it, unless somebody knocked meanwhile.
RENEW_LEASES: Final = Statement(
    columns=(("u_id", "uuid"), ("u_token", "int")),
    body=f"""
    UPDATE store_run SET
        wake_at = CASE WHEN wake_at = lease_expires_at THEN {{now}} + {LEASE_MS} ELSE wake_at END,
        lease_expires_at = {{now}} + {LEASE_MS}
    FROM u WHERE id = u_id AND lease_token = u_token AND lease_owner IS NOT NULL AND finished_at IS NULL
    RETURNING {{key:id}}""",
    returns=True,
)

# A lease that has run out while its holder lives, and that nobody has taken: the holder keeps it.
KEEP_LAPSED: Final = Statement(
    columns=RENEW_LEASES.columns,
    body=f"{RENEW_LEASES.body.replace('finished_at IS NULL', 'finished_at IS NULL AND lease_expires_at <= {now}')}",
    returns=True,
)

# Handing back is no failure and does not count towards the poison limit, unless the holder says that it could do
# nothing with the run.
RELEASE_LEASES: Final = Statement(
    columns=(("u_id", "uuid"), ("u_token", "int"), ("u_wake_at", "int"), ("u_counts", "int")),
    body="""
    UPDATE store_run SET
        wake_at = CASE WHEN wake_at < lease_expires_at AND (u_wake_at IS NULL OR wake_at < u_wake_at) THEN wake_at
            WHEN paused_at IS NOT NULL THEN NULL ELSE COALESCE(u_wake_at, {now}) END,
        lease_owner = NULL, lease_expires_at = NULL, lease_token = lease_token + 1,
        claims = CASE WHEN u_counts = 1 THEN claims WHEN claims > 0 THEN claims - 1 ELSE 0 END
    FROM u WHERE id = u_id AND lease_token = u_token AND lease_owner IS NOT NULL AND finished_at IS NULL
    RETURNING {key:id}""",
    returns=True,
)

"""What people did: an append-only record, each row tied to the one before it by a digest."""

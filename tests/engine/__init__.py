"""The engine's promises. No database, no clock, no network."""

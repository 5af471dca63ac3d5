"""Dagster definitions: thin wiring over the library."""

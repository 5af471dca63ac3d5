"""Adapters between the library and Dagster: resources, partitions, IO, checks, metadata."""

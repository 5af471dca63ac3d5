"""Dated, sourced reference data."""

"""Great Expectations on Polars."""

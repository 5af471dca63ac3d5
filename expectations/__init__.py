"""Great Expectations suites, one JSON file per table; data, not code."""

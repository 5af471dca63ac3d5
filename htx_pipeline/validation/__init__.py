"""Great Expectations on Polars: suites as data, an execution engine, and what a failure means.

Nothing is imported here, so that reading a suite (`suites`) stays quick; `run.validate` imports
Great Expectations when it is called.
"""

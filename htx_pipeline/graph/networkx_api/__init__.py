"""NetworkX's functions on a `CSRGraph`: its labels, dicts, generators, exceptions and scaling.

What belongs here: one function per name in `htx_pipeline.graph.backend_info.FUNCTIONS`, with NetworkX's
arguments; conversion from NetworkX.
What does not: algorithms (`htx_pipeline.graph.arrays`, `flow`, `leiden`), dispatch
(`htx_pipeline.graph.backend`).
"""

"""Compiled kernels over compressed sparse rows.

What belongs here: loops that SciPy and igraph lack or are slower at, on plain arrays of numbers.
What does not: ids, frames, NetworkX's conventions (`htx_pipeline.graph.backend`).

A kernel is compiled for its explicit signature on its first call and kept in Numba's cache: in the
package's ``__pycache__`` where that can be written, else in the user's cache folder, or wherever
``NUMBA_CACHE_DIR`` points. ``python -m htx_pipeline.graph.kernels`` fills the cache beforehand.
"""

"""Compiled kernels over compressed sparse rows.

What belongs here: loops that SciPy and igraph lack or are slower at, on plain arrays of numbers.
What does not: ids, frames, NetworkX's conventions (`htx_pipeline.graph.backend`).

Small graphs are treated in plain Python (see `jit`). Where there is more to do, a kernel is compiled for
its explicit signature and kept in Numba's cache: in the package's ``__pycache__`` where that can be written, else in the user's cache folder, or wherever
``NUMBA_CACHE_DIR`` points. ``python -m htx_pipeline.graph.kernels`` fills the cache beforehand.
"""

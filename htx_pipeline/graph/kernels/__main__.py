"""``python -m htx_pipeline.graph.kernels``: compile every kernel into the cache."""

from __future__ import annotations

from importlib import import_module

from htx_pipeline.graph.kernels.jit import KERNELS


def main() -> None:
    """Compile what is not in the cache yet."""
    for module in (
        "cascades", "community", "cuts", "flows", "residual", "structure", "traverse", "weighted",
    ):  # fmt: skip
        import_module(f"htx_pipeline.graph.kernels.{module}")
    import_module("htx_pipeline.ingest._cells_kernel")
    for kernel in KERNELS:
        kernel.compile()
    print(f"{len(KERNELS)} kernels are compiled")


if __name__ == "__main__":
    main()

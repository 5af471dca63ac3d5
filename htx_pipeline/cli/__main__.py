"""``python -m htx_pipeline.cli``."""

from htx_pipeline.cli import main

raise SystemExit(main())

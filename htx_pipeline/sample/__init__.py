"""The seeded synthetic province: who is in it, the files it would send, and the mess in them.

What belongs here: making synthetic data (`generate`, `write_sample`, `scale`, `write_scale`), the
published figures it is fitted to, and the source mappings for the files it writes. What does not:
reading files, and anything about real organisations. Everything made here is marked synthetic.
"""

from __future__ import annotations

from htx_pipeline.sample.facts import MAPPINGS_DIR, SYNTHETIC_LABEL
from htx_pipeline.sample.fit import FIT_SCHEMA, fit
from htx_pipeline.sample.mess import MESS_KINDS, MESS_SCHEMA
from htx_pipeline.sample.province import SampleProvince, generate
from htx_pipeline.sample.scale import scale, write_scale
from htx_pipeline.sample.write import SampleManifest, write_sample

__all__ = [
    "FIT_SCHEMA",
    "MAPPINGS_DIR",
    "MESS_KINDS",
    "MESS_SCHEMA",
    "SYNTHETIC_LABEL",
    "SampleManifest",
    "SampleProvince",
    "fit",
    "generate",
    "scale",
    "write_sample",
    "write_scale",
]

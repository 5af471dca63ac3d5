"""Which reporting years have input that no run has read: what the nightly schedule asks.

What belongs here: one fingerprint a reporting year. What does not: asking for runs (`assets/schedule`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version

import polars as pl

from htx_pipeline.ingest.mapping import Mapping, load_mappings
from htx_pipeline.ingest.read import list_sources
from htx_pipeline.orchestration.run import discover_periods, years_of
from htx_pipeline.settings import Settings


def fingerprints(settings: Settings) -> dict[str, str]:
    """Return, for each reporting year the input speaks of, a hash of all that its tables are made from.

    That is: every file whose year is that year, an earlier one (tables look back) or not known before
    reading, the mappings, the corrections, the settings that change results, and the version of this package.

    Returns
    -------
    dict[str, str]
        Reporting year → 16 hexadecimal digits, oldest year first.

    Raises
    ------
    InputError
        When the input folder or the mappings cannot be used.
    """
    mappings = load_mappings(settings.mappings)
    source_files = list_sources(mappings, settings.input_dir)
    same = _same_for_all(settings, mappings)
    files = [
        (row["source_file"], row["sha256"] or "", years_of(row, mappings))
        for row in source_files.sort(pl.all()).iter_rows(named=True)
    ]
    found = {}
    for period in discover_periods(mappings, settings.input_dir, source_files):
        read = [[name, sha] for name, sha, years in files if not years or min(years) <= period]
        text = json.dumps([same, read], ensure_ascii=False)
        found[period] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found


def _same_for_all(settings: Settings, mappings: Sequence[Mapping]) -> list[str]:
    corrections = settings.corrections_file
    return [
        version("htx_pipeline"),
        settings.model_dump_json(exclude={"workers", "schedule_cron", "timezone"}),
        *(m.model_dump_json() for m in sorted(mappings, key=lambda m: m.id)),
        # A file that is not there is the run's to report: it names the setting and what to do.
        hashlib.sha256(corrections.read_bytes()).hexdigest()
        if corrections is not None and corrections.is_file()
        else "",
    ]

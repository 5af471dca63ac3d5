"""What the notebooks share: finding the data, and the report's own drawings as pictures.

What belongs here: small helpers for people who look at the tables, outside the asset graph. What does not:
measures (`htx_pipeline.metrics`), new kinds of drawing (`htx_pipeline.report.figures`).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from htx_pipeline.errors import InputError

if TYPE_CHECKING:
    from htx_pipeline.report.blocks import Figure
    from htx_pipeline.report.figures import Picture
    from htx_pipeline.report.illustrator import Illustrator

SAMPLE: Final = Path("demo/data")
"""Where `make demo` and `htx demo` put the sample province."""

GROUPS: Final = ("raw", "core", "graph", "metrics")


def data_folder(*, make: bool = True) -> Path:
    """Return the folder of tables to look at.

    ``HTX_DATA_DIR`` where it is set; else the sample province in ``demo/data``, here or in the
    folder above (a notebook may be started in either). Where there is none, the sample is made: one to two
    minutes, once.

    Parameters
    ----------
    make:
        Make the sample province when there is nothing; else say what to run.

    Raises
    ------
    InputError
        The folder named holds no tables; or there are none and *make* is False.
    """
    named = os.environ.get("HTX_DATA_DIR")
    for place in [Path(named)] if named else [SAMPLE, Path("..") / SAMPLE]:
        if any(place.glob("core/organisations/period=*/*.parquet")):
            return place
    if named or not make:
        raise InputError(
            "There are no tables to look at.", where=named or str(SAMPLE),
            remedy="Run `make demo` for the sample province, or set HTX_DATA_DIR to the data folder of a run.",
            what_vi="Chưa có số liệu để xem.",
            remedy_vi="Chạy `make demo`, hoặc đặt HTX_DATA_DIR là thư mục số liệu.", code="no_data",
        )  # fmt: skip
    sys.stderr.write("Chưa có số liệu: đang tạo tỉnh mẫu (1–2 phút) / making the sample province …\n")  # fmt: skip
    return make_sample(SAMPLE.parent)


def make_sample(out: Path, *, seed: int = 20) -> Path:
    """Write the sample province to *out*/input, run it without its reports, and return *out*/data.

    Raises
    ------
    InputError
        A step failed.
    """
    from htx_pipeline.definitions import defs
    from htx_pipeline.ingest.mapping import load_mappings
    from htx_pipeline.orchestration.run import discover_periods, require_success, run_periods
    from htx_pipeline.sample import write_sample
    from htx_pipeline.settings import Settings

    inputs = out / "input"
    write_sample(inputs, seed=seed)
    settings = Settings(data_dir=out / "data", input_dir=inputs, seed=seed, province="Kon Tum")
    keys = sorted(
        k.to_user_string() for k in defs().resolve_all_asset_keys() if k.path[0] != "report"
    )
    periods = discover_periods(load_mappings(settings.mappings), inputs)
    require_success(run_periods(settings, periods, selection=keys))
    return settings.data_dir


def periods(data_dir: Path | str | None = None) -> list[str]:
    """Return the reporting years there are, oldest first."""
    from htx_pipeline.tables import list_tables

    found = list_tables(data_dir=data_dir).filter(pl.col("table") == "metrics/clusters")
    return sorted(found["period"].drop_nulls().to_list())


def read_period(period: str, *, data_dir: Path | str | None = None) -> dict[str, pl.DataFrame]:
    """Return every table of a period by key ("core/linkages").

    Raises
    ------
    InputError
        There is none.
    """
    from htx_pipeline.tables import list_tables, read_table

    there = list_tables(data_dir=data_dir).filter(pl.col("period") == period)["table"].to_list()
    keys = [k for k in there if k.split("/")[0] in GROUPS]
    if not keys:
        raise InputError(
            f"There are no tables of the period {period}.",
            remedy="Run the pipeline for it first.",
            code="period_missing",
        )
    return {k: read_table(k, period=period, data_dir=data_dir) for k in keys}


def _builder(frames: Mapping[str, pl.DataFrame], period: str) -> Illustrator:
    from htx_pipeline.report.frames import Frames
    from htx_pipeline.report.illustrator import Illustrator
    from htx_pipeline.report.options import ReportOptions
    from htx_pipeline.settings import Settings

    files = frames.get("raw/source_files")
    mapped = files.filter(pl.col("mapping_id").is_not_null()) if files is not None else None
    settings = Settings()
    options = ReportOptions(
        title=settings.title_vi,
        as_of=settings.date_of_report(period),
        boundaries_file=settings.boundaries_file,
        boundaries_code=settings.boundaries_code,
        is_synthetic=mapped is not None and bool(mapped["is_synthetic"].any()),
    )
    return Illustrator(Frames(frames, period=period), options, None)


def _drawn(figure: Figure | None) -> Picture | None:
    from htx_pipeline.report.figures import render

    return None if figure is None else render(figure.spec)


def chain_picture(
    frames: Mapping[str, pl.DataFrame], *, period: str, scope: str = "province"
) -> Picture | None:
    """Draw the chain by stage, as in the reports; None where no flow is recorded.

    Parameters
    ----------
    frames:
        Tables of the period, see `read_period`.
    period:
        Reporting year.
    scope:
        ``province``, or a cluster's id.
    """
    from htx_pipeline.report.text import STAGES

    key = "graph/nodes" if scope == "province" else "metrics/cluster_members"
    rows = frames[key] if scope == "province" else frames[key].filter(pl.col("cluster_id") == scope)
    stages = {s: rows.filter(pl.col("stage") == s).height for s in STAGES}
    return _drawn(_builder(frames, period).chain_figure(scope, "so-tay", stages))


def map_picture(
    frames: Mapping[str, pl.DataFrame], *, period: str, scope: str = "province"
) -> Picture | None:
    """Draw the map of the province or of a cluster, as in the reports; None where nothing can be placed."""
    return _drawn(_builder(frames, period).map_figure(scope, "so-tay"))


def fitted(svg: str) -> str:
    """Return an SVG picture that fills the width it is given.

    Examples
    --------
    >>> fitted('<svg viewBox="0 0 9 3" width="9" height="3"></svg>')
    '<svg viewBox="0 0 9 3" style="width:100%;height:auto"></svg>'
    """
    return re.sub(
        r' width="[\d.]+" height="[\d.]+"', ' style="width:100%;height:auto"', svg, count=1
    )


def shown(frame: pl.DataFrame, key: str, *, decimals: int = 3) -> pl.DataFrame:
    """Return a table for reading: Vietnamese headings, codes in words, numbers rounded.

    Examples
    --------
    >>> shown(pl.DataFrame({"stage": ["processing"], "esri_linear": [0.12345]}), "metrics/risk").row(0)
    ('Sơ chế, chế biến', 0.123)
    """
    from htx_pipeline.exports.dictionary import readable

    return readable(frame, key).with_columns(pl.selectors.float().round(decimals))


def share_bars(
    bars: Iterable[tuple[str, Sequence[float | None], str]],
    *,
    series: Sequence[str],
    levels: Sequence[int] | None = None,
    mark: str = "",
) -> Picture | None:
    """Draw nested horizontal bars of shares, as in the reports; None where there is no bar.

    Parameters
    ----------
    bars:
        Label, shares (0..1) from the widest to the narrowest, and the text at the bar's end.
    series:
        What each share is.
    levels:
        The ink of each (0 pale to 3 dark); the first ones when None.
    mark:
        Printed small below, for example that the data are synthetic.

    Examples
    --------
    >>> share_bars([("2024", [0.5, 0.2], "20 %")], series=["signed", "executed"]).svg[:5]
    b'<?xml'
    """
    from htx_pipeline.report.figures import render

    made = [{"label": name, "shares": list(shares), "text": text} for name, shares, text in bars]
    if not made:
        return None
    inks = list(range(len(series))) if levels is None else list(levels)
    return render({"kind": "bars", "bars": made, "series": list(series), "levels": inks, "mark": mark})  # fmt: skip

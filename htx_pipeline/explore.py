"""What the notebooks share: opening the data, tables for reading, the report's own drawings as pictures.

What belongs here: small helpers for people who look at the tables, outside the asset graph. What does not:
measures (`htx_pipeline.metrics`), new kinds of drawing (`htx_pipeline.report.figures`).

Only `listing` and `drawing` need marimo, and only when they are called.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from htx_pipeline.errors import InputError

if TYPE_CHECKING:
    from htx_pipeline.report.blocks import Figure
    from htx_pipeline.report.figures import Picture
    from htx_pipeline.report.illustrator import Illustrator

SAMPLE: Final = Path("demo/data")
"""Where `make demo` and `htx demo` put the sample province."""

READ: Final = ("raw", "core", "graph")
"""Groups of tables that the notebooks read whole."""

MEASURES: Final = (
    "chain_flows", "cluster_members", "clusters", "localities", "reporting_roster", "reporting_roster_localities", "risk",
)  # fmt: skip
"""Measures that the notebooks read; the others, the reports and the exports need `make demo`."""


@dataclass(frozen=True)
class Data:
    """The tables of one data folder.

    Attributes
    ----------
    folder:
        Where they lie.
    """

    folder: Path

    @cached_property
    def periods(self) -> list[str]:
        """The reporting years there are, oldest first."""
        return sorted(self.tables("metrics/clusters")["period"].drop_nulls())

    def tables(self, *keys: str) -> pl.DataFrame:
        """Return what there is, one row a table and year, of the tables named or of all: see `list_tables`."""
        from htx_pipeline.tables import list_tables

        found = list_tables(data_dir=self.folder)
        return found.filter(pl.col("table").is_in(keys)) if keys else found

    def read(self, key: str, period: str | None = None) -> pl.DataFrame:
        """Return a table ("core/linkages") of one year, or of all years one under another."""
        from htx_pipeline.tables import read_table

        return read_table(key, period=period, data_dir=self.folder)

    def year(self, period: str) -> dict[str, pl.DataFrame]:
        """Return every table of a year by key ("core/linkages").

        Raises
        ------
        InputError
            There is none.
        """
        there = self.tables().filter(pl.col("period") == period)["table"]
        keys = [k for k in there if k.split("/")[0] in {*READ, "metrics"}]
        if not keys:
            raise InputError(
                f"There are no tables of the period {period}.",
                remedy="Run the pipeline for it first.",
                what_vi=f"Chưa có bảng nào của kỳ {period}.",
                remedy_vi="Chạy hệ thống cho kỳ ấy trước.",
                code="period_missing",
            )
        return {k: self.read(k, period) for k in keys}


def open_data(folder: Path | str | None = None, *, make: bool = True) -> Data:
    """Return the tables to look at.

    Those of *folder*, else of ``HTX_DATA_DIR`` where it is set; else the sample province in ``demo/data``, here or in
    the folder above (a notebook may be started in either). Where there is none, the sample is made, once: less than
    a minute. A folder that was named is never filled with made-up data.

    Parameters
    ----------
    folder:
        A data folder of a run.
    make:
        Make the sample province when there is nothing; else say what to run.

    Raises
    ------
    InputError
        The folder named holds no tables; or there are none and *make* is False.
    """
    named = folder or os.environ.get("HTX_DATA_DIR")
    for place in [Path(named)] if named else [SAMPLE, Path("..") / SAMPLE]:
        if any(place.glob("metrics/clusters/period=*/*.parquet")):
            return Data(place)
    if named or not make:
        raise InputError(
            "There are no tables to look at.", where=str(named or SAMPLE),
            remedy="Run `make demo` for the sample province, or set HTX_DATA_DIR to the data folder of a run.",
            what_vi="Chưa có số liệu để xem.",
            remedy_vi="Chạy `make demo`, hoặc đặt HTX_DATA_DIR là thư mục số liệu.", code="no_data",
        )  # fmt: skip
    sys.stderr.write("Chưa có số liệu: đang tạo tỉnh mẫu (chưa đến một phút) / making the sample province, less than a minute …\n")  # fmt: skip
    return Data(make_sample(SAMPLE.parent))


def make_sample(out: Path, *, seed: int = 20) -> Path:
    """Write the sample province to *out*/input, make the tables that the notebooks read, and return *out*/data.

    They are the tables that ``htx demo`` makes, by the same pipeline; its other measures, reports and exports are
    left out. The folder is complete or not there: an interrupted run starts anew.

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

    measures = {f"metrics/{name}" for name in MEASURES}
    every = (k.to_user_string() for k in defs().resolve_all_asset_keys())
    keys = sorted(k for k in every if k.split("/")[0] in READ or k in measures)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".making-") as work:
        made = Path(work)
        write_sample(made / "input", seed=seed)
        settings = Settings(
            data_dir=made / "data", input_dir=made / "input", seed=seed, province="Kon Tum"
        )
        periods = discover_periods(load_mappings(settings.mappings), settings.input_dir)
        require_success(run_periods(settings, periods, selection=keys))
        for name in ("input", "data"):
            if (out / name).exists():
                shutil.copytree(made / name, out / name, dirs_exist_ok=True)
            else:
                (made / name).replace(out / name)
    return out / "data"


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
        Tables of the period, see `Data.year`.
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


def drawing(
    picture: Picture | str | None, *, alt: str, otherwise: str = "", width: int = 760
) -> Any:
    """Show a picture of this module, or an SVG text across the whole width; *otherwise* where there is none.

    Parameters
    ----------
    picture:
        What `chain_picture`, `map_picture` or `share_bars` returned, or an SVG such as `ego_svg` gives.
    alt:
        What it shows, for those who cannot see it.
    otherwise:
        Markdown to show when there is nothing to draw.
    width:
        Pixels.
    """
    import marimo as mo

    if picture is None:
        return mo.md(otherwise)
    if isinstance(picture, str):
        return mo.Html(fitted(picture))
    return mo.image(picture.png, alt=alt, width=width)


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


def listing(
    frame: pl.DataFrame,
    key: str | None = None,
    *,
    rows: int = 10,
    label: str = "",
    decimals: int = 3,
    wrapped: Sequence[str] = (),
    otherwise: str = "*Không có dòng nào. / No rows.*",
) -> Any:
    """Show rows to page through, search and sort; *otherwise* where there are none.

    Parameters
    ----------
    frame:
        The rows.
    key:
        The table they are of: their headings and codes are put into words, see `shown`. Else as they are.
    rows:
        Rows of a page.
    label:
        What stands above.
    decimals:
        Decimals of numbers, where a key is given.
    wrapped:
        Columns of sentences, shown whole over several lines.
    otherwise:
        Markdown to show when there are no rows.
    """
    import marimo as mo

    if frame.is_empty():
        return mo.md(otherwise)
    made = frame if key is None else shown(frame, key, decimals=decimals)
    return mo.ui.table(
        made, selection=None, page_size=rows, label=label, wrapped_columns=list(wrapped),
        show_column_summaries=False, show_data_types=False,
    )  # fmt: skip


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

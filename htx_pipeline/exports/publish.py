"""All exports of a period: chosen formats as files, and as a folder with a manifest.

What belongs here: which formats there are, what they need, the order of masking and writing, the guide
that lies beside the files. What does not: a format's content (one module each).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
from pydantic import ValidationError

from htx_pipeline.errors import InputError
from htx_pipeline.exports import epcis, essglobal, geo, network, package, sheets
from htx_pipeline.exports.base import Exported, ExportOptions, Frames, json_bytes
from htx_pipeline.exports.dictionary import GROUPS
from htx_pipeline.settings import Settings
from htx_pipeline.storage import write_file, write_folder

Writer = Callable[[Frames, ExportOptions], Exported]
Mask = Callable[[Frames], Frames]
"""Disclosure control: frames in, frames that may be published out."""

MANIFEST: Final = "manifest.json"
POINTER: Final = "current.json"
GUIDE: Final = "DOC-TRUOC.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format: how it is written, what it needs, and for whom it is."""

    write: Writer
    needs: tuple[str, ...]
    files: str
    use_vi: str
    use_en: str


FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format(
        write=sheets.write_csv, needs=sheets.NEEDS, files="csv/*.csv",
        use_vi="Mở bằng Excel, LibreOffice.", use_en="For Excel and LibreOffice.",
    ),
    "package": Format(
        write=package.write_package, needs=package.NEEDS, files="package/",
        use_vi="Parquet kèm từ điển dữ liệu (datapackage.json), cho Python, R, DuckDB.",
        use_en="Parquet with a data dictionary (Frictionless), for Python, R, DuckDB.",
    ),
    "gexf": Format(
        write=network.write_gexf, needs=network.NEEDS, files="network.gexf",
        use_vi="Mạng lưới, mở bằng Gephi.", use_en="The network, for Gephi.",
    ),
    "graphml": Format(
        write=network.write_graphml, needs=network.NEEDS, files="network.graphml",
        use_vi="Mạng lưới, mở bằng yEd, Cytoscape.", use_en="The network, for yEd and Cytoscape.",
    ),
    "geojson": Format(
        write=geo.write_geojson, needs=geo.NEEDS, files="*.geojson",
        use_vi="Bản đồ, mở bằng QGIS.", use_en="For maps, in QGIS.",
    ),
    "jsonld": Format(
        write=essglobal.write_jsonld, needs=essglobal.NEEDS, files="organisations.jsonld",
        use_vi="Dữ liệu liên kết theo bộ từ vựng ESSGlobal.", use_en="Linked data in the ESSGlobal vocabulary.",
    ),
    "epcis": Format(
        write=epcis.write_epcis, needs=epcis.NEEDS, files="deliveries.epcis.jsonld",
        use_vi="Sự kiện giao hàng theo GS1 EPCIS 2.0, cho hệ thống truy xuất nguồn gốc.",
        use_en="Deliveries as GS1 EPCIS 2.0 events, for traceability systems.",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Published:
    """A written set of exports: its folder, its manifest, and whether it was not there before."""

    folder: Path
    manifest: Mapping[str, Any]
    is_new: bool


def read_frames(period: str, *, data_dir: Path | str | None = None) -> dict[str, pl.DataFrame]:
    """Return the tables of a period that exports are made of.

    Raises
    ------
    InputError
        There is no table of that period.
    """
    from htx_pipeline.tables import list_tables, read_table

    found = list_tables(data_dir=data_dir).filter(
        (pl.col("period") == period) & pl.col("table").str.split("/").list.first().is_in(GROUPS)
        | (pl.col("period") == period) & (pl.col("table") == "raw/source_files")
    )
    if found.is_empty():
        raise InputError(
            f"There are no tables of the period {period}.", where=str(data_dir or "HTX_DATA_DIR"),
            remedy="Run the pipeline for it first, or name another period.",
            what_vi="Không có số liệu của kỳ này.", code="period_missing",
        )  # fmt: skip
    return {k: read_table(k, period=period, data_dir=data_dir) for k in found["table"].to_list()}


def options_for(frames: Frames, settings: Settings, period: str, **changes: Any) -> ExportOptions:
    """Return the options that follow from the settings and the data; *changes* come last."""
    synthetic = False
    if "raw/source_files" in frames:
        mapped = frames["raw/source_files"].filter(pl.col("mapping_id").is_not_null())
        synthetic = bool(mapped["is_synthetic"].any())
    given = {
        "period": period, "as_of": settings.date_of_report(period), "title": settings.title_vi,
        "is_synthetic": synthetic, "base_uri": settings.base_uri,
        "licence_name": settings.licence_name, "licence_address": settings.licence_address,
        "boundaries_file": settings.boundaries_file, "boundaries_code": settings.boundaries_code,
    }  # fmt: skip
    try:
        return ExportOptions.model_validate(given | changes)
    except ValidationError as exc:
        reasons = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors())
        raise InputError(
            "An option of the export has a value that cannot be used.", where="export", why=reasons,
            remedy="Correct the value.", code="settings_invalid",
        ) from exc  # fmt: skip


def export_files(
    frames: Frames,
    options: ExportOptions,
    *,
    formats: Iterable[str] | None = None,
    mask: Mask | None = None,
) -> tuple[dict[str, bytes], dict[str, dict[str, int]]]:
    """Return the files of the formats asked for, each read back and compared, and what was counted.

    Parameters
    ----------
    frames:
        Frames of one period by key.
    options:
        Names and choices.
    formats:
        Names in `FORMATS`; when None all, of masked frames those whose tables are let through.
    mask:
        Disclosure control over the frames; public files are not made without it.

    Returns
    -------
    (files, counts)
        Relative name → content, with the guide; format → what its writer counted.

    Raises
    ------
    InputError
        An unknown format, a missing table, public files without disclosure control, or a file that
        does not read back. Nothing is written then: this function touches no disk.
    """
    chosen = sorted(set(FORMATS if formats is None else formats))
    unknown = [f for f in chosen if f not in FORMATS]
    if unknown:
        raise InputError(
            f"The format {unknown[0]!r} is not known.", where="export",
            remedy=f"Use: {', '.join(FORMATS)}.", code="export_format",
        )  # fmt: skip
    if options.kind == "public" and mask is None:
        raise InputError(
            "Public files are made of what disclosure control lets through, and none was given.",
            where="export", remedy="Pass mask=, or make internal files.", code="export_unmasked",
        )  # fmt: skip
    shown = frames if mask is None else mask(frames)
    if formats is None and mask is not None:
        chosen = [f for f in chosen if all(k in shown for k in FORMATS[f].needs)]
    files: dict[str, bytes] = {}
    counts: dict[str, dict[str, int]] = {}
    for name in chosen:
        made = FORMATS[name].write(shown, options)
        files |= made.files
        counts[name] = dict(made.counts)
    files[GUIDE] = _guide(chosen, options)
    return files, counts


def write_exports(
    frames: Frames,
    out: Path,
    options: ExportOptions,
    *,
    formats: Iterable[str] | None = None,
    mask: Mask | None = None,
) -> Published:
    """Write the exports of a period as one folder below *out*, and point ``current.json`` at it.

    The folder is named ``<period>-<12 hex digits of its manifest>`` and never changes; the same input gives the
    same name and bytes. When anything fails there is no new folder, and the pointer stays.

    Raises
    ------
    InputError
        As `export_files`; or the folder cannot be written.
    """
    files, counts = export_files(frames, options, formats=formats, mask=mask)
    if out.exists() and not out.is_dir():
        raise InputError(
            "The place for the exports is a file, not a folder.", where=str(out),
            remedy="Choose another folder.", code="not_a_folder",
        )  # fmt: skip
    manifest = {
        "title": options.title_line,
        "period": options.period,
        "kind": options.kind,
        "as_of": options.as_of.isoformat(),
        "is_synthetic": options.is_synthetic,
        "counts": counts,
        "files": {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in sorted(files.items())
        },
    }
    listed = json_bytes(manifest, name=MANIFEST)
    digest = hashlib.sha256(listed).hexdigest()
    folder = out / f"{options.period}-{digest[:12]}"
    is_new = not folder.exists()
    if is_new:
        write_folder({**files, MANIFEST: listed}, folder)
    pointer = {"exports": folder.name, "manifest_sha256": digest}
    write_file((json.dumps(pointer, indent=1, sort_keys=True) + "\n").encode(), out / POINTER)
    return Published(folder, manifest, is_new)


def _guide(formats: Iterable[str], options: ExportOptions) -> bytes:
    kind = {
        "internal": "NỘI BỘ: không phổ biến ra ngoài cơ quan. / Internal: not for publication.",
        "public": "Bản công khai. / Public edition.",
    }[options.kind]
    licence = " ".join(x for x in (options.licence_name, options.licence_address) if x)
    lines = [
        options.title_line,
        f"Ngày của số liệu / dated: {options.as_of:%d/%m/%Y}",
        kind,
        f"Giấy phép / licence: {licence or 'chưa nêu / none stated'}",
        "",
        "Cần tệp nào? / Which file do I need?",
    ]
    for name in formats:
        about = FORMATS[name]
        lines += [f"* {about.files}", f"    {about.use_vi}", f"    {about.use_en}"]
    lines += [
        "",
        "Mỗi tệp đã được đọc lại và so với bảng gốc trước khi phát hành; mã băm ghi trong manifest.json.",
        "Each file was read back and compared before it was published; hashes are in manifest.json.",
    ]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()

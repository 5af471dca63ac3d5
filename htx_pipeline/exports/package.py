"""A Frictionless data package: every table as Parquet, with a dictionary of its columns.

What belongs here: ``datapackage.json`` and the files it describes. What does not: what a column means
(`dictionary`), CSV (`sheets`).
"""

from __future__ import annotations

import hashlib
import io
from typing import Any, Final

import polars as pl

from htx_pipeline.exports.base import (
    Exported,
    ExportOptions,
    Frames,
    json_bytes,
    need,
    read_back_wrong,
)
from htx_pipeline.exports.dictionary import described, file_name, table_about, table_keys

NEEDS: Final = ("core/organisations",)

PROFILE: Final = "https://datapackage.org/profiles/2.0/datapackage.json"


def write_package(frames: Frames, options: ExportOptions) -> Exported:
    """Return ``package/datapackage.json`` and ``package/<group>-<table>.parquet``.

    The descriptor follows the Data Package standard, version 2 (https://datapackage.org): for each
    table its key, what refers to what, its files' hashes; for each column type, Vietnamese title,
    English title and description, unit, allowed values with labels, limits, legal source. A limit that only flags a
    row is no constraint. ``undescribed_columns`` counts columns of which nothing but the name is known.

    Raises
    ------
    InputError
        A file does not read back.
    """
    need(frames, NEEDS[0])
    files: dict[str, bytes] = {}
    resources = []
    unknown = 0
    keys = table_keys(frames)
    for key in keys:
        frame = frames[key]
        path = f"{file_name(key)}.parquet"
        stream = io.BytesIO()
        frame.write_parquet(stream, compression="zstd", statistics=True)
        data = stream.getvalue()
        if not pl.read_parquet(io.BytesIO(data)).equals(frame):
            raise read_back_wrong(path, "the cells differ")
        files[f"package/{path}"] = data
        about = table_about(key)
        fields = [_field(key, name, dtype) for name, dtype in frame.schema.items()]
        unknown += sum(not described(key, n, t).is_known for n, t in frame.schema.items())
        resources.append(
            {
                "name": file_name(key), "path": path, "title": about.title_vi,
                "description": about.description, "htx:titleEn": about.title_en, "htx:rows": frame.height,
                "format": "parquet", "mediatype": "application/vnd.apache.parquet", "bytes": len(data),
                "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
                **({"sources": [{"title": about.source}]} if about.source else {}),
                "schema": {
                    "fields": fields, "missingValues": [""],
                    **_keys(key, frame, keys),
                },
            }
        )  # fmt: skip
    files["package/datapackage.json"] = json_bytes(
        _descriptor(frames, options, resources), name="package/datapackage.json"
    )
    return Exported(files, {"tables": len(resources), "undescribed_columns": unknown})


def _descriptor(
    frames: Frames, options: ExportOptions, resources: list[dict[str, Any]]
) -> dict[str, Any]:
    licence = {"name": options.licence_name, "path": options.licence_address}
    return {
        "$schema": PROFILE,
        "name": f"htx-{options.period}-{options.kind}",
        "title": options.title_line,
        "description": "Liên kết hợp tác xã – doanh nghiệp: các bảng của một kỳ báo cáo (15/12 năm trước đến 14/12). "
        "Linkages of cooperatives and enterprises: the tables of one reporting year.",
        "version": options.as_of.isoformat(),
        "created": options.timestamp,
        **(
            {"licenses": [{k: v for k, v in licence.items() if v}]}
            if options.licence_name
            else {"htx:licence": "Chưa nêu giấy phép / no licence stated"}
        ),
        **_sources(frames),
        "htx:kind": options.kind,
        "htx:isSynthetic": options.is_synthetic,
        "resources": resources,
    }


def _sources(frames: Frames) -> dict[str, Any]:
    if "raw/source_files" not in frames or frames["raw/source_files"].is_empty():
        return {}
    read = frames["raw/source_files"].filter(pl.col("mapping_id").is_not_null())
    rows = read.select("source_file", "sha256").unique().sort("source_file", "sha256").rows()
    return {"sources": [{"title": name, "htx:sha256": digest} for name, digest in rows]} if rows else {}  # fmt: skip


def _keys(key: str, frame: pl.DataFrame, there: list[str]) -> dict[str, Any]:
    about = table_about(key)
    made: dict[str, Any] = {}
    if about.key and set(about.key) <= set(frame.columns):
        made["primaryKey"] = list(about.key)
    refers = []
    for name in frame.columns:
        reference = described(key, name, frame.schema[name]).references
        table, _, column = (reference or "").partition(".")
        if column and f"core/{table}" in there and f"core/{table}" != key:
            target = {"resource": file_name(f"core/{table}"), "fields": [column]}
            refers.append({"fields": [name], "reference": target})
    if refers:
        made["foreignKeys"] = refers
    return made


def field_type(dtype: pl.DataType) -> str:
    """Return the Table Schema type of a Polars type.

    Examples
    --------
    >>> field_type(pl.Int64()), field_type(pl.List(pl.String())), field_type(pl.Date())
    ('integer', 'array', 'date')
    """
    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "number"
    named = {pl.Boolean: "boolean", pl.Date: "date", pl.List: "array", pl.Struct: "object", pl.Datetime: "datetime"}  # fmt: skip
    return named.get(dtype.base_type(), "string")


def _field(key: str, name: str, dtype: pl.DataType) -> dict[str, Any]:
    about = described(key, name, dtype)
    return {
        "name": name,
        "type": field_type(dtype),
        **({"title": about.title_vi} if about.title_vi else {}),
        **({"description": about.description} if about.description else {}),
        **({"htx:titleEn": about.title_en} if about.title_en else {}),
        **({"htx:unit": about.unit} if about.unit else {}),
        **({"htx:source": about.source} if about.source else {}),
        **(
            {
                "categories": [
                    {"value": c.code, "label": c.label_vi, "htx:labelEn": c.label_en}
                    for c in about.codes
                ]
            }
            if about.codes
            else {}
        ),
        **({"constraints": about.constraints} if about.constraints else {}),
    }

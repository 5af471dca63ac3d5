"""Write what follows from the schemas: structural rules in `expectations/` and `docs/tables.md`.

What belongs here: generation, and the check that generated files are current. What does not: business
rules, which are edited by hand in the same JSON files and kept as they are.

Run ``python -m htx_pipeline.schemas.generate`` from the project's root after changing a schema, or with
``--check`` to learn whether that is needed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from htx_pipeline.schemas import TABLES
from htx_pipeline.schemas.base import Column, Table, structural_rules


def suite_text(table: Table, current: str | None) -> str:
    """Return the suite JSON of *table*: generated rules first, the hand-written ones of *current* after."""
    kept: list[dict[str, Any]] = []
    if current is not None:
        kept = [e for e in json.loads(current)["expectations"] if not e["meta"].get("generated")]
    suite = {
        "name": table.name,
        "expectations": [*structural_rules(table), *kept],
        "meta": {
            "table": table.name,
            "note": "Entries with meta.generated = true follow from htx_pipeline/schemas; edit the others by hand.",
        },
    }
    return json.dumps(suite, ensure_ascii=False, indent=2) + "\n"


def _column_row(column: Column) -> str:
    allowed = "; ".join(f"`{c.code}` {c.label_vi}" for c in column.codes)
    limits = [
        *(["required"] if column.required else []),
        *([f"≥ {column.minimum:g}"] if column.minimum is not None else []),
        *([f"≤ {column.maximum:g}"] if column.maximum is not None else []),
        *([f"in `{column.references}`"] if column.references else []),
        *([f"`{column.pattern}`".replace("|", "\\|")] if column.pattern else []),
        *([allowed] if allowed else []),
    ]
    unit = column.unit or ""
    return (
        f"| `{column.name}` | {column.label_vi} | {column.label_en} | {column.dtype} | {unit} "
        f"| {column.description} | {', '.join(limits)} | {column.source} |"
    )


def tables_page(suites: dict[str, str]) -> str:
    """Return docs/tables.md: every table, its columns and its rules in plain words."""
    lines = [
        "# Tables",
        "",
        "Generated from `htx_pipeline/schemas` and `expectations`; do not edit by hand.",
        "Every table also exists per reporting year as `core/<table>`; what was rejected is in",
        "`core/<table>_rejected`, why in `core/<table>_findings`, and the sums in `core/<table>_ledger`.",
        "",
    ]
    for table in TABLES.values():
        key = ", ".join(f"`{k}`" for k in table.key)
        lines += [
            f"## `{table.name}`: {table.label_vi} / {table.label_en}",
            "",
            table.description,
            "",
        ]
        lines += [f"* One row: {table.grain}.", f"* Key: {key}."]
        if table.warning:
            lines.append(f"* **Take care:** {table.warning}")
        if table.source:
            lines.append(f"* Source: {table.source}.")
        lines += [
            "",
            "| Column | Nhãn | Label | Type | Unit | Meaning | Limits | Source |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [_column_row(c) for c in table.columns]
        lines += ["", "| Rule | On failure | Lý do | Reason |", "|---|---|---|---|"]
        for e in json.loads(suites[table.name])["expectations"]:
            meta = e["meta"]
            lines.append(
                f"| `{meta['rule_id']}` | {meta['action']} | {meta['reason_vi']} | {meta['reason_en']} |"
            )
        lines.append("")
    return "\n".join(lines)


def generated_files(root: Path) -> dict[Path, str]:
    """Return path → text of every generated file below *root*."""
    files: dict[Path, str] = {}
    suites: dict[str, str] = {}
    for table in TABLES.values():
        path = root / "expectations" / f"{table.name}.json"
        suites[table.name] = suite_text(
            table, path.read_text(encoding="utf-8") if path.exists() else None
        )
        files[path] = suites[table.name]
    files[root / "docs" / "tables.md"] = tables_page(suites)
    return files


def main(arguments: list[str] | None = None) -> int:
    """Write the generated files, or with ``--check`` list those that are not current (exit 1)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    root = Path(__file__).parents[2]
    stale = [
        (path, text)
        for path, text in generated_files(root).items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        if "--check" in arguments:
            print(f"not current: {path.relative_to(root)}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(root)}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    raise SystemExit(main())

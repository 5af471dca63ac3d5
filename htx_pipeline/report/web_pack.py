"""What a page's script is asked for by a click, packed small: it is unpacked when the page is there.

What belongs here: the rows behind figures with nothing said twice, deflated. What does not: what is
behind a figure (`trace`), unpacking (`assets/report.js`).
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any


def squeezed(value: Any) -> str:
    """Return *value* as JSON, deflated, in base64; a browser unpacks it when it is asked for."""
    raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(raw, 9)).decode()


def packed(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the rows behind the figures of a page with nothing said twice, as the script unpacks it.

    Returns
    -------
    dict
        ``ids``: figure id up to its last "/" → last part → place in ``records``, each
        [place of its line, [[place of its file and sheet, rows, n, place of what they do], ...], n rejected,
        [places of its steps], how its amounts make it]; ``words`` and ``files`` hold what the places mean.

    Examples
    --------
    >>> record = {"line": "Nguồn: a.", "files": [{"file": "a", "sheet": "s", "rows": "2–5", "n": 4}],
    ...           "n_rejected": 1, "steps": ["đọc"]}
    >>> packed({"p/t/1/v": record, "p/t/1/w": record})["ids"]
    {'p/t/1': {'v': 0, 'w': 0}}
    """
    words: dict[str, int] = {}
    files: dict[tuple[str, str], int] = {}
    records: dict[str, int] = {}
    ids: dict[str, dict[str, int]] = {}
    for figure, record in sorted(sources.items()):
        own = [
            words.setdefault(record["line"], len(words)),
            [
                [
                    files.setdefault((f["file"], f["sheet"]), len(files)), f["rows"], f["n"],
                    *([words.setdefault(f["role"], len(words))] if f.get("role") else []),
                ]
                for f in record["files"]
            ],
            record["n_rejected"],
            [words.setdefault(step, len(words)) for step in record["steps"]],
            *([record["made"]] if record.get("made") else []),
        ]  # fmt: skip
        key = json.dumps(own, ensure_ascii=False)
        start, _, end = figure.rpartition("/")
        ids.setdefault(start, {})[end] = records.setdefault(key, len(records))
    return {
        "ids": ids,
        "records": [json.loads(key) for key in records],
        "words": list(words),
        "files": list(files),
    }

"""Deliveries as GS1 EPCIS 2.0 events (JSON-LD), where a linkage states what was delivered.

What belongs here: one event per linkage with a delivered quantity, and the names of parties and goods it speaks
of. What does not: single shipments, lots and places, which no source states; serial numbers.

Terms: EPCIS 2.0 and the Core Business Vocabulary 2.0 (GS1, ISO/IEC 19987 and 19988).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import quote

import polars as pl

from htx_pipeline.exports.base import (
    TIME_ZONE,
    Exported,
    ExportOptions,
    Frames,
    json_bytes,
    need,
    nfc,
    rows_by_id,
)
from htx_pipeline.exports.essglobal import party_uri, product_uri

NEEDS: Final = ("core/linkages", "core/organisations")

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
TONNE: Final = "TNE"
"""UN/ECE Recommendation 20: tonne."""

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "htx_pipeline/epcis")
_NAME: Final = "urn:epcglobal:cbv:mda#name"


def write_epcis(frames: Frames, options: ExportOptions) -> Exported:
    """Return ``deliveries.epcis.jsonld``: an EPCIS document of object events.

    One event per linkage that states a delivered quantity above 0: the buyer (``destinationList``)
    received (``bizStep``) so many tonnes (``quantityList``, TNE) from the supplier (``sourceList``) in
    the reporting year. It is one event, not a shipping and a receiving one, so that quantities can be added.

    No source states the day of a delivery. ``eventTime`` is the end of the last day it can have
    happened on, and ``htx:timeBasis`` says why that day: ``linkage_end`` (the linkage ended within the
    reporting year) or ``period_end`` (14 December). Identifiers are addresses below ``options.base_uri``:
    the sources hold no GLN and no GTIN.

    Returns
    -------
    Exported
        Counts: ``events``, ``linkages_without_quantity`` (no event), ``dated_by_linkage_end``.
    """
    linkages, organisations = (need(frames, k) for k in NEEDS)
    delivered = linkages.filter(pl.col("delivered_tonnes") > 0)
    rows = list(rows_by_id(delivered, "linkage_id"))
    events = [_event(row, options) for row in rows]
    content = {
        "@context": [CONTEXT, {"htx": f"{options.base_uri}term/"}],
        "id": f"{options.base_uri}epcis/{options.period}",
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": options.timestamp,
        "htx:title": nfc(options.title_line),
        "epcisHeader": {"epcisMasterData": {"vocabularyList": _names(delivered, organisations, options)}},
        "epcisBody": {"eventList": events},
    }  # fmt: skip
    counts = {
        "events": len(events),
        "linkages_without_quantity": linkages.height - len(events),
        "dated_by_linkage_end": sum(e["htx:timeBasis"] == "linkage_end" for e in events),
    }
    name = "deliveries.epcis.jsonld"
    return Exported({name: json_bytes(content, name=name)}, counts)


def last_day(period: str, ends_on: date | None) -> tuple[date, str]:
    """Return the last day on which a delivery of the reporting year can have happened, and why that day.

    Examples
    --------
    >>> last_day("2025", date(2025, 11, 6))[1], last_day("2025", None)[0].isoformat()
    ('linkage_end', '2025-12-14')
    """
    closing = date(int(period), 12, 14)
    opening = date(int(period) - 1, 12, 14) + timedelta(days=1)
    if ends_on is not None and opening <= ends_on < closing:
        return ends_on, "linkage_end"
    return closing, "period_end"


def _event(row: Mapping[str, Any], options: ExportOptions) -> dict[str, Any]:
    base = options.base_uri
    day, basis = last_day(row["period"], row["ends_on"])
    key = f"{base}\n{row['period']}\n{row['linkage_id']}"
    return {
        "eventID": f"urn:uuid:{uuid.uuid5(_NAMESPACE, key)}",
        "type": "ObjectEvent",
        "eventTime": f"{day.isoformat()}T23:59:59{TIME_ZONE}",
        "eventTimeZoneOffset": TIME_ZONE,
        "action": "OBSERVE",
        "bizStep": "receiving",
        "disposition": "in_progress",
        "quantityList": [
            {
                "epcClass": product_uri(base, row["product_code"]),
                "quantity": row["delivered_tonnes"],
                "uom": TONNE,
            }
        ],
        "bizTransactionList": [
            {"bizTransaction": f"{base}bt/{quote(row['linkage_id'], safe='')}"},
        ],
        "sourceList": [{"type": "possessing_party", "source": party_uri(base, row["supplier_id"])}],
        "destinationList": [
            {"type": "possessing_party", "destination": party_uri(base, row["buyer_id"])}
        ],
        "htx:timeBasis": basis,
        "htx:sourceRow": row["source_id"],
    }


def _names(
    linkages: pl.DataFrame, organisations: pl.DataFrame, options: ExportOptions
) -> list[dict[str, Any]]:
    """Return the master data: names of the parties and of the classes of goods."""
    from htx_pipeline.reference.products import product_labels

    base, products = options.base_uri, product_labels("vi")
    parties = pl.concat([linkages["supplier_id"], linkages["buyer_id"]]).unique().sort()
    names = dict(organisations.select("org_id", "name").rows())
    goods = linkages["product_code"].unique().sort()
    lists = (
        ("SourceDest", [(party_uri(base, i), names.get(i) or i) for i in parties]),
        ("EPCClass", [(product_uri(base, c), products.get(c, c)) for c in goods]),
    )
    return [
        {
            "type": f"urn:epcglobal:epcis:vtype:{kind}",
            "vocabularyElementList": [
                {"id": uri, "attributes": [{"id": _NAME, "attribute": nfc(name)}]}
                for uri, name in held
            ],
        }
        for kind, held in lists
    ]

"""Organisations as linked data (JSON-LD), in the ESSGlobal vocabulary of the solidarity economy.

What belongs here: which term says what of an organisation, and the document. What does not: publishing
it on the web, deciding what may be said in public (disclosure control, before this).

Terms: ESSGlobal 1.1 (http://purl.org/essglobal/vocab/, RIPESS) with its two code lists; schema.org and
W3C ORG where it has no term. Enterprises are no initiatives of the solidarity economy and get schema.org
and ORG types only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import polars as pl

from htx_pipeline.exports.base import (
    Exported,
    ExportOptions,
    Frames,
    json_bytes,
    need,
    nfc,
    rows_by_id,
)
from htx_pipeline.graph.network import at_least

NEEDS: Final = ("core/organisations", "core/cooperative_reports", "graph/edges")

CONTEXT: Final[dict[str, Any]] = {
    "essglobal": "http://purl.org/essglobal/vocab/",
    "legalform": "http://purl.org/essglobal/standard/legal-form/",
    "structure": "http://purl.org/essglobal/standard/organisational-structure/",
    "schema": "https://schema.org/",
    "org": "http://www.w3.org/ns/org#",
    "gr": "http://purl.org/goodrelations/v1#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "dcterms": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "id": "@id",
    "type": "@type",
    "name": {"@id": "schema:name", "@language": "vi"},
    "legalName": {"@id": "gr:legalName", "@language": "vi"},
    "alternateName": {"@id": "schema:alternateName", "@language": "vi"},
    "label": {"@id": "schema:name", "@container": "@language"},
    "identifier": "dcterms:identifier",
    "taxID": "schema:taxID",
    "foundingDate": {"@id": "schema:foundingDate", "@type": "xsd:date"},
    "dissolutionDate": {"@id": "schema:dissolutionDate", "@type": "xsd:date"},
    "legalForm": {"@id": "essglobal:legalForm", "@type": "@id"},
    "organisationalStructure": {"@id": "essglobal:organisationalStructure", "@type": "@id"},
    "totalOfMembers": "essglobal:totalOfMembers",
    "hasAddress": "essglobal:hasAddress",
    "locality": {"@id": "vcard:locality", "@language": "vi"},
    "region": {"@id": "vcard:region", "@language": "vi"},
    "countryName": {"@id": "vcard:country-name", "@language": "vi"},
    "lat": {"@id": "geo:lat", "@type": "xsd:decimal"},
    "long": {"@id": "geo:long", "@type": "xsd:decimal"},
    "products": {"@id": "essglobal:hasProductOrService", "@type": "@id"},
    "linkedTo": {"@id": "org:linkedTo", "@type": "@id"},
    "additionalProperty": "schema:additionalProperty",
    "propertyID": "schema:propertyID",
    "value": "schema:value",
    "dateModified": {"@id": "dcterms:modified", "@type": "xsd:date"},
    "title": {"@id": "dcterms:title", "@language": "vi"},
    "licence": {"@id": "dcterms:license"},
}
"""Written into the file, so that no reader has to fetch it."""

_TYPES: Final[Mapping[str, list[str]]] = {
    "htx": ["essglobal:SSEInitiative", "org:FormalOrganization", "schema:Organization"],
    "lhhtx": ["essglobal:SSEInitiative", "org:FormalOrganization", "schema:Organization"],
    "tht": ["essglobal:SSEInitiative", "schema:Organization"],
    "enterprise": ["org:FormalOrganization", "schema:Organization"],
    "household_business": ["schema:Organization"],
}

_LEGAL_FORMS: Final = {"htx": "legalform:L2", "lhhtx": "legalform:L2", "tht": "legalform:L1"}
"""L1 informal group, L2 cooperative. A cooperative group (tổ hợp tác) has no legal personality."""

_STRUCTURES: Final = {"lhhtx": "structure:OS110", "tht": "structure:OS10"}
"""OS110 secondary co-operative, OS10 community group. What kind of cooperative an HTX is (producers',
workers', …) is not in the register, so nothing is said."""


def write_jsonld(frames: Frames, options: ExportOptions) -> Exported:
    """Return ``organisations.jsonld``.

    Each organisation with name, legal form, tax code, dates, place, official members
    (``essglobal:totalOfMembers``), the products it sells and whom it is linked to by a linkage that is
    signed or stronger (``org:linkedTo``, both ways). Identifiers begin with ``options.base_uri``.

    Returns
    -------
    Exported
        Counts: ``organisations``, ``initiatives`` (of the solidarity economy).
    """
    organisations, reports, edges = (need(frames, k) for k in NEEDS)
    edges = at_least(edges, evidence="signed").filter(pl.col("supplier_id") != pl.col("buyer_id"))
    sold = _lists(edges, "supplier_id", "product_code")
    buys, sells = _lists(edges, "supplier_id", "buyer_id"), _lists(edges, "buyer_id", "supplier_id")
    members = dict(
        reports.filter(pl.col("official_members").is_not_null())
        .select("org_id", "official_members")
        .rows()
    )
    base = options.base_uri
    graph: list[dict[str, Any]] = []
    for row in rows_by_id(organisations, "org_id"):
        key = row["org_id"]
        partners = sorted({*buys.get(key, ()), *sells.get(key, ())})
        told = {
            **_node(row, base),
            "totalOfMembers": members.get(key) if row["legal_type"] in _LEGAL_FORMS else None,
            "products": [product_uri(base, p) for p in sold.get(key, ())] or None,
            "linkedTo": [party_uri(base, p) for p in partners] or None,
        }
        graph.append({k: v for k, v in told.items() if v is not None})
    graph += _products(sorted({p for own in sold.values() for p in own}), base)
    about: dict[str, Any] = {
        "id": f"{base}organisations/{options.period}", "type": "schema:Dataset", "title": nfc(options.title_line),
        "dateModified": options.as_of.isoformat(),
    }  # fmt: skip
    if options.licence_name:
        address = options.licence_address
        about["licence"] = {"id": address} if address else options.licence_name
    content = {"@context": CONTEXT, "@graph": [about, *graph]}
    initiatives = sum("essglobal:SSEInitiative" in g["type"] for g in graph)
    return Exported(
        {"organisations.jsonld": json_bytes(content, name="organisations.jsonld")},
        {"organisations": organisations.height, "initiatives": initiatives},
    )


def party_uri(base: str, org_id: str) -> str:
    """Return the address of an organisation.

    Examples
    --------
    >>> party_uri("https://a.vn/", "01 <x>")
    'https://a.vn/party/01%20%3Cx%3E'
    """
    return f"{base}party/{quote(org_id, safe='')}"


def product_uri(base: str, code: str) -> str:
    """Return the address of a product chain."""
    return f"{base}class/{quote(code, safe='')}"


def _lists(edges: pl.DataFrame, key: str, value: str) -> dict[str, list[str]]:
    known = edges.select(key, value).drop_nulls().unique().sort(key, value)
    return dict(known.group_by(key, maintain_order=True).agg(pl.col(value)).rows())


def _node(row: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Return what the register says of an organisation; terms without a value are None."""
    kind = row["legal_type"]
    uri = party_uri(base, row["org_id"])
    industry = row["vsic_code"] and {
        "type": "schema:PropertyValue", "propertyID": f"VSIC {row['vsic_version'] or ''}".strip(),
        "value": row["vsic_code"],
    }  # fmt: skip
    place = {
        "locality": nfc(row["place_name"]), "region": nfc(row["locality"]),
        "lat": _degrees(row, "latitude", 90), "long": _degrees(row, "longitude", 180),
    }  # fmt: skip
    known = {k: v for k, v in place.items() if v is not None}
    return {
        "id": uri,
        "type": list(_TYPES.get(kind, ["schema:Organization"])),
        "identifier": row["org_id"],
        "name": nfc(row["name"]),
        "legalName": nfc(row["name"]) if row["is_registered"] else None,
        "alternateName": nfc(row["short_name"]),
        "taxID": row["tax_code"],
        "legalForm": _LEGAL_FORMS.get(kind),
        "organisationalStructure": _STRUCTURES.get(kind),
        "foundingDate": row["registered_on"] and row["registered_on"].isoformat(),
        "dissolutionDate": row["dissolved_on"] and row["dissolved_on"].isoformat(),
        "hasAddress": {
            "id": f"{uri}/address",
            "type": "essglobal:Address",
            **known,
            "countryName": "Việt Nam",
        }
        if known
        else None,
        "additionalProperty": industry or None,
    }


def _degrees(row: Mapping[str, Any], name: str, limit: int) -> str | None:
    """Return a coordinate as a decimal literal; None where it, or the other one, is unknown."""
    if row["latitude"] is None or row["longitude"] is None or abs(row[name]) > limit:
        return None
    return f"{row[name]:.6f}"


def _products(codes: list[str], base: str) -> list[dict[str, Any]]:
    from htx_pipeline.reference.products import product_labels

    names = {language: product_labels(language) for language in ("vi", "en")}
    return [
        {
            "id": product_uri(base, code), "type": ["essglobal:ProductOrService"], "identifier": code,
            "label": {language: known.get(code, code) for language, known in names.items()},
        }
        for code in codes
    ]  # fmt: skip

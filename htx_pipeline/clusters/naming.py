"""Names of clusters, in Vietnamese and English.

What belongs here: the words and how clusters of one name are told apart. What does not: ids, which come
from the members (`detect`).
"""

from __future__ import annotations

import polars as pl

from htx_pipeline.reference.products import OTHER, UNSPECIFIED, product_labels


def named(frame: pl.DataFrame) -> pl.DataFrame:
    """Name clusters after main product and locality; clusters of one name add their largest buyer."""

    def name(language: str) -> pl.Expr:
        labels = product_labels(language)
        of_chain = {c: t for c, t in labels.items() if c not in (OTHER, UNSPECIFIED)}
        product = pl.col("main_product").replace_strict(
            of_chain, default=None, return_dtype=pl.String
        )
        if language == "vi":
            head = pl.lit("Cụm liên kết ") + (
                product.str.slice(0, 1).str.to_lowercase() + product.str.slice(1)
            ).fill_null("nhiều sản phẩm")
            place = pl.lit(" – ") + pl.col("main_locality").fill_null("chưa rõ địa bàn")
        else:
            head = product.fill_null("Mixed products") + pl.lit(" cluster")
            place = pl.lit(", ") + pl.col("main_locality").fill_null("place not stated")
        return head + place

    frame = frame.with_columns(
        name("vi").alias("cluster_name_vi"), name("en").alias("cluster_name_en")
    )
    buyer = pl.col("largest_buyer_name")
    repeated = pl.len().over("period", "cluster_name_vi") > 1
    frame = frame.with_columns(
        pl.when(repeated & buyer.is_not_null())
        .then(pl.col(f"cluster_name_{language}") + pl.lit(" (") + buyer + pl.lit(")"))
        .otherwise(pl.col(f"cluster_name_{language}"))
        .alias(f"cluster_name_{language}")
        for language in ("vi", "en")
    )
    frame = frame.sort("period", "n_organisations", "cluster_id", descending=[False, True, False])
    again = pl.int_range(pl.len()).over("period", "cluster_name_vi")
    return frame.with_columns(
        pl.when(again > 0)
        .then(pl.format("{} {}", pl.col(f"cluster_name_{language}"), again + 1))
        .otherwise(pl.col(f"cluster_name_{language}"))
        .alias(f"cluster_name_{language}")
        for language in ("vi", "en")
    )

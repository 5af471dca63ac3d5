import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Liên kết hợp tác xã – doanh nghiệp / linkages")


@app.cell
def _():
    import marimo as mo
    import polars as pl

    from htx_pipeline.tables import list_tables, read_table

    return list_tables, mo, pl, read_table


@app.cell
def _(mo):
    mo.md(
        """
        # Which cooperatives are really linked to which enterprises?

        Reads the tables the pipeline made (`make demo` first). Signed is not executed: every share below says
        which evidence level it counts.
        """
    )


@app.cell
def _():
    data_dir = "demo/data"
    return (data_dir,)


@app.cell
def _(data_dir, list_tables):
    periods = sorted(set(list_tables(data_dir=data_dir)["period"].drop_nulls().to_list()))
    return (periods,)


@app.cell
def _(data_dir, periods, pl, read_table):
    levels = ["planned", "signed", "active", "executed"]
    organisations = read_table("core/organisations", data_dir=data_dir)
    linkages = read_table("core/linkages", data_dir=data_dir)
    cooperatives = organisations.filter(pl.col("legal_type") == "htx").select("period", "org_id", "locality")
    strongest = (
        pl.concat([linkages.select("period", "evidence", org_id=c) for c in ("supplier_id", "buyer_id")])
        .with_columns(level=pl.col("evidence").replace_strict({k: i for i, k in enumerate(levels, 1)}, return_dtype=pl.Int8))
        .group_by("period", "org_id")
        .agg(pl.col("level").max())
    )
    coverage = (
        cooperatives.join(strongest, on=["period", "org_id"], how="left")
        .with_columns(pl.col("level").fill_null(0))
        .group_by("period")
        .agg(
            cooperatives=pl.len(),
            **{f"{name}_share": (pl.col("level") >= i).mean() for i, name in enumerate(levels, 1)},
        )
        .sort("period")
    )
    assert coverage["period"].to_list() == periods
    coverage
    return coverage, linkages, organisations


@app.cell
def _(linkages, organisations, pl):
    names = organisations.select("period", buyer_id="org_id", buyer="name")
    largest_buyers = (
        linkages.group_by("period", "product_code", "buyer_id")
        .agg(paid_value_vnd=pl.col("paid_value_vnd").sum(), suppliers=pl.col("supplier_id").n_unique())
        .filter(pl.col("paid_value_vnd") > 0)
        .with_columns(share=pl.col("paid_value_vnd") / pl.col("paid_value_vnd").sum().over("period", "product_code"))
        .sort("period", "product_code", "share", "buyer_id", descending=[False, False, True, False])
        .group_by("period", "product_code", maintain_order=True)
        .first()
        .join(names, on=["period", "buyer_id"], how="left")
    )
    largest_buyers
    return (largest_buyers,)


@app.cell
def _(data_dir, periods, read_table):
    from htx_pipeline.graph.csr import CSRGraph

    edges = read_table("graph/edges", period=periods[-1], data_dir=data_dir)
    graph = CSRGraph.from_frame(edges, source="supplier_id", target="buyer_id", weight="contracted_value_vnd")
    return edges, graph


@app.cell
def _(graph, organisations, periods, pl):
    import networkx as nx

    ranks = nx.pagerank(graph)
    most_central = (
        pl.DataFrame({"org_id": list(ranks), "pagerank": list(ranks.values())})
        .join(organisations.filter(pl.col("period") == periods[-1]).select("org_id", "name", "legal_type"), on="org_id", how="left")
        .sort("pagerank", "org_id", descending=[True, False])
        .head(15)
    )
    most_central
    return (most_central,)


if __name__ == "__main__":
    app.run()

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="1. Bắt đầu từ đây / Start here")


@app.cell
def _():
    import marimo as mo
    import polars as pl

    from htx_pipeline import explore
    from htx_pipeline.report import text

    return explore, mo, pl, text


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # 1. Bắt đầu từ đây

    **Có gì trong các bảng, và một câu hỏi được trả lời từ đầu đến cuối: bao nhiêu hợp tác xã *thực sự* liên
    kết với doanh nghiệp?** Ký hợp đồng chưa phải là thực hiện: mỗi tỷ lệ dưới đây nói rõ tính từ mức nào.

    *What is in the tables, and one question answered end to end: how many cooperatives are really linked
    to enterprises? Signed is not executed: every share says which level of evidence it counts from.*
    """)
    return


@app.cell
def _(explore):
    # HTX_DATA_DIR, hoặc tỉnh mẫu / or the sample province
    data = explore.open_data()
    return (data,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Các bảng / The tables

    `raw` là những gì đọc được từ tệp; `core` là các dòng được nhận, mỗi dòng dẫn về tệp, trang tính, dòng nguồn;
    `graph` là mạng lưới; `metrics` là kết quả tính. Ý nghĩa từng cột: `docs/tables.md`. Tỉnh mẫu do sổ tay tự tạo chỉ có những
    bảng mà các sổ tay đọc; `make demo` làm đủ mọi chỉ số và báo cáo.

    *`raw`: what was read; `core`: accepted rows, each leading back to file, sheet and row; `graph`: the network; `metrics`: what
    was computed. A sample province that a notebook made holds the tables that notebooks read; `make demo` makes every measure and
    the reports.*
    """)
    return


@app.cell
def _(data, explore, pl):
    tables = data.tables().filter(
        ~pl.col("table").str.contains("_(findings|ledger|rejected|sheets|plausibility)$")
    )
    per_year = tables.pivot("period", index="table", values="rows", sort_columns=True)
    explore.listing(per_year, rows=12, label="Số dòng mỗi kỳ / rows a year")
    return (per_year,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Câu hỏi / The question

    Bước 1: hợp tác xã trong danh bạ (`legal_type = "htx"`, không tính liên hiệp). Bước 2: mức bằng chứng mạnh nhất của
    mỗi hợp tác xã, ở bất kỳ phía nào của liên kết. Bước 3: chia cho tổng số.

    *Step 1: cooperatives in the register. Step 2: the strongest evidence each has, on either side of a linkage.
    Step 3: divide.*
    """)
    return


@app.cell
def _(data, pl):
    levels = ["planned", "signed", "active", "executed"]
    organisations = data.read("core/organisations")
    linkages = data.read("core/linkages")

    cooperatives = organisations.filter(pl.col("legal_type") == "htx").select("period", "org_id")
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
    return coverage, levels, linkages, organisations


@app.cell
def _(coverage, explore, levels, mo, text):
    shares = explore.share_bars(
        [
            (f"Năm {row['period']}", [row[f"{level}_share"] for level in levels], text.share(row["executed_share"]))
            for row in coverage.iter_rows(named=True)
        ],
        series=["từ mức dự kiến", "đã ký trở lên", "đang thực hiện trở lên", "đã thực hiện"],
    )
    latest = coverage.row(-1, named=True)
    mo.vstack(
        [
            mo.hstack(
                [
                    mo.stat(text.number(latest["cooperatives"]), label=f"hợp tác xã, {latest['period']}", caption="cooperatives", bordered=True),
                    mo.stat(text.share(latest["signed_share"]), label="có liên kết đã ký", caption="signed or stronger", bordered=True),
                    mo.stat(text.share(latest["executed_share"]), label="có liên kết đã thực hiện", caption="delivered or paid", bordered=True),
                ],
                widths="equal",
            ),
            explore.drawing(shares, alt="Tỷ lệ hợp tác xã có liên kết, theo năm và mức bằng chứng"),
        ]
    )
    return (shares,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Kiểm tra / Check

    Cùng con số ấy, do hệ thống tính, ở `metrics/localities`, cộng mọi địa bàn. Hai cách tính phải bằng nhau; nếu khác, ô dưới
    dừng lại.

    *The same number as the pipeline computed it, localities added up. The two must agree; else the cell below stops.*
    """)
    return


@app.cell
def _(coverage, data, mo, pl):
    official = data.read("metrics/localities").group_by("period").agg(pl.col("n_cooperatives", "n_linked_executed").sum())
    checked = coverage.join(official, on="period").sort("period")
    executed = (checked["executed_share"] * checked["cooperatives"]).round().cast(pl.Int64)
    assert checked.height == coverage.height
    assert checked["cooperatives"].to_list() == checked["n_cooperatives"].to_list()
    assert executed.to_list() == checked["n_linked_executed"].to_list()
    mo.callout(mo.md(f"Khớp ở cả {checked.height} kỳ. *They agree in all {checked.height} years.*"), kind="success")
    return (checked,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Từ con số đến dòng nguồn / From the number to its rows

    Mỗi dòng của `core` ghi tệp, trang tính và số dòng mà người gửi nhìn thấy.

    *Every row of `core` names the file, the sheet, and the row as its sender sees it.*
    """)
    return


@app.cell
def _(data, explore, linkages, pl):
    behind = (
        linkages.filter(pl.col("period") == data.periods[-1], pl.col("evidence") == "executed")
        .sort("paid_value_vnd", "linkage_id", descending=[True, False], nulls_last=True)
        .select("supplier_name", "buyer_name", "product_name", "delivered_tonnes", "paid_value_vnd", "source_file", "source_sheet", "source_row")
    )
    explore.listing(behind, "core/linkages", rows=8, label="Liên kết đã thực hiện, giá trị lớn nhất trước / executed, largest first")
    return (behind,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Ai đứng ở trung tâm? / Who is central?

    Bảng cạnh là một đồ thị NetworkX; mọi thuật toán của NetworkX chạy trên nó.

    *The table of edges is a NetworkX graph; any of its algorithms runs on it.*
    """)
    return


@app.cell
def _(data, explore, organisations, pl):
    import networkx as nx

    from htx_pipeline.graph.csr import CSRGraph

    edges = data.read("graph/edges", data.periods[-1])
    graph = CSRGraph.from_frame(edges, source="supplier_id", target="buyer_id", weight="contracted_value_vnd")
    ranks = nx.pagerank(graph)
    most_central = (
        pl.DataFrame({"org_id": list(ranks), "pagerank": list(ranks.values())})
        .join(organisations.filter(pl.col("period") == data.periods[-1]).select("org_id", "name", "legal_type"), on="org_id", how="left")
        .sort("pagerank", "org_id", descending=[True, False])
        .head(15)
    )
    explore.listing(most_central, "graph/nodes", rows=15, decimals=4, label="PageRank theo giá trị hợp đồng / by contracted value")
    return (most_central,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    **Tiếp theo / next:** `n2_explore_a_cluster.py` (một cụm), `n3_compare_places_and_years.py` (địa bàn và năm),
    `n4_check_the_data.py` (số liệu tin được đến đâu), `n5_one_buyers_exit.py` (nếu một bên mua rời đi).
    """)
    return


if __name__ == "__main__":
    app.run()

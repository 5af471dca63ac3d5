import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="5. Nếu một bên mua rời đi / One buyer's exit")


@app.cell
def _():
    import marimo as mo
    import polars as pl

    from htx_pipeline import explore
    from htx_pipeline.graph.network import at_least
    from htx_pipeline.graph.query import ego_svg
    from htx_pipeline.metrics import risk
    from htx_pipeline.report import text

    return at_least, ego_svg, explore, mo, pl, risk, text


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    # 5. Nếu một bên mua rời đi

    Ai mất nơi tiêu thụ, mất bao nhiêu, có nơi nào khác đang mua cùng sản phẩm? Đây là tình huống ngắn hạn: không tính hàng tồn, hợp đồng
    mới, hay mua bán ngoài mạng lưới. Là **cận trên của thiệt hại, không phải dự báo**.

    *Who loses a buyer, how much, and who else buys the same product? The short run: no stocks, no new contracts, no trade outside the
    network. An upper bound of the loss, not a forecast.*
    """)
    return


@app.cell
def _(explore):
    # HTX_DATA_DIR, hoặc tỉnh mẫu / or the sample province
    data = explore.open_data()
    return (data,)


@app.cell
def _(data, mo):
    year_choice = mo.ui.dropdown(data.periods, value=data.periods[-1], label="Năm / year")
    return (year_choice,)


@app.cell
def _(year_choice):
    year = year_choice.value
    return (year,)


@app.cell
def _(data, year):
    frames = data.year(year)
    return (frames,)


@app.cell
def _(at_least, frames, pl):
    # Chỉ liên kết đã ký trở lên; giá trị đã thanh toán, nếu không có thì giá trị hợp đồng / signed or stronger; paid value, else contracted
    nodes = frames["graph/nodes"]
    trade = at_least(frames["graph/edges"], evidence="signed").with_columns(
        value_vnd=pl.coalesce("paid_value_vnd", "contracted_value_vnd")
    )
    buyers = (
        trade.filter(pl.col("supplier_id") != pl.col("buyer_id"))
        .group_by(org_id="buyer_id")
        .agg(suppliers=pl.col("supplier_id").n_unique(), value_vnd=pl.col("value_vnd").sum())
        .join(nodes.select("org_id", "name"), on="org_id")
        .join(frames["metrics/risk"].select("org_id", "esri_leontief", "output_share", "esri_rank"), on="org_id", how="left")
        .sort("esri_leontief", "value_vnd", "org_id", descending=[True, True, False], nulls_last=True)
    )
    return buyers, nodes, trade


@app.cell
def _(buyers, mo):
    names = {f"{row['name']} ({row['suppliers']} bên bán)": row["org_id"] for row in buyers.head(40).iter_rows(named=True)}
    buyer_choice = mo.ui.dropdown(names, value=next(iter(names), None), label="Bên mua / buyer", searchable=True)
    return (buyer_choice,)


@app.cell
def _(buyer_choice):
    buyer_id = buyer_choice.value
    return (buyer_id,)


@app.cell
def _(buyer_choice, mo, year_choice):
    mo.hstack([year_choice, buyer_choice], justify="start")
    return


@app.cell
def _(buyer_id, nodes, pl, trade):
    # Mỗi bên bán: phần bán cho bên mua này trong tổng bán ra / each supplier: what goes to this buyer, of all it sells
    hit = (
        trade.filter(pl.col("supplier_id") != pl.col("buyer_id"))
        .group_by(org_id="supplier_id")
        .agg(
            lost_vnd=pl.col("value_vnd").filter(pl.col("buyer_id") == buyer_id).sum(),
            sold_vnd=pl.col("value_vnd").sum(),
            n_lost=(pl.col("buyer_id") == buyer_id).sum(),
            other_buyers=pl.col("buyer_id").filter(pl.col("buyer_id") != buyer_id).n_unique(),
        )
        .filter(pl.col("n_lost") > 0)
        .with_columns(lost_share=pl.when(pl.col("sold_vnd") > 0).then(pl.col("lost_vnd") / pl.col("sold_vnd")))
        .join(nodes.select("org_id", "name", "legal_type", "locality"), on="org_id")
        .sort("lost_share", "lost_vnd", "org_id", descending=[True, True, False], nulls_last=True)
    )
    return (hit,)


@app.cell
def _(buyer_id, buyers, frames, hit, mo, pl, text):
    buyer = buyers.filter(pl.col("org_id") == buyer_id).row(0, named=True)
    at_risk = frames["metrics/risk"].filter(pl.col("org_id") == buyer_id).row(0, named=True)
    alone = hit.filter(pl.col("other_buyers") == 0).height
    mo.vstack(
        [
            mo.md(f"## {buyer['name']}"),
            mo.hstack(
                [
                    mo.stat(text.number(hit.height), label="bên bán bị mất đầu ra", caption="suppliers", bordered=True),
                    mo.stat(text.number(alone), label="không bán cho ai khác", caption="with no other buyer", bordered=True),
                    mo.stat(text.money(hit["lost_vnd"].sum()).removesuffix(" đồng"), label="doanh số mất, đồng", caption="sales lost, first round", bordered=True),
                    mo.stat(text.share(at_risk["esri_leontief"]), label="tổng sản lượng bị mất", caption=f"cascade; own output {text.share(at_risk['output_share'])}", bordered=True),
                    mo.stat(text.money(at_risk["member_income_loss_vnd"]).removesuffix(" đồng"), label="thu nhập phụ thuộc, đồng", caption="members' income, a year", bordered=True),
                ],
                widths="equal",
            ),
        ]
    )
    return alone, at_risk, buyer


@app.cell
def _(buyer_id, ego_svg, explore, nodes, trade):
    ego = ego_svg(trade.drop("value_vnd"), nodes, buyer_id, evidence="signed")
    explore.drawing(ego, alt="Bên bán và bên mua quanh bên mua này")
    return (ego,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Ai mất nhiều nhất? / Who loses most?

    Phần giá trị bán ra đang bán cho bên mua này. *Share of a supplier's sales that goes to this buyer.*
    """)
    return


@app.cell
def _(explore, hit, mo, pl, text):
    top = hit.filter(pl.col("lost_share") > 0).head(15)
    losses = explore.share_bars(
        [(row["name"], [row["lost_share"]], text.money(row["lost_vnd"])) for row in top.iter_rows(named=True)], series=["mất"], levels=[3]
    )
    mo.vstack(
        [
            explore.drawing(losses, alt="Tỷ lệ giá trị bán ra bị mất của từng bên bán", otherwise="Không bên bán nào nêu giá trị. *No value is stated.*"),
            explore.listing(
                explore.shown(hit.select("name", "legal_type", "locality"), "graph/nodes").with_columns(
                    hit["lost_share"].round(3).alias("Tỷ lệ mất"), hit["lost_vnd"].alias("Giá trị mất (đồng)"), hit["other_buyers"].alias("Bên mua khác")
                ),
            ),
        ]
    )
    return losses, top


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Còn nơi nào đang mua? / Who else buys it?

    Các bên mua khác của cùng sản phẩm, và sản lượng họ đang nhận so với phần phải tìm nơi tiêu thụ.

    *Other buyers of the same product, and what they take now beside what would have to find a buyer.*
    """)
    return


@app.cell
def _(buyer_id, explore, nodes, pl, trade):
    from htx_pipeline.reference.products import product_labels

    freed = trade.filter(pl.col("buyer_id") == buyer_id).group_by("product_code").agg(to_place_vnd=pl.col("value_vnd").sum())
    others = (
        trade.filter(pl.col("buyer_id") != buyer_id, pl.col("supplier_id") != pl.col("buyer_id"))
        .join(freed, on="product_code")
        .group_by("product_code", "to_place_vnd", org_id="buyer_id")
        .agg(buys_now_vnd=pl.col("value_vnd").sum(), suppliers=pl.col("supplier_id").n_unique())
        .join(nodes.select("org_id", "name", "stage", "locality"), on="org_id")
        .with_columns(product=pl.col("product_code").replace(product_labels("vi")))
        .sort("product_code", "buys_now_vnd", "org_id", descending=[False, True, False], nulls_last=True)
        .select("product", "name", "stage", "locality", "suppliers", "buys_now_vnd", "to_place_vnd")
    )
    headings = {"product": "Sản phẩm", "suppliers": "Số bên bán", "buys_now_vnd (đồng)": "Đang mua (đồng)", "to_place_vnd (đồng)": "Cần tìm nơi tiêu thụ (đồng)"}
    explore.listing(explore.shown(others, "graph/nodes").rename(headings), otherwise="Không bên nào khác mua các sản phẩm này. *Nobody else buys these products.*")
    return (others,)


@app.cell(hide_code=True)
def _(mo):
    mo.md("""
    ## Mạng lưới có bị chia cắt? / Does the network fall apart?

    Những tổ chức mà thiếu họ một phần mạng lưới bị tách rời; và điều gì xảy ra khi các tổ chức lớn nhất lần lượt rời đi, so với rời đi
    ngẫu nhiên.

    *Organisations without which a part is cut off; and what happens when the largest leave one after another, beside random exit.*
    """)
    return


@app.cell
def _(explore, frames, mo, nodes, pl, risk):
    points = risk.single_points(frames["graph/edges"]).join(nodes.select("org_id", "name"), on="org_id", maintain_order="left")
    exits = risk.percolation(frames["graph/edges"], up_to=0.2, steps=4, draws=5)
    falls = points.select(
        pl.col("name").alias("Tổ chức"), pl.col("n_parts").alias("Số phần"), pl.col("n_cut_off").alias("Số tổ chức bị tách"),
        pl.col("disconnected_share").round(3).alias("Phần giá trị bị tách"),
    )
    ways = {"largest_trade": "lớn nhất rời trước", "most_partners": "nhiều đối tác nhất rời trước", "random": "ngẫu nhiên"}
    stays = exits.select(
        pl.col("strategy").replace(ways).alias("Thứ tự rời đi"), pl.col("n_removed").alias("Số rời đi"),
        pl.col("giant_share").round(3).alias("Phần còn liền nhau"), pl.col("giant_trade_share").round(3).alias("Phần giá trị còn lại"),
    )
    mo.vstack(
        [
            explore.listing(falls, rows=8, label="Thiếu họ thì một phần bị tách rời / without them a part is cut off"),
            explore.listing(stays, rows=15, label="Lần lượt rời đi / one after another"),
        ]
    )
    return exits, points


if __name__ == "__main__":
    app.run()

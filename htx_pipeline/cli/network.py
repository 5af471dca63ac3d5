"""Ask the network: `htx graph show`, `path`, `export`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from htx_pipeline.cli.shared import ASK, DataFolder, Year, console
from htx_pipeline.errors import InputError

if TYPE_CHECKING:
    import polars as pl


graph_app = App(
    name="graph",
    help="Ask the network: the partners of one organisation, a way between two, a file for Gephi.",
    group=ASK,
    sort_key=9,
)


def _network(data: Path | None, period: str | None) -> tuple[pl.DataFrame, pl.DataFrame, str]:
    """Return edges and nodes of the period asked for, or the latest."""
    import polars as pl

    from htx_pipeline.graph.query import one_period
    from htx_pipeline.settings import Settings
    from htx_pipeline.tables import list_tables, read_table

    if period is None:
        there = list_tables(data_dir=data).filter(pl.col("table") == "graph/nodes")
        if there.is_empty():
            raise InputError(
                "There is no network here.", where=str(data or Settings().data_dir), code="network_missing",
                remedy="Run the pipeline first (htx demo makes a sample), or name its data folder with --data.",
                what_vi="Chưa có số liệu mạng lưới ở thư mục này.",
                remedy_vi="Đề nghị chạy quy trình trước, hoặc chỉ ra thư mục số liệu bằng --data.",
            )  # fmt: skip
        period = one_period(there)
    edges, nodes = (
        read_table(f"graph/{name}", period=period, data_dir=data) for name in ("edges", "nodes")
    )
    return edges, nodes, period


@graph_app.command
def show(
    org: Annotated[str, Parameter(help="Id or name of the organisation.")],
    *,
    data: DataFolder = None,
    period: Year = None,
    picture: Annotated[Path | None, Parameter(help="Also draw it to this .svg.")] = None,
    table: Annotated[
        Path | None, Parameter(help="Also write its linkages to this .parquet.")
    ] = None,
    radius: Annotated[int, Parameter(help="Steps from the organisation in the table.")] = 1,
) -> int:
    """Show an organisation between its suppliers and its buyers."""
    from htx_pipeline.graph import query

    edges, nodes, period = _network(data, period)
    org_id = query.find_organisation(nodes, org)
    screen = console()
    screen.print(f"Kỳ / period {period}", markup=False)
    screen.print(query.ego_text(edges, nodes, org_id), markup=False, end="", soft_wrap=True)
    if table is not None:
        query.ego(edges, nodes, org_id, radius=radius).write_parquet(table)
        screen.print(f"✓ {table}", markup=False)
    if picture is not None:
        picture.write_text(query.ego_svg(edges, nodes, org_id), encoding="utf-8", newline="\n")
        screen.print(f"✓ {picture}", markup=False)
    return 0


def _step_worth(row: Mapping[str, int | None]) -> str:
    """Return what was paid along a step of a way, else what was contracted."""
    from htx_pipeline.graph.query import worth

    paid, contracted = row["paid_value_vnd"], row["contracted_value_vnd"]
    if paid is not None:
        return worth(paid, paid=1, stated=1)
    return worth(contracted, paid=0, stated=1)


@graph_app.command
def path(
    start: Annotated[str, Parameter(help="Id or name of the organisation that goods come from.")],
    end: Annotated[str, Parameter(help="Id or name of the organisation that they reach.")],
    *,
    data: DataFolder = None,
    period: Year = None,
    any_direction: Annotated[
        bool, Parameter(help="Also walk from a buyer to its supplier.", show_default=False)
    ] = False,
) -> int:
    """Show the shortest chain of linkages from one organisation to another."""
    from htx_pipeline.graph import query

    edges, nodes, period = _network(data, period)
    ends = [query.find_organisation(nodes, text) for text in (start, end)]
    found = query.path(edges, nodes, ends[0], ends[1], any_direction=any_direction)
    screen = console()
    screen.print(f"Kỳ / period {period}", markup=False)
    for row in found.iter_rows(named=True):
        arrow = "──▶" if row["is_forward"] else "◀──"
        one, other = (
            query.clean(f"{row[f'{e}_name'] or row[f'{e}_id']} ({row[f'{e}_id']})")
            for e in ("from", "to")
        )
        screen.print(
            f"{row['step']}. {one} {arrow} {other}  {_step_worth(row)}  {', '.join(map(query.label, row['products']))}  [{query.label(row['evidence'])}]",
            markup=False,
            soft_wrap=True,
        )
    screen.print(query.MONEY, markup=False)
    return 0


@graph_app.command(name="export")
def graph_export(
    out: Annotated[Path, Parameter(help="The .graphml or .gexf file to write.")],
    *,
    data: DataFolder = None,
    period: Year = None,
    evidence: Annotated[
        Literal["planned", "signed", "active", "executed"],
        Parameter(help="Weakest evidence level to write."),
    ] = "planned",
) -> int:
    """Write the network to one file, for Gephi (.gexf), yEd or Cytoscape (.graphml)."""
    from htx_pipeline.exports.network import network_file
    from htx_pipeline.storage import write_file

    form = out.suffix.lstrip(".").lower()
    if form not in {"gexf", "graphml"}:
        raise InputError(
            f"A network is not written as {form or 'a file without ending'!r}.", where=str(out),
            remedy="End the name in .gexf or .graphml; `htx export` writes tables and more.", code="graph_format",
        )  # fmt: skip
    edges, nodes, period = _network(data, period)
    made, replaced = network_file(nodes, edges, form=form, evidence=evidence, title=period)
    write_file(made, out)
    console().print(f"✓ {period} → {out}", markup=False)
    if replaced:
        console().print(
            f"  {replaced} ký tự không hợp lệ đã thay / characters replaced", markup=False
        )
    return 0

"""`htx`: thin commands over the library and the asset graph.

What belongs here: reading arguments, showing progress and results, one module a family of commands. What does not:
any logic that an analyst would want to call; heavy imports happen inside the commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from cyclopts import App, Group, Parameter

from htx_pipeline.cli import files, network, pipeline, results
from htx_pipeline.cli.shared import ARRIVE, ASK, RUN
from htx_pipeline.errors import InputError

app = App(
    name="htx",
    help="From a province's spreadsheets: which cooperatives are linked to which enterprises, what clusters form, how far each locality is from the plan.",
    help_format="plaintext",
    version_flags=["--version"],
    default_parameter=Parameter(negative=()),
)
FAMILIES: dict[Group, tuple[Callable[..., int], ...]] = {
    RUN: (pipeline.demo, pipeline.run, pipeline.sample),
    ARRIVE: (files.template, files.inspect, files.inbox, files.feedback),
    ASK: (results.tables, results.trace, results.export),
}
for family, commands in FAMILIES.items():
    for place, command in enumerate(commands):
        app.command(command, group=family, sort_key=place)
app.command(network.graph_app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; a user's mistake is text on stderr and exit code 2, never a traceback."""
    try:
        result = app(arguments, result_action="return_value")
    except InputError as exc:
        sys.stderr.write(f"✗ {exc}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("Dừng theo yêu cầu / stopped.\n")
        return 130
    return result if isinstance(result, int) else 0

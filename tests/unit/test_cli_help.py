"""The help of `htx`: complete, in plain words, and cheap."""

from __future__ import annotations

import subprocess
import sys

import pytest

from htx_pipeline.cli import app, main

COMMANDS = [
    "demo", "run", "sample", "template", "inspect", "inbox", "feedback", "tables", "trace", "export",
    "graph show", "graph path", "graph export",
]  # fmt: skip


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    main([*arguments, "--help"])
    return capsys.readouterr().out


def test_the_help_lists_every_command_under_what_it_is_for(capsys):
    text = shown(capsys)
    order = [text.index(f"│ {name} ") for name in ("demo", "run", "template", "feedback", "tables", "graph")]  # fmt: skip
    assert order == sorted(order)
    assert {c.split()[0] for c in COMMANDS} == {n for n in app if not n.startswith("-")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_is(command, capsys):
    text = shown(capsys, *command.split())
    options = [line.strip("│* ") for line in text.splitlines() if line.startswith("│") and " --" in line[:22]]  # fmt: skip
    assert options
    assert [o for o in options if o.endswith(("PATH", "STR", "INT", "CHOICE", "[required]")) and len(o) < 30] == []  # fmt: skip
    assert "--no-" not in text
    assert "--empty-" not in text


def test_a_mistake_is_one_message_and_exit_code_2(tmp_path, capsys):
    assert main(["trace", "--data", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("✗ ")
    assert "  do:    Run the pipeline" in told


def test_the_help_loads_no_library_of_the_pipeline():
    heavy = "polars, dagster, great_expectations, matplotlib, networkx, numba, numpy, pandas"
    code = f"import sys; from htx_pipeline.cli import main; main(['--help']); print({{*{heavy.split(', ')!r}}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "set()", done.stdout + done.stderr

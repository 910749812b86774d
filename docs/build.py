"""Writes docs/commands.md from the command line's own help and the settings' own descriptions.

python docs/build.py            write it
python docs/build.py --check    fail where it is out of date
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("commands.md")


def main() -> None:
    os.environ["COLUMNS"] = "100"
    page = build()
    if "--check" not in sys.argv:
        PAGE.write_text(page, "utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != page:
        sys.exit("docs/commands.md is out of date. Run: python docs/build.py")


def build() -> str:
    from typer.main import get_command
    from typer.testing import CliRunner

    from eunato_rag.serving.cli import app
    from eunato_rag.settings import variables

    runner = CliRunner()
    parts = ["# Commands and settings", "", "Made by `docs/build.py`; do not edit.", ""]
    names = sorted(get_command(app).commands)  # type: ignore[attr-defined]
    for name in names:
        text = runner.invoke(app, [name, "--help"], prog_name="eunato-rag").stdout.strip()
        parts += [f"## {name}", "", "```text", *(line.rstrip() for line in text.splitlines()), "```", ""]
    parts += ["## Settings", "", "Environment variables; a misspelt name is an error.", "", "| variable | |", "|---|---|"]
    parts += [f"| `{name}` | {description} |" for name, description in sorted(variables().items())]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    main()

"""Writes docs/commands.md from the command line's own help and the settings' own descriptions.

python docs/build.py            write it
python docs/build.py --check    fail where it is out of date
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    for words in _commands(get_command(app)):
        text = runner.invoke(app, [*words, "--help"], prog_name="eunato-rag").stdout.strip()
        parts += [f"## {' '.join(words)}", "", "```text", *(line.rstrip() for line in text.splitlines()), "```", ""]
    parts += ["## Settings", "", "Environment variables; a misspelt name is an error.", "", "| variable | |", "|---|---|"]
    parts += [f"| `{name}` | {description} |" for name, description in sorted(variables().items())]
    return "\n".join(parts) + "\n"


def _commands(group: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command, and of those below a command."""
    for name, command in sorted(group.commands.items()):
        yield (*above, name)
        if hasattr(command, "commands"):
            yield from _commands(command, (*above, name))


if __name__ == "__main__":
    main()

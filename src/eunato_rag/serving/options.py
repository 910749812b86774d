"""Options, exit codes and settings that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from eunato_rag.settings import Settings

Corpus = Annotated[Path | None, typer.Option("--corpus", help="Folder of documents.", show_default="corpus")]
Index = Annotated[Path | None, typer.Option("--index", help="Folder of the index.", show_default="index")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, in the shapes of the HTTP API.")]
TopK = Annotated[int, typer.Option("--top-k", min=1, max=100, help="Number of passages to search for.")]

DONE, SOME_FAILED, NOTHING = 0, 1, 2
"""Exit codes."""


def read_settings(corpus: Path | None, index: Path | None) -> Settings:
    """The settings of the environment, with what was given by option in their place."""
    from eunato_rag.settings import load_settings

    return load_settings(corpus=corpus, index=index)

"""A desk to work at in the terminal, and servers to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from eunato_rag.engine import Writer
from eunato_rag.serving.http.app import create_app
from eunato_rag.serving.http.serving import Serving
from tests.conftest import HARBOUR, WordEmbedder, running

Serve = Callable[..., str]


@pytest.fixture
def serve(index: Path, embedder: WordEmbedder) -> Iterator[Serve]:
    """Starts servers over the small corpus; gives their addresses."""
    with ExitStack() as servers:

        def started(writer: Writer | None = None, serving: Serving = Serving()) -> str:
            return servers.enter_context(running(create_app(index, embedder, writer, serving=serving)))

        yield started


@pytest.fixture
def desk(tmp_path: Path, models: Path) -> Path:
    """A working folder with a corpus of one document and the exported model, but no index yet."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "harbour.txt").write_text(HARBOUR, "utf-8")
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "models").symlink_to(models)
    return tmp_path

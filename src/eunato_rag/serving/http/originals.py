"""The originals of documents: their files, as long as they are what was indexed, and pictures of their pages."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from eunato_rag.errors import NotFound
from eunato_rag.ingestion.page_images import Mark, draw_page
from eunato_rag.records import Document

PICTURES = 64
"""Drawn pages that are kept, some hundred kilobytes each."""


class Originals:
    """The files below a corpus folder; of none where there is no folder."""

    def __init__(self, corpus: Path | None) -> None:
        self._corpus = corpus.resolve() if corpus else None
        self._picture = lru_cache(maxsize=PICTURES)(_drawn)

    def path(self, document: Document) -> Path:
        """The file that a document was read from.

        Raises:
            NotFound: it is not at hand, or has changed since.
        """
        path = (self._corpus / document.source).resolve() if self._corpus else None
        if path is None or self._corpus is None or not path.is_relative_to(self._corpus) or not path.is_file():
            raise NotFound(f"The original of {document.id} is not at hand; its text is.")
        state = path.stat()
        if _digest(path, (state.st_ino, state.st_mtime_ns, state.st_ctime_ns, state.st_size)) != document.sha256:
            raise NotFound(f"The original of {document.id} has changed since it was indexed. Run: eunato-rag reindex")
        return path

    def picture(self, path: Path, digest: str, number: int, mark: Mark | None) -> bytes:
        """A page as PNG.

        Raises:
            UnreadableDocument: it cannot be drawn.
        """
        return self._picture(path, digest, number, mark)


def _drawn(path: Path, digest: str, number: int, mark: Mark | None) -> bytes:
    return draw_page(path, number, mark)


@lru_cache(maxsize=1024)
def _digest(path: Path, state: tuple[int, ...]) -> str:
    """`state` tells a file from the one that it was; its time of change alone can be set back by anybody."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

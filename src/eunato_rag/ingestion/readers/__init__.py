"""One reader per format, each `read(path) -> Document`; chosen by the file's suffix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.readers import docx, html, pdf, text
from eunato_rag.records import Document

READERS: Mapping[str, Callable[[Path], Document]] = {
    ".docx": docx.read,
    ".htm": html.read,
    ".html": html.read,
    ".pdf": pdf.read,
    ".xhtml": html.read,
    **dict.fromkeys(sorted(text.SUFFIXES), text.read),
}


def read(path: Path) -> Document:
    """The document in a file.

    Raises:
        UnreadableDocument: no reader for its type, or the reader's own reason.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(sorted(READERS))
        kind = f"type {path.suffix}" if path.suffix else "files without a suffix"
        raise UnreadableDocument(f"{path.name}: no reader for {kind}. Convert it to one of {known}, or take it out.")
    return reader(path)

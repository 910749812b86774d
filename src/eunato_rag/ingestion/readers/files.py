"""The first and the last step of every reader: a file's bytes, and the document that they became."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.layout import Assembled, collapse, mend_characters, whole_characters
from eunato_rag.records import Change, CslRecord, Document


def read_bytes(path: Path, most: int, remedy: str = "Split it.") -> bytes:
    """What stands in a file.

    Raises:
        UnreadableDocument: it cannot be opened, or has more than `most` bytes.
    """
    try:
        size = path.stat().st_size
        if size > most:
            raise UnreadableDocument(f"{path.name} has {size:,} bytes; at most {most:,} are read. {remedy}")
        return path.read_bytes()
    except OSError as error:
        raise UnreadableDocument(f"{path.name} cannot be opened: {error.strerror}. Check its permissions.") from error


def document_of(path: Path, data: bytes, work: CslRecord, parts: Assembled, report: Sequence[Change]) -> Document:
    """The document under its file's own name, before the manifest gives it another."""
    return Document(
        id=path.stem,
        source=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        work=_mended(work),
        text=parts.text,
        blocks=parts.blocks,
        pages=parts.pages,
        footnotes=parts.footnotes,
        links=parts.links,
        sentences=parts.sentences,
        report=tuple(report),
    )


def _mended(record: Any, key: str = "") -> Any:
    """What a file says of itself, its characters mended like those of the text; an id and an address stay what they are."""
    if isinstance(record, Mapping):
        return {name: _mended(value, name) for name, value in record.items()}
    if isinstance(record, list):
        return [_mended(value, key) for value in record]
    if not isinstance(record, str):
        return record
    return whole_characters(record) if key in ("id", "URL") else collapse(mend_characters(record)[0])

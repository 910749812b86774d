"""PDF: read(path) -> Document. PDFium gives the text with its places, pypdf the outline, metadata and page labels.

Left out: recognising the letters of scans; the error says what does that.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pypdf
import pypdfium2
from pypdf.errors import PyPdfError

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.layout import assemble, mend_characters, mend_flow
from eunato_rag.ingestion.readers.pdf_blocks import blocks_of, letters
from eunato_rag.ingestion.readers.pdf_lines import Line, read_lines
from eunato_rag.records import Change, Document

MAX_BYTES = 512 * 1024 * 1024
MAX_PAGES = 5000

_NO_TITLE = re.compile(r"\.(?:docx?|pdf|indd|pptx?|xlsx?|qxd|tex)$|^(?:microsoft|untitled|layout|document\d*$)", re.IGNORECASE)
_PASSWORD = 4
"""PDFium's FPDF_ERR_PASSWORD."""
_PYPDF_ERRORS = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError, NotImplementedError)
"""What pypdf raises on damaged files; its text is not used, so nothing but outline, labels and metadata is lost."""


def read(path: Path) -> Document:
    """The document in a PDF file, with the page of every offset.

    Raises:
        UnreadableDocument: no PDF, damaged, locked by a password, too large, or a scan without text.
    """
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as error:
        raise UnreadableDocument(f"{path.name} cannot be opened: {error.strerror}. Check its permissions.") from error
    if size > MAX_BYTES:
        raise UnreadableDocument(f"{path.name} has {size:,} bytes; at most {MAX_BYTES:,} are read. Split it.")
    if not data:
        raise UnreadableDocument(f"{path.name} is empty. Fetch it again.")
    pages, changes = _pages(data, path.name)
    catalogue, labels, outline, remark = _catalogue(data)
    changes += remark
    if not any(pages):
        raise UnreadableDocument(
            f"{path.name} holds no text on its {len(pages)} pages: it is a scan or a drawing. "
            f"Run `ocrmypdf {path.name} out.pdf` and index that."
        )
    drafts, more = blocks_of(pages, outline)
    body, joins = mend_flow([draft for draft in drafts if draft.kind != "note"])
    drafts = [*body, *(draft for draft in drafts if draft.kind == "note")]
    parts = assemble(drafts, labels)
    title = _title(catalogue) or next((d.prose.text for d in drafts if d.kind == "heading"), path.stem)
    return Document(
        id=path.stem,
        source=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        work={"id": path.stem, "type": "document", "title": title, **_record(catalogue)},
        text=parts.text,
        blocks=parts.blocks,
        pages=parts.pages,
        footnotes=parts.footnotes,
        links=parts.links,
        sentences=parts.sentences,
        report=(*changes, *more, *joins),
    )


def _pages(data: bytes, name: str) -> tuple[list[list[Line]], list[Change]]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD:
            raise UnreadableDocument(f"{name} asks for a password. Remove it, for example with `qpdf --decrypt`.") from error
        known = data[:1024].lstrip().startswith(b"%PDF-")
        what = "is damaged: no page of it can be found" if known else "is no PDF, whatever its name says"
        raise UnreadableDocument(f"{name} {what}. Fetch it again.") from error
    with _closing(document):
        count = len(document)
        if count > MAX_PAGES:
            raise UnreadableDocument(f"{name} has {count:,} pages; at most {MAX_PAGES:,} are read. Split it.")
        pages: list[list[Line]] = []
        changes: list[Change] = []
        for number in range(count):
            try:
                page = document[number]
            except pypdfium2.PdfiumError:
                pages.append([])
                changes.append(Change("page", f"page {number + 1} cannot be read"))
                continue
            with _closing(page):
                pages.append([_mended(line) for line in read_lines(page, number + 1)])
        return pages, changes


def _mended(line: Line) -> Line:
    """The line with its letters mended; where that would shift markers, the fragment stays as it is."""
    fragments = tuple(
        replace(f, text=mended) if len(mended := mend_characters(f.text)[0]) == len(f.text) or not f.markers else f for f in line.fragments
    )
    return replace(line, fragments=tuple(f for f in fragments if f.text.strip()) or line.fragments)


def _catalogue(data: bytes) -> tuple[dict[str, str], dict[int, str], dict[str, int], list[Change]]:
    """Metadata, page labels, outline titles with levels; empty where pypdf cannot read the file's structure."""
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            reader.decrypt("")
        metadata = {key.lstrip("/"): str(value) for key, value in (reader.metadata or {}).items() if value}
        printed = list(reader.page_labels)
        labels = {number: label for number, label in enumerate(printed, 1) if label}
        if printed == [str(number) for number in range(1, len(printed) + 1)] and "/PageLabels" not in reader.root_object:
            labels = {}
        outline = {letters(title): level for title, level in _walk(reader.outline, 1) if letters(title)}
    except _PYPDF_ERRORS as error:
        return {}, {}, {}, [Change("structure", f"outline, page labels and metadata cannot be read ({type(error).__name__})")]
    return metadata, labels, outline, []


def _walk(entries: Any, level: int) -> Iterator[tuple[str, int]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _walk(entry, level + 1)
        else:
            yield str(entry.title or ""), level


def _title(metadata: dict[str, str]) -> str:
    """The file's own title, unless it is a file name or a program's."""
    title = re.sub(r"\s+", " ", metadata.get("Title", "")).strip()
    return (
        ""
        if re.search(r"\.(?:docx?|pdf|indd|pptx?|xlsx?|qxd|tex)$|^(?:microsoft|untitled|layout|document\d*$)", title, re.IGNORECASE)
        else title
    )


def _record(metadata: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    author = re.sub(r"\s+", " ", metadata.get("Author", "")).strip()
    if author:
        record["author"] = [{"literal": author}]
    date = re.match(r"D:(\d{4})(\d{2})?(\d{2})?", metadata.get("CreationDate", ""))
    if date:
        record["issued"] = {"date-parts": [[int(part) for part in date.groups() if part]]}
    return record


@contextmanager
def _closing(thing: Any) -> Iterator[None]:
    try:
        yield
    finally:
        thing.close()

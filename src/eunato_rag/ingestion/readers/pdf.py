"""PDF: read(path) -> Document. PDFium gives the text with its places, pypdf the outline, metadata and page labels.

Where PDFium cannot open a file, pypdf writes it anew; where PDFium finds no letters on a page, or letters without
Unicode, and pypdf knows more, its text stands in, without places. Both are reported.
Left out: recognising the letters of scans; the error says what does that.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import pypdf
import pypdfium2
from pypdf.errors import DependencyError, DeprecationError, PyPdfError
from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_REMOVE_SECURITY

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.layout import assemble, mend_characters, mend_flow
from eunato_rag.ingestion.readers.files import document_of, read_bytes
from eunato_rag.ingestion.readers.pdf_blocks import blocks_of
from eunato_rag.ingestion.readers.pdf_glyphs import UNKNOWN, read_rows
from eunato_rag.ingestion.readers.pdf_lines import Fragment, Line, lines_of, plain_lines
from eunato_rag.ingestion.readers.pdf_order import letters
from eunato_rag.records import Change, Document

MAX_BYTES = 512 * 1024 * 1024
MAX_PAGES = 5000

_DOUBTFUL = 0.2
"""Share of a page's glyphs without Unicode from which on pypdf is asked."""
_MAX_CONTENT = 2 * 1024 * 1024
"""Bytes of page content that pypdf is asked to read; more is a drawing, and takes it minutes."""
_NAMES = re.compile(r"/[A-Za-z]\w*(?:\.\w+)?")
"""How pypdf writes glyphs that it has only a name for."""
_NO_TITLE = re.compile(r"\.(?:docx?|pdf|indd|pptx?|xlsx?|qxd|tex)$|^(?:microsoft|untitled|layout|document\d*$)", re.IGNORECASE)
_PYPDF_ERRORS = (
    *(PyPdfError, DependencyError, DeprecationError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError),
    *(RecursionError, OSError, NotImplementedError, struct.error, zlib.error),
)
"""What pypdf raises on damaged files."""
_T = TypeVar("_T")


def read(path: Path) -> Document:
    """The document in a PDF file, with the page of every offset.

    Raises:
        UnreadableDocument: no PDF, damaged, locked by a password, too large, or a scan without text.
    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    data = read_bytes(path, MAX_BYTES)
    if not data.strip():
        raise UnreadableDocument(f"{path.name} is empty. Fetch it again.")
    document, repaired = _opened(data, path.name)
    with closing(document):
        # pypdf opens AES only with a further package; PDFium, which has opened the file, writes it without its lock.
        plain = _unlocked(document) if b"/Encrypt" in data else data
        pages, changes = _pages(document, plain)
    if repaired:
        changes.insert(0, Change("repaired", "the file was put together anew: its structure is damaged, or locked in an unusual way"))
    if not any(pages):
        count = f"{len(pages)} pages" if len(pages) > 1 else "one page"
        raise UnreadableDocument(
            f"{path.name} holds no text on its {count}: it is a scan or a drawing. Run `ocrmypdf {path.name} out.pdf` and index that."
        )
    metadata, labels, outline, remarks = _catalogue(plain)
    drafts, more = blocks_of(pages, outline)
    if not drafts:
        raise UnreadableDocument(f"{path.name} holds nothing but a table of contents. Take it out.")
    body, joins = mend_flow([draft for draft in drafts if draft.kind != "note"], doubled=False)
    drafts = [*body, *(draft for draft in drafts if draft.kind == "note")]
    parts = assemble(drafts, labels)
    title = _title(metadata) or next((d.prose.text for d in drafts if d.kind == "heading"), path.stem)
    return document_of(
        path, data, {"id": path.stem, "type": "document", "title": title, **_record(metadata)}, parts, (*changes, *remarks, *more, *joins)
    )


def _opened(data: bytes, name: str) -> tuple[Any, bool]:
    """The file in PDFium, and whether pypdf had to write it anew because PDFium refused it."""
    repaired = False
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        try:
            document, repaired = pypdfium2.PdfDocument(_rewritten(data)), True
        except (pypdfium2.PdfiumError, *_PYPDF_ERRORS):
            if getattr(error, "err_code", None) == FPDF_ERR_PASSWORD:
                raise UnreadableDocument(f"{name} asks for a password. Remove it, for example with `qpdf --decrypt`.") from error
            known = b"%PDF-" in data[:1024]
            what = "is damaged: no page of it can be found" if known else "is no PDF, whatever its name says"
            raise UnreadableDocument(f"{name} {what}. Fetch it again.") from error
    if len(document) > MAX_PAGES:
        count = len(document)
        document.close()
        raise UnreadableDocument(f"{name} has {count:,} pages; at most {MAX_PAGES:,} are read. Split it.")
    return document, repaired


def _rewritten(data: bytes) -> bytes:
    """What pypdf makes of a file that is damaged, or locked by an empty password that PDFium does not try."""
    writer, target = pypdf.PdfWriter(), io.BytesIO()
    reader = pypdf.PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        reader.decrypt("")
    for page in reader.pages[:MAX_PAGES]:
        writer.add_page(page)
    writer.write(target)
    return target.getvalue()


def _unlocked(document: Any) -> bytes:
    target = io.BytesIO()
    document.save(target, flags=FPDF_REMOVE_SECURITY)
    return target.getvalue()


def _pages(document: Any, data: bytes) -> tuple[list[list[Line]], list[Change]]:
    """The lines of every page; `data` is the file as pypdf can open it."""
    pages: list[list[Line]] = []
    changes: list[Change] = []
    doubtful: list[int] = []
    unknown = 0
    for number in range(len(document)):
        try:
            page = document[number]
        except pypdfium2.PdfiumError:
            pages.append([])
            doubtful.append(number)
            continue
        with closing(page):
            rows = read_rows(page)
        drawn = [glyph.text for row in rows for glyph in row.letters]
        if drawn.count(UNKNOWN) > _DOUBTFUL * len(drawn) or not drawn:
            doubtful.append(number)
        unknown += drawn.count(UNKNOWN)
        pages.append(lines_of(rows, number + 1))
    if doubtful:
        size = median([line.size for lines in pages for line in lines] or [10.0])
        for number, text in _second_opinion(data, doubtful):
            own = "\n".join(line.text for line in pages[number])
            if _worth(text) > 1.1 * _worth(own):
                changes.append(Change("page-text", f"page {number + 1} by pypdf, without places: PDFium names too few of its letters"))
                unknown -= own.count(UNKNOWN)
                pages[number] = plain_lines(text, number + 1, size)
    if unknown:
        changes.append(Change("glyphs", f"{unknown} glyphs without Unicode stand as {UNKNOWN}"))
    _, mended = mend_characters("\n".join(line.text for lines in pages for line in lines))
    return [[line for line in map(_mended, lines) if line.fragments] for lines in pages], changes + mended


def _second_opinion(data: bytes, numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        count = len(reader.pages)
    except _PYPDF_ERRORS:
        return
    for number in numbers:
        try:
            page = reader.pages[number] if number < count else None
            contents = page.get_contents() if page is not None else None
            if page is None or contents is None or len(contents.get_data()) > _MAX_CONTENT:
                continue
            text = page.extract_text()
        except _PYPDF_ERRORS:
            continue
        yield number, text


def _worth(text: str) -> int:
    """Letters and figures of a text that say something: no glyph names."""
    return sum(c.isalnum() for c in _NAMES.sub("", text))


def _mended(line: Line) -> Line:
    """The line with its letters mended, markers where they were; without fragments that were nothing but control characters."""
    return replace(line, fragments=tuple(mended for f in line.fragments if (mended := _mended_fragment(f)).text.strip()))


def _mended_fragment(fragment: Fragment) -> Fragment:
    if fragment.text.isascii() and fragment.text.isprintable():
        return fragment
    text, start, markers = "", 0, []
    for offset, number in (*fragment.markers, (len(fragment.text), None)):
        text += mend_characters(fragment.text[start:offset])[0]
        start = offset
        if number is not None:
            markers.append((len(text), number))
    return replace(fragment, text=text, markers=tuple(markers))


def _catalogue(data: bytes) -> tuple[dict[str, str], dict[int, str], dict[str, int], list[Change]]:
    """Metadata, page labels, outline titles with levels; what pypdf cannot read is empty and reported."""
    missing: list[str] = []

    def attempt(what: str, get: Callable[[], _T], otherwise: _T) -> _T:
        try:
            return get()
        except _PYPDF_ERRORS as error:
            missing.append(f"{what} ({type(error).__name__})")
            return otherwise

    reader = attempt("structure", lambda: pypdf.PdfReader(io.BytesIO(data)), None)
    if reader is None:
        return {}, {}, {}, [Change("structure", f"outline, page labels and metadata cannot be read: {missing[0]}")]
    metadata: dict[str, str] = attempt("metadata", lambda: {k.lstrip("/"): str(v) for k, v in (reader.metadata or {}).items() if v}, {})
    labels: dict[int, str] = attempt("page labels", lambda: _labels(reader), {})
    outline: dict[str, int] = attempt("outline", lambda: {letters(t): level for t, level in _walk(reader.outline, 1) if letters(t)}, {})
    return metadata, labels, outline, [Change("structure", f"cannot be read: {', '.join(missing)}")] if missing else []


def _labels(reader: pypdf.PdfReader) -> dict[int, str]:
    """The printed labels by physical number; without an entry in the file there are none, and pypdf just counts."""
    return {n: label for n, label in enumerate(reader.page_labels, 1) if label} if "/PageLabels" in reader.root_object else {}


def _walk(entries: Any, level: int) -> Iterator[tuple[str, int]]:
    for entry in entries:
        if isinstance(entry, list):
            yield from _walk(entry, level + 1)
        else:
            yield str(entry.title or ""), level


def _title(metadata: dict[str, str]) -> str:
    """The file's own title, unless it is a file name or a program's."""
    title = re.sub(r"\s+", " ", metadata.get("Title", "")).strip()
    return "" if _NO_TITLE.search(title) else title


def _record(metadata: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    author = re.sub(r"\s+", " ", metadata.get("Author", "")).strip()
    if author:
        record["author"] = [{"literal": author}]
    date = re.match(r"D:(\d{4})(\d{2})?(\d{2})?", metadata.get("CreationDate", ""))
    if date:
        record["issued"] = {"date-parts": [[int(part) for part in date.groups() if part]]}
    return record

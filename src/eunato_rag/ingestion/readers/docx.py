"""Word documents (DOCX, ISO/IEC 29500): read(path) -> Document.

Headings, lists with the numbers Word prints, tables, text boxes, footnotes and endnotes tied to their markers. Left
out: headers and footers, pictures, comments, and pages, which the file does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.layout import Draft, assemble, collapse, mend_characters
from eunato_rag.ingestion.readers.docx_body import Left, Walker, references
from eunato_rag.ingestion.readers.docx_numbering import Numbering
from eunato_rag.ingestion.readers.files import document_of, read_bytes
from eunato_rag.ingestion.readers.plain_notes import renumbered, unique_numbers
from eunato_rag.ingestion.readers.prose import Mender
from eunato_rag.ingestion.readers.structure import account, ranked, titled, without_empty_sections
from eunato_rag.ooxml.package import Package, Xml, attribute, child, children
from eunato_rag.ooxml.styles import Styles
from eunato_rag.records import Change, Document

MAX_BYTES = 64 * 1024 * 1024

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_NO_TITLE = re.compile(r"(?:microsoft word - .*|document ?\d*|dokument ?\d*|untitled.*|title|word document|.*\.docx?)", re.IGNORECASE)
_NO_AUTHOR = frozenset({"python-docx", "user", "admin", "administrator", "author", "microsoft office user", "windows user"})


def read(path: Path) -> Document:
    """The document in a DOCX file.

    Raises:
        UnreadableDocument: the file cannot be opened, is empty, encrypted, damaged, no DOCX, without text, larger than
            64 MiB, or unpacks to more than 256 MiB.
    """
    data = read_bytes(path, MAX_BYTES, "Take its pictures out, or split it.")
    package = Package(data, path.name)
    body = package.document()
    styles, mender, left = Styles(package.related("styles")), Mender(), Left()
    labels, numbers = _number(body)
    walker = Walker(styles, Numbering(package.related("numbering")), numbers, mender, left)
    walker.relationships = package.relationships(package.main)
    walker.blocks(body)
    notes = _notes(package, walker, numbers)
    record = _work(package, styles, path.stem)
    drafts, headless = without_empty_sections([*walker.drafts, *notes])
    drafts = ranked(titled(drafts, str(record.get("title", "")), insert=False))
    if not drafts:
        raise UnreadableDocument(f"{path.name} holds no text; if it holds pictures of pages, read them with OCR first (ocrmypdf).")
    parts = assemble(drafts)
    shown = next((d.prose.text for d in drafts if d.kind == "heading" and d.level == 0), "")
    record["title"] = shown or record.get("title") or path.stem
    return document_of(
        path,
        data,
        record,
        parts,
        (*mender.changes(), *_left_out(left), *headless, *account(drafts), *renumbered(labels, list(numbers.values()))),
    )


def _number(body: Xml) -> tuple[list[str], dict[tuple[str, str], int]]:
    """The notes' labels and numbers in order of appearance.

    Footnotes have the numbers that Word prints; endnotes, which Word counts apart, and marks of the author's own follow.
    """
    keys: dict[tuple[str, str], str] = {}
    count = {"footnote": 0, "endnote": 0}
    for kind, key, custom in references(body):
        if (kind, key) not in keys:
            count[kind] += not custom
            keys[kind, key] = "mark" if custom else str(count[kind]) if kind == "footnote" else f"endnote {count[kind]}"
    only = not count["footnote"]
    labels = [label.removeprefix("endnote ") if only else label for label in keys.values()]
    return labels, dict(zip(keys, unique_numbers(labels), strict=True))


def _notes(package: Package, walker: Walker, numbers: Mapping[tuple[str, str], int]) -> list[Draft]:
    """The notes that the text refers to, by number; separators and notes that nothing refers to are none."""
    drafts = []
    for kind in ("footnote", "endnote"):
        root = package.related(f"{kind}s")
        target = next((r.target for r in package.relationships(package.main).values() if r.kind == f"{kind}s"), "")
        walker.relationships = package.relationships(target) if target else {}
        for element in [] if root is None else children(root, kind):
            number = numbers.get((kind, attribute(element, "id")))
            if number is not None:
                prose = walker.prose(element)
                if prose.text:
                    drafts.append(Draft("note", prose, number=number))
    return sorted(drafts, key=lambda draft: draft.number or 0)


def _work(package: Package, styles: Styles, identifier: str) -> dict[str, Any]:
    """The record that the core properties make (Dublin Core); a title that Word made up is none."""
    core = package.part(package.core)

    def said(name: str) -> str:
        element = None if core is None else child(core, name)
        return "" if element is None else collapse(mend_characters(element.text or "")[0])

    title = said("title")
    created = _DATE.match(said("created"))
    authors = [name.strip() for name in said("creator").split(";")]
    record: dict[str, Any] = {
        "id": identifier,
        "type": "document",
        "title": "" if _NO_TITLE.fullmatch(title) else title,
        "author": [_author(name) for name in authors if name and name.lower() not in _NO_AUTHOR],
        "issued": {"date-parts": [[int(part) for part in created.groups()]]} if created else {},
        "language": said("language") or styles.language,
    }
    return {key: value for key, value in record.items() if value}


def _author(name: str) -> dict[str, str]:
    family, comma, given = name.partition(", ")
    return {"family": family, "given": given} if comma and "," not in given else {"literal": name}


def _left_out(left: Left) -> list[Change]:
    changes = []
    deleted = [collapse(text) for text in left.deleted if text.strip()]
    if deleted or left.inserted:
        detail = f"tracked changes read as accepted: {left.inserted} insertions kept, {len(deleted)} deletions left out"
        changes.append(Change("tracked-changes", detail, None, "\n".join(deleted)))
    for kind, texts, what in (
        ("contents", left.contents, "{:,} lines of a table of contents left out"),
        ("hidden", left.hidden, "{:,} stretches of hidden text left out"),
    ):
        texts = [text for text in texts if text.strip()]
        if texts:
            changes.append(Change(kind, what.format(len(texts)), None, "\n".join(texts)))
    if left.boxes:
        changes.append(Change("text-boxes", f"{left.boxes} text boxes set behind the paragraphs that hold them"))
    if left.pictures:
        said = [text for text in left.pictures if text]
        detail = f"{len(left.pictures)} pictures are not in the text; {len(said)} have a description"
        changes.append(Change("figure", detail, None, "\n".join(said)))
    if left.symbols:
        changes.append(Change("symbols", f"{left.symbols} characters of symbol fonts left out: the file does not say which they are"))
    return changes

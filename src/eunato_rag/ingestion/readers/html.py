"""HTML pages: read(path) -> Document.

The main text with headings, lists, tables, captions and notes tied to their markers; what the page says of itself
becomes its work record. Left out: pictures, whatever a page's scripts would write, and pages, which HTML has none of.
"""

from __future__ import annotations

from pathlib import Path

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.layout import assemble, collapse
from eunato_rag.ingestion.readers.acts import read_act
from eunato_rag.ingestion.readers.files import document_of, read_bytes
from eunato_rag.ingestion.readers.html_blocks import Blocks, Walker
from eunato_rag.ingestion.readers.html_main import find_main
from eunato_rag.ingestion.readers.html_metadata import work
from eunato_rag.ingestion.readers.html_notes import find_notes
from eunato_rag.ingestion.readers.html_tree import decode, parse
from eunato_rag.ingestion.readers.plain_notes import renumbered, tie_plain_notes, unique_numbers
from eunato_rag.ingestion.readers.prose import Mender
from eunato_rag.ingestion.readers.structure import account, ranked, titled, without_empty_sections
from eunato_rag.records import Change, Document

MAX_BYTES = 32 * 1024 * 1024
_LONG_TITLE = 150


def read(path: Path) -> Document:
    """The document in an HTML page, in any encoding.

    Raises:
        UnreadableDocument: the file cannot be opened, is empty, is no HTML, holds no text, or is larger than 32 MiB.
    """
    data = read_bytes(path, MAX_BYTES, "Save its parts as pages.")
    for magic, kind, suffix in ((b"%PDF-", "a PDF", ".pdf"), (b"PK\x03\x04", "a ZIP or office file", ".docx or what it is")):
        if data.startswith(magic):
            raise UnreadableDocument(f"{path.name} is {kind}, not HTML. Give it the suffix {suffix}.")
    source, changes = decode(data, path.name)
    page = parse(source, path.name)
    record, base = work(page, path.stem)
    notes = find_notes(page.root)
    main = find_main(page.root, notes.notes)
    mender = Mender()
    numbers = unique_numbers(notes.labels)
    walker = Walker(notes, numbers, main.dropped, base, mender)
    if main.title is not None:
        walker.heading(main.title, 1)
    blocks = walker.walk(main.root)
    drafts, headless = without_empty_sections(blocks.drafts)
    drafts, plain = tie_plain_notes(drafts, numbers)
    drafts, acts = read_act(titled(drafts, str(record.get("title", "")), insert=True))
    drafts = ranked(drafts)
    if not drafts:
        raise UnreadableDocument(
            f"{path.name} holds no text; a page may write it by scripts. Open it in a browser and save what it shows, or take it out."
        )
    parts = assemble(drafts)
    shown = next((d.prose.text for d in drafts if d.kind == "heading" and d.level == 0), "")
    if len(shown) > _LONG_TITLE:
        shown = shown.split(" - ")[0]  # the Official Journal prints the parts of a volume behind its title
    record["title"] = shown or record.get("title") or path.stem
    removed = dict(main.removed)
    if page.hidden:
        removed.setdefault("hidden", []).extend(collapse(text) for text in page.hidden)
    report = (
        *changes,
        *mender.changes(),
        *_left_out(removed),
        *acts,
        *account(drafts),
        *headless,
        *plain,
        *renumbered(notes.labels, numbers),
        *_shown(blocks),
    )
    return document_of(path, data, record, parts, report)


def _left_out(removed: dict[str, list[str]]) -> list[Change]:
    what = {"navigation": "navigation, banners and footers", "contents": "lists of links into the page itself", "hidden": "hidden elements"}
    return [
        Change(kind, f"{sum(map(len, texts)):,} characters of {what[kind]} left out", None, "\n".join(texts))
        for kind, texts in removed.items()
        if kind in what and texts
    ]


def _shown(blocks: Blocks) -> list[Change]:
    if not blocks.pictures:
        return []
    said = [text for text in blocks.pictures if text]
    detail = f"{len(blocks.pictures)} pictures are not in the text; {len(said)} have a description"
    return [Change("figure", detail, None, "\n".join(said))]

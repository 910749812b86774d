"""The blocks of a Word document: a walk over its body that writes drafts.

Insertions are text and deletions are not, as if all changes were accepted. Left out: headers and footers, which repeat
on every page; pictures; and page breaks, which Word writes as it last saw them on one machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from eunato_rag.ingestion.layout import Draft, Prose, collapse
from eunato_rag.ingestion.readers.docx_numbering import Numbering
from eunato_rag.ingestion.readers.prose import Cell, Mender, ProseWriter, table_prose
from eunato_rag.ooxml.package import Relationship, Xml, attribute, child, children, integer, is_on, local, value
from eunato_rag.ooxml.styles import Styles

_DROPPED = frozenset({"del", "moveFrom"})
_SKIPPED = frozenset("pPr rPr tblPr tblGrid trPr tcPr sectPr instrText delText delInstrText sdtPr sdtEndPr rt rPrChange pPrChange".split())
_LINK = re.compile(r'\s*HYPERLINK\s+"([^"]+)"')


@dataclass(slots=True)
class Left:
    """What a document holds beside its text."""

    deleted: list[str] = field(default_factory=list)
    inserted: int = 0
    hidden: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    symbols: int = 0
    boxes: int = 0


@dataclass(slots=True)
class _Field:
    """A complex field: its instruction, and where its result begins."""

    instruction: str = ""
    start: int | None = None


class Walker:
    """Writes the drafts of one part: the body, or the notes. `notes` are numbers by ("footnote" or "endnote", id)."""

    def __init__(self, styles: Styles, numbering: Numbering, notes: Mapping[tuple[str, str], int], mender: Mender, left: Left) -> None:
        self.styles, self.numbering, self.notes, self.mender, self.left = styles, numbering, notes, mender, left
        self.relationships: Mapping[str, Relationship] = {}
        self.drafts: list[Draft] = []
        self.writer = ProseWriter(mender)
        self.boxes: list[Xml] = []
        self.fields: list[_Field] = []
        self.pending: ProseWriter | None = None

    def blocks(self, container: Xml) -> None:
        """The paragraphs and tables of a container, in order."""
        for element in container:
            name = local(element)
            if name == "p":
                self._paragraph(element)
            elif name == "tbl":
                self._table(element)
            elif name in _DROPPED:
                self.left.deleted.append(collapse(plain_text(element)))
            elif name == "sdt" and value(element, "sdtPr", "docPartObj", "docPartGallery") == "Table of Contents":
                self.left.contents.append(collapse(plain_text(element)))
            elif name == "AlternateContent":
                self.blocks(_chosen(element))
            elif name not in _SKIPPED and len(element):
                self.blocks(element)

    def prose(self, container: Xml) -> Prose:
        """All paragraphs below a container as one stretch of prose, for a cell or a note."""
        outer, self.writer = self.writer, ProseWriter(self.mender)
        self._flat(container)
        prose, self.writer = self.writer.prose(), outer
        return prose

    def _flat(self, container: Xml) -> None:
        for element in container:
            name = local(element)
            if name == "p":
                self.writer.space()
                place = self.styles.numbering(element)
                if place is not None and not _is_struck(element):
                    printed, _ = self.numbering.next(place, self.styles.style_id(element))
                    self.writer.text(f"{printed} " if printed else "")
                self._inline(element)
                self.writer.space()
                for box in self._take_boxes():
                    self._flat(box)
            elif name == "AlternateContent":
                self._flat(_chosen(element))
            elif name not in _SKIPPED and name not in _DROPPED:
                self._flat(element)

    def _paragraph(self, paragraph: Xml) -> None:
        if self.styles.is_contents(paragraph):
            text = collapse(plain_text(paragraph))
            self.left.contents.extend([text] if text else [])
            return
        printed, level = "", 0
        place = self.styles.numbering(paragraph)
        if place is not None and plain_text(paragraph).strip():
            printed, level = self.numbering.next(place, self.styles.style_id(paragraph))
        self.writer = self.pending or ProseWriter(self.mender)
        if printed and self.pending is None:
            self.writer.text(f"{printed} ")
        self.pending = None
        self._inline(paragraph)
        boxes = self._take_boxes()
        if _is_struck(paragraph):
            self.pending = self.writer  # its end was deleted, so it goes on in the next paragraph
            return
        prose = self.writer.prose()
        if prose.text and prose.text != printed:
            heading = self.styles.heading(paragraph)
            if heading is not None:
                self.drafts.append(Draft("heading", prose, heading))
            elif self.styles.is_caption(paragraph):
                self.drafts.append(Draft("caption", prose))
            elif place is not None:
                self.drafts.append(Draft("list_item", prose, level + 1))
            else:
                self.drafts.append(Draft("paragraph", prose))
        for box in boxes:
            self.left.boxes += 1
            self.blocks(box)

    def _take_boxes(self) -> list[Xml]:
        boxes, self.boxes = self.boxes, []
        return boxes

    def _inline(self, element: Xml) -> None:
        for below in element:
            name = local(below)
            if name == "r":
                self._run(below)
            elif name == "hyperlink":
                start = self.writer.place
                self._inline(below)
                relationship = self.relationships.get(attribute(below, "id"))
                if relationship is not None and relationship.external:
                    self.writer.link(start, relationship.target)
            elif name in _DROPPED:
                self.left.deleted.append(plain_text(below))
            elif name == "AlternateContent":
                self._inline(_chosen(below))
            elif name == "fldSimple":
                start = self.writer.place
                self._inline(below)
                self._link(start, attribute(below, "instr"))
            elif name == "t" and local(element) != "del":  # in formulas, m:t stands in m:r
                self.writer.text(below.text or "")
            elif name not in _SKIPPED:
                self.left.inserted += name in ("ins", "moveTo")
                self._inline(below)

    def _run(self, run: Xml) -> None:
        if is_on(run, "rPr", "vanish") or is_on(run, "rPr", "webHidden"):
            self.left.hidden.append(plain_text(run))
            return
        raised = value(run, "rPr", "vertAlign") == "superscript"
        custom = False
        for element in run:
            name = local(element)
            if name == "t":
                text = element.text or ""
                if not custom:
                    (self.writer.raised if raised else self.writer.text)(text)
                custom = False
            elif name in ("footnoteReference", "endnoteReference"):
                number = self.notes.get((name.removesuffix("Reference"), attribute(element, "id")))
                if number is not None:
                    self.writer.marker(number)
                custom = attribute(element, "customMarkFollows") in ("1", "true", "on")
            elif name in ("tab", "br", "cr", "ptab"):
                self.writer.space()
            elif name == "noBreakHyphen":
                self.writer.text("-")
            elif name == "sym":
                self._symbol(element)
            elif name == "fldChar":
                self._field(attribute(element, "fldCharType"))
            elif name == "instrText" and self.fields:
                self.fields[-1].instruction += element.text or ""
            elif name == "AlternateContent":
                self._graphic(_chosen(element))
            elif name in ("drawing", "pict", "object"):
                self._graphic(element)
            elif name == "ruby":
                self._inline(base if (base := child(element, "rubyBase")) is not None else element)

    def _symbol(self, element: Xml) -> None:
        char = attribute(element, "char")
        code = int(char, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,6}", char) else 0
        if 0x20 <= code < 0xD800:
            self.writer.text(chr(code))
        else:
            self.left.symbols += 1  # a place in a symbol font, which says nothing about the letter

    def _field(self, kind: str) -> None:
        if kind == "begin":
            self.fields.append(_Field())
        elif kind == "separate" and self.fields:
            self.fields[-1].start = self.writer.place
        elif kind == "end" and self.fields:
            ended = self.fields.pop()
            if ended.start is not None:
                self._link(ended.start, ended.instruction)

    def _link(self, start: int, instruction: str) -> None:
        match = _LINK.match(instruction)
        if match and match[1].startswith(("http://", "https://", "mailto:")):
            self.writer.link(start, match[1])

    def _graphic(self, element: Xml) -> None:
        boxes = [below for below in element.iter() if local(below) == "txbxContent"]
        self.boxes.extend(box for box in boxes if not any(local(above) == "txbxContent" for above in box.iterancestors()))
        if not boxes:
            described = next((below for below in element.iter() if local(below) in ("docPr", "shape")), None)
            self.left.pictures.append(collapse(attribute(described, "descr") or attribute(described, "alt")))

    def _table(self, table: Xml) -> None:
        rows = [row for row in _descend(table, "tr") if child(row, "trPr", "del") is None]
        self.left.deleted.extend(collapse(plain_text(row)) for row in _descend(table, "tr") if child(row, "trPr", "del") is not None)
        cells = [list(_descend(row, "tc")) for row in rows]
        if sum(map(len, cells)) == 1:
            self.blocks(cells[0][0])  # a box around paragraphs
            return
        prose = table_prose(self._cells(rows, cells))
        if prose.text:
            self.drafts.append(Draft("table", prose))

    def _cells(self, rows: list[Xml], cells: list[list[Xml]]) -> list[list[Cell]]:
        """The cells of each row; one that is merged downwards spans the rows that go on with it."""
        lines: list[list[Cell]] = []
        open_at: dict[int, tuple[int, int]] = {}
        for number, (row, line) in enumerate(zip(rows, cells, strict=True)):
            made: list[Cell] = []
            before = min(integer(value(row, "trPr", "gridBefore")), 50)
            made.extend([Cell(Prose(""))] * before)
            column = before
            for cell in line:
                width = integer(value(cell, "tcPr", "gridSpan"), 1)
                merge = child(cell, "tcPr", "vMerge")
                if merge is not None and attribute(merge, "val") != "restart" and column in open_at:
                    at, index = open_at[column]
                    first = lines[at][index]
                    lines[at][index] = Cell(first.prose, first.columns, number - at + 1, first.header)
                else:
                    open_at.pop(column, None)
                    if merge is not None:
                        open_at[column] = (number, len(made))
                    made.append(Cell(self.prose(cell), width, 1, number == 0 or is_on(row, "trPr", "tblHeader")))
                column += width
            lines.append(made)
        return lines


def plain_text(element: Xml) -> str:
    """All text below an element, deleted text too, with spaces between paragraphs."""
    parts = []
    for below in element.iter():
        name = local(below)
        if name in ("t", "delText"):
            parts.append(below.text or "")
        elif name in ("p", "tab", "br", "tc"):
            parts.append(" ")
    return "".join(parts)


def references(body: Xml) -> Iterator[tuple[str, str, bool]]:
    """Each note that the text refers to, in order: "footnote" or "endnote", its id, and whether it has a mark of its own."""
    waiting = [body]
    while waiting:
        element = waiting.pop()
        name = local(element)
        if name in _DROPPED:
            continue
        if name in ("footnoteReference", "endnoteReference"):
            yield name.removesuffix("Reference"), attribute(element, "id"), attribute(element, "customMarkFollows") in ("1", "true", "on")
        waiting.extend(reversed(list(_chosen(element) if name == "AlternateContent" else element)))


def _chosen(element: Xml) -> Xml:
    """Of alternative contents, the first that holds anything: the others say the same for older programs."""
    return next((option for option in children(element, "Choice", "Fallback") if len(option)), element)


def _descend(element: Xml, name: str) -> Iterator[Xml]:
    """Rows of a table or cells of a row, also those inside content controls."""
    for below in element:
        if local(below) == name:
            yield below
        elif local(below) in ("sdt", "sdtContent", "ins", "customXml", "smartTag"):
            yield from _descend(below, name)


def _is_struck(paragraph: Xml) -> bool:
    return child(paragraph, "pPr", "rPr", "del") is not None

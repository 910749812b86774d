"""The blocks of a page: a walk over its elements that writes drafts.

Left out: which elements are text (html_main) and which are notes (html_notes); both come in as sets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin

from eunato_rag.ingestion.layout import Draft, Prose, collapse
from eunato_rag.ingestion.readers.html_main import HEADINGS
from eunato_rag.ingestion.readers.html_notes import Notes
from eunato_rag.ingestion.readers.html_tables import as_item, elements, is_data, rows_of
from eunato_rag.ingestion.readers.html_tree import BLOCKS, Element
from eunato_rag.ingestion.readers.numerals import letters, roman
from eunato_rag.ingestion.readers.prose import Cell, Mender, ProseWriter, table_prose
from eunato_rag.records import BlockKind

_BULLET = re.compile(r"[-–—•·]\s*")
_CLASSES = {"caption": "caption", "wp-caption-text": "caption", "thumbcaption": "caption"}


@dataclass(slots=True)
class Blocks:
    """What a page holds: its drafts in order, the notes among them; pictures as they are described; data tables counted."""

    drafts: list[Draft] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    tables: int = 0


@dataclass(slots=True)
class _Context:
    """What the block that is being written will be."""

    kind: BlockKind = "paragraph"
    level: int = 0
    depth: int = 0


class Walker:
    """Writes the drafts of one page.

    `numbers` are the notes' numbers by their keys. Links get absolute targets by `base`; without it, only those that
    are absolute in the page are kept.
    """

    def __init__(self, notes: Notes, numbers: Sequence[int], dropped: set[Element], base: str | None, mender: Mender) -> None:
        self.notes, self.numbers, self.dropped, self.base, self.mender = notes, numbers, dropped, base, mender
        self.blocks = Blocks()
        self.writer = ProseWriter(mender)
        self.context = _Context()
        self.prefix = 0
        self.inline = False
        self.breaks = 0

    def walk(self, root: Element) -> Blocks:
        self._element(root)
        self._flush()
        return self.blocks

    def heading(self, element: Element, level: int) -> None:
        self._flush()
        prose = self._prose(element)
        if prose.text:
            self.blocks.drafts.append(Draft("heading", prose, level))

    def _children(self, element: Element) -> None:
        for child in element.children:
            if isinstance(child, str):
                if self.breaks and child.strip():
                    self.breaks = 0
                self.writer.text(child)
            else:
                self._element(child)

    def _element(self, element: Element) -> None:
        if element in self.dropped or element in self.notes.skipped:
            return
        if element in self.notes.markers:
            self.writer.marker(self.numbers[self.notes.markers[element]])
        elif element in self.notes.notes:
            self._note(element)
        elif element.tag in BLOCKS:
            self._block(element)
        else:
            self._phrase(element)

    def _block(self, element: Element) -> None:
        tag = element.tag
        if self.inline:
            self.writer.space()
            self._children(element)
            self.writer.space()
        elif tag in HEADINGS:
            self.heading(element, int(tag[1]))
        elif tag in ("ul", "ol", "menu", "dl"):
            self._list(element)
        elif tag == "table":
            self._table(element)
        elif tag == "pre":
            self._flush()
            self._preformatted(element)
        elif tag in ("figcaption", "caption") or element.get("class") in _CLASSES:
            self._within(element, _Context("caption", 0, self.context.depth))
        else:
            self._flush()
            self._children(element)
            self._flush()

    def _phrase(self, element: Element) -> None:
        tag, start = element.tag, self.writer.place
        if tag == "br":
            self.breaks += 1
            self.writer.space()
            if self.breaks == 2 and not self.inline:
                self._flush()
        elif tag == "img":
            self.blocks.pictures.append(collapse(element.get("alt")))
        elif tag == "sup" and not any(e in self.notes.markers or e.tag == "a" for e in element.iter()):
            self.writer.raised(element.text())
        elif tag == "q":
            self.writer.text("“")
            self._children(element)
            self.writer.text("”")
        else:
            self._children(element)
            if tag == "a":
                target = self._target(element.get("href").strip())
                if target:
                    self.writer.link(start, target)

    def _target(self, address: str) -> str | None:
        if not address or address.startswith(("#", "javascript:", "data:")):
            return None
        if self.base is not None:
            try:
                address = urljoin(self.base, address)
            except ValueError:
                return None
        return address if re.match(r"(?:https?://|mailto:)", address, re.IGNORECASE) else None

    def _flush(self) -> None:
        """Ends the block. A list item's number alone is no block yet."""
        self.breaks = 0
        if self.inline or self.writer.length <= self.prefix:
            return
        prose = self.writer.prose()
        self.writer, self.prefix = ProseWriter(self.mender), 0
        if prose.text:
            self.blocks.drafts.append(Draft(self.context.kind, prose, self.context.level))
            if self.context.kind == "list_item":
                self.context.kind, self.context.level = "paragraph", 0  # what follows in the item is a paragraph of its own

    def _within(self, element: Element, context: _Context) -> None:
        self._flush()
        outer, self.context = self.context, context
        self._children(element)
        self._flush()
        self.context = outer

    def _prose(self, element: Element) -> Prose:
        """All inside an element as one stretch of prose."""
        outer, was = self.writer, self.inline
        self.writer, self.inline = ProseWriter(self.mender), True
        self._children(element)
        prose = self.writer.prose()
        self.writer, self.inline = outer, was
        return prose

    def _note(self, element: Element) -> None:
        key = self.notes.notes[element]
        prose = self._prose(element)
        label = self.notes.labels[key]
        mark = rf"[\[(]?\s*{re.escape(label)}\s*[\])]?[.:]?" if label else r"[\[(]?\d{1,4}[\])]?[.:]?(?=\s)|[*†‡§]+"
        match = re.match(rf"[\s^↑]*(?:{mark})?\s*", prose.text.translate(_PLAIN))
        if match is not None and match.end() < len(prose.text) and (match.end() > len(label) or not label):
            prose = prose.cut(match.end())
        if prose.text:
            self.blocks.drafts.append(Draft("note", prose, number=self.numbers[key]))

    def _list(self, element: Element) -> None:
        self._flush()
        depth = self.context.depth + 1
        if element.tag == "dl":
            self._definitions(element, depth)
            return
        ordered = element.tag == "ol"
        items = elements(element, ("li",))
        number = _integer(element.get("start"), len(items) if "reversed" in element.attributes else 1)
        step = -1 if "reversed" in element.attributes else 1
        for child in element.children:
            if isinstance(child, str):
                self._stray(child, depth)
            elif child.tag != "li" or child in self.dropped or child in self.notes.notes:
                self._element(child)
            else:
                number = _integer(child.get("value"), number)
                kind = child.get("type") or element.get("type")
                if child.text().strip():
                    self._item(child, _ordinal(number, kind) if ordered and _numbered(element) else "", depth)
                number += step

    def _definitions(self, element: Element, depth: int) -> None:
        for child in element.children:
            if isinstance(child, str):
                self._stray(child, depth)
            elif child.tag == "div" and child not in self.dropped:
                self._definitions(child, depth)
            elif child.tag not in ("dt", "dd") or child in self.notes.notes or child in self.dropped:
                self._element(child)
            else:
                self._within(child, _Context("list_item", depth + (child.tag == "dd"), depth))

    def _stray(self, text: str, depth: int) -> None:
        """Text of a list that stands in none of its items."""
        if text.strip():
            self._within(Element("span", {}, None, [text]), _Context(depth=depth))

    def _item(self, item: Element, printed: str, depth: int) -> None:
        self._flush()
        outer, self.context = self.context, _Context("list_item", depth, depth)
        if printed and not item.text().lstrip().startswith(printed):
            self.writer.text(f"{printed} ")
            self.prefix = self.writer.length
        self._children(item)
        self._flush()
        self.context = outer

    def _preformatted(self, element: Element) -> None:
        self.writer.verbatim(element.text().strip("\n"))
        self._flush()

    def _table(self, table: Element) -> None:
        self._flush()
        rows = list(rows_of(table))
        item = as_item(rows)
        if item is not None:
            mark, text = item
            bullet = _BULLET.fullmatch(mark.text().strip())
            self._item(text, "" if bullet else collapse(mark.text()), self.context.depth + 1)
            return
        if not is_data(table, rows):
            self._children(table)
            self._flush()
            return
        for child in table.children:
            if isinstance(child, Element) and child.tag == "caption":
                self._block(child)
        lines: list[list[Cell]] = []
        for row in rows:
            if row in self.dropped:
                continue
            if row in self.notes.notes:
                self._note(row)
                continue
            head = row.parent is not None and row.parent.tag == "thead"
            lines.append([self._cell(cell, head) for cell in elements(row, ("td", "th"))])
        prose = table_prose(lines)
        if prose.text:
            self.blocks.tables += 1
            self.blocks.drafts.append(Draft("table", prose))

    def _cell(self, cell: Element, head: bool) -> Cell:
        return Cell(self._prose(cell), _integer(cell.get("colspan"), 1), _integer(cell.get("rowspan"), 1), head or cell.tag == "th")


_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾", "0123456789()")


def _numbered(element: Element) -> bool:
    return "list-style-type:none" not in element.get("style").replace(" ", "").replace("list-style:", "list-style-type:")


def _integer(text: str, otherwise: int) -> int:
    return int(text) if re.fullmatch(r"-?[0-9]{1,5}", text.strip()) else otherwise


def _ordinal(number: int, kind: str) -> str:
    printed = letters(number) if kind in ("a", "A") and number > 0 else roman(number) if kind in ("i", "I") else str(number)
    return f"{printed.upper() if kind in ('A', 'I') else printed}."

"""Word documents (DOCX): the text of the body, its blocks of prose, and where in the file each of its characters stands.

Insertions are read and deletions are not, as if all changes were accepted. Left out: headers and footers, text boxes,
comments, existing notes, and writing (docx_notes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from eunato_rag.citing.manuscripts.markers import raised
from eunato_rag.citing.manuscripts.prose import Prose
from eunato_rag.citing.manuscripts.sections import Block
from eunato_rag.errors import UnreadableDocument
from eunato_rag.ooxml.package import Package, Xml, attribute, child, integer, is_on, local, value
from eunato_rag.ooxml.styles import Styles

_UNREAD = frozenset("del moveFrom pPr rPr tblPr tblGrid trPr tcPr sectPr sdtPr sdtEndPr rt drawing pict object AlternateContent".split())
_WHOLE = frozenset({"hyperlink", "fldSimple", "oMath", "oMathPara", "ruby", "sdt"})
"""What a run must not be put into."""

MOST_XML = 24 * 1024 * 1024
"""Bytes of the main part: some twenty for each character of the longest draft, tracked changes and all."""

_QUOTE = re.compile(r"(?:intense )?quot(?:e|ation)s?|block (?:text|quot(?:e|ation)s?)")
_NO_PROSE = re.compile(
    r"bibliography.*|(?:foot|end)note text|subtitle|author|caption|toc .*|table of .*|index .*|html preformatted|.*\bcode\b.*"
)
_LIST = re.compile(r"\s*(?:TOC|INDEX|BIBLIOGRAPHY|ADDIN\s+(?:ZOTERO_BIBL|EN\.REFLIST|Mendeley Bibliography))", re.IGNORECASE)
_CITATION = re.compile(r"\s*(?:CITATION|NOTEREF|ADDIN\s+(?:ZOTERO_ITEM|EN\.CITE|CSL_CITATION|Mendeley Citation))", re.IGNORECASE)
_TOLD = 100
"""Characters of a field's instruction that tell what it is."""

_SENTENCE_END = re.compile(r"[.!?…][”’»\"')\]]*$")
_INDENTED = 400
"""Twentieths of a point; a paragraph set in by so much on both sides is a block quotation."""


@dataclass(slots=True)
class Piece:
    """Characters of the draft's text and what holds them: an element of a run, or what must stay whole around it."""

    start: int
    end: int
    element: Xml
    whole: Xml | None = None


@dataclass(slots=True)
class Body:
    """The text of a document's body, a paragraph a line, its blocks, and its pieces in order."""

    parts: list[str] = field(default_factory=list)
    length: int = 0
    blocks: list[Block] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.parts)


def read(data: bytes, name: str) -> tuple[str, list[Block]]:
    """The text of a DOCX file and its blocks.

    Raises:
        UnreadableDocument: another kind of archive, with macros, encrypted, damaged, or unpacking to too much.
    """
    package = opened(data, name)
    root = child(document_root(package), "body")
    if root is None:
        raise UnreadableDocument(f"{name} has no body. Open it in Word, let it repair the file, and save it again.")
    body = read_body(root, Styles(package.related("styles")))
    if not body.text.strip():
        raise UnreadableDocument(f"{name} holds no text. If it holds pictures of pages, give their text instead.")
    return body.text, body.blocks


def opened(data: bytes, name: str) -> Package:
    """The package of a DOCX file, and no other."""
    package = Package(data, name)
    kind = (package.read("mimetype") or b"").decode("ascii", "replace")
    if "opendocument" in kind:
        raise UnreadableDocument(f"{name} is an OpenDocument file. Save it as DOCX and give that.")
    types = package.read("[Content_Types].xml") or b""
    if b"macroEnabled" in types:
        raise UnreadableDocument(f"{name} may hold macros (DOCM). Save it as DOCX, which holds none, and give that.")
    main = package.read(package.main)
    if main is not None and len(main) > MOST_XML:
        raise UnreadableDocument(
            f"{name} holds {len(main):,} bytes of text and formatting; at most {MOST_XML:,} are read. "
            "Accept its tracked changes, or give one chapter at a time."
        )
    if main is None:
        known = (("ppt/presentation.xml", "a presentation"), ("xl/workbook.xml", "a workbook"), ("Index/Document.iwa", "a Pages document"))
        what = next((what for part, what in known if package.read(part) is not None), "an archive without a Word document in it")
        raise UnreadableDocument(f"{name} is {what}. Give a draft as DOCX, Markdown or plain text.")
    return package


def document_root(package: Package) -> Xml:
    """The root of the main part, whole, so that it can be written again."""
    root = package.part(package.main, whole=True)
    if root is None or local(root) != "document":
        raise UnreadableDocument(f"{package.name} has no Word document in it. Give a draft as DOCX, Markdown or plain text.")
    return root


def read_body(body: Xml, styles: Styles) -> Body:
    """The body's text, blocks and pieces; the same for the same body, so that offsets hold when it is read again."""
    walker = _Walker(styles)
    walker.blocks(body)
    if walker.going_on and walker.prose.text:
        walker.body.blocks.append(Block(walker.prose))
    return walker.body


@dataclass(slots=True)
class _Field:
    """A field (a citation, a cross reference): its instruction, where its result begins, if it has, and the result's pieces.

    `silent` says that the result is the work of a citation manager, which is not read.
    """

    instruction: str = ""
    result: int | None = None
    silent: bool = False
    pieces: list[Piece] = field(default_factory=list)


class _Walker:
    def __init__(self, styles: Styles) -> None:
        self.styles, self.body = styles, Body()
        self.prose, self.light, self.going_on = Prose(), False, False
        self.fields: list[_Field] = []
        self.instructing = self.silent = 0
        self.whole: Xml | None = None

    def blocks(self, container: Xml, *, cell: bool = False) -> None:
        for element in container:
            name = local(element)
            if name == "p":
                self._paragraph(element, cell=cell)
            elif name == "tbl":
                self._table(element)
            elif name == "sdt" and value(element, "sdtPr", "docPartObj", "docPartGallery") in ("Table of Contents", "Bibliographies"):
                continue
            elif name not in _UNREAD and len(element):
                self.blocks(element, cell=cell)

    def _table(self, table: Xml) -> None:
        rows = list(_descend(table, "tr"))
        cells = [list(_descend(row, "tc")) for row in rows]
        box = sum(map(len, cells)) == 1
        for n, (row, line) in enumerate(zip(rows, cells, strict=True)):
            head = not box and (n == 0 or is_on(row, "trPr", "tblHeader"))
            known = len(self.body.blocks)
            for below in line:
                self.blocks(below, cell=not box)
            if head:
                del self.body.blocks[known:]

    def _paragraph(self, paragraph: Xml, *, cell: bool) -> None:
        names = self.styles.names(paragraph)
        if not self.going_on:
            self.prose, self.light = Prose(quoted=self._is_quotation(paragraph, names)), False
        self._inline(paragraph)
        self.going_on = child(paragraph, "pPr", "rPr", "del") is not None
        if self.going_on:
            return  # the end of the paragraph was deleted, so it goes on in the next one
        self._add("\n", None)
        text, level = self.prose.text, self.styles.heading(paragraph)
        if not text or (level is None and any(_NO_PROSE.fullmatch(name) for name in names)):
            return
        if level is not None or not cell or _SENTENCE_END.search(text[-20:]):
            self.body.blocks.append(Block(self.prose, level, bold=not self.light and not cell))

    def _is_quotation(self, paragraph: Xml, names: list[str]) -> bool:
        indents = child(paragraph, "pPr", "ind")
        left, right = (max(integer(attribute(indents, name)) for name in names) for names in (("left", "start"), ("right", "end")))
        return any(_QUOTE.fullmatch(name) for name in names) or min(left, right) >= _INDENTED

    def _inline(self, element: Xml) -> None:
        for below in element:
            name = local(below)
            if name == "r":
                self._run(below)
            elif name in _WHOLE and self.whole is None:
                self.whole = below
                self._inline(below)
                self.whole = None
            elif name not in _UNREAD:
                self._inline(below)

    def _run(self, run: Xml) -> None:
        if is_on(run, "rPr", "vanish") or is_on(run, "rPr", "webHidden"):
            return
        lifted = value(run, "rPr", "vertAlign") == "superscript"
        bold = is_on(run, "rPr", "b")
        own_mark = False
        for element in run:
            name = local(element)
            if name in ("footnoteReference", "endnoteReference"):
                own_mark = attribute(element, "customMarkFollows") in ("1", "true", "on")
            elif name == "t" and own_mark:
                own_mark = False
            elif name == "t":
                text = element.text or ""
                self.light = self.light or (not bold and bool(text.strip()))
                self._add(text, element, raised(text) if lifted else text)
            elif name in ("tab", "ptab"):
                self._add("\t", element)
            elif name in ("br", "cr"):
                self._add("\n", element)
            elif name == "noBreakHyphen":
                self._add("-", element)
            elif name == "sym":
                self._add(_symbol(element), element)
            elif name == "instrText" and self.fields:
                self.fields[-1].instruction = (self.fields[-1].instruction + (element.text or ""))[:_TOLD]
            elif name == "fldChar":
                self._field(attribute(element, "fldCharType"), run)
            elif name == "ruby":
                self._inline(child(element, "rubyBase") or element)

    def _field(self, kind: str, run: Xml) -> None:
        if kind == "begin":
            self.fields.append(_Field())
            self.instructing += 1
        elif kind == "separate" and self.fields and self.fields[-1].result is None:
            begun = self.fields[-1]
            begun.result = self.body.length
            begun.silent = bool(_CITATION.match(begun.instruction) or _LIST.match(begun.instruction))
            self.instructing -= 1
            self.silent += begun.silent
        elif kind == "end" and self.fields:
            ended = self.fields.pop()
            self.instructing -= ended.result is None
            self.silent -= ended.silent
            if not self.fields:
                paragraph = _paragraph_of(run)
                for piece in ended.pieces:
                    if _paragraph_of(piece.element) is paragraph:
                        piece.whole = run if self.whole is None else self.whole
            if ended.result is not None and ended.silent:
                self.prose.mark(ended.result, self.body.length)

    def _add(self, text: str, element: Xml | None, read: str | None = None) -> None:
        """Text of the draft; it is read unless a field's instruction or a citation's field holds it."""
        if self.instructing:
            return
        start = self.body.length
        self.body.parts.append(text)
        self.body.length += len(text)
        if element is not None and text:
            piece = Piece(start, self.body.length, element, self.whole)
            self.body.pieces.append(piece)
            if self.fields:
                self.fields[0].pieces.append(piece)
            if not self.silent:
                self.prose.write(text if read is None else read, start)


def _descend(element: Xml, name: str) -> Iterator[Xml]:
    """Rows of a table or cells of a row, also those inside content controls; none that was deleted."""
    for below in element:
        if local(below) == name and child(below, "trPr", "del") is None:
            yield below
        elif local(below) in ("sdt", "sdtContent", "ins", "customXml", "smartTag"):
            yield from _descend(below, name)


def _paragraph_of(element: Xml) -> Xml | None:
    return next((above for above in element.iterancestors() if local(above) == "p"), None)


def _symbol(element: Xml) -> str:
    """The character of a symbol that has one beyond its font."""
    char = attribute(element, "char")
    code = int(char, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,6}", char) else 0
    return chr(code) if 0x20 <= code < 0xD800 else ""

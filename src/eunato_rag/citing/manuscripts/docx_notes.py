"""Footnotes and a bibliography put into a Word document: real ones, that Word numbers and prints.

Only the body, the footnotes, the styles, and what ties parts together are written anew; every other part stays byte for
byte. Left out: where the notes belong, and what they say.
"""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Sequence
from copy import deepcopy
from itertools import count
from urllib.parse import quote

from lxml import etree

from eunato_rag.citing.manuscripts.docx import Piece, document_root, opened, read_body
from eunato_rag.citing.manuscripts.insertions import Placed, words_of
from eunato_rag.ooxml.package import Package, Xml, attribute, child, integer, local
from eunato_rag.ooxml.styles import Styles

_REFERENCES = frozenset({"footnoteReference", "endnoteReference"})
_PASSED = frozenset("bookmarkStart bookmarkEnd proofErr commentRangeStart commentRangeEnd permStart permEnd".split())
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TRANSITIONAL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_LOOKS = {
    "footnote text": (("sz", "20"),),
    "footnote reference": (("vertAlign", "superscript"),),
    "Hyperlink": (("color", "0563C1"), ("u", "single")),
}
"""Of the styles that are made where a document has none of the name."""

_ADDRESS = "!#$%&'()*+,/:;=?@[]~"
"""What an address keeps besides letters and digits."""


def annotated(data: bytes, notes: Sequence[Placed], bibliography: Sequence[str], heading: str) -> bytes:
    """The file with notes, in the order of their places, and a bibliography before the end of its last section.

    Raises:
        UnreadableDocument: what `docx.read` refuses.
    """
    if not notes and not bibliography:
        return data
    package = opened(data, "The draft")
    parts = _Parts(package, document_root(package))
    body = child(parts.main, "body")
    assert body is not None
    if notes:
        _add_notes(parts, body, notes)
    if bibliography:
        _add_bibliography(parts, body, bibliography, heading)
    return package.replaced(parts.written())


def _add_notes(parts: _Parts, body: Xml, notes: Sequence[Placed]) -> None:
    pieces = read_body(body, parts.styles).pieces
    path, root = parts.part("footnotes")
    if not len(root):
        for number, kind in ((-1, "separator"), (0, "continuationSeparator")):
            note = parts.made(root, "footnote", type=kind, id=str(number))
            parts.made(parts.made(parts.made(note, "p"), "r"), kind)
    used = [integer(attribute(below, "id")) for below in (*root, *body.iter()) if local(below) in ("footnote", "footnoteReference")]
    first = max(used, default=0) + 1
    text, reference = parts.style("footnote text", "paragraph"), parts.style("footnote reference", "character")
    for number, placed in enumerate(notes, first):
        paragraph = parts.paragraph(parts.made(root, "footnote", id=str(number)), text)
        parts.made(parts.run(paragraph, reference), "footnoteRef")
        parts.text(parts.run(paragraph), " ")
        parts.words(paragraph, placed.text, path)
    for number, placed in reversed(list(enumerate(notes, first))):  # from behind, so that the pieces before stay as they are
        piece = pieces[bisect_left(pieces, placed.place, key=lambda piece: piece.start) - 1]
        run = parts.run(body, reference)
        parts.made(run, "footnoteReference", id=str(number))
        _anchor(piece, placed.place, first).addnext(run)


def _add_bibliography(parts: _Parts, body: Xml, entries: Sequence[str], heading: str) -> None:
    section = body[-1] if len(body) and local(body[-1]) == "sectPr" else None
    style = parts.styles.named("heading 1", "paragraph")
    titled = parts.run(parts.paragraph(body, style))
    if not style:
        parts.made(parts.made(titled, "rPr"), "b")
    parts.text(titled, heading)
    for entry in entries:
        parts.words(parts.paragraph(body, parts.styles.named("bibliography", "paragraph")), entry, parts.package.main)
    if section is not None:
        body.append(section)


def _anchor(piece: Piece, place: int, first: int) -> Xml:
    """What a marker goes right behind: the run that ends at the place, split off if need be, and the writer's own markers there.

    `first` is the first number of the new notes; their markers are not passed.
    """
    anchor = piece.whole if piece.whole is not None else _split(piece.element, place - piece.start)
    while (above := anchor.getparent()) is not None and local(above) in ("ins", "moveTo") and _next(anchor) is None:
        anchor = above
    behind = anchor.getnext()
    while behind is not None and (local(behind) in _PASSED or _is_own_marker(behind, first)):
        if local(behind) == "r":
            anchor = behind
        behind = behind.getnext()
    return anchor


def _next(element: Xml) -> Xml | None:
    behind = element.getnext()
    while behind is not None and local(behind) in _PASSED:
        behind = behind.getnext()
    return behind


def _is_own_marker(run: Xml, first: int) -> bool:
    marks = [below for below in run if local(below) in _REFERENCES]
    ours = any(local(mark) == "footnoteReference" and integer(attribute(mark, "id")) >= first for mark in marks)
    return local(run) == "r" and bool(marks) and not ours


def _split(element: Xml, length: int) -> Xml:
    """The run of an element, ended behind the element's first characters and the note markers there; the rest is a run of its own."""
    run = element.getparent()
    assert run is not None
    rest = deepcopy(run)
    for below in list(rest):
        rest.remove(below)
    rest.tail = None
    text = element.text or ""
    if local(element) == "t" and length < len(text):
        remainder = deepcopy(element)
        remainder.tail = None
        element.text, remainder.text = text[:length], text[length:]
        for half in (element, remainder):
            half.set(_SPACE, "preserve")
        rest.append(remainder)
        behind = element.getnext()
    else:
        behind = element.getnext()
        while behind is not None and local(behind) in _REFERENCES:
            behind = behind.getnext()
    while behind is not None:
        following = behind.getnext()
        rest.append(behind)
        behind = following
    if len(rest):
        properties = child(run, "rPr")
        if properties is not None:
            rest.insert(0, deepcopy(properties))
        run.addnext(rest)
    return run


class _Parts:
    """The parts of a document that are written anew, by their paths."""

    def __init__(self, package: Package, main: Xml) -> None:
        self.package, self.main = package, main
        self.styles = Styles(package.related("styles"))
        self._space = str(etree.QName(main).namespace)
        self._office = _STRICT if "purl.oclc.org" in self._space else _TRANSITIONAL
        self._roots: dict[str, Xml] = {package.main: main}
        self._style_ids: dict[str, str] = {}
        self._ids: dict[str, set[str]] = {}

    def written(self) -> dict[str, bytes]:
        return {path: etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True) for path, root in self._roots.items()}

    def part(self, kind: str) -> tuple[str, Xml]:
        """The path and the root of the part that the document relates to as footnotes or styles; made where there is none."""
        related = self.package.relationships(self.package.main).values()
        path = next((r.target for r in related if r.kind == kind and self.package.read(r.target) is not None), "")
        if path:
            return path, self._loaded(path)
        folder = posixpath.dirname(self.package.main)
        names = (posixpath.join(folder, f"{kind}{number or ''}.xml") for number in count())
        path = next(name for name in names if name in self._roots or self.package.read(name) is None)
        if path not in self._roots:
            self._roots[path] = etree.Element(f"{{{self._space}}}{kind}", nsmap={"w": self._space, "r": self._office})
            self.relate(self.package.main, kind, posixpath.basename(path))
            types = self._loaded("[Content_Types].xml")
            space = f"{{{_PACKAGE}/content-types}}"
            etree.SubElement(types, f"{space}Override", {"PartName": f"/{path}", "ContentType": f"{_CONTENT_TYPE}{kind}+xml"})
        return path, self._roots[path]

    def _loaded(self, path: str, otherwise: str = "") -> Xml:
        if path not in self._roots:
            root = self.package.part(path, whole=True)
            self._roots[path] = root if root is not None else etree.fromstring(otherwise)
        return self._roots[path]

    def relate(self, part: str, kind: str, target: str, *, external: bool = False) -> str:
        """The id of a new relationship from a part."""
        folder, file = posixpath.split(part)
        space = f"{_PACKAGE}/relationships"
        root = self._loaded(posixpath.join(folder, "_rels", f"{file}.rels"), f'<Relationships xmlns="{space}"/>')
        if part not in self._ids:
            self._ids[part] = {attribute(element, "Id") for element in root}
        used = self._ids[part]
        key = next(key for number in count(len(used) + 1) if (key := f"rId{number}") not in used)
        used.add(key)
        mode = {"TargetMode": "External"} if external else {}
        etree.SubElement(root, f"{{{space}}}Relationship", {"Id": key, "Type": f"{self._office}/{kind}", "Target": target, **mode})
        return key

    def style(self, name: str, kind: str) -> str:
        """The id of the style of a built-in name; a plain one is made where there is none."""
        known = self._style_ids.get(name) or self.styles.named(name, kind)
        if known:
            self._style_ids[name] = known
            return known
        _, root = self.part("styles")
        identity = name.title().replace(" ", "")
        used = {attribute(element, "styleId") for element in root}
        identity = next(key for number in count() if (key := f"{identity}{number or ''}") not in used)
        made = self.made(root, "style", type=kind, styleId=identity)
        self.made(made, "name", val=name)
        properties = self.made(made, "rPr")
        for element, value in _LOOKS[name]:
            self.made(properties, element, val=value)
        self._style_ids[name] = identity
        return identity

    def made(self, parent: Xml, name: str, **attributes: str) -> Xml:
        """A new element of the document's own namespace, as the last child of its parent."""
        space = f"{{{self._space}}}"
        return etree.SubElement(parent, space + name, {space + key: value for key, value in attributes.items()})

    def paragraph(self, parent: Xml, style: str) -> Xml:
        made = self.made(parent, "p")
        if style:
            self.made(self.made(made, "pPr"), "pStyle", val=style)
        return made

    def run(self, parent: Xml, style: str = "") -> Xml:
        made = self.made(parent, "r")
        if style:
            self.made(self.made(made, "rPr"), "rStyle", val=style)
        return made

    def text(self, run: Xml, text: str) -> None:
        element = self.made(run, "t")
        element.text = text
        element.set(_SPACE, "preserve")

    def words(self, paragraph: Xml, text: str, part: str) -> None:
        """A note's text in runs: italics, and addresses as links of the part."""
        for words in words_of(text):
            parent = paragraph
            if words.address:
                key = self.relate(part, "hyperlink", quote(words.text, safe=_ADDRESS), external=True)
                parent = etree.SubElement(paragraph, f"{{{self._space}}}hyperlink", {f"{{{self._office}}}id": key})
            run = self.run(parent, self.style("Hyperlink", "character") if words.address else "")
            if words.italic:
                properties = child(run, "rPr")
                self.made(self.made(run, "rPr") if properties is None else properties, "i")
            self.text(run, words.text)

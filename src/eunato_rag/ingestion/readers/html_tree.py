"""HTML bytes to a tree of our own: the only import of selectolax.

Parsed as browsers do (HTML 5, Lexbor), so unclosed and misnested elements come out as they are shown. What is never
shown as text is not in the tree: scripts, styles, comments, form controls, pictures' fallbacks, hidden elements.
Left out: which part of the page is the text (html_main).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.readers import text as plain
from eunato_rag.records import Change

BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol optgroup p pre search section summary table tbody td "
    "tfoot th thead tr ul".split()
)
_SILENT = frozenset(
    "script style template noscript iframe object embed canvas audio video map select button input textarea datalist "
    "option progress meter svg annotation annotation-xml rp frame frameset noframes".split()
)
_MAX_DEPTH = 150
"""Deeper elements are kept as children of one at this depth, so that no page can exhaust the stack."""
_MAX_NESTING = 5_000
"""The parser's time grows with the square of the depth; no page of a publisher's comes near."""
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_UNCLOSED = frozenset("area base br col hr img input link meta param source track wbr p li dt dd tr td th thead tbody tfoot option".split())
_CHARSET = re.compile(rb"""<(?:meta|\?xml)\b[^>]{0,300}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_WEB_CODEC = re.compile(
    r"utf-8|cp(?:437|85[0257]|86[0-9]|874|932|949|950|125[0-8])|iso8859-\d+|koi8-[rut]|mac-.*|gb2312|gbk|gb18030|hz|big5(?:hkscs)?|"
    r"euc_(?:jp|kr|jis_2004|jisx0213)|shift_jis.*|iso2022_(?:jp|kr).*|tis-620|johab|ptcp154|kz1048"
)
"""Encodings of pages, as Python names them; others (UTF-7, punycode, escapes) are none that a browser reads, or no text."""
_NO_DISPLAY = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Element:
    """An element and its children in order, text as `str`; equal only to itself."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    def get(self, name: str) -> str:
        return self.attributes.get(name, "")

    def iter(self) -> Iterator[Element]:
        """The element and all below it, in document order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting.extend(child for child in reversed(element.children) if isinstance(child, Element))

    def text(self) -> str:
        """All text below, with a space where a block begins or ends."""
        parts: list[str] = []
        waiting: list[Element | str] = [self]
        while waiting:
            item = waiting.pop()
            if isinstance(item, str):
                parts.append(item)
                continue
            if item.tag in BLOCKS or item.tag == "br":
                parts.append(" ")
                waiting.append(" ")
            waiting.extend(reversed(item.children))
        return "".join(parts)

    def up(self) -> Iterator[Element]:
        """The element and those around it, innermost first."""
        element: Element | None = self
        while element is not None:
            yield element
            element = element.parent

    def block(self) -> Element:
        """The innermost block that holds the element, or is it."""
        return next((element for element in self.up() if element.tag in BLOCKS), self)


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its tree from `<html>` down, the JSON-LD scripts as written, and the text of hidden elements."""

    root: Element
    scripts: tuple[str, ...]
    hidden: tuple[str, ...]


def decode(data: bytes, name: str) -> tuple[str, list[Change]]:
    """The text of the bytes: by byte order mark, by its own declaration, or by its letters.

    Bytes that are valid UTF-8 beyond ASCII are UTF-8 whatever they declare; by chance that does not happen.

    Raises:
        UnreadableDocument: nothing in it, or no text.
    """
    declared = _CHARSET.search(data[:4096])
    label = declared[1].decode("ascii").lower() if declared else ""
    if declared and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) and b"\0" not in data:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            try:
                codec = codecs.lookup("cp1252" if label in ("iso-8859-1", "latin1", "us-ascii", "ascii") else label).name
                if _WEB_CODEC.fullmatch(codec):
                    return data.decode(codec), [Change("encoding", f"read as {codec}, as the page declares")]
            except (LookupError, UnicodeDecodeError):
                pass  # the declaration is wrong; the letters decide
    return plain.decode(data, name)


def parse(source: str, name: str) -> Page:
    """The tree of a page.

    Raises:
        UnreadableDocument: no page at all, or elements nested thousands deep.
    """
    depth = deepest = tags = 0
    for match in _TAG.finditer(source):
        tags += 1
        if match[2].lower() not in _UNCLOSED:
            depth = max(0, depth - 1) if match[1] else depth + 1
            deepest = max(deepest, depth)
    if not tags:
        raise UnreadableDocument(f"{name} is not HTML: it has no element. Give it the suffix of what it is, such as .txt.")
    if deepest > _MAX_NESTING:
        raise UnreadableDocument(f"{name} nests its elements {deepest:,} deep; at most {_MAX_NESTING:,} are read. Save it as text.")
    scripts: list[str] = []
    hidden: list[str] = []
    root = Element("html", {})
    top = LexborHTMLParser(source).root
    waiting: list[tuple[LexborNode, Element, int]] = [(top, root, -1)] if top is not None else []
    while waiting:
        node, parent, depth = waiting.pop()
        tag = node.tag or ""
        if tag == "-text":
            parent.children.append(node.text(deep=False) or node.text_content or "")
            continue
        if tag in ("script", "-comment", "-doctype", "!doctype", "_comment", "-undef") or (tag.startswith("-") and tag != "-document"):
            if tag == "script" and "ld+json" in (node.attributes.get("type") or ""):
                scripts.append(node.text())
            continue
        if tag in _SILENT:
            continue
        attributes = {key: value or "" for key, value in node.attributes.items()}
        if _is_hidden(tag, attributes):
            hidden.append(node.text(separator=" "))
            continue
        if tag == "html":
            element = root
            root.attributes.update(attributes)
        else:
            element = Element(tag, attributes, parent)
            parent.children.append(element)
        if tag == "math" and attributes.get("alttext"):
            element.children.append(attributes["alttext"])
            continue
        below = element if depth < _MAX_DEPTH else parent
        children = list(node.iter(include_text=True))
        waiting.extend((child, below, min(depth + 1, _MAX_DEPTH)) for child in reversed(children))
    return Page(root, tuple(scripts), tuple(text for text in hidden if text.strip()))


def _is_hidden(tag: str, attributes: dict[str, str]) -> bool:
    if tag in ("html", "body", "meta", "link", "math"):
        return False
    return ("hidden" in attributes and attributes["hidden"] != "until-found") or bool(_NO_DISPLAY.search(attributes.get("style", "")))

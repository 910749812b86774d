"""Inline markup of Markdown and of converters' plain text, read to prose with markers and links.

Emphasis, links in five styles, backslash escapes, simple HTML tags, superscript and `[^1]` footnote markers.
Left out: everything that makes blocks (text.py). Written by hand because no Markdown library tells
at which offset of its plain text a marker or a link stands.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from eunato_rag.ingestion.footnotes import SUPERSCRIPTS, is_marker, superscript_number
from eunato_rag.ingestion.layout import Prose, glue, glued, mend_characters

_TAGS = (
    "i|b|u|s|em|strong|sub|sup|span|small|br|p|a|font|div|figure|figcaption|picture|source|blockquote|cite|q|ul|ol|li|table|tr|td|th|h[1-6]"
)
_TOKEN = re.compile(
    rf"""
      \\(?P<escaped>[!-/:-@\[-`{{-~])
    | <(?P<autolink>(?:https?://|mailto:)[^<>\s]+)>
    | <sup>\[?(?P<sup>\d{{1,3}})\]?</sup>
    | (?P<tag></?(?:{_TAGS})\b[^<>]*>)
    | \[\^(?P<ref>\d{{1,3}})\]
    | (?P<image>!)?\[(?P<label>(?:\\.|[^\[\]\\])*)\]\((?P<target>(?:\\.|[^()\s\\]|\([^()\s]*\))*)\)
    | (?P<url>(?:https?://|www\.)[^\s<>\[\]"“”]+|(?<![a-z0-9-])(?:[a-z0-9-]+\.){{1,4}}[a-z]{{2,}}/[^\s<>\[\]"“”]+)
    | (?P<entity>&(?:\#\d+|\#x[0-9a-fA-F]+|[a-zA-Z]+);)
    | (?P<superscript>[{SUPERSCRIPTS}]{{1,3}})
    | (?P<mark>\*\*\*|\*\*|\*|(?<!\w)__(?=\S)|(?<=\S)__(?!\w)|(?<!\w)_(?=\S)|(?<=\S)_(?!\w)|`)
    """,
    re.VERBOSE,
)
_SPACE = re.compile(r"\s")
_URL_TAIL = ".,;:!?'’”\""


@dataclass(slots=True)
class Markup:
    """What the prose no longer holds: emphasis marks and tags, and the targets of links that have a label."""

    marks: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    markers: list[int] = field(default_factory=list)


class _Writer:
    def __init__(self, notes: frozenset[int], markup: Markup) -> None:
        self.notes, self.markup = notes, markup
        self.parts: list[str] = []
        self.length = 0
        self.markers: list[tuple[int, int]] = []
        self.links: list[tuple[int, int, str]] = []

    def put(self, text: str) -> None:
        if self.parts and glued(self.parts[-1], text):
            kept, text = glue(self.parts[-1], text)
            self.length -= len(self.parts[-1]) - len(kept)
            self.parts[-1] = kept
        self.parts.append(text)
        self.length += len(text)

    def link(self, start: int, target: str) -> None:
        if self.length > start:
            self.links.append((start, self.length, target))

    def mark(self, source: str, number: int) -> None:
        if is_marker("".join(self.parts[-2:])[-12:], number, self.notes):
            self.markers.append((self.length, number))
            self.markup.markers.append(number)
        else:
            self.put(source)

    def read(self, text: str, *, label: bool = False) -> None:
        """Writes a text; inside the label of a link, an address is no link of its own."""
        closers = _emphasis(text)
        place = 0
        for match in _TOKEN.finditer(text):
            self.put(text[place : match.start()])
            place = match.end()
            start = self.length
            kind, token = match.lastgroup, match.group()
            if kind == "escaped":
                self.put(match["escaped"])
            elif kind == "autolink":
                self.put(match["autolink"])
                self.link(start, match["autolink"])
                self.markup.marks.append("<>")
            elif kind in ("sup", "ref"):
                self.mark(token, int(match[kind]))
            elif kind == "tag":
                self.markup.marks.append(token)
            elif kind == "target":
                target = _unescape(match["target"])
                if match["image"]:
                    self.markup.targets.append(token)
                    continue
                self.read(match["label"], label=True)
                self.link(start, target)
                self.markup.targets.append(target)
            elif kind == "url":
                address = token.rstrip(_URL_TAIL)
                if address.endswith(")") and "(" not in address:
                    address = address[:-1]
                self.put(_unescape(address))
                if not label:
                    self.link(start, _unescape(address))
                self.put(token[len(address) :])
            elif kind == "entity":
                self.put(_SPACE.sub(" ", mend_characters(html.unescape(token))[0]))
            elif kind == "superscript":
                self.mark(token, superscript_number(token))
            elif match.start() in closers:
                self.markup.marks.append(token)
            else:
                self.put(token)
        self.put(text[place:])


def read_inline(text: str, notes: frozenset[int], lines: tuple[int, int], markup: Markup) -> Prose:
    """One block's text as prose. `notes` are the numbers of the document's notes; `markup` collects what is left out."""
    writer = _Writer(notes, markup)
    writer.read(text)
    return Prose("".join(writer.parts), tuple(writer.markers), tuple(writer.links), lines).cut(0)


def emphasis_marks(line: str) -> tuple[int, bool]:
    """How many marks of emphasis a line has, and whether one opens; after an odd number, the next line goes on with it."""
    return len(re.findall(r"\*{1,3}", line)), bool(re.search(r"(?<!\S)\*{1,3}(?=\S)", line))


def _unescape(text: str) -> str:
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def _emphasis(text: str) -> set[int]:
    """The offsets of emphasis marks that come in pairs; a lone asterisk or underscore is a character."""
    pairs: set[int] = set()
    waiting: dict[str, int] = {}
    for match in _TOKEN.finditer(text):
        mark = match["mark"]
        if mark is None:
            continue
        opens = match.end() < len(text) and not text[match.end()].isspace()
        closes = match.start() > 0 and not text[match.start() - 1].isspace()
        if mark in waiting and closes:
            pairs |= {waiting.pop(mark), match.start()}
        elif opens:
            waiting[mark] = match.start()
    return pairs

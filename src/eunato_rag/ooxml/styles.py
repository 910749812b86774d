"""What paragraph styles mean: styles.xml.

A heading is told by its outline level or by its style's built-in name, which styles.xml keeps in English whatever
language Word shows. Left out: which numbers lists print, and how anything looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eunato_rag.ooxml.package import Xml, attribute, children, integer, value

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListPlace:
    """A list and the level in it, from 0."""

    list_id: str
    level: int


class Styles:
    """Paragraph styles by their ids; one inherits from another."""

    def __init__(self, root: Xml | None) -> None:
        self._styles = {} if root is None else {attribute(style, "styleId"): style for style in children(root, "style")}
        self._default = next((key for key, style in self._styles.items() if _is_default(style)), "")
        self.language = value(root, "docDefaults", "rPrDefault", "rPr", "lang")

    def name(self, paragraph: Xml) -> str:
        """The built-in or given name of a paragraph's style, in lower case."""
        return value(self._styles.get(self.style_id(paragraph)), "name").lower()

    def names(self, paragraph: Xml) -> list[str]:
        """The names of a paragraph's style and of those that it inherits from, in lower case."""
        return [value(style, "name").lower() for style in self._chain(self.style_id(paragraph))]

    def named(self, name: str, kind: str) -> str:
        """The id of the style of a built-in name and a kind (paragraph, character), empty where there is none."""
        styles = ((key, style) for key, style in self._styles.items() if attribute(style, "type") == kind)
        return next((key for key, style in styles if value(style, "name").lower() == name.lower()), "")

    def style_id(self, paragraph: Xml) -> str:
        return value(paragraph, "pPr", "pStyle") or self._default

    def heading(self, paragraph: Xml) -> int | None:
        """0 for a title, 1 to 9 for headings, None for body text."""
        own = value(paragraph, "pPr", "outlineLvl")
        if own:
            return _outline(own)
        for style in self._chain(self.style_id(paragraph)):
            name = value(style, "name").lower()
            if name == "title":
                return 0
            match = _HEADING.fullmatch(name)
            if match:
                return int(match[1])
            outline = value(style, "pPr", "outlineLvl")
            if outline:
                return _outline(outline)
        return None

    def is_caption(self, paragraph: Xml) -> bool:
        return any(value(style, "name").lower() == "caption" for style in self._chain(self.style_id(paragraph)))

    def is_contents(self, paragraph: Xml) -> bool:
        """Whether a paragraph is an entry or the heading of a table of contents or of figures."""
        return bool(re.fullmatch(r"toc (?:\d|heading)|table of figures|index \d", self.name(paragraph)))

    def numbering(self, paragraph: Xml) -> ListPlace | None:
        """The list that a paragraph belongs to, by itself or by its style."""
        sources = [paragraph, *self._chain(self.style_id(paragraph))]
        level = next((found for s in sources if (found := value(s, "pPr", "numPr", "ilvl"))), "0")
        for source in sources:
            list_id = value(source, "pPr", "numPr", "numId")
            if list_id:
                return None if list_id == "0" else ListPlace(list_id, min(integer(level), 8))
        return None

    def _chain(self, style_id: str) -> Iterator[Xml]:
        seen: set[str] = set()
        while style_id in self._styles and style_id not in seen:
            seen.add(style_id)
            yield self._styles[style_id]
            style_id = value(self._styles[style_id], "basedOn")


def _is_default(style: Xml) -> bool:
    return attribute(style, "default") in ("1", "true") and attribute(style, "type") == "paragraph"


def _outline(text: str) -> int | None:
    level = integer(text, 9)
    return level + 1 if 0 <= level < 9 else None

"""What paragraph styles mean and which numbers lists print: styles.xml and numbering.xml.

A heading is told by its outline level or by its style's built-in name, which styles.xml keeps in English whatever
language Word shows. Left out: how anything looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from eunato_rag.ingestion.readers.docx_package import Xml, attribute, child, children, integer, value
from eunato_rag.ingestion.readers.numerals import repeated_letters, roman

_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_LEVEL = re.compile(r"%([1-9])")
_UNNUMBERED = frozenset({"bullet", "none", ""})


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


@dataclass(slots=True)
class _Level:
    start: int = 1
    kind: str = "decimal"
    text: str = ""
    restart: int | None = None
    legal: bool = False
    style: str = ""


@dataclass(slots=True)
class _List:
    """One abstract list; `counters` run on through all lists that are made of it."""

    levels: dict[int, _Level] = field(default_factory=dict)
    counters: dict[int, int] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)


class Numbering:
    """Counts through the document and says what Word prints before each paragraph."""

    def __init__(self, root: Xml | None) -> None:
        self._lists: dict[str, _List] = {}
        self._abstract: dict[str, str] = {}
        self._overrides: dict[str, dict[int, int]] = {}
        links: dict[str, str] = {}
        linked: dict[str, str] = {}
        for element in [] if root is None else children(root, "abstractNum"):
            key = attribute(element, "abstractNumId")
            self._lists[key] = _List({integer(attribute(lvl, "ilvl")): _read_level(lvl) for lvl in children(element, "lvl")})
            links[value(element, "styleLink")] = key
            linked[key] = value(element, "numStyleLink")
        for element in [] if root is None else children(root, "num"):
            key, abstract = attribute(element, "numId"), value(element, "abstractNumId")
            self._abstract[key] = links.get(linked.get(abstract, "") or "-", abstract)
            for override in children(element, "lvlOverride"):
                level = integer(attribute(override, "ilvl"))
                start = value(override, "startOverride")
                own = child(override, "lvl")
                if own is not None:
                    self._lists[f"{key}*"] = _List({**self._lists.get(self._abstract[key], _List()).levels, level: _read_level(own)})
                    self._abstract[key] = f"{key}*"
                if start:
                    self._overrides.setdefault(key, {})[level] = integer(start, 1)

    def next(self, place: ListPlace, style_id: str = "") -> tuple[str, int]:
        """What is printed before the next paragraph there, empty for a bullet, and the level it is printed at.

        A style may stand for a level of its list; then it decides.
        """
        known = self._lists.get(self._abstract.get(place.list_id, ""))
        if known is None:
            return "", place.level
        level = next((n for n, lvl in known.levels.items() if lvl.style and lvl.style == style_id), place.level)
        described = known.levels.get(level, _Level(kind="none"))
        if place.list_id not in known.begun:
            known.begun.add(place.list_id)
            for start_level, start in self._overrides.get(place.list_id, {}).items():
                known.counters[start_level] = start - 1
        known.counters[level] = known.counters.get(level, described.start - 1) + 1
        for deeper in [n for n in known.counters if n > level]:
            restart = known.levels.get(deeper, _Level()).restart
            if restart is None or (restart > 0 and level < restart):
                del known.counters[deeper]
        if described.kind in _UNNUMBERED:
            return "", level

        def number(match: re.Match[str]) -> str:
            n = int(match[1]) - 1
            other = known.levels.get(n, _Level())
            return _print(known.counters.get(n, other.start), "decimal" if described.legal else other.kind)

        return _LEVEL.sub(number, described.text).strip(), level


def _is_default(style: Xml) -> bool:
    return attribute(style, "default") in ("1", "true") and attribute(style, "type") == "paragraph"


def _outline(text: str) -> int | None:
    level = integer(text, 9)
    return level + 1 if 0 <= level < 9 else None


def _read_level(element: Xml) -> _Level:
    start, restart = value(element, "start"), value(element, "lvlRestart")
    return _Level(
        integer(start, 1),
        value(element, "numFmt") or "decimal",
        value(element, "lvlText"),
        integer(restart) if restart else None,
        child(element, "isLgl") is not None,
        value(element, "pStyle"),
    )


def _print(number: int, kind: str) -> str:
    if kind in ("lowerLetter", "upperLetter"):
        printed = repeated_letters(number)
    elif kind in ("lowerRoman", "upperRoman"):
        printed = roman(number)
    elif kind == "decimalZero":
        printed = f"{number:02}"
    elif kind in _UNNUMBERED:
        printed = ""
    else:
        printed = str(number)
    return printed.upper() if kind.startswith("upper") else printed

"""Which numbers lists print: numbering.xml. Left out: how anything looks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from eunato_rag.ingestion.readers.numerals import repeated_letters, roman
from eunato_rag.ooxml.package import Xml, attribute, child, children, integer, value
from eunato_rag.ooxml.styles import ListPlace

_LEVEL = re.compile(r"%([1-9])")
_UNNUMBERED = frozenset({"bullet", "none", ""})


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

"""Which part of a page is its text: everything else is named so that it can be left out and reported.

By what the page says (main, article, ARIA roles), then by what its names say (cookie, breadcrumb, share), then by
link density (Kohlschütter et al., 2010): a block that is nearly all links is navigation. In doubt a block stays,
since clutter costs less than a lost sentence. Notes stay wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from eunato_rag.ingestion.layout import collapse
from eunato_rag.ingestion.readers.html_tree import BLOCKS, Element

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TAGS = frozenset({"nav", "search", "menu", "dialog"})
_ROLES = frozenset("navigation search banner contentinfo dialog alertdialog menu menubar toolbar tablist directory doc-toc tooltip".split())
_STRONG = frozenset(
    "cookie cookies consent gdpr breadcrumb breadcrumbs navbar navbox pagination pager catlinks editsection jumplinks skiplink skip "
    "newsletter paywall advert advertisement disqus addtoany sharethis sharing noprint printonly toolbar".split()
)
_WEAK = frozenset(
    "nav navigation menu sidebar share social related recommended recommendations subscribe signup login modal popup comments footer "
    "header banner promo toc langue languages bgtool ambox mbox authority tags teaser".split()
)
_NEVER = frozenset({"html", "body", "main", "article", "p", "li", "td", "th", "tr", "tbody", "dd", "dt", "figure", "caption"}) | HEADINGS
_PROSE = frozenset({"p", "li", "td", "blockquote"})
_PERMALINKS = ("¶", "#", "§", "🔗")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MOST = 0.5
"""A main element must hold half of what reads like prose; a publisher may have marked the wrong one."""
_CLUTTER = 0.3
"""No element that holds more of the page's prose is left out for its name alone."""


@dataclass(slots=True)
class Main:
    """The page's body, what in it is none of its text, and the words of all that is left out, by kind.

    `title` is the page's only h1, where that stands outside of what holds the text.
    """

    root: Element
    dropped: set[Element] = field(default_factory=set)
    removed: dict[str, list[str]] = field(default_factory=dict)
    title: Element | None = None

    def leave_out(self, kind: str, text: str) -> None:
        if collapse(text):
            self.removed.setdefault(kind, []).append(collapse(text))


@dataclass(slots=True)
class _Weight:
    """Characters below an element: all, and those of links; the number of links."""

    text: int = 0
    linked: int = 0
    links: int = 0

    @property
    def prose(self) -> int:
        return self.text - self.linked

    @property
    def density(self) -> float:
        return self.linked / self.text if self.text else 0.0


def find_main(root: Element, notes: Iterable[Element]) -> Main:
    """The text of a page, whose notes stay wherever they stand."""
    body = next((e for e in root.iter() if e.tag == "body"), root)
    weights = _weigh(body)
    whole = weights[body].prose or 1
    content = _semantic(body, weights) or body
    firsts = [e for e in body.iter() if e.tag == "h1" and e.text().strip()]
    only = firsts[0] if len(firsts) == 1 else None
    main = Main(body, title=only if only is not None and content not in only.up() else None)
    inner = {below for note in notes for below in note.iter()}
    held = {above for note in notes for above in note.up()} | set(only.up() if only is not None else ()) | inner
    waiting = [(body, content is body)]
    while waiting:
        element, inside = waiting.pop()
        inside = inside or element is content
        if element is main.title:
            main.dropped.add(element)
            continue
        kind = None
        if element not in held and element not in content.up():
            kind = _clutter(element, weights, whole, content) if inside else "navigation"
        if kind is not None:
            main.dropped.add(element)
            main.leave_out(kind, element.text())
            continue
        if not inside and element not in inner:
            main.leave_out("navigation", " ".join(child for child in element.children if isinstance(child, str)))
            element.children = [child for child in element.children if isinstance(child, Element)]
        waiting.extend((child, inside) for child in reversed(element.children) if isinstance(child, Element))
    return main


def _semantic(body: Element, weights: dict[Element, _Weight]) -> Element | None:
    """The element that the page marks as its text, if that holds most of the prose."""
    marked = [e for e in body.iter() if e.tag == "main" or e.get("role").lower() == "main"]
    bodies = [e for e in body.iter() if e.get("itemprop").lower() == "articlebody" or e.get("id") == "mw-content-text"]
    articles = [e for e in body.iter() if e.tag == "article"]
    prose = [e for e in body.iter() if e.tag in _PROSE and not any(above.tag in _PROSE for above in e.up() if above is not e)]
    whole = sum(weights[e].prose for e in prose) or weights[body].prose or 1
    for candidates, share in ((articles, 0.9), (marked, _MOST), (bodies, 0.9)):
        best = max(candidates, key=lambda e: weights[e].prose, default=None)
        if best is not None and weights[best].prose >= share * whole:
            return best
    return None


def _clutter(element: Element, weights: dict[Element, _Weight], whole: int, content: Element) -> str | None:
    """What kind of clutter the element is; None where it is text."""
    weight, tag = weights[element], element.tag
    roles = set(element.get("role").lower().split())
    if roles & {"doc-footnote", "doc-endnote", "doc-endnotes", "doc-footnotes"}:
        return None
    if tag == "a" and element.text().strip() in _PERMALINKS and any(e.tag in HEADINGS for e in element.up()):
        return "navigation"
    if _is_contents(element, weight):
        return "contents"
    if element.get("aria-hidden") == "true" and weight.text < 200 and tag not in _NEVER:
        return "hidden"
    light = weight.prose <= _CLUTTER * whole
    if tag == "nav" or ((tag in _TAGS or roles & _ROLES) and light):
        return "navigation"
    if tag in _NEVER or (tag not in BLOCKS and tag not in ("span", "a")):
        return None
    page_level = not any(e.tag in ("article", "main") for e in element.up() if e is not element)
    if tag in ("header", "footer") and page_level and light:
        return "navigation"
    names, name = _words(element.get("class")), _words(element.get("id"))
    if len(name) <= 2:
        names |= name  # a longer id is a heading's words: "file-menu-and-its-commands"
    headed = any(e.tag in HEADINGS for e in element.iter())
    named = names & _STRONG or (tag in BLOCKS and names & _WEAK and (weight.density > 0.25 or (weight.text < 200 and not headed)))
    if named and light and not (headed and weight.prose > 400):
        return "navigation"
    if tag == "aside" and weight.density > 0.3:
        return "navigation"
    dense = weight.links >= 4 and weight.density > 0.8 and weight.prose < 20 * weight.links
    if dense and tag in ("div", "ul", "ol", "section", "table") and not _introduced(element, content):
        return "navigation"
    return None


def _words(names: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(names)}


def _is_contents(element: Element, weight: _Weight) -> bool:
    """A list of links into the page itself."""
    if element.tag not in ("ul", "ol", "div", "nav", "table", "dl") or weight.links < 3 or weight.density < 0.7:
        return False
    links = [e for e in element.iter() if e.tag == "a" and e.get("href")]
    return all(link.get("href").startswith("#") and len(link.text().strip()) > 3 for link in links)


def _introduced(element: Element, root: Element) -> bool:
    """Whether a heading or a sentence stands before it among its neighbours: then the links are what it speaks of."""
    for above in element.up():
        if above is root or above.parent is None:
            return False
        siblings = [child for child in above.parent.children if isinstance(child, Element) and child.text().strip()]
        index = siblings.index(above)
        if index:
            return siblings[index - 1].tag in HEADINGS | {"p"} or any(e.tag in HEADINGS for e in siblings[index - 1].iter())
    return False


def _weigh(body: Element) -> dict[Element, _Weight]:
    elements = list(body.iter())
    weights = {element: _Weight() for element in elements}
    for element in reversed(elements):
        weight = weights[element]
        for child in element.children:
            if isinstance(child, str):
                weight.text += len(collapse(child))
            else:
                below = weights[child]
                weight.text += below.text
                weight.linked += below.linked
                weight.links += below.links
        if element.tag == "a" and element.get("href"):
            weight.linked, weight.links = weight.text, 1
    return weights

"""Which links of a page are footnote markers, and which elements are their notes.

A marker is a link whose text is a note's label ("1", "[2]", "*") and whose target, further down the page, is told for
a note by its role (DPUB-ARIA, EPUB), by a link back, or by its id; Wikipedia's, Word's, EUR-Lex's and most systems'
notes come under that. Left out: notes without links, which html.py ties by their numbers (plain_notes).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from eunato_rag.ingestion.readers.html_tree import BLOCKS, Element

_LABEL = re.compile(r"[\[(]?\s*(?:(?:note|n\.?|fn\.?|nb)\s*)?(\d{1,4}|[a-z]{1,2}|[ivxl]{1,6}|[*†‡§¶]{1,4})\s*[\])]?[.:]?", re.IGNORECASE)
_NOTE_ID = re.compile(
    r"(?:^|[_-])(?:fn|ftn|edn|en|footnotes?|endnotes?|notes?|ntr|sdfootnote\d*sym|sdendnote\d*sym|cite_note)(?:[_:.-]|\d|$)", re.IGNORECASE
)
_NOTE_ROLES = frozenset({"doc-footnote", "doc-endnote", "footnote", "endnote", "rearnote", "note"})
_REF_ROLES = frozenset({"doc-noteref", "noteref"})
_BACK_ROLES = frozenset({"doc-backlink", "backlink", "referrer"})
_BACK_CLASSES = frozenset({"mw-cite-backlink", "footnote-backref", "footnote-back", "backlink", "reversefootnote", "fn-backref"})
_ARROWS = re.compile(r"[\s↑↩↵⏎^︎⬆←]*")
_SEPARATORS = re.compile(r"[\s,;–\[\]()-]*")


@dataclass(slots=True)
class Notes:
    """Markers and notes by element, under keys from 0 in the order of the notes; `labels[key]` as printed, maybe empty.

    `skipped` are the ways back from a note to its marker: no text of the page's.
    """

    markers: dict[Element, int] = field(default_factory=dict)
    notes: dict[Element, int] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    skipped: set[Element] = field(default_factory=set)


def find_notes(root: Element) -> Notes:
    """The notes of a page that are tied by links, and those that a role or list of notes declares."""
    order = {element: index for index, element in enumerate(root.iter())}
    targets = _targets(order)
    links = [(e, targets[goal]) for e in order if e.tag == "a" and (goal := _goal(e)) in targets]
    leads: dict[Element, set[Element]] = {}
    for link, target in links:
        leads.setdefault(target.block(), set()).add(link.block())
    pairs: list[tuple[Element, Element, str]] = []
    for link, target in links:
        label = _LABEL.fullmatch(link.text().strip())
        if label is not None and _is_marker(link, target, order, leads):
            pairs.append((link, target, label[1]))
    return _tie(pairs, order, links)


def _is_marker(link: Element, target: Element, order: dict[Element, int], leads: dict[Element, set[Element]]) -> bool:
    block = _note_block(target)
    if link.block() is block or any(e.tag in ("nav", "h1", "h2", "h3", "h4", "h5", "h6") for e in target.up()):
        return False
    if any(e.tag in ("h1", "h2", "h3", "h4", "h5", "h6") for e in target.iter()):
        return False
    if _roles(link) & _REF_ROLES or _roles(target) & _NOTE_ROLES or _roles(block) & _NOTE_ROLES:
        return not _roles(link) & _BACK_ROLES
    if order[target] < order[link] or _roles(link) & _BACK_ROLES:
        return False  # the second link of a pair that point to each other leads back
    raised = any(e.tag == "sup" for e in link.up()) or any(e.tag == "sup" for e in link.iter())
    back = any(block in home.up() for home in leads.get(link.block(), ()))
    named = any(_NOTE_ID.search(name) for name in (target.get("id"), target.get("name"), block.get("id")))
    return (back and (raised or named or bool(re.search(r"[\[(]", link.text())) or _begins(target, block))) or named or raised


def _tie(pairs: Sequence[tuple[Element, Element, str]], order: dict[Element, int], links: Sequence[tuple[Element, Element]]) -> Notes:
    found = Notes()
    shared: dict[Element, list[Element]] = {}
    for _, target, _ in pairs:
        block = _note_block(target)
        if target not in shared.setdefault(block, []):
            shared[block].append(target)
    places: dict[Element, Element] = {}
    for block, ends in shared.items():
        places.update(_split(block, ends) if len(ends) > 1 else {ends[0]: block})
    labels: dict[Element, str] = {}
    for _, target, label in pairs:
        labels.setdefault(places[target], label)
    declared = [e for e in order if _roles(e) & {"doc-footnote", "doc-endnote"} and e not in labels and e.tag != "a"]
    inside = {above for note in labels for above in note.up()}
    labels.update({e: "" for e in declared if e not in inside and not any(above in labels for above in e.up())})
    rank = {element: index for index, element in enumerate(next(iter(order)).iter())}
    for key, note in enumerate(sorted(labels, key=lambda element: rank[element])):
        found.notes[note] = key
        found.labels.append(labels[note])
    for link, target, _ in pairs:
        found.markers[link] = found.notes[places[target]]
        _unwrap(link, found)
    goals = dict(links)
    homes = {element for link in found.markers for element in (*link.iter(), link.block(), *_raising(link))}
    for note in found.notes:
        for element in note.iter():
            home = element in goals and element not in found.markers and goals[element] in homes and _is_way_back(element)
            if element is not note and (home or _roles(element) & _BACK_ROLES or _classes(element) & _BACK_CLASSES):
                found.skipped.add(element)
    return found


def _raising(link: Element) -> list[Element]:
    """The elements that hold a marker and little else, where its id may stand."""
    return [e for e in link.up() if e.tag not in BLOCKS and len(e.text()) < 20]


def _is_way_back(link: Element) -> bool:
    text = link.text().strip()
    return bool(_ARROWS.fullmatch(text) or _LABEL.fullmatch(text) or re.fullmatch(r"(?i)(?:back|return|jump up).{0,30}", text))


def _unwrap(link: Element, found: Notes) -> None:
    """Takes the brackets around a marker, and what a superscript holds beside its markers, out of the prose."""
    raised = next((e for e in link.up() if e.tag == "sup"), None)
    outer = raised if raised is not None and _LABEL.fullmatch(raised.text().strip()) else link
    parent = outer.parent
    if raised is not None:
        rest = [child for child in raised.children if isinstance(child, str)]
        if all(_SEPARATORS.fullmatch(text) for text in rest):
            raised.children = [child for child in raised.children if not isinstance(child, str)]
    if parent is None:
        return
    index = parent.children.index(outer)
    before = parent.children[index - 1] if index else ""
    after = parent.children[index + 1] if index + 1 < len(parent.children) else ""
    if isinstance(before, str) and isinstance(after, str) and before[-1:] + after[:1] in ("[]", "()"):
        parent.children[index - 1] = before[:-1]
        parent.children[index + 1] = after[1:]


def _goal(link: Element) -> str:
    return unquote(link.get("href")[1:]) if link.get("href").startswith("#") else ""


def _targets(order: dict[Element, int]) -> dict[str, Element]:
    targets: dict[str, Element] = {}
    for element in order:
        for name in (element.get("id"), element.get("name") if element.tag == "a" else ""):
            if name:
                targets.setdefault(name, element)
    return targets


def _note_block(target: Element) -> Element:
    """The element that holds the whole note: the target itself, or the block that it begins; of a row, the whole row."""
    block = target.block()
    if block.tag in ("td", "th") and block.parent is not None and _begins(target, block):
        return block.parent
    if block.tag == "dt":
        return block
    parent = block.parent
    if block.tag in ("p", "div") and parent is not None and parent.tag in ("li", "aside") and _begins(block, parent):
        return parent
    return block


def _begins(target: Element, block: Element) -> bool:
    element: Element | None = target
    while element is not None and element is not block:
        parent = element.parent
        if parent is None:
            return False
        for child in parent.children:
            if child is element:
                break
            if (child if isinstance(child, str) else child.text()).strip():
                return False
        element = parent
    return element is block


def _split(block: Element, goals: Sequence[Element]) -> dict[Element, Element]:
    """Notes that share one block, told apart by their targets: each gets an element of its own in the block's place."""
    tops = {next(e for e in goal.up() if e.parent is block): goal for goal in goals if goal is not block and block in goal.up()}
    places: dict[Element, Element] = dict.fromkeys(goals, block)
    children: list[Element | str] = []
    note: Element | None = None
    for child in block.children:
        if isinstance(child, Element) and child in tops:
            note = Element("p", {}, block)
            places[tops[child]] = note
            children.append(note)
        if note is None:
            children.append(child)
            continue
        note.children.append(child)
        if isinstance(child, Element):
            child.parent = note
    if len(tops) > 1:
        block.children = children
    return places


def _roles(element: Element) -> set[str]:
    return set(f"{element.get('role')} {element.get('epub:type')}".lower().split())


def _classes(element: Element) -> set[str]:
    return set(element.get("class").lower().split())

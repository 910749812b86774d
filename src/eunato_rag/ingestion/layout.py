"""What readers share: prose with its markers and links, mended characters, overlaps, and the canonical text.

A reader turns its format into `Draft`s, one per block, and `assemble` makes of them the canonical text with every
range that depends on it. All changes to the words happen here or before, so nothing downstream cleans text again.
Left out: what a line of a given format means (the readers), and which note a marker belongs to (footnotes).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from rapidfuzz.distance import Levenshtein

from eunato_rag.records import Block, BlockKind, Change, Footnote, Link, Matter, Page, PageSpan
from eunato_rag.sentences import sentence_spans

MIN_OVERLAP_WORDS = 12
"""A shorter repetition may be the author's own; a page break repeats sentences."""
MAX_OVERLAP_WORDS = 400
OVERLAP_TOLERANCE = 0.1
"""Share of the words in which two copies of one passage may differ."""
_SEED_WORDS = 5
"""Two copies begin with the same word, and most of their first few are the same."""

_MARKS = 32
"""No letter of any language has as many accents (UAX 15, Stream-Safe Text Format)."""
_WORD = re.compile(r"\w+")
_SPACES = re.compile(r"\s+")
_LIGATURES = {c: unicodedata.normalize("NFKC", c) for c in "ﬀﬁﬂﬃﬄﬅﬆ"}
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"), None)
_ODD_SPACES = dict.fromkeys(map(ord, "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"), " ")
_CONTROLS = {code: None for code in range(32) if chr(code) not in "\t\n\f"} | dict.fromkeys(range(127, 160))
_SENTENCE_ENDS = (".", "!", "?", ":", ";", "…")
_CLOSING = "\"'”’»)]"


@dataclass(frozen=True, slots=True)
class Prose:
    """A stretch of text with what hangs on it: markers as (offset, note key), links as (start, end, target).

    `lines` are the first and last line of the source that it came from, counted from 1. `pages` says as
    (offset, page number) from where on it stands on which page, where the source has pages.
    """

    text: str
    markers: tuple[tuple[int, int], ...] = ()
    links: tuple[tuple[int, int, str], ...] = ()
    lines: tuple[int, int] = (0, 0)
    pages: tuple[tuple[int, int], ...] = ()

    def cut(self, start: int, end: int | None = None) -> Prose:
        """The range without surrounding space; a marker goes with the character before it."""
        end = len(self.text) if end is None else end
        while start < end and self.text[start].isspace():
            start += 1
        while end > start and self.text[end - 1].isspace():
            end -= 1
        return Prose(
            self.text[start:end],
            tuple((o - start, n) for o, n in self.markers if start < o <= end or o == start == 0),
            tuple((a - start, b - start, t) for a, b, t in self.links if a >= start and b <= end),
            self.lines,
            (
                *((0, page) for _, page in [mark for mark in self.pages if mark[0] <= start][-1:]),
                *((offset - start, page) for offset, page in self.pages if start < offset < end),
            ),
        )

    def joined(self, other: Prose, separator: str = " ") -> Prose:
        return join((self, other), separator)


def join(parts: Iterable[Prose], separator: str = " ") -> Prose:
    """The parts that have text as one stretch, in one go: its time grows with the text, however many parts it has."""
    texts: list[str] = []
    markers: list[tuple[int, int]] = []
    links: list[tuple[int, int, str]] = []
    pages: list[tuple[int, int]] = []
    lines, length = (0, 0), 0
    for part in parts:
        lines = _hull(lines, part.lines)
        if not part.text:
            continue
        shift = length + len(separator) if texts else 0
        markers += ((o + shift, n) for o, n in part.markers)
        links += ((a + shift, b + shift, t) for a, b, t in part.links)
        pages += [(o + shift, page) for n, (o, page) in enumerate(part.pages) if n or not pages or pages[-1][1] != page]
        texts.append(part.text)
        length = shift + len(part.text)
    return Prose(separator.join(texts), tuple(markers), tuple(links), lines, tuple(pages))


@dataclass(frozen=True, slots=True)
class Draft:
    """A block before it has a place in the canonical text.

    `number` is the number of a note. Markers refer to a note by its `key`: the number, unless numbers begin anew in
    the course of the source.
    """

    kind: BlockKind
    prose: Prose
    level: int = 0
    matter: Matter = "body"
    number: int | None = None
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Assembled:
    """The canonical text and every range that refers to it."""

    text: str
    blocks: tuple[Block, ...]
    footnotes: tuple[Footnote, ...]
    links: tuple[Link, ...]
    sentences: tuple[tuple[int, int], ...]
    pages: tuple[PageSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlap:
    """The tail `before[start:]` and the head `after[:end]` say the same."""

    start: int
    end: int
    differences: tuple[str, ...] = field(default=())


def mend_characters(text: str) -> tuple[str, list[Change]]:
    """Unicode NFC, Unix line ends, plain spaces; ligatures spelt out; invisible and control characters gone.

    Half of a character (a lone surrogate) becomes U+FFFD: no file can hold it, and no reader's text may.
    Never NFKC: it would fold a superscript footnote marker into the word or year before it.
    """
    changes = []
    sound = whole_characters(text)
    if sound != text:
        text = sound
        changes.append(Change("surrogates", "halves of characters put together, or replaced by \ufffd"))

    def count(kind: str, detail: str, characters: Iterable[str]) -> None:
        number = sum(text.count(c) for c in characters)
        if number:
            changes.append(Change(kind, detail.format(number)))

    text = text.replace("\r\n", "\n").replace("\r", "\n")
    count("ligatures", "{} ligatures spelt out", _LIGATURES)
    count("invisible", "{} soft hyphens and zero-width characters removed", map(chr, _INVISIBLE))
    count("spaces", "{} no-break or typographic spaces made plain", map(chr, _ODD_SPACES))
    count("controls", "{} control characters removed", map(chr, _CONTROLS))
    text = text.translate(_INVISIBLE | _ODD_SPACES | _CONTROLS)
    for ligature, letters in _LIGATURES.items():
        text = text.replace(ligature, letters)
    composed = unicodedata.normalize("NFC", text)
    if composed != text:
        changes.append(Change("unicode", "decomposed letters composed (NFC)"))
    return composed, changes


def whole_characters(text: str) -> str:
    """The text with halves of characters (surrogates) put together; one that lacks the other half is U+FFFD."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def glued(before: str, text: str) -> bool:
    """Whether a text goes together with the character before it: an accent, or a letter's second part."""
    if not before or not text:
        return False
    return bool(unicodedata.combining(text[0])) or not unicodedata.is_normalized("NFC", before[-1] + text[0])


def glue(before: str, text: str) -> tuple[str, str]:
    """What stays of the text before, and its last characters composed with a text that goes together with them."""
    kept = before[: max(0, len(before) - _MARKS)]
    return kept, unicodedata.normalize("NFC", before[len(kept) :] + text)


def find_overlap(before: str, after: str) -> Overlap | None:
    """Where the end of one text is said again at the beginning of the next, to the letter or nearly.

    Word by word, blind to case, quotation marks and dashes. The tail of `before` runs to its very end; the two
    copies may differ in a tenth of their words (Levenshtein distance over words), since the second copy of a
    passage at a page break need not be identical. None where fewer than twelve words agree.
    """
    tail = [(m.group().casefold(), m.start(), m.end()) for m in _WORD.finditer(before)][-MAX_OVERLAP_WORDS:]
    head = [(m.group().casefold(), m.start(), m.end()) for m in _WORD.finditer(after)][: MAX_OVERLAP_WORDS + 40]
    a, b = [w for w, _, _ in tail], [w for w, _, _ in head]
    if len(b) < MIN_OVERLAP_WORDS:
        return None
    for seed in range(len(a) - MIN_OVERLAP_WORDS + 1):
        if a[seed] != b[0] or len({*a[seed : seed + _SEED_WORDS]} & {*b[:_SEED_WORDS]}) < _SEED_WORDS - 2:
            continue
        length = len(a) - seed
        slack = max(2, round(length * OVERLAP_TOLERANCE))
        ends = [n for n in range(max(1, length - slack), min(len(b), length + slack) + 1) if b[n - 1] == a[-1]]
        if not ends:
            continue
        distance, size = min((Levenshtein.distance(a[seed:], b[:n]), n) for n in ends)
        if distance > OVERLAP_TOLERANCE * length:
            continue
        end = head[size - 1][2]
        while end < len(after) and not after[end].isspace():
            end += 1
        only = (Counter(a[seed:]) - Counter(b[:size])) + (Counter(b[:size]) - Counter(a[seed:]))
        start = tail[seed][1]
        while start > 0 and not before[start - 1].isspace():
            start -= 1
        return Overlap(start, end, tuple(sorted(only)))
    return None


def mend_flow(drafts: Sequence[Draft], *, doubled: bool) -> tuple[list[Draft], list[Change]]:
    """Paragraphs made whole: sentences that a block of notes cut in two, and passages doubled at page breaks.

    Call it with the notes taken out, and with `doubled` where a converter may have doubled passages; in a source whose
    own pages are read, the same words at the head of the next page are the author's. Two copies of one passage prove
    that the text runs on between them, so what they join becomes one paragraph, in which the fuller wording stands.
    """
    flow: list[Draft] = []
    changes: list[Change] = []
    run: list[Prose] = []
    """What the last of the flow is to be joined of."""
    for draft in drafts:
        if draft.kind == "paragraph" and flow and flow[-1].kind == "paragraph":
            if _runs_on(run[-1].text, draft.prose.text):
                run.append(draft.prose)
                changes.append(Change("joined", "a sentence cut in two is whole again", _hull(run[0].lines, draft.prose.lines)))
                continue
            flow[-1], run = _whole(flow[-1], run)
            stitched = _stitch(flow, draft) if doubled else None
            if stitched is not None:
                count, merged, change = stitched
                flow[-count:] = [merged]
                run = [merged.prose]
                changes.append(change)
                continue
        if flow:
            flow[-1], _ = _whole(flow[-1], run)
        flow.append(draft)
        run = [draft.prose]
    if flow:
        flow[-1], _ = _whole(flow[-1], run)
    return flow, changes


def _whole(draft: Draft, run: Sequence[Prose]) -> tuple[Draft, list[Prose]]:
    prose = run[0] if len(run) == 1 else join(run)
    return replace(draft, prose=prose), [prose]


def assemble(drafts: Sequence[Draft], labels: Mapping[int, str] = MappingProxyType({})) -> Assembled:
    """The canonical text: blocks in reading order, a blank line between two, the notes behind the prose.

    The items of one list follow each other line by line, and so do the notes. The rows of a table are its sentences.
    `labels` are the printed labels of pages by physical number.
    """
    ordered = [d for d in drafts if d.kind != "note"] + [d for d in drafts if d.kind == "note"]
    parts: list[str] = []
    blocks: list[Block] = []
    links: list[Link] = []
    sentences: list[tuple[int, int]] = []
    anchors: dict[int, list[int]] = {}
    notes: list[tuple[int, int, int, int]] = []
    marks: list[tuple[int, int]] = []
    offset = 0
    for index, draft in enumerate(ordered):
        if index:
            tight = draft.kind == ordered[index - 1].kind and draft.kind in ("list_item", "note")
            separator = "\n" if tight else "\n\n"
            parts.append(separator)
            offset += len(separator)
        prose, start, end = draft.prose, offset, offset + len(draft.prose.text)
        parts.append(prose.text)
        blocks.append(Block(draft.kind, start, end, draft.level, draft.matter))
        links.extend(Link(start + a, start + b, target) for a, b, target in prose.links)
        spans = _rows(prose.text) if draft.kind == "table" else sentence_spans(prose.text)
        sentences.extend((start + a, start + b) for a, b in spans)
        marks.extend((start + place, page) for place, page in prose.pages)
        for place, key in prose.markers:
            anchors.setdefault(key, []).append(start + place)
        if draft.number is not None:
            notes.append((draft.number if draft.key is None else draft.key, draft.number, start, end))
        offset = end
    footnotes = tuple(Footnote(number, tuple(anchors.get(key, ())), a, b) for key, number, a, b in notes)
    return Assembled("".join(parts), tuple(blocks), footnotes, tuple(links), tuple(sentences), _page_spans(marks, offset, labels))


def _rows(table: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"[^\n]+", table)]


def _page_spans(marks: Sequence[tuple[int, int]], end: int, labels: Mapping[int, str]) -> tuple[PageSpan, ...]:
    """A span for each run of the text that stands on one page; notes come last, so a page may have several."""
    turns = [mark for n, mark in enumerate(marks) if n == 0 or marks[n - 1][1] != mark[1]]
    stops = [*(start for start, _ in turns[1:]), end][: len(turns)]
    return tuple(PageSpan(start, stop, Page(page, labels.get(page))) for (start, page), stop in zip(turns, stops, strict=True))


def collapse(text: str) -> str:
    """Runs of white space as one space, none at the ends."""
    return _SPACES.sub(" ", text).strip()


def ends_sentence(text: str) -> bool:
    return text.rstrip().rstrip(_CLOSING).endswith(_SENTENCE_ENDS)


def _runs_on(before: str, after: str) -> bool:
    return not ends_sentence(before) and after[:1].islower()


def _stitch(flow: Sequence[Draft], draft: Draft) -> tuple[int, Draft, Change] | None:
    """How many paragraphs at the end of the flow the draft goes on from, and the one that they become together."""
    before = Prose("")
    for count in (1, 2, 3):
        if count > len(flow) or flow[-count].kind != "paragraph" or flow[-count].matter != draft.matter:
            return None
        before = flow[-count].prose.joined(before) if before.text else flow[-count].prose
        overlap = find_overlap(before.text, draft.prose.text)
        if overlap is None:
            continue
        first, second = before.cut(overlap.start), draft.prose.cut(0, overlap.end)
        kept, dropped = (first, second) if _fullness(first) > _fullness(second) else (second, first)
        whole = before.cut(0, overlap.start).joined(kept).joined(draft.prose.cut(overlap.end))
        detail = f"{len(_WORD.findall(dropped.text))} words that stand twice at a page break stand once"
        if overlap.differences:
            detail += f"; the copies differ in: {', '.join(overlap.differences)}; the fuller wording stays"
        change = Change("overlap", detail, _between(flow[-count], draft), dropped.text)
        return count, replace(draft, prose=replace(whole, lines=_hull(before.lines, draft.prose.lines))), change
    return None


def _fullness(prose: Prose) -> tuple[int, int]:
    return len(prose.markers), len(_WORD.findall(prose.text))


def _between(first: Draft, second: Draft) -> tuple[int, int]:
    return _hull(first.prose.lines, second.prose.lines)


def _hull(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    if a == (0, 0) or b == (0, 0):
        return b if a == (0, 0) else a
    return min(a[0], b[0]), max(a[1], b[1])

"""Plain text and Markdown: read(path) -> Document.

Made for text as converters leave it: headings without markup, contents pages, notes between paragraphs, passages
doubled at page breaks, lists broken by blank lines. Each is a rule about text in general; none knows a file.
Left out: tables and figures, which plain text does not carry, and pages, which it does not mark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from eunato_rag import encodings
from eunato_rag.errors import UnreadableDocument
from eunato_rag.ingestion.footnotes import note_at_line_start
from eunato_rag.ingestion.layout import Draft, Prose, assemble, collapse, ends_sentence, join, mend_characters, mend_flow
from eunato_rag.ingestion.readers.files import document_of, read_bytes
from eunato_rag.ingestion.readers.markdown import TABLE_ROW, front_matter, plain_lines, table_row
from eunato_rag.ingestion.readers.markup import Markup, emphasis_marks, read_inline
from eunato_rag.ingestion.readers.plain_notes import told_apart
from eunato_rag.records import Change, Document

MARKDOWN = frozenset({".md", ".markdown"})
SUFFIXES = MARKDOWN | {".txt"}
MAX_BYTES = 64 * 1024 * 1024

_TAG = re.compile(r"</?[a-z]+[^<>]*>")
_LEADERS = ".…·_"
_PAGE = re.compile(rf"(?<=[\s{_LEADERS}])(?:\d{{1,4}}|[ivxlc]{{1,6}})$")
_CONTENTS = re.compile(r"^(?:#+\s*)?(?:table of )?contents:?$", re.IGNORECASE)
_ITEM = re.compile(r"^(?:(?P<number>\d{1,3})[.)]|\((?P<letter>[a-z]|[ivx]{1,4}|\d{1,2})\)|(?P<bullet>[-*+•▪◦–]))\s+(?=\S)")
_NUMBERED = re.compile(r"^(?P<number>\d{1,2}(?:\.\d{1,2})*)\.?\s+(?=[^\W\d_])")
_HASHES = re.compile(r"^(#{1,6})\s+(?P<title>.*)$")
_CAPTION = re.compile(r"^(?:sources?:|(?:figure|fig\.|table|chart|graph|map|box)\s+\w{1,4}\b[.:]?)", re.IGNORECASE)
_SECTION = re.compile(
    r"^(?:executive summary|summary|abstract|key (?:points|findings|messages)|introduction|background|methodology|"
    r"conclusions?|recommendations|policy recommendations|references|bibliography|annex(?: \w+)?|appendix(?: \w+)?)$",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"^(?:(?i:about\s+(?:the\s+)?(?:authors?|us))|About\s+(?:the\s+)?[A-Z]\S*|(?i:acknowledge?ments?|disclaimer|funding|"
    r"imprint|copyright|contacts?|references|bibliography))\b",
)
_TWO_SENTENCES = re.compile(r"[^\W\d][.!?]\s+[A-Z]")
_MAX_HEADING = 120
_MAX_ROW = 4000
_WRAP_LIMIT = 160
"""No line of a hard-wrapped text is longer; in a text with longer lines, every line is a paragraph."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the source and its number from 1; a unit is a run of them that belongs to one block."""

    text: str
    first: int
    last: int
    alone: bool = False


def read(path: Path) -> Document:
    """The document in a plain text or Markdown file, in any encoding.

    Raises:
        UnreadableDocument: the file cannot be opened, is empty, is no text, or is larger than 64 MiB.
    """
    data = read_bytes(path, MAX_BYTES)
    text, changes = decode(data, path.name)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    fields: dict[str, Any] = {}
    markdown = path.suffix.lower() in MARKDOWN
    if markdown:
        text, fields, more = front_matter(text)
        changes += more
    drafts, more = parse(text, markdown=markdown)
    if not any(draft.prose.text for draft in drafts):
        raise UnreadableDocument(f"{path.name} holds no text. Remove it, or put the text in it.")
    parts = assemble(drafts)
    title = next((d.prose.text for d in drafts if d.kind == "heading" and d.level == 0), path.stem)
    return document_of(path, data, {"id": path.stem, "type": "document", "title": title, **fields}, parts, (*changes, *more))


def decode(data: bytes, name: str) -> tuple[str, list[Change]]:
    """The text in the bytes, and how it was read where that is not as UTF-8.

    Raises:
        UnreadableDocument: nothing in it, or no text.
    """
    read = encodings.decode(data, name)
    if read.guessed:
        return read.text, [Change("encoding", f"read as {read.encoding}; check the accented letters, or save it as UTF-8")]
    return read.text, [] if read.encoding == "utf-8" else [Change("encoding", f"read as {read.encoding} by its byte order mark")]


def parse(text: str, *, markdown: bool = False) -> tuple[list[Draft], list[Change]]:
    """The blocks of a text, in reading order with the notes last, and what was changed on the way."""
    text, changes = mend_characters(text)
    rows = re.split(r"[\n\f]", text)
    if markdown:
        rows, removed = plain_lines(text)
        changes += removed
    lines = [_Line(line if markdown else line.rstrip(), n, n) for n, line in enumerate(rows, 1)]
    lines, contents, contents_at, removed = _take_contents(lines)
    changes += removed
    units = _units(lines, markdown=markdown)
    notes = frozenset(found[0] for unit in units if (found := note_at_line_start(unit.text)))
    markup = Markup()
    drafts = told_apart(_drafts(units, notes, contents, contents_at, markup, markdown=markdown))
    body, joins = mend_flow([draft for draft in drafts if draft.kind != "note"], doubled=True)
    changes += joins
    drafts = body + [draft for draft in drafts if draft.kind == "note"]
    return drafts, changes + _account(drafts, markup)


def _take_contents(lines: Sequence[_Line]) -> tuple[list[_Line], dict[str, int], int, list[Change]]:
    """The lines without the contents page; its titles, which are the headings; the line at which it stood."""
    best: tuple[int, int] | None = None
    for index, line in enumerate(lines):
        titled = bool(_CONTENTS.match(line.text.strip()))
        if not titled and not _entry(line.text):
            continue
        end = index + 1 if titled else index
        while end < len(lines) and (_entry(lines[end].text) or not lines[end].text.strip()):
            end += 1
        entries = sum(_entry(entry.text) is not None for entry in lines[index:end])
        if entries >= (2 if titled else 4):
            best = (index, end)
            break
    if best is None:
        return list(lines), {}, 0, []
    start, end = best
    taken = lines[start:end]
    titles: dict[str, int] = {}
    for line in taken:
        title = _entry(line.text)
        if title is not None:
            titles[_key(title)] = _depth(title)
    change = Change(
        "contents",
        f"contents page with {len(titles)} entries removed; its titles mark the headings",
        (taken[0].first, taken[-1].last),
        "\n".join(line.text for line in taken if line.text),
    )
    return [*lines[:start], *lines[end:]], titles, taken[0].first, [change]


def _entry(line: str) -> str | None:
    """The title of a line that leads, by dots or a wide gap, to a page number; None for any other line."""
    line = _TAG.sub("", line).strip()
    page = _PAGE.search(line)
    if page is None:
        return None
    led = line[: page.start()].rstrip()
    gap = line[len(led) : page.start()]
    dotted = len(led) - len(led.rstrip(_LEADERS)) >= 3
    return led.rstrip(f" \t{_LEADERS}") or None if dotted or "\t" in gap or len(gap) >= 3 else None


def _units(lines: Sequence[_Line], *, markdown: bool) -> list[_Line]:
    """Lines put together that belong to one block.

    A line goes on with the one before where the text is hard-wrapped and the first word would not have fitted there,
    or where an emphasis is still open; in Markdown always, unless two spaces end the line before. A list item, a
    heading mark, a row of a table or a note always begins anew.
    """
    filled = [line for line in lines if line.text.strip()]
    width = max((len(line.text) for line in filled), default=0)
    units: list[_Line] = []
    texts: list[list[str]] = []
    last = ""
    length, marks, opened, blank = 0, 0, False, True
    for index, line in enumerate(lines):
        text = line.text.strip()
        if not text:
            blank = True
            continue
        follows = index + 1 < len(lines) and bool(lines[index + 1].text.strip())
        row = markdown and bool(TABLE_ROW.match(text))
        after_row = markdown and 0 < length <= _MAX_ROW and bool(TABLE_ROW.match("".join(texts[-1])))
        after_heading = bool(_HASHES.match(last)) or after_row
        dash = bool(units) and not blank and bool(re.match(r"[–-]\s+[a-z]", text)) and not ends_sentence(last)
        fresh = bool((_ITEM.match(text) and not dash) or _HASHES.match(text) or note_at_line_start(text)) or row or after_heading
        previous = lines[index - 1].text if index else ""
        wrapped = width <= _WRAP_LIMIT and len(previous) + 1 + len(text.split()[0]) > width * 0.9
        wrapped |= markdown and not previous.endswith(("  ", "\\"))
        if units and not blank and not fresh and (wrapped or (opened and marks % 2)):
            if wrapped and re.search(r"[^\W\d_]-$", last[-2:]) and text[0].islower():
                texts[-1][-1] = texts[-1][-1][:-1]
            else:
                texts[-1].append(" ")
            texts[-1].append(text)
            length += len(text) + 1
            units[-1] = replace(units[-1], last=line.last)
        else:
            indent = len(line.text) - len(line.text.lstrip())
            units.append(_Line("", line.first, line.last, alone=blank and not follows))
            texts.append([" " * indent, text])
            length, marks, opened = len(text), 0, False
        count, opens = emphasis_marks(text)
        marks, opened = marks + count, opened or opens
        last, blank = text, False
    return [replace(unit, text="".join(parts)) for unit, parts in zip(units, texts, strict=True)]


def _drafts(
    units: Sequence[_Line], notes: frozenset[int], contents: dict[str, int], contents_at: int, markup: Markup, *, markdown: bool
) -> list[Draft]:
    hashes = [len(match[1]) for unit in units if (match := _HASHES.match(unit.text.strip()))]
    single_title = hashes.count(1) == 1
    drafts: list[Draft] = []
    for index, unit in enumerate(units):
        raw, place = unit.text.strip(), (unit.first, unit.last)
        note = note_at_line_start(raw)
        if note is not None:
            prose = read_inline(collapse(note[1]), frozenset(), place, markup)
            if prose.text:
                drafts.append(Draft("note", prose, number=note[0]))
            continue
        mark = _HASHES.match(raw)
        prose = read_inline(collapse(mark["title"].rstrip("#") if mark else raw), notes, place, markup)
        if not prose.text:
            continue
        before = units[index - 1].text.strip() if index else ""
        after = units[index + 1].text.strip() if index + 1 < len(units) else ""
        item = _ITEM.match(raw)
        if markdown and TABLE_ROW.match(raw):
            drafts.append(Draft("table", Prose(table_row(prose.text), lines=place)))
        elif mark is not None:
            level = len(mark[1]) - 1 if single_title else len(mark[1])
            drafts.append(Draft("heading", prose, level))
        elif (depth := _heading_level(unit, prose.text, before, after, contents, first=not drafts)) is not None:
            drafts.append(Draft("heading", prose, depth))
        elif item is not None and (item["bullet"] or _in_list(item, drafts)):
            indent = len(unit.text) - len(unit.text.lstrip())
            if item["bullet"]:
                prose = _without_bullet(prose)
            drafts.append(Draft("list_item", prose, level=1 + indent // 2))
        elif _CAPTION.match(prose.text) and len(prose.text) <= 2 * _MAX_HEADING:
            drafts.append(Draft("caption", prose))
        else:
            drafts.append(Draft("paragraph", prose))
    return _mark_matter(_with_whole_tables(drafts), contents_at)


def _with_whole_tables(drafts: Sequence[Draft]) -> list[Draft]:
    """Rows that follow each other, with a line between them at most, become one table; a table without a word is none."""
    made: list[Draft] = []
    tables: list[list[Prose]] = []
    for draft in drafts:
        if draft.kind == "table":
            if made and made[-1].kind == "table" and tables[-1][-1].lines[1] >= draft.prose.lines[0] - 2:
                tables[-1].append(draft.prose)
                continue
            tables.append([draft.prose])
        made.append(draft)
    whole = iter(tables)
    made = [replace(draft, prose=join(next(whole), "\n")) if draft.kind == "table" else draft for draft in made]
    return [draft for draft in made if draft.prose.text]


def _heading_level(unit: _Line, text: str, before: str, after: str, contents: dict[str, int], *, first: bool) -> int | None:
    """The level of an unmarked heading: 0 for the title, from 1 for sections; None where the unit is no heading."""
    if not unit.alone or len(text) > _MAX_HEADING or ends_sentence(text) or _CAPTION.match(text):
        return None
    if _TWO_SENTENCES.search(text):
        return None
    if contents:
        if _key(text) in contents:
            return contents[_key(text)]
        return 0 if first else None
    if first and after:
        return 0
    numbered = _NUMBERED.match(text)
    if numbered:
        neighbours = any(_ITEM.match(other) and not ends_sentence(other) for other in (before, after))
        return None if neighbours and "." not in numbered["number"] else _depth(text)
    if _SECTION.match(text) or _BACK.match(text) or (text.isupper() and len(text.split()) > 1):
        return 1
    heads_prose = len(after) > 2 * len(text) and ends_sentence(after) and not _ITEM.match(after)
    return 1 if heads_prose and text[0].isupper() and len(text.split()) <= 12 else None


def _in_list(item: re.Match[str], drafts: Sequence[Draft]) -> bool:
    """A numbered line is an item where it begins a list at 1 or goes on with one; else it is a sentence."""
    number = int(item["number"]) if item["number"] else None
    if number is None or number == 1:
        return True
    previous = next((d for d in reversed(drafts) if d.kind != "note"), None)
    return previous is not None and previous.kind == "list_item"


def _without_bullet(prose: Prose) -> Prose:
    match = _ITEM.match(prose.text)
    return prose.cut(match.end()) if match else prose


def _mark_matter(drafts: list[Draft], contents_at: int) -> list[Draft]:
    """Front matter stands before the contents page; back matter begins at a last heading such as "About …"."""
    headings = [index for index, draft in enumerate(drafts) if draft.kind == "heading"]
    last = takewhile(lambda index: _BACK.match(drafts[index].prose.text), reversed(headings))
    back = min(last, default=len(drafts))
    marked = []
    for index, draft in enumerate(drafts):
        if draft.prose.lines[0] < contents_at:
            draft = replace(draft, matter="front")
        elif index >= back and draft.kind != "note":
            draft = replace(draft, matter="back")
        marked.append(draft)
    return marked


def _account(drafts: Sequence[Draft], markup: Markup) -> list[Change]:
    """What the report says of markers, markup, figures and marked matter."""
    changes = []
    marked_keys = {key for draft in drafts for _, key in draft.prose.markers}
    notes = [(draft.number, draft.number if draft.key is None else draft.key) for draft in drafts if draft.number is not None]
    loose = [number for number, key in notes if key not in marked_keys]
    if notes:
        changes.append(Change("notes", f"{len(notes)} notes set behind the prose, {len(notes) - len(loose)} tied to their markers"))
    for number in sorted(loose):
        changes.append(Change("note-without-marker", f"no marker in the prose refers to note {number}"))
    if markup.marks:
        removed = " ".join(mark for mark in markup.marks if re.search(r"\w", mark))
        changes.append(Change("markup", f"{len(markup.marks)} marks of emphasis, tags and brackets removed", None, removed))
    if markup.targets:
        dead = sum(target in ("", "#") for target in markup.targets)
        detail = f"{len(markup.targets)} link targets taken out of the text and kept as links"
        changes.append(Change("links", detail + (f"; {dead} of them lead nowhere" if dead else ""), None, " ".join(markup.targets)))
    for draft in drafts:
        if draft.kind == "caption":
            changes.append(Change("figure", f"the figure or table of {draft.prose.text!r} is not in the text", draft.prose.lines))
    for matter in ("front", "back"):
        marked = [draft for draft in drafts if draft.matter == matter]
        if marked:
            lines = (min(d.prose.lines[0] for d in marked), max(d.prose.lines[1] for d in marked))
            changes.append(Change(f"{matter}-matter", f"{len(marked)} blocks marked as {matter} matter", lines))
    return changes


def _depth(title: str) -> int:
    match = _NUMBERED.match(title)
    return match["number"].count(".") + 1 if match else 1


def _key(title: str) -> str:
    return re.sub(r"\W+", " ", title).strip().casefold()

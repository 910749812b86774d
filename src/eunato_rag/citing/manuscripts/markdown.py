"""Markdown: its blocks of prose, with the places of what is read.

CommonMark with the tables and footnotes of GitHub and Pandoc, YAML front matter, mathematics between dollars and Pandoc's
citations. Left out: HTML blocks, whose text is not read, and how anything is rendered or written (markdown_notes).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from eunato_rag.citing.manuscripts.markdown_inline import PositionedInline, citation, formula, inline_note, note_reference, span_of
from eunato_rag.citing.manuscripts.markers import raised
from eunato_rag.citing.manuscripts.prose import Prose
from eunato_rag.citing.manuscripts.sections import Block
from eunato_rag.errors import InvalidText

MOST_MARKS = 20_000
"""Lines, and marks that may begin something, in a file: some ten times as many as a long paper has. Each costs the parser time."""

_LINE = re.compile(r"([^\r\n]*)(?:\r\n?|\n|$)")
_MARK = re.compile(r"[\[*_`<$\\&@^|]")
_TASK = re.compile(r"\[[ xX]\](?=\s)")
_SENTENCE_END = re.compile(r"[.!?…][”’»\"')\]]*$")


def blocks(text: str, *, most: int = MOST_MARKS) -> Iterator[Block]:
    """The headings and the blocks of prose of a Markdown file, in order; also those in lists, quotations and tables.

    Raises:
        InvalidText: more than `most` lines, or marks that may begin something.
    """
    marks = sum(1 for _ in _MARK.finditer(text))
    lines = sum(1 for _ in _LINE.finditer(text))
    if max(marks, lines) > most:
        raise InvalidText(
            f"The draft has {lines:,} lines and {marks:,} marks of Markdown; at most {most:,} are read. "
            "Take out what is no prose, or give one chapter at a time."
        )
    return _Reader(text).blocks()


def end_of_blocks(text: str) -> int:
    """The offset of the file's end; of its last block where that, a comment or code that nothing closes, would swallow what follows."""
    probe = f"[^{'x' * 20}]:"
    while probe in text:
        probe = f"[^x{probe[2:]}"
    reader = _Reader(f"{text}\n\n{probe} x", inline=False)
    if any(token.type == "footnote_reference_open" and token.meta["label"] == probe[2:-2] for token in reader.tokens):
        return len(text)
    lines = [token.map[0] for token in reader.tokens if token.map and token.level == 0]
    return reader.lines[lines[-1]][0]


class _Reader:
    """The tokens of a file, and the range of each of its lines without its end."""

    def __init__(self, text: str, *, inline: bool = True) -> None:
        self.text = text
        self.lines = [match.span(1) for match in _LINE.finditer(text)]
        parser = MarkdownIt("commonmark").enable("table")
        parser.inline = PositionedInline()
        parser.use(front_matter_plugin).use(dollarmath_plugin, allow_labels=False)
        parser.use(footnote_plugin, move_to_end=False)
        parser.core.ruler.disable("text_join")
        parser.inline.ruler.at("math_inline", formula)
        parser.inline.ruler.at("footnote_inline", inline_note)
        parser.inline.ruler.at("footnote_ref", note_reference)
        parser.inline.ruler.before("link", "citation", citation)
        if not inline:
            parser.core.ruler.disable("inline")
        self.tokens = parser.parse(text)

    def blocks(self) -> Iterator[Block]:
        open_blocks: list[Token] = []
        cells: dict[int, int] = {}
        for token in self.tokens:
            if token.nesting == 1:
                open_blocks.append(token)
            elif token.nesting == -1:
                open_blocks.pop()
            if token.type != "inline" or not token.map or not token.content.strip():
                continue
            kinds = {outer.type for outer in open_blocks}
            in_cell = bool(kinds & {"th_open", "td_open"})
            places = self._cell(token, cells) if in_cell else self._places(token)
            if places is None or "footnote_reference_open" in kinds or "th_open" in kinds:
                continue
            task = _TASK.match(token.content) if open_blocks[-2:-1] and open_blocks[-2].type == "list_item_open" else None
            prose, bold = _prose(token.children or [], places, quoted="blockquote_open" in kinds, skip=task.end() if task else 0)
            if prose.text and (not in_cell or _SENTENCE_END.search(prose.text)):
                heading = open_blocks[-1].type == "heading_open"
                yield Block(prose, level=int(open_blocks[-1].tag[1:]) if heading else None, bold=bold)

    def _places(self, token: Token) -> _Places:
        """Each line of a block's content is the end of a line of the file, behind marks of lists and quotations."""
        assert token.map is not None
        written = token.content.split("\n")
        blank = range(max(1, token.map[1] - token.map[0] - len(written) + 1))  # lines of no more than a no-break space are left out
        first = next((token.map[0] + n for n in blank if self._raw(token.map[0] + n).endswith(written[0].strip())), token.map[0])
        places, inner = _Places(), 0
        for line, content in enumerate(written, first):
            raw = self._raw(line) if content.strip() else ""
            kept = content.lstrip()
            places.add(inner + len(content) - len(kept), self.lines[line][0] + len(raw) - len(kept.rstrip()))
            inner += len(content) + 1
        return places

    def _raw(self, line: int) -> str:
        return self.text[slice(*self.lines[line])].rstrip()

    def _cell(self, token: Token, cells: dict[int, int]) -> _Places | None:
        """A cell is found in its row behind the one before it; None where it is not written there as it is read."""
        assert token.map is not None
        start, end = self.lines[token.map[0]]
        found = self.text.find(token.content, cells.get(start, start), end)
        if found < 0:
            return None
        cells[start] = found + len(token.content)
        places = _Places()
        places.add(0, found)
        return places


class _Places:
    """From offsets in a block's content to offsets in the file, line by line."""

    def __init__(self) -> None:
        self._inner: list[int] = []
        self._outer: list[int] = []

    def add(self, inner: int, outer: int) -> None:
        self._inner.append(inner)
        self._outer.append(outer)

    def span(self, token: Token) -> tuple[int, int]:
        start, end = span_of(token)
        return self._at(start), self._at(end - 1) + 1

    def _at(self, offset: int) -> int:
        line = max(0, bisect_right(self._inner, offset) - 1)
        return self._outer[line] + offset - self._inner[line]


def _prose(tokens: Sequence[Token], places: _Places, *, quoted: bool, skip: int = 0) -> tuple[Prose, bool]:
    """What is read of a block's content behind its first `skip` characters, and whether all of it is bold."""
    prose = Prose(quoted=quoted)
    link, strong, light = 0, 0, False
    for n, token in enumerate(tokens):
        start, end = places.span(token)
        kind = token.type
        if span_of(token)[1] <= skip:
            continue
        if kind == "note_marker":
            prose.mark(start, end)
        elif kind == "html_inline":
            if token.content.lower().startswith("<br"):
                prose.write(" ", start, end)
            else:
                (prose.close if token.content.startswith("</") or token.content.lower() == "<sup>" else prose.open)(start, end)
        elif kind in ("softbreak", "hardbreak"):
            prose.write(" ", start, end)
        elif kind == "text" and not token.content:
            (prose.close if n and tokens[n - 1].nesting < 0 else prose.open)(start, end)
        elif kind == "text" and len(token.content) == end - start:
            lifted = n > 0 and tokens[n - 1].content.lower() == "<sup>"
            prose.write(raised(token.content) if lifted else token.content, start)
            light = light or (not strong and bool(token.content.strip()))
        elif kind in ("text", "text_special", "code_inline", "formula"):
            prose.atom(start, end)
            prose.write(token.content, start, end)
            light = light or not strong
        elif kind == "image":
            prose.atom(start, end)
        elif token.nesting:
            strong += token.nesting * (kind in ("strong_open", "strong_close"))
            if kind == "link_open":
                link = start
            elif kind == "link_close":
                prose.atom(link, end)
            (prose.open if token.nesting > 0 else prose.close)(start, end)
    return prose, not light

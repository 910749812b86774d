"""What is put into a draft as text, and the words of a note with their markup. The draft's own characters stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff\ufffe\uffff]")
_LINE_END = re.compile(r"\r\n?|\n")
_OPENING = {")": "(", "]": "["}
_MARKUP = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|<(?P<link>https?://[^\s<>]+)>"
    r"|(?P<bare>https?://[^\s<>\"“”*\\]+)"
    r"|\*(?P<italic>(?=[^\s*])(?:\\.|[^*\\])*(?:\\.|(?<=[^\s*\\])))\*"
)


@dataclass(frozen=True, slots=True)
class Words:
    """A stretch of a note in one form."""

    text: str
    italic: bool = False
    address: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A note with the offset at which its marker goes, and the number of the block of prose that it stands in."""

    place: int
    block: int
    text: str


def words_of(text: str, *, italic: bool = False) -> Iterator[Words]:
    """A note's text in stretches of one form: italics in `*…*`, web addresses bare or in `<…>`, the rest.

    A backslash before a mark of punctuation takes its meaning from it. White space becomes one space.
    """
    text = text if italic else " ".join(_CONTROL.sub("", text).split())
    done, said = 0, ""
    for match in _MARKUP.finditer(text):
        said += text[done : match.start()]
        address = match["link"] or _trimmed(match["bare"] or "")
        done = match.start() + len(address) if match["bare"] else match.end()
        if match["escaped"]:
            said += match["escaped"]
            continue
        if said:
            yield Words(said, italic)
            said = ""
        if address:
            yield Words(address, italic, address=True)
        else:
            yield from words_of(match["italic"], italic=True)
    if said + text[done:]:
        yield Words(said + text[done:], italic)


def _trimmed(address: str) -> str:
    """An address without the marks of the sentence that it stands in; a closing bracket is its own where it opens one."""
    while address and (
        address[-1] in ".,;:!?'’”" or (address[-1] in ")]" and address.count(address[-1]) > address.count(_OPENING[address[-1]]))
    ):
        address = address[:-1]
    return address


def plain(text: str) -> str:
    """A note's text without its markup."""
    return "".join(words.text for words in words_of(text))


def with_insertions(text: str, insertions: Iterable[tuple[int, str]]) -> str:
    """The text with strings put in at offsets; those of one offset in the order given."""
    parts: list[str] = []
    done = 0
    for place, group in groupby(sorted(insertions, key=lambda insertion: insertion[0]), key=lambda insertion: insertion[0]):
        parts += [text[done:place], *(inserted for _, inserted in group)]
        done = place
    return "".join([*parts, text[done:]])


def line_end(text: str) -> str:
    """How the draft ends its lines: as its first line does."""
    match = _LINE_END.search(text)
    return match[0] if match else "\n"


def appendix(text: str, paragraphs: Iterable[str]) -> str:
    """Paragraphs to be set behind a text, an empty line before each; they end as the text does, with an end of line or without."""
    end = line_end(text)
    *_, before, last = ["", *_LINE_END.split(text[-1000:])]
    closed = not last
    empty = closed and not before.strip()
    body = (end * 2).join(paragraph.replace("\n", end) for paragraph in paragraphs)
    gap = "\r" if text.endswith("\r") and end == "\n" else end  # the two would be one end of line
    return ("" if empty else gap if closed else end * 2) + body + (end if closed else "")

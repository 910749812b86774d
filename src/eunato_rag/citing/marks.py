"""A quotation as a writer gave it -> its words, with what ellipses, brackets and remarks in it mean.

"the EU … should work alongside [the Alliance]", "[T]he", "capabilit[y]", "[sic]", "(emphasis added)": conventions of
scholarly quotation (The Chicago Manual of Style, 17th ed., 13.50-13.62). Left out: what they stand for in a source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from eunato_rag.indexing.folding import Words, read_words

QUOTATION_MARKS = "\"'“”„‟‘’‚‛«»‹›`´＂＇「」『』"
_DOTS = r"(?:…+|\.(?:[ \t\u00a0]?\.){2,})"
_ELLIPSIS = rf"\[\s*{_DOTS}\s*\]|\(\s*{_DOTS}\s*\)|{_DOTS}"
_REMARK = (
    r"[\[(]\s*(?:sic!?|(?:with\s+)?(?:emphas[ie]s|italics|bold|underlining|stress)\s+(?:is\s+|are\s+)?"
    r"(?:added|mine|ours|supplied|theirs|removed|(?:in|from)\s+(?:the\s+)?original|original)"
    r"|(?:my|our|the\s+author[’']?s|author[’']s)\s+(?:own\s+)?(?:emphasis|italics|translation)|own\s+translation"
    r"|(?:foot)?notes?\s+(?:omitted|removed)|(?:internal\s+)?(?:citations?|references?|quotation\s+marks)\s+omitted)\.?\s*[\])]"
)
_LETTERS = r"(?<=[^\W\d_])\[[^\W\d_]{1,12}\]|\[[^\W\d_]{1,12}\](?=[^\W\d_])"
_BRACKET = r"\[[^\[\]]*\]"
_MARK = re.compile(
    rf"(?P<omission>{_ELLIPSIS})|(?P<remark>{_REMARK})|(?P<letters>{_LETTERS})|(?P<bracket>{_BRACKET})",
    re.IGNORECASE,
)

Kind = Literal["word", "omission", "bracket"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A word of a quotation, an ellipsis, or a bracketed insertion with its words in `content`.

    `start` and `end` are a range of the quotation as it was given. `kept` is, of a word with letters in brackets, what
    stands before and behind them: ("capabilit", "") for "capabilit[y]".
    """

    kind: Kind
    form: str
    start: int
    end: int
    content: tuple[Unit, ...] = ()
    kept: tuple[str, str] | None = None


def marks_in(text: str) -> list[str]:
    """The ellipses, brackets and remarks that are to be read, each with its white space made one."""
    return [" ".join(match.group().split()) for match in _MARK.finditer(text)]


def quoted_range(text: str) -> tuple[int, int]:
    """The range of a text without the white space and quotation marks around it."""
    start, end = 0, len(text)
    while start < end and (text[start].isspace() or text[start] in QUOTATION_MARKS):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in QUOTATION_MARKS):
        end -= 1
    return start, end


def plain_units(text: str, start: int, end: int) -> list[Unit]:
    """The words of a range, whatever is between them."""
    return list(_units(read_words(text[start:end]), start))


def marked_units(text: str, start: int, end: int) -> list[Unit]:
    """The words of a range with its marks read; an ellipsis at either end says nothing and is dropped."""
    units: list[Unit] = []
    done = start
    for match in _MARK.finditer(text, start, end):
        if match.lastgroup == "letters":
            continue
        units += _words_with_letters(text, done, match.start())
        if match.lastgroup == "omission":
            units.append(Unit("omission", "", *match.span()))
        elif match.lastgroup == "bracket":
            content = tuple(plain_units(text, match.start() + 1, match.end() - 1))
            if content:
                units.append(Unit("bracket", "", *match.span(), content))
        done = match.end()
    units += _words_with_letters(text, done, end)
    while units and units[0].kind == "omission":
        units.pop(0)
    while units and units[-1].kind == "omission":
        units.pop()
    return units


def _units(words: Words, offset: int) -> Iterator[Unit]:
    for form, start, end in zip(words.forms, words.starts.tolist(), words.ends.tolist(), strict=True):
        yield Unit("word", form, start + offset, end + offset)


def _words_with_letters(text: str, start: int, end: int) -> Iterator[Unit]:
    """The words of a range in which single letters may stand in brackets: "[T]he" is one word."""
    found = [match.span() for match in re.finditer(_LETTERS, text[start:end])]
    if not found:
        yield from _units(read_words(text[start:end]), start)
        return
    dropped = {place for a, b in found for place in (a, b - 1)}
    places = [n for n in range(end - start) if n not in dropped]
    words = read_words("".join(text[start + n] for n in places))
    for form, a, b in zip(words.forms, words.starts.tolist(), words.ends.tolist(), strict=True):
        first, last = places[a], places[b - 1]
        inside = next(((x, y) for x, y in found if x <= last and y > first), None)
        kept = None
        if inside is not None:
            before = sum(1 for n in places[a:b] if n < inside[0])
            behind = sum(1 for n in places[a:b] if n >= inside[1])
            kept = (form[:before], form[len(form) - behind :] if behind else "")
            first, last = min(first, inside[0]), max(last, inside[1] - 1)
        yield Unit("word", form, start + first, start + last + 1, kept=kept)

"""Note markers that writers set by hand: numbers in brackets or raised.

Left out: the markers that a format itself knows (footnotes of Markdown and Word).
"""

from __future__ import annotations

import re
from array import array

from eunato_rag.citing.manuscripts.prose import Prose

_BRACKETED = r"\[\d{1,3}(?:\s?[,–-]\s?\d{1,3})*\]"
_RAISED = "[⁰¹²³⁴-⁹]+(?:[,–-][⁰¹²³⁴-⁹]+)*"
_MARKER = re.compile(
    rf"(?:(?<=[^\s\[(])|[ ](?={_BRACKETED}(?:[.,;:!?)\]”’\"']|$))|(?<=[.!?”’\"')])[ ]){_BRACKETED}"
    rf"|(?:(?<=[^\s\d])|(?<=\b(?:19|20)\d\d)){_RAISED}"
)
_NOTE = re.compile(rf"(?:{_BRACKETED}|{_RAISED})\s")
_UNIT = re.compile(r"(?<![^\W\d_])(?:[kcdm]?m|ft|mi|in|yd)$")
_DIGITS = re.compile(r"\d+(?:[,–-]\d+)*")
_UP = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def raised(text: str) -> str:
    """Text that a format raises, as raised digits where it is nothing but numbers; as long as before."""
    return text.translate(_UP) if _DIGITS.fullmatch(text) else text


def highest(text: str) -> int:
    """The highest number in brackets that a text has, as a marker or at the beginning of a note; 0 where there is none."""
    return max((int(number) for match in re.finditer(_BRACKETED, text) for number in re.findall(r"\d+", match[0])), default=0)


def is_note(prose: Prose) -> bool:
    """Whether a block begins as a note of the writer's own does, `[1] Smith` or `¹ Smith`."""
    return _NOTE.match(prose.text) is not None


def hide_markers(prose: Prose) -> None:
    """Take the markers out of what is read: raised numbers behind a word that is no unit (km²), and numbers in brackets.

    A number in brackets between two words, "agreed by [15] states", is an insertion of the writer's and stays.
    """
    text = prose.text
    done = 0
    chars: list[str] = []
    starts, ends = array("l"), array("l")
    for match in _MARKER.finditer(text):
        start, end = match.span()
        if "[" not in match[0] and _UNIT.search(text, max(0, start - 3), start):
            continue
        prose.mark(prose.starts[start], prose.ends[end - 1])
        chars += text[done:start]
        starts += prose.starts[done:start]
        ends += prose.ends[done:start]
        done = end
    if done:
        prose.replace([*chars, *text[done:]], starts + prose.starts[done : len(text)], ends + prose.ends[done : len(text)])

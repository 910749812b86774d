"""What a model writes, as it comes -> sentences with the numbers they cite, each handed out once it is surely whole.

A sentence is whole when the next one has begun: a mark of citation may follow its full stop. Markdown, bullets,
invisible characters and a model's thinking aloud are taken off. Left out: whether a sentence is true (verification).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eunato_rag.sentences import sentence_spans

_MARK = r"[\[【](?:\^|passages?|sources?)?\s*(\d{1,3}(?:\s*(?:[,;–-]|and|&)\s*\d{1,3})*)\s*(?:†[^\]】]*)?[\]】]"
_MARKS = re.compile(rf"\s*{_MARK}", re.IGNORECASE)
_AFTER_STOP = re.compile(rf"([.!?…]+[\"”’')]*)((?:\s*{_MARK})+)", re.IGNORECASE)
_OPEN_MARK = re.compile(r"\s*[\[【][^\]】]{0,20}$")
_HIDDEN = re.compile("[\ud800-\udfff\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_BULLET = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)])\s+")
_MARKDOWN = re.compile(r"\*\*|__|`|^\s*#+\s+|^\s*>\s+")
_THINKING = re.compile(r"\s*<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL)
_FINAL = re.compile(r"[.!?:…]+[\"”’')]*$")


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence without its marks, the numbers that they cite, and whether it begins a line."""

    text: str
    cited: tuple[int, ...]
    new_line: bool = False

    def marked(self, numbers: list[int]) -> str:
        """The sentence with these numbers before its final mark."""
        final = _FINAL.search(self.text)
        at = final.start() if final else len(self.text)
        return f"{self.text[:at]}{' ' if numbers else ''}{''.join(f'[{number}]' for number in numbers)}{self.text[at:]}"


class Cutter:
    """Takes pieces of text and gives whole sentences."""

    def __init__(self) -> None:
        self._text, self._new_line, self._line_began = "", False, False
        self._thinking: str | None = ""

    def feed(self, piece: str) -> Iterator[Written]:
        """The sentences that are whole now."""
        self._take(piece)
        while "\n" in self._text:
            line, _, self._text = self._text.partition("\n")
            yield from self._sentences(line, whole=True)
            self._new_line, self._line_began = True, False
        yield from self._sentences(self._text, whole=False)

    def close(self) -> Iterator[Written]:
        """What is left, which ends with the text."""
        if self._thinking:
            self._text, self._thinking = _THINKING.sub("", self._thinking), None
        rest, self._text = self._text, ""
        for line in rest.split("\n"):
            yield from self._sentences(line, whole=True)
            self._new_line, self._line_began = True, False

    def _take(self, piece: str) -> None:
        """Lay aside what a model thinks aloud before it answers, within <think> tags."""
        if self._thinking is None:
            self._text += piece
            return
        self._thinking += piece
        begun = self._thinking.lstrip()
        if "<think".startswith(begun[:6]) and "</think" not in begun:
            return
        self._text, self._thinking = _THINKING.sub("", self._thinking), None

    def _sentences(self, line: str, *, whole: bool) -> Iterator[Written]:
        if not self._line_began:
            line = _BULLET.sub("", line)
        line = _AFTER_STOP.sub(lambda found: f" {found[2].strip()}{found[1]}", line)
        spans = sentence_spans(line) if line.strip() else []
        ready = spans if whole else spans[:-1] if spans and _begun(line[spans[-1][0] :]) else spans[:-2]
        for start, end in ready:
            yield from self._written(line[start:end])
        self._line_began = self._line_began or bool(ready)
        if not whole:
            self._text = line[ready[-1][1] :] if ready else line

    def _written(self, sentence: str) -> Iterator[Written]:
        cited = dict.fromkeys(number for found in _MARKS.finditer(sentence) for number in _numbers(found[1]))
        text = _MARKDOWN.sub("", _HIDDEN.sub("", _MARKS.sub("", sentence)))
        text = " ".join(text.split())
        if any(character.isalnum() for character in text):
            yield Written(text, tuple(cited), self._new_line)
            self._new_line = False


def _begun(sentence: str) -> bool:
    """Whether this is a sentence for sure: a mark of the one before, or half a word, may still become something else."""
    return not _OPEN_MARK.match(sentence) and len(sentence.split()) > 1


def _numbers(marked: str) -> Iterator[int]:
    """`1, 3` and `1-3`; a range that runs backwards or far is no range."""
    for part in re.split(r"[,;&]|and", marked):
        ends = [int(number) for number in re.findall(r"\d+", part)]
        if len(ends) == 2 and 0 <= ends[1] - ends[0] < 10:
            yield from range(ends[0], ends[1] + 1)
        else:
            yield from ends

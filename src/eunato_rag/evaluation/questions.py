"""Questions with their judgements, and the project's own sets: questions.jsonl and conversations.jsonl.

A judgement is a document and a range of its canonical text, so it outlives any change of chunking. Collections made
by others judge whole documents or pages instead. Left out: where those come from (collections) and what an answer
makes of a question (running).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from eunato_rag.errors import CorpusError
from eunato_rag.records import Document, Turn

QUESTIONS, CONVERSATIONS = "questions.jsonl", "conversations.jsonl"

Half = Literal["fitted", "held-out"]
HALVES: tuple[Half, ...] = ("fitted", "held-out")

_FIELDS = {"id", "kind", "question", "all", "standalone", "conversation"}


@dataclass(frozen=True, slots=True)
class Judgement:
    """A range of a document that answers a question, with its words for people to read."""

    document: str
    start: int
    end: int
    quote: str

    def held_by(self, document: Document, start: int, end: int) -> bool:
        """Whether a passage or citation at this range finds the judgement: it holds at least half of it."""
        shared = min(end, self.end) - max(start, self.start)
        return document.id == self.document and 2 * shared >= self.end - self.start

    def touched_by(self, document: Document, start: int, end: int) -> bool:
        """Whether the range holds any of it."""
        return document.id == self.document and start < self.end and self.start < end


@dataclass(frozen=True, slots=True)
class WholeDocument:
    """A document that answers a question, nobody says where."""

    document: str

    def held_by(self, document: Document, start: int, end: int) -> bool:
        return document.id == self.document

    touched_by = held_by


@dataclass(frozen=True, slots=True)
class WholePage:
    """A page that answers a question, by its physical number from 1; what stands on it in part counts."""

    document: str
    page: int

    def held_by(self, document: Document, start: int, end: int) -> bool:
        on_page = (span for span in document.pages if span.page.number == self.page)
        return document.id == self.document and any(span.start < end and start < span.end for span in on_page)

    touched_by = held_by


Evidence = Judgement | WholeDocument | WholePage


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its evidence, each item of which answers it; with `all`, every item is needed.

    `answerable` is None where neither an answer nor a refusal is plainly right. `relevant` grades whole documents for
    measures of retrieval. A follow-up has the turns before it in `history`, or is one of a `conversation`, named by
    its id, whose earlier turns are the earlier questions of that id and what the service says to them; `standalone`
    is what it means on its own, where somebody wrote that down.
    """

    id: str
    kind: str
    question: str
    evidence: tuple[Evidence, ...]
    all: bool = False
    answerable: bool | None = None
    relevant: Mapping[str, int] = field(default_factory=dict)
    history: tuple[Turn, ...] = ()
    conversation: str = ""
    standalone: str | None = None

    @property
    def half(self) -> Half:
        """Thresholds and weights are fitted on one half of the questions and reported on the other; the id decides.

        A conversation is never divided: its own id decides for all its turns.
        """
        return "fitted" if hashlib.sha256((self.conversation or self.id).encode()).digest()[0] % 2 else "held-out"


def read_questions(folder: Path) -> list[Question]:
    """The questions of `questions.jsonl` in a folder.

    Raises:
        CorpusError: no such file, or a line that is not a question.
    """
    path = folder / QUESTIONS
    return _distinct(path, ((number, _question(path, number, row)) for number, row in read_rows(path)))


def read_conversations(folder: Path) -> list[Question]:
    """The turns of `conversations.jsonl` in a folder, in order, each as a question of its conversation.

    Raises:
        CorpusError: no such file, or a line that is no conversation.
    """
    path = folder / CONVERSATIONS
    found = []
    for number, row in read_rows(path):
        name, turns = row.get("id"), row.get("turns")
        if not isinstance(name, str) or not isinstance(turns, list) or not turns or set(row) != {"id", "turns"}:
            raise CorpusError(f"{path}, line {number}, is no conversation: it needs an id and turns, and nothing else")
        for place, turn in enumerate(turns, 1):
            if not isinstance(turn, dict):
                raise CorpusError(f"{path}, line {number}, is no conversation: turn {place} is no object")
            found.append((number, _question(path, number, {**turn, "id": f"{name}.{place}", "conversation": name})))
    return _distinct(path, found)


def sample(questions: Sequence[Question], limit: int) -> list[Question]:
    """That many of the questions, evenly spaced; all of them for 0. A conversation counts as one and stays whole."""
    threads: dict[str, list[Question]] = {}
    for question in questions:
        threads.setdefault(question.conversation or question.id, []).append(question)
    whole = list(threads.values())
    if not 0 < limit < len(whole):
        return list(questions)
    return [question for n in range(limit) for question in whole[n * len(whole) // limit]]


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with one in each line, with the number of the line; empty lines count and are passed over.

    Raises:
        CorpusError: the file cannot be read, or a line is no JSON object.
    """
    try:
        lines = path.read_text("utf-8").split("\n")  # not splitlines: JSON may hold other line separators
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read: {error}. It should be UTF-8, one JSON object a line.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CorpusError(f"{path}, line {number}, is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise CorpusError(f"{path}, line {number}, is no JSON object, but {line[:40]!r}")
        yield number, row


def text_of(path: Path, number: int, row: Mapping[str, Any], name: str) -> str:
    """A field of a row that must be text and not empty.

    Raises:
        CorpusError: it is not.
    """
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise CorpusError(f"{path}, line {number}: {name!r} should be text, but is {value!r}")
    return value


def _question(path: Path, number: int, row: Mapping[str, Any]) -> Question:
    for name in ("id", "kind", "question"):
        text_of(path, number, row, name)
    try:
        fields = dict(row)
        evidence = tuple(_judgement(judged) for judged in fields.pop("evidence"))
        if unknown := set(fields) - _FIELDS:
            raise ValueError(f"unknown are {', '.join(sorted(unknown))}")
        return Question(evidence=evidence, answerable=bool(evidence), **fields)
    except (TypeError, KeyError, ValueError) as error:
        raise CorpusError(f"{path}, line {number}, is no question: {error}") from error


def _judgement(row: Mapping[str, Any]) -> Judgement:
    judgement = Judgement(**row)
    if not 0 <= judgement.start < judgement.end:
        raise ValueError(f"the range {judgement.start}..{judgement.end} holds nothing")
    return judgement


def _distinct(path: Path, questions: Iterable[tuple[int, Question]]) -> list[Question]:
    found: dict[str, Question] = {}
    for number, question in questions:
        if question.id in found:
            raise CorpusError(f"{path}, line {number}: the id {question.id!r} stands twice")
        found[question.id] = question
    return list(found.values())

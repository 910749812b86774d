"""The writer: a language model's prose, of which a reader sees the sentences that the cited passages say, and no other.

Sentences are verified as they come. From the first that fails on, what follows is held back, since order matters; the
failed ones are written once more, verified again, and else left out. If nothing is left, the extracted answer stands.
Left out: how the model is reached (endpoint), told (prompting) and cut (prose); when a sentence holds (verification).
"""

from __future__ import annotations

import re
import time
from collections import abc
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from eunato_rag.answering.endpoint import ChatModel, Messages
from eunato_rag.answering.grounding import ABSTENTION, nearest
from eunato_rag.answering.prompting import DROP, NOT_ANSWERED, answering, rewriting_question, rewriting_sentences
from eunato_rag.answering.prose import Cutter, Written
from eunato_rag.errors import GenerationError
from eunato_rag.evidence.claims import read_claim
from eunato_rag.evidence.verification import Source, Thresholds, Verdict, Verifier
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Answer, Citation, Cited, Event, Said, Troubled, Turn, Waiting

MAX_SENTENCES = 40
MAX_SENTENCE = 1000
"""Characters."""
MAX_REWRITTEN = 400
"""Characters of a rewritten question."""

UNREACHED = "The language model could not be used; these are sentences of the corpus."
UNPROVED = "The passages do not say what the language model wrote; these are sentences of the corpus."
STOPPED = "The language model stopped before its end."
LEFT_OUT = "What the language model wrote beyond this was left out, because the cited passages do not say it."
NO_ANSWER = "The language model found no answer in the passages."

_LISTED = re.compile(r"^\W{0,3}(\d{1,2})\s*[).:\]]\s*(.*)$", re.MULTILINE)
_LABEL = re.compile(r"^(?:(?:standalone |rewritten |last )?question\s*:\s*)+", re.IGNORECASE)

Steps = abc.Generator[Event, None, Answer]


class Generator:
    """Writes answers with one language model. Safe to share between threads.

    `prompt_tokens` bounds what is sent for an answer, `seconds` how long one answer may take, all attempts together.
    """

    def __init__(
        self, model: ChatModel, *, prompt_tokens: int = 6000, seconds: float = 60.0, thresholds: Thresholds = Thresholds()
    ) -> None:
        self._model, self._prompt_tokens, self._seconds, self._thresholds = model, prompt_tokens, seconds, thresholds

    def write(self, snapshot: Snapshot, embedder: Embedder, question: str, extracted: Answer) -> Steps:
        """Tells what is said as it is verified, and returns the answer; where the model is of no use, the extracted one, untold."""
        until = time.monotonic() + self._seconds
        sources = _sources(snapshot, extracted)
        messages, given = answering(question, sources, self._prompt_tokens)
        if not given:
            yield Troubled(f"No passage fits into {self._prompt_tokens} tokens of prompt.")
            return replace(extracted, notice=UNREACHED)
        page = _Page(Verifier(snapshot.keywords, embedder, self._thresholds), sources[:given])
        held: list[tuple[Written, Verdict]] = []
        said: list[str] = []
        notice = None
        try:
            with closing(self._written(messages, until, said)) as sentences:
                for sentence in sentences:
                    if sentence is None:
                        yield Waiting()
                    elif sentence.text.startswith(NOT_ANSWERED):
                        if not page.text and not held:
                            yield Said(ABSTENTION)
                            return self._abstained(extracted)
                    elif page.is_new(sentence):
                        verdict = page.judge(sentence)
                        if verdict.reason or held:
                            held.append((sentence, verdict))
                        else:
                            yield from page.add(sentence, verdict)
            if not "".join(said).strip():
                raise GenerationError("The language model's answer is empty.")
        except GenerationError as error:
            notice = STOPPED
            yield Troubled(str(error))
        yield from self._finish(page, held, messages, "".join(said), 0.0 if notice else until)
        if not page.text:
            return replace(extracted, notice=UNREACHED if notice else UNPROVED)
        notice = notice or (LEFT_OUT if page.left_out else None)
        return replace(
            extracted, text=page.text, citations=tuple(page.citations), model={"name": self._model.endpoint.model}, notice=notice
        )

    def rewrite(self, question: str, history: Sequence[Turn]) -> str | None:
        """The question as it would be put without its conversation; None where the model fails or brings in something new."""
        until = time.monotonic() + min(self._seconds / 3, 15.0)
        try:
            with closing(self._model.pieces(rewriting_question(question, history), until)) as pieces:
                said = "".join(pieces)
        except GenerationError:
            return None
        lines = [line.strip(" \t\"“”'*`") for line in said.strip().splitlines()]
        rewritten = _LABEL.sub("", lines[0]).strip(" \"“”'") if len(lines) == 1 else ""
        if not any(map(str.isalnum, rewritten)) or len(rewritten) > MAX_REWRITTEN:
            return None
        claim, known = read_claim(rewritten), read_claim("\n".join((*(turn.content for turn in history), question)))
        values = {number.value for number in known.numbers}
        invented = [name for name in claim.names if name.plain not in known.plain]
        return None if invented or any(number.value not in values for number in claim.numbers) else rewritten

    def _written(self, messages: Messages, until: float, said: list[str]) -> abc.Generator[Written | None, None, None]:
        """The sentences of an answer, None while one waits; `said` gets the text as it came."""
        cutter, count = Cutter(), 0
        with closing(self._model.pieces(messages, until)) as pieces:
            for piece in pieces:
                said.append(piece)
                if not piece:
                    yield None
                for sentence in cutter.feed(piece):
                    count += 1
                    yield sentence
                if count >= MAX_SENTENCES:
                    return
        yield from cutter.close()

    def _finish(self, page: _Page, held: Sequence[tuple[Written, Verdict]], messages: Messages, said: str, until: float) -> Iterator[Event]:
        """Add what was held back: what is verified as it is, what failed as it is written again, if that is verified."""
        failed = [n for n, (_, verdict) in enumerate(held) if verdict.reason]
        again: dict[int, list[Written]] = {}
        if failed and until > time.monotonic():
            refused = [(held[n][0].marked(list(held[n][0].cited)), held[n][1].reason) for n in failed]
            reply: list[str] = []
            try:
                with closing(self._model.pieces(rewriting_sentences(messages, said, refused), until)) as pieces:
                    for piece in pieces:
                        reply.append(piece)
                        if not piece:
                            yield Waiting()
            except GenerationError as error:
                yield Troubled(str(error))
            else:
                again = dict(zip(failed, _replacements("".join(reply), [held[n][0] for n in failed]), strict=True))
        for n, (sentence, verdict) in enumerate(held):
            if verdict.runs:
                if page.is_new(sentence):
                    yield from page.add(sentence, verdict)
                continue
            judged = [(other, page.judge(other)) for other in again.get(n, ()) if page.is_new(other)]
            page.left_out += not any(verdict.runs for _, verdict in judged)
            for other, its in judged:
                if its.runs:
                    yield from page.add(other, its)

    def _abstained(self, extracted: Answer) -> Answer:
        return replace(
            extracted,
            status="abstained",
            text=ABSTENTION,
            citations=(),
            nearest=nearest(extracted.hits),
            reason=NO_ANSWER,
            model={"name": self._model.endpoint.model},
        )


class _Page:
    """The answer as it grows."""

    def __init__(self, verifier: Verifier, sources: Sequence[Source]) -> None:
        self._verifier, self._sources = verifier, sources
        self._said: set[str] = set()
        self.text, self.left_out = "", 0
        self.citations: list[Citation] = []

    def is_new(self, sentence: Written) -> bool:
        return sentence.text.casefold() not in self._said

    def judge(self, sentence: Written) -> Verdict:
        """The verdict on a sentence by the passages that it cites."""
        cited = [self._sources[number - 1] for number in sentence.cited if 1 <= number <= len(self._sources)]
        if not cited:
            wrong = f"there is no passage [{sentence.cited[0]}]" if sentence.cited else "it cites no passage"
            return Verdict(reason=wrong)
        if len(sentence.text) > MAX_SENTENCE:
            return Verdict(reason="it is too long to be compared with its passages")
        return self._verifier.verify(sentence.text, cited)

    def add(self, sentence: Written, verdict: Verdict) -> Iterator[Event]:
        """The sentence with numbers of its own, one for each quotation."""
        runs = list({(run.source.document.id, run.span): run for run in verdict.runs}.values())
        numbers = [len(self.citations) + n for n in range(1, len(runs) + 1)]
        lead = ("\n" if sentence.new_line else " ") if self.text else ""
        marked = sentence.marked(numbers)
        start = len(self.text) + len(lead)
        self.text += lead + marked
        self._said.add(sentence.text.casefold())
        yield Said(lead + marked)
        for number, run in zip(numbers, runs, strict=True):
            place = run.source.document.locate(*run.span)
            citation = Citation(number, (start, start + len(marked)), run.source.passage, run.text, place)
            self.citations.append(citation)
            yield Cited(citation)


def _sources(snapshot: Snapshot, extracted: Answer) -> list[Source]:
    """What the extracted answer cites, then the other passages that were found, best first."""
    passages = (*(citation.passage for citation in extracted.citations), *(hit.passage for hit in extracted.hits))
    once = {passage.id: passage for passage in passages}
    return [Source(passage, snapshot.catalogue.document(passage.document_id)) for passage in once.values()]


def _replacements(reply: str, refused: Sequence[Written]) -> list[list[Written]]:
    """For each refused sentence those that the reply puts in its place; they cite what it cited if they cite nothing."""
    found: list[list[Written]] = [[] for _ in refused]
    lines = _LISTED.findall(reply) or ([("1", reply)] if len(refused) == 1 else [])
    for number, line in lines:
        if not 1 <= int(number) <= len(refused):
            continue
        first, cutter = refused[int(number) - 1], Cutter()
        for sentence in (*cutter.feed(line), *cutter.close()):
            if not sentence.text.startswith((DROP, NOT_ANSWERED)):
                found[int(number) - 1].append(Written(sentence.text, sentence.cited or first.cited, first.new_line))
    return found

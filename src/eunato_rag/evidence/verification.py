"""Whether the cited passages say what a written sentence says; if so, the quotations that do.

A sentence stands on a run of one to three sentences of a passage when nothing in it contradicts the run
(contradictions.py), when the run holds enough of its words, rare ones first, and when it still means the same without
the words that the run does not hold. Thresholds were fitted on half of a list of paraphrases and altered statements
(docs/decisions.md). Left out: entailment proper; what needs an inference that shares no words with the text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from eunato_rag.evidence.claims import Claim, Word, read_claim
from eunato_rag.evidence.contradictions import contradiction
from eunato_rag.evidence.lexicon import LIGHT, NEGATORS, QUANTIFIERS
from eunato_rag.indexing.embedding import Embedder, Vectors
from eunato_rag.indexing.keywords import Vocabulary, analyse
from eunato_rag.records import Document, Passage

MOST_SENTENCES = 3
"""Sentences of one quotation."""

REMEMBERED = 4096
"""Texts whose vectors a verifier keeps: sentences of the corpus and words come back in one draft after the other."""

WINDOW = 12
"""Words on either side of one that the evidence does not hold, whose meaning must stay without it."""

_LEANS = re.compile(
    r"^(?:this|that|these|those|it|they|he|she|its|their|both|however|(?:in|at) the same|the (?:initiative|former|latter|same))\b|\bsuch\b",
    re.IGNORECASE,
)
_COMMANDS = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,60}\b(?:instruction|prompt|rule|question|passage|above|previous)"
    r"|\b(?:system|developer) prompt\b|\b(?:ai|language) (?:model|assistant)s?\b|\bchat ?(?:bot|gpt)\b|^\W*(?:system|assistant|user)\W*:"
    r"|(?:^|[:;,.!]\s)\W*(?:please |now |then |instead,? )*(?:say|tell|write|answer|reply|respond|repeat|output|print|pretend)\W+"
    r"(?:that|with|exactly|only|this|back|in|to|as|everyone|users?|readers?|the (?:following|users?|readers?)|[\"“‘'])",
    re.IGNORECASE,
)
"""Sentences that address whoever reads them by machine. What they tell somebody to say, they do not state."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How much of a sentence must be said, in 0..1; fitted.

    `covered` is the least share of its terms, by rarity, that the evidence holds; `kept` the least cosine between the
    sentence and what is left of it without the words that the evidence does not hold; `kin` the least cosine between two
    words of which one stands in the place of the other. `share` is what each sentence of
    a run, and each passage beside another, must hold alone; `nearly` how far from the best run another is still tried.
    """

    covered: float = 0.45
    kept: float = 0.948
    kin: float = 0.425
    share: float = 0.15
    nearly: float = 0.15


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that may be cited, with its document."""

    passage: Passage
    document: Document


@dataclass(frozen=True, slots=True)
class Run:
    """One to three sentences of a passage, one after the other."""

    source: Source
    sentences: tuple[tuple[int, int], ...]

    @property
    def span(self) -> tuple[int, int]:
        return self.sentences[0][0], self.sentences[-1][1]

    @property
    def text(self) -> str:
        return self.source.document.text[slice(*self.span)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The runs that support a sentence, one for each passage that is needed or enough; or why there are none."""

    runs: tuple[Run, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """How far a statement goes beyond a run.

    `kept` is the cosine between the statement and what is left of it without the words that the run does not hold;
    `strange` are such words with those of the run in whose place they stand and with which they have little to do; `words`
    all of them but those that say little.
    """

    kept: float = 1.0
    strange: tuple[tuple[Word, Word], ...] = ()
    words: tuple[Word, ...] = ()


class Verifier:
    """Weighs sentences against passages of one snapshot."""

    def __init__(self, keywords: Vocabulary, embedder: Embedder, thresholds: Thresholds = Thresholds()) -> None:
        self._keywords, self._embedder, self._thresholds = keywords, embedder, thresholds
        self.vector = lru_cache(maxsize=REMEMBERED)(self._vector)

    def verify(self, statement: str, sources: Sequence[Source]) -> Verdict:
        """Whether the sources say what the statement, one sentence without its marks of citation, says.

        Passages that say it each alone are all kept; where none does, those are that say it together.
        """
        claim = read_claim(statement)
        if not self._weight(_content(claim)):
            return Verdict(reason="it says nothing that a passage could support")
        best = [self._alone(claim, source) for source in sources]
        if passed := tuple(run for verdict in best for run in verdict.runs):
            return Verdict(passed)
        together = self._together(claim, sources)
        if together.runs or not best:
            return together
        return Verdict(reason=best[0].reason)

    def _alone(self, claim: Claim, source: Source) -> Verdict:
        """By the run that holds most of the claim, or another that holds nearly as much."""
        runs = self._runs(claim, source)
        if not runs:
            return Verdict(reason="its passage holds nothing that could be quoted")
        reasons = []
        for run in runs:
            if self._coverage(claim, run.text) < self._coverage(claim, runs[0].text) - self._thresholds.nearly:
                break
            reason = self._doubt(claim, (run,))
            if not reason:
                return Verdict((run,))
            reasons.append(reason)
        return Verdict(reason=reasons[0])

    def _together(self, claim: Claim, sources: Sequence[Source]) -> Verdict:
        """By runs of several passages, each chosen for what the others do not hold, and needed for a part."""
        runs = [found[0] for source in sources if (found := self._runs(claim, source))]
        for n, run in enumerate(runs):
            held = frozenset(term for other in runs if other is not run for term in read_claim(other.text).terms)
            runs[n] = self._best(claim, run.source, _content(claim) - held)
        texts = [run.text for run in runs]
        needed = tuple(run for n, run in enumerate(runs) if self._holds_a_part(claim, run.text, texts[:n] + texts[n + 1 :]))
        if len(needed) < 2:
            return Verdict()
        reason = self._doubt(claim, needed)
        return Verdict(reason=reason) if reason else Verdict(needed)

    def _best(self, claim: Claim, source: Source, terms: frozenset[str]) -> Run:
        """The shortest run that holds most of the terms."""

        def holds(run: Run) -> tuple[float, int]:
            return self._weight(terms & frozenset(read_claim(run.text).terms)), -len(run.sentences)

        return max(self._runs(claim, source), key=holds)

    def _doubt(self, claim: Claim, runs: Sequence[Run]) -> str:
        """Why the runs together do not support the claim; "" where they do."""
        evidence = read_claim("\n".join(run.text for run in runs))
        context = read_claim("\n".join(part for run in runs for part in surroundings(run)))
        advice = any((block := run.source.document.block_at(run.span[0])) and block.kind == "list_item" for run in runs)
        if reason := contradiction(claim, evidence, context, advice=advice):
            return reason
        held = frozenset(evidence.terms)
        terms = _content(claim)
        missing = _missing(claim, evidence, context)
        words = ", ".join(repr(word.text) for word in missing[:5])
        if self._weight(terms & held) < self._thresholds.covered * self._weight(terms):
            return f"too little of it is in the evidence; not there: {words}"
        if missing and self._kept(claim, missing) < self._thresholds.kept:
            return f"the evidence does not say {words}"
        strange = next(self._strange(claim, evidence, missing), None)
        return f"the evidence says {strange[1].text!r}, the sentence {strange[0].text!r}" if strange else ""

    def departure(self, statement: str, run: Run) -> Departure:
        """How far a statement goes beyond a run in the words that the run does not hold."""
        claim, evidence = read_claim(statement), read_claim(run.text)
        missing = _missing(claim, evidence, read_claim("\n".join(surroundings(run))))
        if not missing:
            return Departure()
        after = dict(_with_next(claim))
        strange = [(word, other) for word, other in self._strange(claim, evidence, missing) if analyse(word.before) or analyse(after[word])]
        return Departure(self._kept(claim, missing), tuple(strange), tuple(word for word in missing if word.plain not in LIGHT))

    def kinship(self, words: Sequence[Word], statement: str, run: Run) -> float:
        """The mean over words of a statement of their highest cosine with a word that only the run has; 1 for none."""
        terms = frozenset(read_claim(statement).terms)
        others = {word.plain for word in read_claim(run.text).words if word.term and word.term not in terms}
        if not words or not others:
            return 1.0 if not words else 0.0
        theirs = np.stack([self.vector(other) for other in sorted(others)])
        return float(np.mean([np.max(theirs @ self.vector(word.plain)) for word in words]))

    def _strange(self, claim: Claim, evidence: Claim, missing: Sequence[Word]) -> Iterator[tuple[Word, Word]]:
        for word, other in _in_its_place(claim, evidence, missing):
            if float(self.vector(word.plain) @ self.vector(other.plain)) < self._thresholds.kin:
                yield word, other

    def _kept(self, claim: Claim, missing: Sequence[Word]) -> float:
        """The cosine between the words around the missing ones with and without these: a long sentence hides nothing."""
        places = [n for n, word in enumerate(claim.words) if word in missing]
        near = [word for n, word in enumerate(claim.words) if any(abs(n - place) <= WINDOW for place in places)]
        texts = [" ".join(word.text for word in near), " ".join(word.text for word in near if word not in missing)]
        return float(self.vector(texts[0]) @ self.vector(texts[1]))

    def _vector(self, text: str) -> Vectors:
        vector: Vectors = self._embedder.encode_document([text])[0]
        return vector

    def _runs(self, claim: Claim, source: Source) -> list[Run]:
        """The runs of a passage that hang together: those that hold most of the claim first, and of them the shorter."""
        together = [run for run in runs_of(source) if len(run.sentences) == 1 or self._hangs_together(claim, run)]
        return sorted(together, key=lambda run: (-self._coverage(claim, run.text), len(run.sentences), run.span))

    def _hangs_together(self, claim: Claim, run: Run) -> bool:
        """Whether each sentence holds a part of the claim alone, or the next one leans on it."""
        texts = [run.source.document.text[slice(*span)] for span in run.sentences]
        return all(
            (n + 1 < len(texts) and _LEANS.search(texts[n + 1])) or self._holds_a_part(claim, text, texts[:n] + texts[n + 1 :])
            for n, text in enumerate(texts)
        )

    def _holds_a_part(self, claim: Claim, text: str, others: Sequence[str]) -> bool:
        """Whether a text holds a part of the claim that the others do not hold, and more of it than names."""
        terms = _content(claim)
        alone = (terms & frozenset(read_claim(text).terms)) - frozenset(read_claim("\n".join(others)).terms)
        names = frozenset(name.term for name in claim.names)
        return bool(alone - names) and self._weight(alone) >= self._thresholds.share * self._weight(terms)

    def _coverage(self, claim: Claim, text: str) -> float:
        terms = _content(claim)
        return self._weight(terms & frozenset(read_claim(text).terms)) / self._weight(terms)

    def _weight(self, terms: frozenset[str]) -> float:
        return sum(self._keywords.weight(term) for term in terms)


def runs_of(source: Source) -> list[Run]:
    """All runs of a passage's sentences, the short ones first; none with a sentence that tells a machine what to do."""
    document, place = source.document, source.passage.locator
    sentences = list(document.sentences_in(place.start, place.end)) or [(place.start, place.end)]
    usable = [not _COMMANDS.search(document.text[slice(*span)]) for span in sentences]
    return [
        Run(source, tuple(sentences[start : start + length]))
        for length in range(1, MOST_SENTENCES + 1)
        for start in range(len(sentences) - length + 1)
        if all(usable[start : start + length])
    ]


def surroundings(run: Run) -> tuple[str, ...]:
    """What stands around a run and says what it is about: title, authors, headings, the head of a table."""
    document = run.source.document
    authors = (" ".join(str(part) for part in name.values()) for name in document.work.get("author") or ())
    return (" ".join(authors), *document.context(run.span[0]))


def _missing(claim: Claim, evidence: Claim, context: Claim) -> list[Word]:
    """The words of a claim that neither the evidence nor what stands around it holds."""
    terms, held, around = _content(claim), frozenset(evidence.terms), frozenset(context.terms)
    return [word for word in claim.words if word.term in terms and word.term not in held and word.term not in around]


def _in_its_place(claim: Claim, evidence: Claim, missing: Sequence[Word]) -> Iterator[tuple[Word, Word]]:
    """Words with those that stand between the same neighbours in the evidence and are left out in the claim."""
    theirs = {(word.before, after): word for word, after in _with_next(evidence) if word.term not in claim.terms}
    for word, after in _with_next(claim):
        other = theirs.get((word.before, after))
        if word in missing and other is not None and other.term:
            yield word, other


def _with_next(claim: Claim) -> Iterator[tuple[Word, str]]:
    return zip(claim.words, (*(word.plain for word in claim.words[1:]), ""), strict=True)


@lru_cache(maxsize=256)
def _content(claim: Claim) -> frozenset[str]:
    """The terms that evidence can hold; numbers and negators are compared by themselves."""
    apart = NEGATORS | QUANTIFIERS.keys() | {"percent", "percentage"}
    return frozenset(word.term for word in claim.words if word.term and word.plain not in apart)

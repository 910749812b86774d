"""A sentence of a draft against the corpus: supported, contradicted or not found, with the evidence and a plain reason.

Retrieval's best passages are aligned with the sentence word by word; the few runs that hold most of it are weighed. A
sentence is supported where the verification of written answers lets it stand, or where nothing disagrees, hardly a word
is missing and the meaning is near; every number of it must be in the evidence. It is contradicted where something
disagrees and all the rest of it is in the evidence. Thresholds were fitted on half of a list of claims (tests/citing/claims).
Left out: entailment proper; inferences that share no words with the text end as not found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eunato_rag.citing.claims_about import MAX_SENTENCE, Attributed, attributed, claims_nothing, clauses, resolved
from eunato_rag.citing.speakers import issued_year, names_in, speaks_for, years_in
from eunato_rag.evidence.alignment import Aligned, Aligner
from eunato_rag.evidence.claims import Claim, Word, read_claim
from eunato_rag.evidence.entailment import Entailment
from eunato_rag.evidence.findings import Found, find, said_by, seasons
from eunato_rag.evidence.lexicon import LIGHT, NEGATORS, QUANTIFIERS
from eunato_rag.evidence.quantities import unproved, unread
from eunato_rag.evidence.verification import Run, Source, Verifier
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.indexing.snapshot import Snapshot
from eunato_rag.records import Hit, Label

RUNS = 5
"""Runs that are weighed; the rest hold less of the sentence."""

LONGER = 0.05
"""How much more of a sentence a run must hold for each further sentence that it has."""

LEAST_SHARE = 0.4
"""Share below which a run is not embedded: whatever its cosine, it decides nothing."""

LEAST_KIN = 0.25
"""Cosine that any two words have, more or less."""

ABSENT = 0.5
"""Share below which a word counts as one that nothing speaks of, when a writer is told why."""

LEAST_ODDS = 0.5
"""Above this probability a model's word is taken."""

NUMBERS = 0.2
"""What the numbers of a sentence count when runs are chosen, beside 1 for its words."""

NOTHING = "Nothing in the documents speaks of this."
SUPPORTED = "The evidence says this."
DENIED = "The evidence says otherwise."
TOGETHER = "The pieces of evidence say this together."


@dataclass(frozen=True, slots=True)
class Limits:
    """How near a run must come, in 0..1; fitted.

    For support: `said` is the least share of the sentence that a run holds, `both` the least mean of that share and the
    cosine between the two, `clause` the least share of each of its clauses, `kept` how far it must mean the same without
    the words that the run does not hold, `alike` the least sum of that and of how near these words come to others of the
    run; a word is missing below `weak`, and no more than `unsaid` by weight may be. A run
    that shares a sentence with one that disagrees must hold more than that by `veto`. For a contradiction, `same` and
    `about` are `said` and `both` without the words that disagree; from a mean of `sure` on, it stands against what other
    places say. From a mean of `near` on, a run is shown as the nearest.
    """

    said: float = 0.55
    both: float = 0.62
    same: float = 0.6
    about: float = 0.6
    clause: float = 0.5
    kept: float = 0.65
    alike: float = 1.2
    veto: float = 0.05
    sure: float = 0.85
    near: float = 0.5
    weak: float = 0.35
    unsaid: float = 0.3


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the corpus says of a sentence: a label, the runs it rests on, and why, in one sentence for the writer.

    A supported or contradicted sentence has one run or more; one that was not found has none, and in `nearest` the run
    that says most of it, if any comes near.
    """

    label: Label
    runs: tuple[Run, ...]
    why: str
    nearest: Run | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A run with what was found in it: the share of the sentence without what disagrees, and the cosine between the two."""

    aligned: Aligned
    found: Found
    share: float
    near: float
    unsaid: float


class Judge:
    """Judges the sentences of drafts against one snapshot; safe to share between threads.

    `search` gives the best passages for a text, as `Engine.search` does. With a model for entailment, that decides over the
    runs that the rules weighed; but no number that they miss is ever supported.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        embedder: Embedder,
        search: Callable[[str], Sequence[Hit]],
        limits: Limits = Limits(),
        entailment: Entailment | None = None,
    ) -> None:
        self._snapshot, self._embedder, self._search, self._limits = snapshot, embedder, search, limits
        self._entailment = entailment
        self._verifier = Verifier(snapshot.keywords, embedder)

    def judge(self, sentence: str, before: Sequence[str] = ()) -> Judgement | None:
        """The judgement on one sentence, None where it claims nothing; `before` are the sentences that lead up to it."""
        sentence = " ".join(sentence.split())
        if claims_nothing(sentence):
            return None
        if len(sentence) > MAX_SENTENCE:
            return Judgement(
                "not_found", (), f"This is longer than {MAX_SENTENCE:,} characters; it can only be checked sentence by sentence."
            )
        sentence = resolved(sentence, before[-1]) if before else sentence
        said = attributed(sentence)
        sources = self._found(said.core)
        if said.who and (own := [source for source in sources if speaks_for(source.document, said.who)]):
            judged = self._attributed(said, own)
            if judged.label == "supported":
                return judged
            whole = self._of_clauses(sentence, sources, frozenset())
            return whole if whole.label == "supported" else judged
        if said.who:
            return self._of_clauses(sentence, sources, names_in(said.who))
        return self._of_clauses(said.core, sources, frozenset())

    def _attributed(self, said: Attributed, sources: Sequence[Source]) -> Judgement:
        """What a document's author or publisher is said to say, by that document; its year, if one is named, by its record."""
        judged = self._of_clauses(said.core, sources, frozenset())
        years = years_in(said.who)
        year = issued_year(sources[0].document)
        if judged.label == "supported" and years and year is not None and year not in years:
            named = judged.runs[0].source.document
            return Judgement("contradicted", judged.runs, f"The document is of {year}, the draft says {years[0]}: {named.title}.")
        return judged

    def _found(self, text: str) -> list[Source]:
        return [Source(hit.passage, self._snapshot.catalogue.document(hit.passage.document_id)) for hit in self._search(text)]

    def _of_clauses(self, text: str, sources: Sequence[Source], speakers: frozenset[str]) -> Judgement:
        """The judgement on a text; where it does not stand as a whole, on its clauses, each by the passages for it."""
        whole = self._of(text, sources, speakers)
        if whole.label != "not_found" or len(parts := clauses(text)) < 2:
            return whole
        judged = [self._of(part, self._found(part), speakers) for part in parts]
        if all(one.label == "supported" for one in judged):
            runs = tuple({(run.source.document.id, run.span): run for one in judged for run in one.runs}.values())
            return Judgement("supported", runs, " ".join(dict.fromkeys(one.why for one in judged)))
        against = next((one for one in judged if one.label == "contradicted"), None)
        if against is not None:
            return against
        if any(one.label == "supported" for one in judged):
            said, missing = (next(n for n, one in enumerate(judged) if (one.label == "supported") is wanted) for wanted in (True, False))
            return Judgement(
                "not_found", (), f"Only a part is in the documents; nothing says that “{parts[missing]}”.", judged[said].runs[0]
            )
        return whole

    def _of(self, text: str, sources: Sequence[Source], speakers: frozenset[str]) -> Judgement:
        claim = read_claim(text)
        weighed = self._weighed(text, claim, sources)
        if not weighed:
            return Judgement("not_found", (), NOTHING)
        if self._entailment is not None:
            return self._by_model(self._entailment, text, claim, weighed)
        against = max((one for one in weighed if self._contradicts(one, speakers)), key=_strength, default=None)
        says = next((one for one in sorted(weighed, key=_strength, reverse=True) if self._says(text, claim, one, weighed)), None)
        if says is not None and (against is None or _strength(says) >= _strength(against)):
            return Judgement("supported", (says.aligned.run,), SUPPORTED)
        near = {one.aligned.run.source.passage.id: one.aligned.run.source for one in weighed if one.aligned.share() >= LEAST_SHARE}
        verdict = self._verifier.verify(text, list(near.values()))
        runs = tuple(run for run in verdict.runs if against is None or _strength(against) < self._limits.sure or _share(run, against))
        if runs and _numbers_stand(claim, runs):
            return Judgement("supported", runs, SUPPORTED if len(runs) == 1 else TOGETHER)
        unopposed = max((_strength(one) for one in weighed if not one.found.against and not one.found.lacking), default=0.0)
        if against is not None and _strength(against) >= unopposed:
            return Judgement("contradicted", (against.aligned.run,), against.found.against[0])
        return self._not_found(text, claim, weighed)

    def _by_model(self, model: Entailment, text: str, claim: Claim, weighed: Sequence[Weighed]) -> Judgement:
        odds = list(zip(model.weigh(text, [one.aligned.run.text for one in weighed]), weighed, strict=True))
        entails, says = max(odds, key=lambda pair: pair[0].entails)
        denied, against = max(odds, key=lambda pair: pair[0].contradicts)
        if entails.entails > max(LEAST_ODDS, denied.contradicts) and _numbers_stand(claim, (says.aligned.run,)):
            return Judgement("supported", (says.aligned.run,), SUPPORTED)
        if denied.contradicts > LEAST_ODDS:
            why = against.found.against[0] if against.found.against else DENIED
            return Judgement("contradicted", (against.aligned.run,), why)
        return self._not_found(text, claim, weighed)

    def _weighed(self, text: str, claim: Claim, sources: Sequence[Source]) -> list[Weighed]:
        """The runs that hold most of a text, at most two of a passage and each span once, best first."""
        aligner = Aligner(self._snapshot, self._embedder, text)
        once: dict[tuple[str, tuple[int, int]], Aligned] = {}
        for source in sources:
            best = sorted(aligner.align(source), key=lambda one: _worth(claim, one), reverse=True)[:2]
            once |= {(source.document.id, one.run.span): one for one in best}
        chosen = sorted(once.values(), key=lambda one: _worth(claim, one), reverse=True)[:RUNS]
        return [self._weigh(claim, aligner, one) for one in chosen]

    def _weigh(self, claim: Claim, aligner: Aligner, aligned: Aligned) -> Weighed:
        found = find(claim, aligned)
        weak = sum(one.weight for one in aligned.missing(self._limits.weak) if one.word not in found.words)
        total = sum(one.weight for one in aligned.held) or 1.0
        share = aligned.share(found.words)
        near = float(self._verifier.vector(aligned.run.text) @ aligner.vector) if share >= LEAST_SHARE else 0.0
        return Weighed(aligned, found, share, near, weak / total)

    def _says(self, text: str, claim: Claim, one: Weighed, weighed: Sequence[Weighed]) -> bool:
        """Whether a run says the sentence; what costs no embedding is asked first."""
        limits = self._limits
        if (
            one.found.against
            or one.found.lacking
            or one.found.doubts
            or one.unsaid > limits.unsaid
            or one.share < limits.said
            or _strength(one) < limits.both
        ):
            return False
        if one.aligned.poorest() < limits.clause or not _numbers_stand(claim, (one.aligned.run,)):
            return False
        if any(other.share >= one.share - limits.veto and _vetoes(other, one) for other in weighed):
            return False
        beyond = self._verifier.departure(text, one.aligned.run)
        if beyond.strange or beyond.kept < limits.kept:
            return False
        if beyond.kept + LEAST_KIN >= limits.alike:  # so that no word need be compared with another
            return True
        return beyond.kept + self._verifier.kinship(beyond.words, text, one.aligned.run) >= limits.alike

    def _contradicts(self, one: Weighed, speakers: frozenset[str]) -> bool:
        limits = self._limits
        if not one.found.against or one.found.lacking or any(word.plain in speakers for word in one.found.words):
            return False
        return one.share >= limits.same and _strength(one) >= limits.about

    def _not_found(self, text: str, claim: Claim, weighed: Sequence[Weighed]) -> Judgement:
        """With what is nowhere, a name first; else with what the nearest run says otherwise, or lacks."""
        best = max(weighed, key=_strength)
        words = _content(claim)
        nowhere = [word for word in words if not self._snapshot.keywords.share(word.term)]
        if names := [word.text for word in nowhere if word in claim.names]:
            return Judgement("not_found", (), f"Nothing in the documents mentions {_listed(names[:3])}.", self._nearest(best))
        nearest = self._nearest(best)
        if nearest is None:
            absent = [word.text for word in nowhere][:3]
            return Judgement("not_found", (), f"Nothing in the documents mentions {_listed(absent)}." if absent else NOTHING)
        if told := best.found.lacking or best.found.against or best.found.doubts:
            return Judgement("not_found", (), told[0].replace("The evidence", "The nearest evidence"), nearest)
        if strange := self._verifier.departure(text, nearest).strange:
            word, other = strange[0]
            return Judgement("not_found", (), f"The nearest evidence says “{other.text}” where the draft says “{word.text}”.", nearest)
        poor = sorted(best.aligned.missing(ABSENT), key=lambda one: one.share - (one.word in nowhere))
        missing = list(dict.fromkeys(one.word.text for one in poor if one.word.plain not in LIGHT))[:3]
        why = f"The nearest evidence says nothing of {_listed(missing)}." if missing else "The nearest evidence says something else."
        return Judgement("not_found", (), why, nearest)

    def _nearest(self, best: Weighed) -> Run | None:
        return best.aligned.run if _strength(best) >= self._limits.near else None


def _worth(claim: Claim, one: Aligned) -> float:
    """What a run promises: the share of the words that it holds and of the numbers, less for each further sentence."""
    evidence = read_claim(one.run.text)
    values = {number.value for number in evidence.numbers}
    held = sum(number.value in values for number in claim.numbers) / max(1, len(claim.numbers))
    return one.share() + NUMBERS * held - LONGER * (len(one.run.sentences) - 1)


def _share(run: Run, other: Weighed) -> bool:
    """Whether two runs have a sentence in common."""
    its = other.aligned.run
    return run.source.document.id == its.source.document.id and not set(run.sentences).isdisjoint(its.sentences)


def _vetoes(other: Weighed, one: Weighed) -> bool:
    """Whether a run that shares a sentence disagrees, or a part of the run at least doubts."""
    if other.found.lacking or not _share(one.aligned.run, other):
        return False
    part = set(other.aligned.run.sentences) < set(one.aligned.run.sentences)
    return bool(other.found.against) or (part and bool(other.found.doubts))


def _strength(one: Weighed) -> float:
    """How surely a run speaks of the same: the mean of the share of the sentence that it holds and of the cosine of the two."""
    return (one.share + one.near) / 2


def _numbers_stand(claim: Claim, runs: Sequence[Run]) -> bool:
    """Whether every number of the claim, and every season, is in the runs."""
    sentences = [sentence for run in runs for sentence in said_by(run)]
    evidence = read_claim("\n".join(sentences))
    return not unproved(claim, sentences) and not seasons(claim, evidence) and all(code in evidence.plain for code in unread(claim))


def _content(claim: Claim) -> list[Word]:
    """The content words that a document could hold, names first, each once."""
    names = {name.plain for name in claim.names}
    apart = NEGATORS | QUANTIFIERS.keys() | LIGHT | {"cent", "percent"}
    words = {word.term: word for word in claim.words if word.term and word.plain not in apart}
    return sorted(words.values(), key=lambda word: word.plain not in names)


def _listed(words: Sequence[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]

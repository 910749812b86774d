"""Asking: what is found, what is cited, and what a conversation has before it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.engine import Engine
from eunato_rag.errors import CorpusError, EmptyCorpus
from eunato_rag.evaluation import Collection, Judgement, Question, index_collection, index_folder, read_collection, run
from eunato_rag.evaluation.questions import WholePage
from eunato_rag.evaluation.running import _cited_by_sentence
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.records import Answer, Citation, Locator, Passage, Turn
from eunato_rag.tokens import count_tokens
from tests.conftest import WordEmbedder
from tests.evaluation.conftest import ITEMS, QRELS, QUERIES, Write
from tests.ingestion.test_pdf import HARBOUR, drawn, lines

Open = Callable[[Collection], Engine]

FIRST = "The brig Aurora sank in 1871."


@pytest.fixture
def open_collection(tmp_path: Path, embedder: WordEmbedder) -> Open:
    """The engine for a collection, indexed in a folder of its own."""

    def opened(collection: Collection) -> Engine:
        index_collection(collection, tmp_path / "work", embedder, Chunking())
        return Engine.open(tmp_path / "work", embedder)

    return opened


class Listener(Engine):
    """Notes what it was asked with, and takes the last turn's words along as a standalone question would."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.snapshot, engine.embedder)
        self.heard: list[tuple[str, tuple[Turn, ...]]] = []

    def ask(self, question: str, *, history: Sequence[Turn] = (), **more: Any) -> Answer:
        self.heard.append((question, tuple(history)))
        standalone = " ".join([*(turn.content for turn in history[:1]), question])
        return replace(super().ask(standalone, **more), question=question, standalone_question=standalone)


class Scripted(Engine):
    """Says two sentences about the brig, and one about a bird, whatever it is asked."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.snapshot, engine.embedder)

    def ask(self, question: str, **more: Any) -> Answer:
        text = "The brig Aurora sank in 1871 [1]. Her anchor was found by divers [1]. It weighs a hundred grams [2]."
        cited = [(1, (0, 69), "ships", (0, 61)), (2, (70, 100), "birds", (41, 67))]
        citations = tuple(Citation(n, span, *self._quoted(document, *place)) for n, span, document, place in cited)
        return Answer(question, question, "answered", text, citations, self.search(question, top_k=2), self.snapshot.id)

    def _quoted(self, document: str, start: int, end: int) -> tuple[Passage, str, Locator]:
        passage = self.snapshot.catalogue.passages_of(document)[0]
        return passage, self.document(document).text[start:end], Locator(start, end)


def test_an_answer_is_set_beside_its_evidence(squad: Path, open_collection: Open) -> None:
    """Which documents were found, what is cited, and how much beyond the sentence that holds the answer."""
    collection = read_collection(squad)
    told: list[tuple[int, int]] = []
    engine = Scripted(open_collection(collection))
    first, second, third = run(engine, collection.questions, lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert (first.found.ranks, first.found.documents[0], set(first.found.documents)) == ((1,), "ships", {"ships", "trees", "birds"})
    assert (first.cited, first.supporting, first.supported, first.verified) == (1, (True, False), (True, True, False), True)
    beyond = count_tokens("Her anchor was found by divers.") + count_tokens("It weighs a hundred grams.")
    assert (first.beyond, first.tokens) == (beyond, beyond + count_tokens(FIRST))
    assert (second.cited, second.supporting, second.beyond) == (0, (False, False), second.tokens)
    assert (third.answered, third.cited, third.found.documents) == (True, 0, ())


def test_a_real_answer_is_verified(squad: Path, open_collection: Open) -> None:
    """And its evidence cited."""
    collection = read_collection(squad)
    first, *_ = run(open_collection(collection), collection.questions[:1])
    assert (first.cited, first.verified, any(first.supporting)) == (1, True, True)


def test_passages_alone_make_no_answers(beir: Path, open_collection: Open) -> None:
    """The documents in order, and nothing else."""
    collection = read_collection(beir)
    outcomes = run(open_collection(collection), collection.questions, answers=collection.answers)
    assert [(o.answer, o.found.documents[0]) for o in outcomes] == [(None, "ships"), (None, "trees")]


def test_a_long_document_leaves_room_for_ten(write: Write, open_collection: Open) -> None:
    """A document stands where its best passage does, however many it has."""
    long = " ".join(f"The harbour of town number {n} is deep and holds many a ship of the northern line in winter." for n in range(120))
    items = [{"id": "long", "title": "Harbours", "text": long}]
    items += [{"id": f"d{n}", "title": "Note", "text": f"A harbour is named in note {n}."} for n in range(12)]
    queries, qrels = [{"id": "q1", "text": "deep harbour of the northern line"}], "q\td\ts\nq1\tlong\t1\n"
    collection = read_collection(write("long", corpus_jsonl=items, queries_jsonl=queries, qrels_tsv=qrels))
    engine = open_collection(collection)
    assert {hit.passage.document_id for hit in engine.search(queries[0]["text"], top_k=10)} == {"long"}
    (outcome,) = run(engine, collection.questions, answers=False)
    assert outcome.found.documents[0] == "long"
    assert len(outcome.found.documents) == 13


def test_a_follow_up_is_asked_with_what_came_before(write: Write, open_collection: Open) -> None:
    """Its bare words and its meaning on its own are searched for too, to compare."""
    history = [{"role": "user", "text": "Tell me of the brig Aurora."}, {"role": "agent", "text": "Gladly."}]
    queries = [{"id": "q1", "text": "When did she sink?", "history": history}]
    answers = [{"id": "q1", "answerability": "ANSWERABLE", "gold_passages": ["ships"]}]
    collection = read_collection(write("talk", corpus_jsonl=ITEMS, queries_jsonl=queries, answers_jsonl=answers))
    engine = Listener(open_collection(collection))
    question = replace(collection.questions[0], standalone="When did the brig Aurora sink?")
    (outcome,) = run(engine, [question])
    assert engine.heard == [("When did she sink?", (Turn("user", "Tell me of the brig Aurora."), Turn("assistant", "Gladly.")))]
    assert outcome.raw is not None
    assert outcome.gold is not None
    assert outcome.found.documents[0] == outcome.gold.documents[0] == "ships"


def test_a_conversation_goes_on_from_what_was_answered(beir: Path, open_collection: Open) -> None:
    """Each turn hears the earlier questions of its conversation and the answers to them, and none of another."""
    engine = Listener(open_collection(read_collection(beir)))
    asked = [("a.1", "How long does an oak live?", "a"), ("a.2", "And beech?", "a"), ("b.1", "When did the Aurora sink?", "b")]
    outcomes = run(engine, [Question(i, "fact", text, (), conversation=name) for i, text, name in asked])
    assert outcomes[0].answer is not None
    said = (Turn("user", "How long does an oak live?"), Turn("assistant", outcomes[0].answer.text))
    assert engine.heard == [(asked[0][1], ()), ("And beech?", said), (asked[2][1], ())]
    assert (outcomes[0].raw, outcomes[2].raw) == (None, None)
    assert outcomes[1].raw is not None


@pytest.mark.parametrize(
    ("judgement", "said"),
    [
        (Judgement("ships", 25, 29, "1871"), "Question 'q': at 25..29 ships does not say '1871'"),
        (Judgement("boats", 0, 1, "x"), "Question 'q' is judged on 'boats', which is not in the index"),
    ],
)
def test_a_judgement_that_has_moved_is_an_error(beir: Path, open_collection: Open, judgement: Judgement, said: str) -> None:
    """It would count as not found, and nobody would know why."""
    engine = open_collection(read_collection(beir))
    with pytest.raises(CorpusError, match=said):
        run(engine, [Question("q", "fact", "When?", (judgement,))])


def test_a_question_that_cannot_be_asked_is_named(beir: Path, open_collection: Open) -> None:
    """With the reason."""
    engine = open_collection(read_collection(beir))
    with pytest.raises(CorpusError, match="Question 'q' cannot be asked: The question has 4,001 characters"):
        run(engine, [Question("q", "fact", "x" * 4001, ())])


def test_a_second_run_embeds_nothing(squad: Path, tmp_path: Path, embedder: WordEmbedder) -> None:
    """The vectors are kept, in a folder that belongs to these texts cut in this way."""
    collection = read_collection(squad)
    folder = index_folder(collection, tmp_path, Chunking())
    index_collection(collection, folder, embedder, Chunking())
    assert embedder.embedded
    embedder.embedded.clear()
    index_collection(collection, folder, embedder, Chunking())
    assert embedder.embedded == []
    assert folder.parent == tmp_path / "eval"
    assert index_folder(collection.sampled(1), tmp_path, Chunking()) == folder
    changed = replace(collection, items=collection.items[:1])
    assert len({folder, index_folder(collection, tmp_path, Chunking(64)), index_folder(changed, tmp_path, Chunking())}) == 3


def test_the_text_of_an_item_is_kept_to_the_letter(squad: Path, open_collection: Open) -> None:
    """Judgements count its characters; each of its lines is a paragraph."""
    engine = open_collection(read_collection(squad))
    document = engine.document("ships")
    assert document.text == ITEMS[0]["text"]
    assert [document.text[b.start : b.end] for b in document.blocks] == document.text.split("\n")
    assert [document.text[a:b] for a, b in document.sentences] == [FIRST, "Her anchor was found by divers.", "She carried copper."]


def test_pages_are_found_in_pdfs(write: Write, tmp_path: Path, embedder: WordEmbedder) -> None:
    """A file that cannot be read is named, and its questions find nothing."""
    queries = [{"id": "q1", "text": "old hall pilots channel lights"}, QUERIES[1]]
    folder = write("pages", queries_jsonl=queries, qrels_tsv="q\td\ts\nq1\treport#p1\t1\nq2\tbroken#p0\t1\n")
    (folder / "pdfs").mkdir()
    filler = "Nothing of note was said about the weather on that day, and the clerk went home before noon as he did. " * 3
    (folder / "pdfs" / "report.pdf").write_bytes(drawn(lines(filler), lines(HARBOUR)))
    (folder / "pdfs" / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    collection = read_collection(folder)
    (failure,) = index_collection(collection, tmp_path / "work", embedder, Chunking())
    assert failure.source == "broken.pdf"
    first, second = run(Engine.open(tmp_path / "work", embedder), collection.questions, answers=False)
    assert first.question.evidence == (WholePage("report", 2),)
    assert first.found.ranks == (1,)
    assert second.found.ranks == (0,)
    (folder / "pdfs" / "report.pdf").write_bytes(b"%PDF-1.4 nothing")
    shutil.rmtree(tmp_path / "work")
    with pytest.raises(EmptyCorpus, match="No file of pages could be read"):
        index_collection(collection, tmp_path / "work", embedder, Chunking())


def test_each_sentence_of_an_answer_has_its_citations() -> None:
    """By the numbers before its final mark; what stands in brackets within a quotation is none of them."""
    text = "He wrote [3] of it [1]. She did too [1][2]."
    passage = Passage("p", "d", "text", Locator(0, 4))
    spans = {1: (0, 43), 2: (24, 43), 3: (24, 43)}
    citations = tuple(Citation(number, span, passage, "text", Locator(0, 4)) for number, span in spans.items())
    answer = Answer("q", "q", "answered", text, citations, (), "s")
    assert _cited_by_sentence(answer) == [{1}, {1, 2}]


def test_qrels_win_over_named_passages(write: Write) -> None:
    """Where both are there, as in MTRAG."""
    answers = [{"id": "q1", "answerability": "ANSWERABLE", "gold_passages": ["birds"]}]
    folder = write("talk", corpus_jsonl=ITEMS, queries_jsonl=QUERIES, answers_jsonl=answers, qrels_tsv=QRELS)
    assert dict(read_collection(folder).questions[0].relevant) == {"ships": 1}

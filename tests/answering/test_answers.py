"""Answers: sentences of the corpus, cited and verified; or a plain refusal."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from eunato_rag.answering.abstention import Abstention
from eunato_rag.answering.asked import Evidence
from eunato_rag.answering.extraction import Draft, extract
from eunato_rag.answering.grounding import ground, holds
from eunato_rag.engine import NOTHING_ASKED, Engine
from eunato_rag.errors import InvalidQuestion, NotFound
from eunato_rag.indexing.catalogue import Filter
from eunato_rag.indexing.embedding import Embedder
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.records import Answer
from eunato_rag.reindex import reindex
from eunato_rag.retrieval import read_query, retrieve


def proved(engine: Engine, answer: Answer) -> bool:
    """Whether each quotation is its slice, and each sentence of the answer ends with the number of one that says it."""
    rest = answer.text
    for citation in answer.citations:
        document = engine.document(citation.passage.document_id)
        span = answer.text[slice(*citation.answer_span)]
        if document.text[citation.locator.start : citation.locator.end] != citation.quote:
            return False
        if re.sub(rf" \[{citation.number}\]", "", span).split() != citation.quote.split():
            return False
        rest = rest.replace(span, "", 1)
    return not rest.strip()


def test_an_answer_quotes_the_sentence_that_answers(engine: Engine) -> None:
    """To the letter, with section, paragraph and the note whose marker stands there."""
    answer = engine.ask("When was the harbour at Lindholm dredged?")
    assert answer.status == "answered"
    assert "The harbour at Lindholm was dredged in 2019 [1]." in answer.text
    assert proved(engine, answer)
    citation = answer.citations[0]
    assert citation.locator.headings == ("Summary",)
    assert citation.locator.paragraph == 1
    document = engine.document(citation.passage.document_id)
    assert [n.number for n in document.footnotes_in(citation.locator.start, citation.locator.end)] == [1]


def test_a_leaning_sentence_brings_the_one_before(engine: Engine) -> None:
    """ "It was repaired in Malmo" alone does not say what was."""
    answer = engine.ask("Where was the barge repaired?")
    assert answer.citations[0].quote == "The dredging was late because the barge broke down. It was repaired in Malmo."


def test_an_announced_list_comes_whole(engine: Engine) -> None:
    """A sentence that ends with a colon brings the first sentence of each item, each on its line with its own number."""
    answer = engine.ask("What are the lessons?")
    lines = answer.text.split("\n")
    assert lines[-2:] == ["1. Charter two barges [2].", "2. Ask the pilots first [3]."]
    assert proved(engine, answer)


def test_a_question_about_a_source_brings_the_note(engine: Engine) -> None:
    """Who says so is in the note, not in the sentence."""
    answer = engine.ask("Which source is cited for the dredging of the harbour at Lindholm in 2019?")
    assert "Port Authority, Dredging at Lindholm, 2019" in answer.text
    assert proved(engine, answer)


def test_a_note_is_found_by_its_number(engine: Engine) -> None:
    """With the sentence that its marker stands at."""
    answer = engine.ask("What does footnote 1 of the harbour report cite?")
    assert "was dredged in 2019 [1]." in answer.text
    assert "Port Authority, Dredging at Lindholm" in answer.text


def test_a_question_without_evidence_is_refused_with_the_nearest(engine: Engine) -> None:
    """The refusal cites nothing, says why, and shows what came nearest."""
    answer = engine.ask("Which zebra won the quantum chess tournament?")
    assert (answer.status, answer.citations) == ("abstained", ())
    assert answer.nearest[0] == answer.hits[0]
    assert len(answer.nearest) == 3
    assert answer.reason is not None


def test_an_empty_search_is_refused(engine: Engine) -> None:
    """A filter that leaves nothing gives no hits, which is a value, and an abstention, which is no error."""
    answer = engine.ask("When was the harbour dredged?", wanted=Filter(publisher="nobody"))
    assert (answer.status, answer.hits) == ("abstained", ())


def test_a_quotation_that_its_document_does_not_say_is_dropped(engine: Engine) -> None:
    """One changed number is enough."""
    citation = engine.ask("When was the harbour at Lindholm dredged?").citations[0]
    document = engine.document(citation.passage.document_id)
    statement = citation.quote
    assert holds(citation, document, statement)
    altered = citation.quote.replace("2019", "2018")
    assert not holds(replace(citation, quote=altered), document, altered)
    assert not holds(citation, document, altered)


def test_nothing_near_enough_is_not_made_an_answer(engine: Engine) -> None:
    """The threshold decides, whatever was extracted."""
    query = read_query(engine.snapshot, engine.embedder, "When was the harbour dredged?")
    hits = retrieve(engine.snapshot, query)
    draft = extract(engine.snapshot, query, hits)
    assert ground(engine.snapshot, "q", draft, hits).status == "answered"
    assert ground(engine.snapshot, "q", draft, hits, Abstention(least=1.1)).status == "abstained"
    assert ground(engine.snapshot, "q", Draft((), Evidence(9.0)), hits).status == "abstained"


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Was the harbour at Trondheim dredged?", "Trondheim"),
        ("How many apples keep until March?", "number"),
        ("In what year did the barge break down?", "date or time"),
    ],
)
def test_a_near_miss_is_refused_and_the_refusal_says_what_is_not_there(engine: Engine, question: str, reason: str) -> None:
    """The subject is there; the name or the kind of thing asked for is not."""
    answer = engine.ask(question)
    assert answer.status == "abstained"
    assert reason in (answer.reason or "")
    assert answer.nearest


def test_confidence_falls_with_what_the_evidence_lacks() -> None:
    """A chance between 0 and 1."""
    weigh = Abstention().confidence
    assert 1 > weigh(Evidence(0.8)) > weigh(Evidence(0.5)) > weigh(Evidence(0.5, kind="number", holds=False)) > 0
    assert weigh(Evidence(0.8, ("Poland",))) > weigh(Evidence(0.8, ("Poland", "2018"))) == weigh(Evidence(0.8, ("Poland", "2018", "rail")))


def test_passages_that_say_the_same_are_shown_once(tmp_path: Path, embedder: Embedder) -> None:
    """Ten hits are ten different things: a text that two documents share, and a neighbour that repeats its sentences, come once."""
    corpus = tmp_path / "twice"
    corpus.mkdir()
    shared = "The harbour was dredged in 2019."
    for name in ("one", "two"):
        (corpus / f"{name}.md").write_text(f"# Report {name}\n\n{shared}\n\n## More\n\nOther words of {name} stand here.\n", "utf-8")
    reindex(corpus, tmp_path / "twice-index", embedder, Chunking())
    opened = Engine.open(tmp_path / "twice-index", embedder)
    texts = [hit.passage.text for hit in opened.search("harbour dredged")]
    opened.snapshot.close()
    assert texts.count(shared) == 1


def test_an_acronym_finds_what_is_only_spelt_out(tmp_path: Path, embedder: Embedder) -> None:
    """The corpus introduces it once; elsewhere it stands in full."""
    corpus = tmp_path / "acronyms"
    corpus.mkdir()
    rest = "\n\n".join(f"## Part {n}\n\nPears and apples of orchard {n}." for n in range(12))
    first = "# Notes\n\nThe Northern Port Fund (NPF) was founded.\n\n## Pay\n\nThe Northern Port Fund paid for the quay.\n\n"
    (corpus / "notes.md").write_text(first + rest, "utf-8")
    reindex(corpus, tmp_path / "acronyms-index", embedder, Chunking())
    opened = Engine.open(tmp_path / "acronyms-index", embedder)
    hits = opened.search("What did the NPF pay for?", top_k=2)
    opened.snapshot.close()
    assert "The Northern Port Fund paid for the quay." in [hit.passage.text for hit in hits]


@pytest.mark.parametrize("question", ["", "   ", "?!", "x" * 4001])
def test_a_question_of_nothing_or_of_too_much_is_an_error(engine: Engine, question: str) -> None:
    """It says what is wrong with it."""
    with pytest.raises(InvalidQuestion, match=r"is empty|characters"):
        engine.ask(question)


@pytest.mark.parametrize("top_k", [0, 101])
def test_top_k_has_bounds(engine: Engine, top_k: int) -> None:
    """From 1 to 100."""
    with pytest.raises(InvalidQuestion, match="goes from 1 to 100"):
        engine.search("harbour", top_k=top_k)


def test_hits_are_ranked_and_the_same_each_time(engine: Engine) -> None:
    """Rank from 1, higher score is better, the parts are given, and nothing depends on chance."""
    hits = engine.search("late dredging of the harbour", top_k=4)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert set(hits[0].parts) == {"dense", "bm25", "rerank"}
    assert hits == engine.search("late dredging of the harbour", top_k=4)


def test_a_filter_limits_hits_to_its_document(engine: Engine) -> None:
    """However well another document fits."""
    hits = engine.search("harbour dredged", wanted=Filter(document_id=engine.documents()[1]))
    assert hits
    assert {hit.passage.document_id for hit in hits} == {engine.documents()[1]}


def test_an_unknown_id_is_an_error(engine: Engine) -> None:
    """Document and passage alike."""
    with pytest.raises(NotFound, match="no document 'x'"):
        engine.document("x")
    with pytest.raises(NotFound, match="no passage 'x'"):
        engine.passage("x")


def test_a_snapshot_keeps_the_confidence_that_it_was_built_to_ask_for(tmp_path: Path, corpus: Path, embedder: Embedder) -> None:
    """Its answers stay what they were, whatever the settings become."""
    reindex(corpus, tmp_path / "strict", embedder, Chunking(), abstention=Abstention(least=1.0))
    opened = Engine.open(tmp_path / "strict", embedder)
    answer = opened.ask("When was the harbour at Lindholm dredged?")
    opened.snapshot.close()
    assert (answer.status, opened.snapshot.manifest.abstention["least"]) == ("abstained", 1.0)
    assert answer.reason == "No passage comes near enough to the question."


@pytest.mark.parametrize("said", ["Thanks, very helpful!", "hello", "ok"])
def test_a_greeting_is_not_answered_with_evidence(engine: Engine, said: str) -> None:
    """It says that nothing was asked."""
    answer = engine.ask(said)
    assert (answer.status, answer.reason) == ("abstained", NOTHING_ASKED)

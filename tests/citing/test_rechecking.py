"""Saved citations are checked again: what changed in the corpus is told, what was never a citation is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from eunato_rag.citing.rechecking import Recheck, read_saved, recheck, tally
from eunato_rag.engine import Engine
from eunato_rag.errors import InvalidText
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.reindex import reindex
from eunato_rag.serving.http import render
from tests.conftest import HARBOUR, WordEmbedder

DREDGED = "The harbour at Lindholm was dredged in 2019."


@pytest.fixture
def saved(corpus: Path, index: Path, embedder: WordEmbedder) -> str:
    """A quotation of the harbour report, as the API gives it."""
    engine = Engine.open(index, embedder)
    return render.quote(engine, engine.quote(DREDGED), 1.0).model_dump_json()


def after(corpus: Path, index: Path, embedder: WordEmbedder, text: str, saved: str) -> Recheck:
    """What becomes of the one saved citation when the harbour report has another text."""
    (corpus / "harbour.txt").write_text(text, "utf-8")
    reindex(corpus, index, embedder, Chunking(60, 1))
    (done,) = [recheck(Engine.open(index, embedder).snapshot, citation) for citation in read_saved(saved)]
    return done


def test_in_an_unchanged_corpus_a_citation_is_unchanged(index: Path, embedder: WordEmbedder, saved: str) -> None:
    """The slice still equals the quotation."""
    (citation,) = read_saved(saved)
    done = recheck(Engine.open(index, embedder).snapshot, citation)
    assert (done.state, done.holds, citation.pointer) == ("unchanged", True, "/matches/0")
    assert done.match is not None
    assert done.match.quote == DREDGED


def test_a_cited_heading_is_rechecked_like_prose(index: Path, embedder: WordEmbedder) -> None:
    """It stands in no passage; the one that follows it is given."""
    engine = Engine.open(index, embedder)
    (citation,) = read_saved(render.quote(engine, engine.quote("Harbour Report"), 1.0).model_dump_json())
    done = recheck(engine.snapshot, citation)
    assert done.state == "unchanged"
    assert done.match is not None
    assert done.match.quote == "Harbour Report"
    assert DREDGED in done.match.passage.text


def test_a_citation_moves_with_its_words(corpus: Path, index: Path, embedder: WordEmbedder, saved: str) -> None:
    """A sentence put before it moves it; the new place is given."""
    text = HARBOUR.replace("The harbour at", "Lindholm lies in the north. The harbour at", 1)
    done = after(corpus, index, embedder, text, saved)
    assert (done.state, done.holds) == ("moved", True)
    assert done.match is not None
    assert done.match.quote == DREDGED
    assert done.match.locator.start == done.saved.start + len("Lindholm lies in the north. ")


def test_of_two_places_the_one_with_the_saved_surroundings_is_taken(corpus: Path, index: Path, embedder: WordEmbedder, saved: str) -> None:
    """The same sentence stands earlier in another context; the citation follows its own."""
    text = HARBOUR.replace("Summary\n", f"Summary\n\nSome say: {DREDGED} Others disagree.\n", 1)
    done = after(corpus, index, embedder, text, saved)
    assert done.match is not None
    assert done.state == "moved"
    document = Engine.open(index, embedder).document("harbour-2020")
    assert document.text[: done.match.locator.start].count(DREDGED) == 1


def test_an_altered_source_is_told_with_the_difference(corpus: Path, index: Path, embedder: WordEmbedder, saved: str) -> None:
    """The corrected year is named, both sides."""
    done = after(corpus, index, embedder, HARBOUR.replace("2019", "2018"), saved)
    assert (done.state, done.holds) == ("altered", False)
    assert done.match is not None
    assert [(edit.yours, edit.source) for edit in done.match.edits] == [("2019", "2018")]
    assert "'2019' was cited, '2018' stands there now" in done.why


def test_the_same_words_with_other_marks_are_altered_and_said_to_be_the_same(
    corpus: Path, index: Path, embedder: WordEmbedder, saved: str
) -> None:
    """The quotation can no longer be printed as it is, though no word changed."""
    done = after(corpus, index, embedder, HARBOUR.replace("at Lindholm was", "at “Lindholm” was"), saved)
    assert (done.state, done.holds) == ("altered", False)
    assert "words are the same" in done.why


def test_what_was_removed_is_gone(corpus: Path, index: Path, embedder: WordEmbedder, saved: str) -> None:
    """No sentence like it is left."""
    done = after(corpus, index, embedder, "Harbour Report\n\nSummary\n\nThe pilots were asked first.\n", saved)
    assert (done.state, done.match, done.holds) == ("gone", None, False)
    assert tally([done]) == {"unchanged": 0, "moved": 0, "altered": 0, "gone": 1}


def test_a_document_that_was_renamed_is_found_by_its_words(corpus: Path, index: Path, embedder: WordEmbedder, saved: str) -> None:
    """The id is not in the corpus any more; the same words are, under another."""
    (corpus / "sources.toml").unlink()
    (corpus / "harbour.txt").rename(corpus / "port.txt")
    reindex(corpus, index, embedder, Chunking(60, 1))
    (citation,) = read_saved(saved)
    done = recheck(Engine.open(index, embedder).snapshot, citation)
    assert done.state == "moved"
    assert "no document 'harbour-2020' in this corpus" in done.why


def test_an_answer_of_another_corpus_is_gone_and_says_why(index: Path, embedder: WordEmbedder, saved: str) -> None:
    """Neither document nor words are here."""
    answer = json.loads(saved)
    answer["matches"][0]["document"]["id"] = "elsewhere"
    answer["matches"][0]["quote"] = "Zebras graze on the quantum plain at dusk."
    (citation,) = read_saved(json.dumps([answer]))
    done = recheck(Engine.open(index, embedder).snapshot, citation)
    assert (done.state, citation.pointer) == ("gone", "/0/matches/0")
    assert done.why.startswith("There is no document 'elsewhere' in this corpus.")


def test_answers_and_drafts_are_read_as_the_api_gives_them(index: Path, embedder: WordEmbedder) -> None:
    """Each citation of an answer, in order; an abstention has none and holds."""
    engine = Engine.open(index, embedder)
    answer = render.answer(engine, engine.ask("When was the harbour at Lindholm dredged?"), 1.0)
    read = read_saved(answer.model_dump_json())
    assert [(c.number, c.quote) for c in read] == [(c.number, c.quote) for c in answer.citations]
    assert all(c.prefix or c.suffix for c in read)
    abstained = render.answer(engine, engine.ask("Which zebra won the quantum chess tournament?"), 1.0)
    assert read_saved(abstained.model_dump_json()) == []


BAD: list[tuple[Any, str]] = [
    ("", "not JSON"),
    ("[" * 5000, "not JSON"),
    ("{}", "none of citations, sentences, matches"),
    ('"words"', "none of citations, sentences, matches"),
    ("[1]", "/0 is no saved answer"),
    ('{"citations": [{}]}', "/citations/0 is no citation"),
    ('{"citations": [7]}', "/citations/0 is no citation"),
    ('{"sentences": [{"text": "a"}]}', "/sentences/0 has no list 'evidence'"),
    ('{"citations": [{"quote": "a b", "document": {"id": "x"}, "locator": {"start": -1, "end": 2}}]}', "no offset"),
    ('{"citations": [{"quote": 4, "document": {"id": "x"}, "locator": {"start": 1, "end": 2}}]}', "no text"),
    (b"\xff\xfe\x00", "not JSON"),
]


@pytest.mark.parametrize(("data", "why"), BAD)
def test_what_is_no_saved_answer_is_refused(data: str | bytes, why: str) -> None:
    """The error says what is wrong, and where."""
    with pytest.raises(InvalidText, match=why):
        read_saved(data)


def test_more_citations_than_can_be_checked_at_once_are_refused(saved: str) -> None:
    """The work is bounded."""
    with pytest.raises(InvalidText, match="more than 5,000"):
        read_saved(json.dumps({"citations": json.loads(saved)["matches"] * 5_001}))

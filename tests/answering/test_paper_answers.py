"""The real paper and the real model: what a researcher would be shown."""

from __future__ import annotations

import pytest

from eunato_rag import evaluation
from eunato_rag.engine import Engine
from eunato_rag.records import Document
from tests.answering.test_answers import proved
from tests.conftest import ROOT


def test_why_pooling_and_sharing_failed(paper_engine: Engine, paper: Document) -> None:
    """The reason is quoted to the letter, with section, paragraph, and notes 10 and 11 tied to their works."""
    answer = paper_engine.ask("Why did Pooling and Sharing fail?")
    (citation,) = answer.citations
    assert "if they do not advance their own national interests. This was observed to be the main reason" in citation.quote
    assert "Member States failed to identify capabilities they could share" in citation.quote
    assert citation.locator.headings == ("1. EU-NATO: challenges within the partnership",)
    assert citation.locator.paragraph == 4
    notes = paper.footnotes_in(citation.locator.start, citation.locator.end)
    works = [paper_engine.work(note.work or "") for note in notes]
    assert [note.number for note in notes] == [9, 10, 11]
    swp = "Stiftung Wissenschaft und Politik (SWP)"
    assert [work.csl["publisher"] for work in works if work] == [swp, "European Defence Agency", swp]


def test_all_seven_recommendations(paper_engine: Engine) -> None:
    """A question for the list gets the list."""
    answer = paper_engine.ask("What are the seven policy recommendations?")
    assert all(f"\n{number}. " in answer.text for number in range(1, 8))
    assert proved(paper_engine, answer)


@pytest.mark.parametrize("question", ["How do I bake a sourdough loaf?", "blorf the wimble snarp"])
def test_what_the_paper_does_not_say_is_refused(paper_engine: Engine, question: str) -> None:
    """Off-topic and nonsense."""
    assert paper_engine.ask(question).status == "abstained"


def test_the_judged_questions_are_well_made(paper: Document) -> None:
    """At least forty, of several kinds; each judgement's quotation is its slice; unanswerable ones have none."""
    questions = evaluation.read_questions(ROOT / "tests" / "eval")
    assert len(questions) >= 40
    assert len({q.kind for q in questions}) >= 6
    assert len({q.id for q in questions}) == len({q.question for q in questions}) == len(questions)
    for question in questions:
        assert bool(question.evidence) != (question.kind in ("near_miss", "off_topic", "nonsense"))
        for judgement in question.evidence:
            assert judgement.document == paper.id
            assert paper.text[judgement.start : judgement.end] == judgement.quote


def test_every_answer_to_the_judged_questions_is_proved(paper_engine: Engine, outcomes: list[evaluation.Outcome]) -> None:
    """Every quotation equals its slice, and every sentence is cited: all of them, always."""
    assert all(o.verified and proved(paper_engine, o.answer) for o in outcomes if o.answer.status == "answered")

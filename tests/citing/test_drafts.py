"""A draft against the paper: labels, quotations, notes and bibliography together."""

from __future__ import annotations

import re

import pytest

from eunato_rag.citing.manuscripts import read_manuscript
from eunato_rag.engine import Engine
from eunato_rag.records import Draft, DraftSentence

TRUE = "The Pooling and Sharing concept was adopted in 2010 to maximise military resources and reduce duplication."
FALSE = TRUE.replace("2010", "2012")
QUOTED = "the EU should work alongside NATO to ensure these parallel structures work in a coordinated way"
FOREIGN = "Sweden will build a new tank factory in Malmö."


def check(engine: Engine, text: str) -> Draft:
    return engine.check(read_manuscript(text, "markdown"))


def only(draft: Draft) -> DraftSentence:
    (sentence,) = draft.sentences
    return sentence


def test_a_true_sentence_gets_a_note_with_its_place(paper_engine: Engine) -> None:
    """Supported; the note behind it has a full reference, the evidence is a slice of its document."""
    draft = check(paper_engine, f"{TRUE}\n")
    sentence = only(draft)
    assert (sentence.label, sentence.why) == ("supported", "")
    assert isinstance(draft.annotated, str)
    assert draft.annotated.startswith(f"{TRUE}[^1]\n")
    assert re.search(r"\[\^1\]: Federica Mangiameli, \*Elevating .*\*, policy paper \(.*\), sec\. 1, para\. 4\.\n", draft.annotated)
    assert "## Bibliography" in draft.annotated or "# Bibliography" in draft.annotated
    assert [work["id"] for work in draft.works] == ["mangiameli-2025"]
    for citation in sentence.evidence:
        document = paper_engine.document(citation.passage.document_id)
        assert document.text[citation.locator.start : citation.locator.end] == citation.quote
        assert citation.answer_span == (0, len(TRUE))


def test_a_false_number_is_told_in_the_note(paper_engine: Engine) -> None:
    """Contradicted: both years, and what the source says."""
    draft = check(paper_engine, FALSE)
    sentence = only(draft)
    assert sentence.label == "contradicted"
    assert "2010" in sentence.why
    assert "2012" in sentence.why
    assert isinstance(draft.annotated, str)
    assert "[^1]: Contradicted: " in draft.annotated
    assert "was adopted in 2010" in draft.annotated


def test_a_quoted_heading_is_evidence_like_prose(paper_engine: Engine) -> None:
    """It stands in no passage of its own."""
    heading = next(b for b in paper_engine.document("mangiameli-2025").blocks if b.kind == "heading" and b.end - b.start > 30)
    words = paper_engine.document("mangiameli-2025").text[heading.start : heading.end]
    sentence = only(check(paper_engine, f"The paper calls this “{words}” and says why.\n"))
    assert [quotation.found.status for quotation in sentence.quotations] == ["exact"]
    assert words in [citation.quote for citation in sentence.evidence]


def test_a_quotation_to_the_letter_supports_its_sentence(paper_engine: Engine) -> None:
    """The whole sentence is a quotation with a frame of a few words."""
    sentence = only(check(paper_engine, f"The paper holds that “{QUOTED}”."))
    assert sentence.label == "supported"
    assert [q.found.status for q in sentence.quotations] == ["exact"]
    assert sentence.why == ""


def test_a_loose_quotation_is_named_though_the_claim_stands(paper_engine: Engine) -> None:
    """One word exchanged: the sentence is supported, the note says what the source has."""
    draft = check(paper_engine, f"The paper holds that “{QUOTED.replace('work alongside', 'operate alongside')}”.")
    sentence = only(draft)
    assert [q.found.status for q in sentence.quotations] == ["altered"]
    assert "“operate” is “work” in the source" in sentence.why
    assert isinstance(draft.annotated, str)
    assert sentence.why in draft.annotated


def test_a_quotation_that_lost_its_not_or_its_number_contradicts(paper_engine: Engine) -> None:
    """What is in quotation marks says something else than its source."""
    reads = "they have not managed to elevate their cooperation beyond that"
    sentence = only(check(paper_engine, f"“{reads.replace('not ', '')}”, the paper says of the EU and NATO."))
    assert sentence.label == "contradicted"
    assert "“not”" in sentence.why


def test_an_invented_quotation_is_not_found(paper_engine: Engine) -> None:
    """Words that nobody in the corpus wrote, in quotation marks."""
    sentence = only(check(paper_engine, "Mangiameli calls this “a cathedral of paper built upon shifting desert sands”."))
    assert sentence.label == "not_found"
    assert "is not in the documents" in sentence.why


def test_a_term_in_quotation_marks_is_no_quotation_to_be_proved(paper_engine: Engine) -> None:
    """Two words in quotation marks that the corpus has not do not spoil a true sentence."""
    sentence = only(check(paper_engine, TRUE.replace("The Pooling", "The so-called “burden pooling” of the Pooling")))
    assert not sentence.quotations


def test_what_the_corpus_does_not_say_has_no_note_and_no_bibliography(paper_engine: Engine) -> None:
    """The draft comes back as it was."""
    draft = check(paper_engine, FOREIGN)
    assert only(draft).label == "not_found"
    assert only(draft).evidence == ()
    assert draft.annotated == FOREIGN
    assert draft.works == ()


def test_sentences_that_claim_nothing_are_left_alone(paper_engine: Engine) -> None:
    """They are counted, not labelled."""
    draft = check(paper_engine, f"I will come back to this below. {TRUE} What follows from it?")
    assert [s.text for s in draft.sentences] == [TRUE]
    assert draft.left_alone == 2


def test_notes_are_numbered_in_order_and_refer_back(paper_engine: Engine) -> None:
    """The second note to the same work is short or Ibid.; citations carry the number of their note."""
    draft = check(paper_engine, f"{TRUE} {FOREIGN} {FALSE}")
    assert isinstance(draft.annotated, str)
    assert [[c.number for c in s.evidence] for s in draft.sentences if s.evidence] == [[1], [2]]
    assert re.search(r"\[\^2\]: .*Ibid\.", draft.annotated)
    assert re.sub(r"\[\^\d+\]", "", draft.annotated).startswith(f"{TRUE} {FOREIGN} {FALSE}")


def test_progress_is_told(paper_engine: Engine) -> None:
    """Each sentence, then all."""
    told: list[tuple[int, int]] = []
    paper_engine.check(read_manuscript(f"{FOREIGN} {TRUE}", "text"), lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_an_emphasised_draft_keeps_every_character(paper_engine: Engine, form: str) -> None:
    """Taking the notes out again gives the draft."""
    text = f"A *first* point: {TRUE}\r\n\r\n> “{QUOTED}”\r\n"
    draft = paper_engine.check(read_manuscript(text, "markdown" if form == "markdown" else "text"))
    assert isinstance(draft.annotated, str)
    head = draft.annotated[: draft.annotated.index("ibliography")]
    assert re.sub(r"\[\^?\d+\]", "", head).startswith(text.rstrip())


def test_a_quotation_with_asterisks_is_printed_as_it_is(paper_engine: Engine) -> None:
    """What a note repeats of the draft is no markup of the note."""
    draft = check(paper_engine, f"“{QUOTED.replace('parallel', '*strictly* parallel')}”, says the paper, and *so* it is.")
    assert isinstance(draft.annotated, str)
    note = draft.annotated[draft.annotated.index("[^1]:") :]
    assert note.replace("\\*", "").count("*") % 2 == 0

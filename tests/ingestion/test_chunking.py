"""Passages: slices of whole sentences, within both limits, with nothing left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eunato_rag.ingestion.chunking import Chunking, chunk, embedding_context
from eunato_rag.ingestion.layout import Draft, Prose, assemble
from eunato_rag.records import Block, Document, Passage
from eunato_rag.sentences import sentence_spans
from eunato_rag.tokens import count_tokens


def words(text: str) -> int:
    return len(text.split())


def document(*drafts: Draft) -> Document:
    parts = assemble(drafts)
    return Document("d", "d.txt", "0", {"title": "Title"}, parts.text, parts.blocks, (), parts.footnotes, parts.links, parts.sentences)


def passages(doc: Document, target: int = 20, overlap: int = 1, limit: int = 60) -> tuple[Passage, ...]:
    return chunk(doc, Chunking(target, overlap), size=words, model_size=words, model_limit=limit)


def paragraph(*sentences: str) -> Draft:
    return Draft("paragraph", Prose(" ".join(sentences)))


def sentence(number: int, length: int) -> str:
    return f"Number{number} " + "word " * (length - 2) + "end."


def test_paragraphs_stay_together_while_they_fit() -> None:
    """Two short paragraphs of one section make one passage; a heading ends it."""
    doc = document(paragraph(sentence(1, 6)), paragraph(sentence(2, 6)), Draft("heading", Prose("Next"), 1), paragraph(sentence(3, 6)))
    first, second = passages(doc)
    assert "Number1" in first.text
    assert "Number2" in first.text
    assert second.locator.headings == ("Next",)
    assert "Number3" in second.text


def test_a_long_paragraph_is_cut_into_equal_parts_that_share_a_sentence() -> None:
    """Thirty-two words at a target of twenty are two parts, and the second begins with the first one's last sentence."""
    first, second = passages(document(paragraph(*(sentence(n, 8) for n in range(1, 5)))))
    assert [word for word in first.text.split() if word.startswith("N")] == ["Number1", "Number2"]
    assert [word for word in second.text.split() if word.startswith("N")] == ["Number2", "Number3", "Number4"]


def test_without_overlap_no_sentence_stands_twice() -> None:
    """The parts join to the paragraph."""
    doc = document(paragraph(*(sentence(n, 8) for n in range(1, 5))))
    assert " ".join(p.text for p in passages(doc, overlap=0)) == doc.text


def test_each_note_is_a_passage_under_the_section_of_its_marker() -> None:
    """A note is found alone, and its locator says where it belongs."""
    doc = document(
        Draft("heading", Prose("One"), 1),
        Draft("paragraph", Prose("It is deep.", ((11, 1),))),
        Draft("heading", Prose("Two"), 1),
        paragraph("It is wide."),
        Draft("note", Prose("Depths, 2019."), number=1),
    )
    note = passages(doc)[-1]
    assert (note.text, note.locator.headings, note.locator.paragraph) == ("Depths, 2019.", ("One",), 1)


def test_a_sentence_longer_than_the_model_reads_is_cut_between_words() -> None:
    """Nothing is truncated: the parts hold every word."""
    doc = document(paragraph("word " * 99 + "end."))
    parts = passages(doc, target=20, overlap=0, limit=30)
    assert all(words(embedding_context(doc, p.locator.start, model_size=words, model_limit=30) + p.text) <= 30 for p in parts)
    assert " ".join(p.text for p in parts).split() == doc.text.split()


def test_headings_never_leave_less_than_half_of_the_models_reach() -> None:
    """Where title and headings are long, the outer ones go first, and passages stay passages."""
    drafts = [Draft("heading", Prose(f"{name} " + "heading " * 20), level) for level, name in ((1, "Outer"), (2, "Inner"))]
    doc = document(*drafts, paragraph(*(sentence(n, 8) for n in range(1, 9))))
    parts = passages(doc, target=30, limit=60)
    text = embedding_context(doc, parts[0].locator.start, model_size=words, model_limit=60) + parts[0].text
    assert text.startswith("Title\nInner heading")
    assert all(len(p.text) > 100 for p in parts)


def test_ids_say_nothing_about_the_order_of_files(paper: Document) -> None:
    """An id derives from document, range and words alone; another document with the same words has other ids."""
    ids = [p.id for p in passages(paper)]
    assert len(set(ids)) == len(ids)
    assert ids == [p.id for p in passages(paper)]
    same = Document("other", "d.txt", "0", paper.work, paper.text, paper.blocks, sentences=paper.sentences)
    assert not {p.id for p in passages(same)} & set(ids)


@given(
    lengths=st.lists(st.lists(st.integers(2, 40), min_size=1, max_size=7), min_size=1, max_size=6),
    headings=st.lists(st.booleans(), min_size=6, max_size=6),
    target=st.integers(8, 60),
    overlap=st.integers(0, 2),
)
def test_every_passage_is_a_slice_within_limits_and_no_sentence_is_lost(
    lengths: list[list[int]], headings: list[bool], target: int, overlap: int
) -> None:
    """For any document: slices, the model's limit, whole sentences, sections, and nothing left out."""
    drafts = []
    for number, (paragraph_lengths, heading) in enumerate(zip(lengths, headings, strict=False)):
        if heading:
            drafts.append(Draft("heading", Prose(f"Heading {number}"), 1))
        drafts.append(paragraph(*(sentence(number * 10 + n, length) for n, length in enumerate(paragraph_lengths))))
    doc = document(*drafts)
    found = passages(doc, target, overlap, limit=60)
    covered: set[tuple[int, int]] = set()
    for p in found:
        start, end = p.locator.start, p.locator.end
        assert doc.text[start:end] == p.text
        context = embedding_context(doc, start, model_size=words, model_limit=60)
        assert words(context + doc.text[start:end]) <= 60
        inside = list(doc.sentences_in(start, end))
        assert (inside[0][0], inside[-1][1]) == (start, end)
        assert words(p.text) <= target + (1 + overlap) * max(words(doc.text[a:b]) for a, b in inside)
        assert not any(b.kind == "heading" and start <= b.start < end for b in doc.blocks)
        covered |= set(inside)
    prose = [b for b in doc.blocks if b.kind != "heading"]
    assert covered == {s for b in prose for s in doc.sentences_in(b.start, b.end)}


def test_the_papers_passages_are_slices_and_hold_all_of_its_sentences(paper: Document) -> None:
    """On the real paper, with real token counts."""
    found = chunk(paper, Chunking(), size=count_tokens, model_size=words, model_limit=256)
    assert all(paper.text[p.locator.start : p.locator.end] == p.text for p in found)
    held = {s for p in found for s in paper.sentences_in(p.locator.start, p.locator.end)}
    assert held == {s for s in paper.sentences if _block(paper, s[0]).kind != "heading"}
    assert max(count_tokens(p.text) for p in found) < 2 * Chunking().target


def _block(doc: Document, offset: int) -> Block:
    block = doc.block_at(offset)
    assert block is not None
    return block


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("hello world", 2), ("<|endoftext|>", 7)])
def test_tokens_are_counted_offline(text: str, tokens: int) -> None:
    """The bundled table counts as cl100k_base does; a special token in a document is plain text."""
    assert count_tokens(text) == tokens


def test_a_document_of_nothing_but_headings_has_these_as_passages() -> None:
    """What is indexed can be found, and a quotation of it lies in a passage."""
    doc = document(Draft("heading", Prose("Harbour Report"), 0), Draft("heading", Prose("Summary"), 1))
    assert [p.text for p in passages(doc)] == ["Harbour Report", "Summary"]


def test_an_endless_sentence_is_not_counted_from_end_to_end_for_each_of_its_parts() -> None:
    """What the model's counter is given in all stays a small multiple of the text."""
    counted = 0

    def count(text: str) -> int:
        nonlocal counted
        counted += len(text)
        return len(text) // 4

    doc = document(paragraph("x" * 200_000))
    parts = chunk(doc, Chunking(), size=count, model_size=count, model_limit=256)
    assert "".join(part.text for part in parts) == doc.text
    assert counted < 50 * len(doc.text)


def test_a_word_without_end_is_one_sentence() -> None:
    """Marks inside of it end nothing, and take no time."""
    assert sentence_spans("![" * 50_000 + " It rained. They left.") == [(0, 100_011), (100_012, 100_022)]

"""What holds of every document, whatever bytes it was read from: its ranges fit its text, and its passages are slices of it."""

from __future__ import annotations

import json
from itertools import pairwise

from eunato_rag.ingestion.chunking import Chunking, chunk, embedding_context
from eunato_rag.ingestion.layout import mend_characters
from eunato_rag.records import Document
from eunato_rag.tokens import count_tokens

MODEL_LIMIT = 400
"""Of a model that counts characters, so that no sequence of them counts for nothing."""


def check_document(document: Document) -> None:
    """Raises AssertionError, with what is wrong, where the document is not sound."""
    _check_words(document)
    _check_blocks(document)
    _check_what_hangs_on_them(document)
    _check_passages(document)


def _check_words(document: Document) -> None:
    text = document.text
    assert text.strip(), "no text"
    text.encode("utf-8")
    mended, changes = mend_characters(text)
    odd = next((n for n, (a, b) in enumerate(zip(text, mended, strict=False)) if a != b), len(mended))
    assert mended == text, f"characters that a reader mends: {text[max(0, odd - 3) : odd + 3]!a} at {odd}, {[c.kind for c in changes]}"
    json.dumps(document.work, ensure_ascii=False).encode("utf-8")
    assert document.title.strip(), "no title"
    for change in document.report:
        f"{change.kind}{change.detail}{change.removed}".encode()


def _check_blocks(document: Document) -> None:
    text, blocks = document.text, document.blocks
    assert (blocks[0].start, blocks[-1].end) == (0, len(text)), "the text does not begin and end with a block"
    assert all(text[a.end : b.start] in ("\n", "\n\n") for a, b in pairwise(blocks)), "blocks overlap, or stand apart"
    covered = 0
    for block in blocks:
        said = text[block.start : block.end]
        assert said, f"an empty {block.kind}"
        assert said == said.strip(), f"a {block.kind} with space around it: {said!r}"
        place = block.start
        for start, end in document.sentences_in(block.start, block.end):
            assert place <= start < end, "sentences are empty or overlap"
            assert text[start:end] == text[start:end].strip(), f"a sentence with space around it: {text[start:end]!r}"
            assert not text[place:start].strip(), f"words in no sentence: {text[place:start]!r}"
            place, covered = end, covered + 1
        assert not text[place : block.end].strip(), f"words in no sentence: {text[place : block.end]!r}"
        document.context(block.start)
    assert covered == len(document.sentences), "a sentence lies in no block"


def _check_what_hangs_on_them(document: Document) -> None:
    text, pages = document.text, document.pages
    notes = [(block.start, block.end) for block in document.blocks if block.kind == "note"]
    prose = min((start for start, _ in notes), default=len(text))
    assert [(note.start, note.end) for note in document.footnotes] == notes, "notes are not the blocks of notes"
    for note in document.footnotes:
        assert all(0 <= a <= prose or any(start <= a <= end for start, end in notes) for a in note.anchors), f"marker out of place: {note}"
    assert all(0 <= link.start < link.end <= len(text) and link.target for link in document.links), "a link of nothing"
    assert all(a.end == b.start for a, b in pairwise(pages)), "pages overlap, or leave a gap"
    assert all(0 <= page.start <= page.end <= len(text) and page.page.number > 0 for page in pages), "a page out of place"
    assert not pages or (pages[0].start, pages[-1].end) == (0, len(text)), "the pages do not hold the text"
    "".join([*(link.target for link in document.links), *(page.page.label or "" for page in pages)]).encode()


def _check_passages(document: Document) -> None:
    passages = chunk(document, Chunking(), size=count_tokens, model_size=len, model_limit=MODEL_LIMIT)
    assert passages, "no passage"
    headings = any(block.kind != "heading" for block in document.blocks)
    covered = bytearray(len(document.text))
    for passage in passages:
        start, end = passage.locator.start, passage.locator.end
        assert 0 <= start < end <= len(document.text)
        assert passage.text == document.text[start:end], "a passage is no slice"
        context = embedding_context(document, start, model_size=len, model_limit=MODEL_LIMIT)
        assert len(context + document.text[start:end]) <= MODEL_LIMIT, "a passage is truncated"
        covered[start:end] = b"\1" * (end - start)
    assert len({passage.id for passage in passages}) == len(passages), "two passages have one id"
    for block in document.blocks:
        for place in range(block.start, block.end):
            heading = headings and block.kind == "heading"
            assert covered[place] or document.text[place].isspace() or heading, f"words in no passage: {document.text[place : block.end]!r}"
            assert not (covered[place] and heading), "a heading in a passage"

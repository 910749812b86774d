"""Any Unicode on the whole way: file -> document -> passages -> snapshot -> search, quotations, drafts. Slices stay equal to the letter."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Literal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from eunato_rag.citing.manuscripts import read_manuscript
from eunato_rag.citing.rechecking import read_saved, recheck
from eunato_rag.engine import Engine
from eunato_rag.errors import EmptyCorpus, InvalidQuestion, InvalidText
from eunato_rag.indexing.folding import read_words
from eunato_rag.ingestion.chunking import Chunking
from eunato_rag.ingestion.readers import read
from eunato_rag.ingestion.sources import Manifest, identify
from eunato_rag.records import Document, Quotation
from eunato_rag.reindex import reindex
from eunato_rag.serving.http import render
from tests.conftest import WordEmbedder
from tests.ingestion.test_any_bytes import TEXTS

UNHURRIED = settings(
    deadline=None,
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "15")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
FORMATS: tuple[Literal["text", "markdown"], ...] = ("text", "markdown")
WHOLE = st.lists(TEXTS.filter(lambda text: len(text) > 20), min_size=1, max_size=3)


def published(folder: Path, texts: Sequence[str]) -> tuple[Path, list[Document]]:
    """An index of the texts, one of each format in turn; and the documents as they are read again."""
    corpus, index = Path(mkdtemp(dir=folder)), Path(mkdtemp(dir=folder))
    paths = [corpus / f"{n}{('.txt', '.md', '.html')[n]}" for n in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(f"<p>{text}".encode() if path.suffix == ".html" else text.encode())
    try:
        report = reindex(corpus, index, WordEmbedder(), Chunking(target=40))
    except EmptyCorpus:
        assume(False)
    left_out = {failure.source for failure in report.failed} | {source for source, _ in report.duplicates}
    return index, [identify(read(path), path.name, Manifest()) for path in paths if path.name not in left_out]


def check_quotation(found: Quotation, documents: Sequence[Document]) -> None:
    """What holds of every quotation: its matches are slices, and its edits are ranges of both sides."""
    by_id = {document.id: document.text for document in documents}
    text = found.quote
    assert bool(found.matches) == (found.status != "absent")
    for match in found.matches:
        source = by_id[match.passage.document_id]
        assert source[match.locator.start : match.locator.end] == match.quote
        assert 0 <= match.covers[0] < match.covers[1] <= len(text)
        for edit in match.edits:
            assert text[slice(*edit.yours_span)] == edit.yours
            assert source[slice(*edit.source_span)] == edit.source


@UNHURRIED
@given(texts=WHOLE, others=st.lists(TEXTS, min_size=1, max_size=4), data=st.data())
def test_what_is_indexed_is_found_to_the_letter(tmp_path: Path, texts: list[str], others: list[str], data: st.DataObject) -> None:
    """Documents come back as they were read; any run of their words is quoted exactly; any text is answered or refused."""
    index, documents = published(tmp_path, texts)
    with_texts = Engine.open(index, WordEmbedder())
    try:
        for document in documents:
            assert with_texts.document(document.id) == document
            for passage in with_texts.snapshot.catalogue.passages_of(document.id):
                assert document.text[passage.locator.start : passage.locator.end] == passage.text
            words = read_words(document.text)
            if sum(form[0].isalnum() for form in words.forms) < 2:
                continue
            first = data.draw(st.integers(0, len(words) - 2))
            last = data.draw(st.integers(first + 1, min(len(words) - 1, first + 12)))
            said = document.text[int(words.starts[first]) : int(words.ends[last])]
            if sum(form[0].isalnum() for form in words.forms[first : last + 1]) > 1:
                found = with_texts.quote(said)
                check_quotation(found, documents)
                assert found.status in ("exact", "normalized"), (said, found)
                _recheck(with_texts, found)
                _check_draft(with_texts, f"They call it “{said}” in 2019.", documents)
        for text in others:
            _ask_about(with_texts, text, documents)
    finally:
        with_texts.snapshot.close()


def _ask_about(engine: Engine, text: str, documents: Sequence[Document]) -> None:
    """Any text as a quotation, a query, a question and a draft: an answer, or the error that says what is wrong with it."""
    by_id = {document.id: document.text for document in documents}
    try:
        check_quotation(engine.quote(text), documents)
    except InvalidText as error:
        assert str(error)  # noqa: PT017 - both outcomes are right
    try:
        for hit in engine.search(text):
            assert by_id[hit.passage.document_id][hit.passage.locator.start : hit.passage.locator.end] == hit.passage.text
        for citation in (answer := engine.ask(text)).citations:
            assert by_id[citation.passage.document_id][citation.locator.start : citation.locator.end] == citation.quote
            assert 0 <= citation.answer_span[0] < citation.answer_span[1] <= len(answer.text)
    except InvalidQuestion as error:
        assert str(error)  # noqa: PT017 - both outcomes are right
    _check_draft(engine, text, documents)


def _check_draft(engine: Engine, text: str, documents: Sequence[Document]) -> None:
    for kind in FORMATS:
        try:
            draft = engine.check(read_manuscript(text, kind))
        except InvalidText:
            continue
        for sentence in draft.sentences:
            assert 0 <= sentence.start < sentence.end <= len(text)
            assert sentence.text.strip()
            for quotation in sentence.quotations:
                assert 0 <= quotation.start < quotation.end <= len(text)
                check_quotation(quotation.found, documents)


def _recheck(engine: Engine, found: Quotation) -> None:
    """What was just found is there still."""
    for saved in read_saved(render.quote(engine, found, 1.0).model_dump_json()):
        assert recheck(engine.snapshot, saved).state == "unchanged"
